"""Spent points that come back to the lots they were taken from, latest-expiring first.

What had been taken into debt comes back first: it lowers the debt, or, where that was settled since, opens a lot.
Points of a lot whose date has passed get the programme's grace, counted from the return; with none they come back and
expire at once, and both are shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from contracts.awards import RedemptionRestore
from contracts.ids import lot_of
from services.ledger.domain.account import EMPTY_BALANCE, Account, Lot, Redemption
from services.ledger.domain.commands import ReverseRedemption
from services.ledger.domain.decision import Decision, Onward, Shared, stamp
from services.ledger.domain.events import Event, Movement, PointsExpired, PointsRestored, RedemptionForwarded
from services.ledger.domain.lots import in_parts, soonest, terms
from services.ledger.domain.purchases import forwarded_id
from services.ledger.domain.refusals import (
    Refusal,
    Waiting,
    ended,
    exceeds_redemption,
    not_positive,
    nothing_to_restore,
    redemption_unknown,
)

MAX_GRACE_S: Final = 100 * 366 * 24 * 3600
"""A grace beyond this is as good as for ever, and later arithmetic cannot bear much more."""


def reverse_redemption(account: Account, command: ReverseRedemption, now: datetime) -> list[Event] | Refusal:
    """Undo a redemption in whole (`points` None) or in part. An empty list: all of it is back already.

    Refused: `account_closed`, `member_erased`, `redemption_unknown`, `not_positive`, `exceeds_redemption`.
    """
    refusal = ended(account)
    if refusal is not None:
        return refusal
    redemption = account.redemptions.get(command.redemption_id)
    if redemption is None:
        return redemption_unknown(command.redemption_id)
    remaining = _remaining(_records(account, command.redemption_id))
    points = remaining if command.points is None else command.points
    if command.points is not None and points <= 0:
        return not_positive()
    if points > remaining:
        scale = account.balances.get(redemption.currency, EMPTY_BALANCE).scale
        return exceeds_redemption(remaining, points, scale)
    return _give_back(account, command, points, None, now) if points else []


def restore(account: Account, command: RedemptionRestore, now: datetime) -> Decision:
    """Give back points that were spent on returned goods, as far as the redemption took any.

    Waiting: for the redemption, until it comes. Refused: `account_closed`, `member_erased`, `nothing_to_restore`.
    """
    refusal = ended(account)
    if refusal is not None:
        return refusal
    records = _records(account, command.redemption_id)
    if not records:
        decided = command.redemption_id in account.decided_commands
        return nothing_to_restore() if decided else Waiting(command.redemption_id)
    points = min(command.points, _remaining(records))
    elsewhere = min(command.points - points, sum(redemption.forwarded for redemption in records))
    if not points and not elsewhere:
        return nothing_to_restore() if command.points else []
    grace = timedelta(seconds=min(command.restore_for_s, MAX_GRACE_S))
    graced_until = command.occurred_at + grace if command.restore_for_s else None
    events = _give_back(account, command, points, graced_until, now) if points else []
    if not elsewhere or account.merged_into is None:
        return events
    return _pass_on(account, command, events, elsewhere, now)


def _records(account: Account, redemption_id: UUID) -> list[Redemption]:
    """The redemption, and those that the purchase behind it claimed."""
    return [
        redemption
        for redemption in account.redemptions.values()
        if redemption_id in (redemption.redemption_id, redemption.claimed_by)
    ]


def _remaining(records: list[Redemption]) -> int:
    return sum(redemption.taken - redemption.restored for redemption in records)


@dataclass(slots=True)
class _Return:
    """What comes back of one redemption, and the lots whose terms that changes or that it opens."""

    redemption: Redemption
    movements: list[Movement] = field(default_factory=list)
    lots: list[Lot] = field(default_factory=list)
    owed: int = 0


def _give_back(
    account: Account,
    command: ReverseRedemption | RedemptionRestore,
    points: int,
    graced_until: datetime | None,
    now: datetime,
) -> list[Event]:
    """Return `points`, which are there, and let expire at once what may not live on."""
    records = _records(account, command.redemption_id)
    returns = {redemption.redemption_id: _Return(redemption) for redemption in records}
    left = points - _lower_debt(account, command, returns, points, now)
    dead: list[Movement] = []
    retimed: set[UUID] = set()
    for redemption, lot, taken in _latest_first(account, records):
        given = min(left, taken)
        if not given:
            break
        left -= given
        back = returns[redemption.redemption_id]
        back.movements.append(Movement(lot.currency, lot.lot_id, "redeemed", "available", given))
        if lot.expires_at is None or lot.expires_at > now:
            continue
        if graced_until is not None and graced_until > lot.expires_at and lot.lot_id not in retimed:
            retimed.add(lot.lot_id)
            back.lots.append(terms(lot, graced_until))
        if graced_until is None or graced_until <= now:
            dead.append(Movement(lot.currency, lot.lot_id, "available", "expired", given))
    shared = stamp(command, now)
    events: list[Event] = _restored(returns.values(), shared)
    return events + (in_parts(PointsExpired, dead, **shared) if dead else [])


def _lower_debt(
    account: Account, command: ReverseRedemption | RedemptionRestore, returns: dict[UUID, _Return], points: int,
    now: datetime,
) -> int:  # fmt: skip
    """Give back first what was taken into debt; returns how much that was."""
    given = 0
    lots_opened = account.lots_opened
    debts = {currency: balance.debt for currency, balance in account.balances.items()}
    for index, back in enumerate(returns.values()):
        redemption = back.redemption
        owed = min(points - given, redemption.owed - redemption.owed_restored)
        if owed <= 0:
            continue
        given += owed
        back.owed = owed
        currency = redemption.currency
        forgiven = min(owed, debts.get(currency, 0))
        if forgiven:
            debts[currency] -= forgiven
            back.movements.append(Movement(currency, None, "redeemed", "debt", forgiven))
        if owed > forgiven:
            # The debt was settled since, from lots that nobody can tell: the points return in a lot of their own.
            lots_opened += 1
            lot = Lot(
                lot_of(command.command_id, index), currency, lots_opened, command.command_id, command.occurred_at, now,
                None, None, owed - forgiven,
            )  # fmt: skip
            back.lots.append(lot)
            back.movements += [
                Movement(currency, None, "redeemed", "adjusted", lot.points),
                Movement(currency, lot.lot_id, "adjusted", "available", lot.points),
            ]
    return given


def _latest_first(account: Account, records: list[Redemption]) -> list[tuple[Redemption, Lot, int]]:
    """What lots gave and have not got back, the latest-expiring first."""
    spent = [
        (redemption, account.lots[share.lot_id], share.points - share.restored)
        for redemption in records
        for share in redemption.shares
        if share.points > share.restored
    ]
    return sorted(spent, key=lambda each: soonest(each[1]), reverse=True)


def _restored(returns: Iterable[_Return], shared: dict[str, Any]) -> list[Event]:
    """One event for each redemption touched, or its parts."""
    events: list[Event] = []
    for back in returns:
        if not back.movements:
            continue
        first, *others = in_parts(
            PointsRestored,
            back.movements,
            first=len(events),
            redemption_id=back.redemption.redemption_id,
            partner=back.redemption.partner,
            **shared,
        )
        events += [replace(first, lots=tuple(back.lots), owed=back.owed), *others]
    return events


def _pass_on(account: Account, command: RedemptionRestore, events: list[Event], points: int, now: datetime) -> Decision:
    """A merged account asks the one that took it up to give back what that one redeemed for it."""
    survivor = account.merged_into or account.account_id
    forwarded = RedemptionForwarded(
        redemption_id=command.redemption_id,
        to_account_id=survivor,
        currency=command.currency,
        points=-points,
        **stamp(command, now),
    )
    changes = {
        "command_id": forwarded_id(command.command_id), "account_id": survivor, "points": points,
        "redemption_id": forwarded_id(command.redemption_id),
    }  # fmt: skip
    return Shared([*events, forwarded], Onward(survivor, command.model_copy(update=changes)))
