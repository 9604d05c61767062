"""Points that a purchase says it was paid with: the goods are gone, the books have to follow.

A purchase that was made before its hold timed out captures it, however late it arrives: from the hold's own lots first
(what expired of them meanwhile is revived), then from others. What a till captured or redeemed already is matched with
it. Whatever nothing backs follows the programme: down to zero, into debt, or refused.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from contracts.awards import PurchaseRedemption
from contracts.ids import derive
from services.ledger.domain.account import EMPTY_BALANCE, Account, Hold, Redemption
from services.ledger.domain.accruals import too_large
from services.ledger.domain.decision import Decision, Onward, Shared, stamp
from services.ledger.domain.events import (
    Event,
    HoldCaptured,
    Movement,
    PointsRedeemed,
    RedemptionForwarded,
    RedemptionMatched,
)
from services.ledger.domain.guards import Guards
from services.ledger.domain.holds import free, spend
from services.ledger.domain.inactivity import moved
from services.ledger.domain.lots import Purse, expiry_of_freed, in_parts, total
from services.ledger.domain.refusals import (
    Refusal,
    amount_too_large,
    barred,
    ended,
    scale_differs,
    unbacked_points,
)


@dataclass(slots=True)
class _Backing:
    """What stands behind a purchase's points.

    `claims` are redemptions made already, `open_hold` a hold to capture for `captured` points, `late_hold` one that
    timed out too early, for `late` movements. `unbacked` are movements for what nothing backs, `rest` what is left.
    """

    rest: int
    claims: list[Redemption] = field(default_factory=list)
    open_hold: Hold | None = None
    captured: int = 0
    late_hold: Hold | None = None
    late: list[Movement] = field(default_factory=list)
    unbacked: list[Movement] = field(default_factory=list)


def redeem_for_purchase(account: Account, command: PurchaseRedemption, guards: Guards, now: datetime) -> Decision:
    """Capture the hold, match what was redeemed, or treat the points as unbacked. An empty list: already so.

    Refused: `account_closed`, `member_erased`, `scale_differs`, `unbacked_points` (nothing backs it and the programme
    refuses), `account_frozen` and `programme_suspended` (the same of those), `amount_too_large`.
    """
    if command.command_id in account.redemptions or not command.points:
        return []
    refusal = ended(account) or _other_scale(account, command)
    if refusal is not None:
        return refusal
    purse = Purse(account, command.currency)
    backing = _backing(account, command, purse)
    day = guards.day(now)
    if account.status == "merged":
        return _pass_on(account, command, backing, day, now)
    refusal = _treat_unbacked(account, command, backing, purse, guards)
    return _events(account, command, backing, day, now) if refusal is None else refusal


def _other_scale(account: Account, command: PurchaseRedemption) -> Refusal | None:
    balance = account.balances.get(command.currency)
    if balance is None or balance.scale == command.scale:
        return None
    return scale_differs(command.currency, balance.scale, command.scale)


def _backing(account: Account, command: PurchaseRedemption, purse: Purse) -> _Backing:
    """What the purchase names and may have."""
    backing = _Backing(rest=command.points)
    hold = account.holds.get(command.hold_id) if command.hold_id else None
    if hold is not None and hold.currency != command.currency:
        hold = None
    backing.claims = [
        redemption
        for redemption in account.redemptions.values()
        if redemption.currency == command.currency
        and redemption.claimed_by is None
        and redemption.taken > redemption.restored
        and (
            redemption.redemption_id == command.redemption_id
            or (hold is not None and redemption.hold_id == hold.hold_id)
        )
    ]
    claimed = sum(redemption.taken - redemption.restored for redemption in backing.claims)
    backing.rest = max(command.points - claimed, 0)
    if hold is None:
        return backing
    if hold.state == "open":
        backing.open_hold = hold
        backing.captured = min(backing.rest, hold.held)
        backing.rest -= backing.captured
    elif hold.state == "timed_out" and command.occurred_at < hold.expires_at:
        backing.late_hold = hold
        backing.late = _late_capture(account, hold, backing.rest, purse)
        backing.rest -= total(backing.late)
    return backing


def _late_capture(account: Account, hold: Hold, points: int, purse: Purse) -> list[Movement]:
    """Up to `points` for a hold that timed out too early: from its own lots, expired shares revived, then from others.

    Never more than was on hold.
    """
    left = min(points, sum(share.points for share in hold.shares))
    movements: list[Movement] = []
    for lot_id, share, _ in hold.shares:
        wanted = min(left, share)
        found = purse.take_from(lot_id, wanted, "redeemed")
        wanted -= total(found)
        lot = account.lots.get(lot_id)
        lapsed = min(wanted, lot.expired - lot.written_off) if lot is not None else 0
        if lapsed > 0:
            found.append(Movement(hold.currency, lot_id, "expired", "redeemed", lapsed))
        movements += found
        left -= total(found)
    return movements + purse.take(left, "redeemed")


def _treat_unbacked(
    account: Account, command: PurchaseRedemption, backing: _Backing, purse: Purse, guards: Guards
) -> Refusal | None:
    """Take what the programme says for points that nothing backs, or say why the purchase's points are refused."""
    if not backing.rest:
        return None
    bar = barred(account, suspended=guards.suspended)
    if bar is not None or command.unbacked == "refuse":
        if backing.claims or backing.captured or backing.late:
            return None
        return bar or unbacked_points(command.points, command.scale)
    backing.unbacked = purse.take(backing.rest, "redeemed")
    backing.rest -= total(backing.unbacked)
    if command.unbacked == "negative" and backing.rest:
        if too_large(account.balances.get(command.currency, EMPTY_BALANCE), backing.rest):
            return amount_too_large()
        backing.unbacked.append(Movement(command.currency, None, "debt", "redeemed", backing.rest))
        backing.rest = 0
    return None


