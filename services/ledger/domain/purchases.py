"""Points that a purchase says it was paid with: the goods are gone, the books have to follow.

A purchase that was made before its hold timed out captures it, however late it arrives: from the hold's own lots first
(what expired of them meanwhile is revived), then from others. What a till captured or redeemed already is matched with
it. Whatever nothing backs follows the programme: down to zero, into debt, or refused.
"""

from dataclasses import dataclass, field
from datetime import datetime
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
from services.ledger.domain.refusals import account_frozen, amount_too_large, ended, scale_differs, unbacked_points


@dataclass(slots=True)
class _Backing:
    """What stands behind a purchase's points: redemptions made already, a hold to capture, or one that timed out."""

    claims: list[Redemption] = field(default_factory=list)
    open_hold: Hold | None = None
    late_hold: Hold | None = None
    captured: int = 0
    revived: int = 0
    rest: int = 0


def redeem_for_purchase(account: Account, command: PurchaseRedemption, guards: Guards, now: datetime) -> Decision:
    """Capture the hold, match what was redeemed, or treat the points as unbacked. An empty list: already so.

    Refused: `account_closed`, `member_erased`, `scale_differs`, `unbacked_points` (nothing backs it and the programme
    refuses), `account_frozen` (the same of a frozen account), `amount_too_large`.
    """
    if command.command_id in account.redemptions or not command.points:
        return []
    balance = account.balances.get(command.currency, EMPTY_BALANCE)
    if balance is not EMPTY_BALANCE and balance.scale != command.scale:
        return scale_differs(command.currency, balance.scale, command.scale)
    refusal = ended(account)
    if refusal is not None:
        return refusal
    backing = _backing(account, command)
    purse = Purse(account, command.currency)
    backed = _late_capture(account, command, backing, purse)
    if account.status == "merged":
        return _pass_on(account, command, backing, backed, guards, now)
    unbacked = _unbacked(account, command, backing, purse, backed)
    if unbacked is None:
        frozen = account.status == "frozen"
        return account_frozen() if frozen else unbacked_points(command.points, command.scale)
    owed = sum(movement.points for movement in unbacked if movement.lot_id is None)
    if owed and too_large(balance, owed):
        return amount_too_large()
    return _events(account, command, backing, backed, unbacked, guards, now)


def _backing(account: Account, command: PurchaseRedemption) -> _Backing:
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
        backing.revived = min(backing.rest, sum(share.points for share in hold.shares))
        backing.rest -= backing.revived
    return backing


def _late_capture(account: Account, command: PurchaseRedemption, backing: _Backing, purse: Purse) -> list[Movement]:
    """Points for a hold that timed out after the purchase was made; what cannot be found adds to the rest."""
    hold, left = backing.late_hold, backing.revived
    movements: list[Movement] = []
    if hold is None:
        return movements
    for lot_id, points, _ in hold.shares:
        wanted = min(left, points)
        found = purse.take_from(lot_id, wanted, "redeemed")
        wanted -= total(found)
        lot = account.lots.get(lot_id)
        lapsed = min(wanted, lot.expired - lot.written_off) if lot is not None else 0
        if lapsed > 0:
            found.append(Movement(command.currency, lot_id, "expired", "redeemed", lapsed))
        movements += found
        left -= total(found)
    others = purse.take(left, "redeemed")
    movements += others
    backing.rest += left - total(others)
    return movements


def _unbacked(
    account: Account, command: PurchaseRedemption, backing: _Backing, purse: Purse, backed: list[Movement]
) -> list[Movement] | None:
    """What the programme takes for points that nothing backs; None: it refuses the purchase's points altogether."""
    if not backing.rest:
        return []
    if command.unbacked == "refuse" or account.status == "frozen":
        return [] if backing.claims or backing.captured or backed else None
    movements = purse.take(backing.rest, "redeemed")
    backing.rest -= total(movements)
    if command.unbacked == "negative" and backing.rest:
        movements.append(Movement(command.currency, None, "debt", "redeemed", backing.rest))
        backing.rest = 0
    return movements


def _events(
    account: Account, command: PurchaseRedemption, backing: _Backing, backed: list[Movement],
    unbacked: list[Movement], guards: Guards, now: datetime,
) -> list[Event]:  # fmt: skip
    """What happened, in order: the match, the capture, the late capture, what nothing backed."""
    shared = stamp(command, now)
    shared["redemption_id"], shared["currency"] = command.command_id, command.currency
    balance = account.balances.get(command.currency, EMPTY_BALANCE)
    activity = moved(balance, command.currency, now)
    events: list[Event] = []
    if backing.claims:
        claims = tuple(redemption.redemption_id for redemption in backing.claims)
        events.append(RedemptionMatched(claims=claims, **shared))
    events += _from_hold(account, command, backing, now)
    counted = bool(backing.claims or backing.captured)
    spent: list[PointsRedeemed] = []
    if backing.late_hold is not None and backed:
        hold_id = backing.late_hold.hold_id
        spent += in_parts(PointsRedeemed, backed, hold_id=hold_id, day=guards.day(now), activity=activity, **shared)
        counted = True
    if unbacked or backing.rest or not (events or spent):
        spent += in_parts(
            PointsRedeemed, unbacked, first=len(spent), day=None if counted else guards.day(now), activity=activity,
            unbacked=backing.rest, policy=command.unbacked, scales=((command.currency, command.scale),), **shared,
        )  # fmt: skip
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
        activity=moved(account.balances.get(hold.currency, EMPTY_BALANCE), hold.currency, now),
        **shared,
    )
    return [*captured, *expiry_of_freed(account, movements, now, **shared)]


def _pass_on(
    account: Account, command: PurchaseRedemption, backing: _Backing, backed: list[Movement], guards: Guards,
    now: datetime,
) -> Decision:  # fmt: skip
    """A merged account gives what is on hold with it; for the rest it asks the one that took it up."""
    rest, backing.rest = backing.rest, 0
    events = _events(account, command, backing, backed, [], guards, now) if rest < command.points else []
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