def _events(account: Account, command: PurchaseRedemption, backing: _Backing, day: date, now: datetime) -> list[Event]:
    """What happened, in order: the match, the capture, the late capture, what nothing backed."""
    activity = moved(account.balances.get(command.currency, EMPTY_BALANCE), command.currency, now, now)
    shared = {**stamp(command, now), "redemption_id": command.command_id, "currency": command.currency}
    events: list[Event] = []
    if backing.claims:
        claims = tuple(redemption.redemption_id for redemption in backing.claims)
        events.append(RedemptionMatched(claims=claims, **shared))
    events += _from_hold(account, command, backing, now)
    shared |= {"activity": activity, "purchase": True, "partner": command.partner}
    counted = bool(backing.claims or backing.captured)
    spent: list[PointsRedeemed] = []
    if backing.late_hold is not None and backing.late:
        spent += in_parts(PointsRedeemed, backing.late, hold_id=backing.late_hold.hold_id, day=day, **shared)
        counted = True
    if backing.unbacked or backing.rest or not (events or spent):
        first, *others = in_parts(
            PointsRedeemed,
            backing.unbacked,
            first=len(spent),
            day=None if counted else day,
            scales=((command.currency, command.scale),),
            **shared,
        )
        policy = "refuse" if account.status == "frozen" else command.unbacked
        spent += [replace(first, unbacked=backing.rest, policy=policy), *others]
    return events + spent


def _from_hold(account: Account, command: PurchaseRedemption, backing: _Backing, now: datetime) -> list[Event]:
    """The capture of an open hold; what the purchase did not need of it goes back."""
    hold = backing.open_hold
    if hold is None:
        return []
    shared = stamp(command, now)
    if not backing.captured:
        return free(account, hold, now, shared)
    movements = spend(hold, backing.captured, release=True)
    captured = in_parts(
        HoldCaptured,
        movements,
        hold_id=hold.hold_id,
        redemption_id=command.command_id,
        currency=hold.currency,
        day=None if hold.captured else hold.day,
        reference=hold.reference,
        purchase=True,
        partner=command.partner or hold.partner,
        activity=moved(account.balances.get(hold.currency, EMPTY_BALANCE), hold.currency, now, now),
        **shared,
    )
    return [*captured, *expiry_of_freed(account, movements, now, **shared)]


def _pass_on(account: Account, command: PurchaseRedemption, backing: _Backing, day: date, now: datetime) -> Decision:
    """A merged account gives what is on hold with it; for the rest it asks the one that took it up."""
    rest, backing.rest = backing.rest, 0
    events = _events(account, command, backing, day, now) if rest < command.points else []
    if not rest or account.merged_into is None:
        return events
    forwarded = RedemptionForwarded(
        redemption_id=command.command_id,
        to_account_id=account.merged_into,
        currency=command.currency,
        points=rest,
        **stamp(command, now),
    )
    changes = {
        "command_id": forwarded_id(command.command_id), "account_id": account.merged_into, "points": rest,
        "hold_id": None, "redemption_id": None,
    }  # fmt: skip
    return Shared([*events, forwarded], Onward(account.merged_into, command.model_copy(update=changes)))


def forwarded_id(command_id: UUID) -> UUID:
    """The command by which a merged account passes on the rest of another."""
    return derive("forwarded", command_id)
