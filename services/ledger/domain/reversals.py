"""Awarded points taken back, because of a return or a conflict.

Order: the accrual's own pending points, its own available ones, its own that expired (they count as taken), the
account's other available points soonest-expiring first, debt. The terms of the award say how far down that list it
goes. What is on hold is not taken.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from contracts.awards import Reversal
from contracts.ids import derive
from services.ledger.domain.account import EMPTY_BALANCE, Account, Lot
from services.ledger.domain.accruals import too_large
from services.ledger.domain.commands import TakeBack
from services.ledger.domain.decision import Decision, Onward, Shared, stamp
from services.ledger.domain.events import Event, Movement, PointsReversed, TakenBack
from services.ledger.domain.lots import Purse, in_parts, soonest, total
from services.ledger.domain.refusals import Waiting, already_reversed, amount_too_large, nothing_to_reverse


def reverse(account: Account, command: Reversal, now: datetime) -> Decision:
    """Take back what an accrual gave, never more than that in all.

    Waiting: for the accrual, until it comes. Refused: `nothing_to_reverse`, `already_reversed`, `amount_too_large`.
    Where only expired points are left, the event says `already_expired` and moves nothing.
    """
    own = _own_lots(account, command.accrual_id, command.currency)
    if not own:
        decided = command.accrual_id in account.decided_commands
        return nothing_to_reverse() if decided else Waiting(command.accrual_id)
    remaining = sum(lot.points - lot.taken_back for lot in own)
    asked = min(command.points, remaining)
    if asked <= 0:
        return already_reversed() if command.points else []
    if account.status == "merged":
        return _pass_on(account, command, own, asked, now)
    taking = _take(account, command, own, asked)
    if taking.owed and too_large(account.balances.get(command.currency, EMPTY_BALANCE), taking.owed):
        return amount_too_large()
    return _events(command, taking, _counted(own, taking, asked), asked, now)


def take_back(account: Account, command: TakeBack, now: datetime) -> Decision:
    """Take what a merged account could not: it has counted the reversal against its own lots."""
    own = _own_lots(account, command.accrual_id, command.currency)
    taking = _take(account, command, own, command.points)
    if taking.owed and too_large(account.balances.get(command.currency, EMPTY_BALANCE), taking.owed):
        return amount_too_large()
    counted = tuple(TakenBack(lot_id, 0, points) for lot_id, points in taking.written_off.items())
    return _events(command, taking, counted, command.points, now)


@dataclass(slots=True)
class _Taking:
    """What a reversal finds."""

    movements: list[Movement] = field(default_factory=list)
    own: dict[UUID, int] = field(default_factory=dict)
    written_off: dict[UUID, int] = field(default_factory=dict)
    owed: int = 0
    forgiven: int = 0


def _own_lots(account: Account, accrual_id: UUID, currency: str) -> list[Lot]:
    return sorted(
        (lot for lot in account.lots.values() if lot.accrual_id == accrual_id and lot.currency == currency), key=soonest
    )


def _take(account: Account, command: Reversal | TakeBack, own: list[Lot], asked: int) -> _Taking:
    """Go down the list as far as the terms allow."""
    currency, policy = command.currency, command.spent_policy
    taking = _Taking()
    purse = Purse(account, currency)
    left = asked
    for lot in own:
        taken = min(left, lot.pending)
        if taken:
            taking.movements.append(Movement(currency, lot.lot_id, "pending", "reversed", taken))
            taking.own[lot.lot_id] = taken
            left -= taken
    for lot in own if policy != "pending_only" else ():
        for movement in purse.take_from(lot.lot_id, left, "reversed"):
            taking.movements.append(movement)
            taking.own[lot.lot_id] = taking.own.get(lot.lot_id, 0) + movement.points
            left -= movement.points
    for lot in own:
        lapsed = min(left, lot.expired - lot.written_off)
        if lapsed > 0:
            taking.written_off[lot.lot_id] = lapsed
            left -= lapsed
    if policy != "pending_only":
        others = purse.take(left, "reversed")
        taking.movements += others
        left -= total(others)
    if policy == "negative" and left:
        taking.movements.append(Movement(currency, None, "debt", "reversed", left))
        taking.owed = left
    elif left:
        taking.forgiven = left
    return taking


def _counted(own: list[Lot], taking: _Taking, asked: int) -> tuple[TakenBack, ...]:
    """How much of each own lot counts as taken back: what was found in it, then the rest where there is room."""
    found = {lot.lot_id: taking.own.get(lot.lot_id, 0) + taking.written_off.get(lot.lot_id, 0) for lot in own}
    rest = asked - sum(found.values())
    counted = []
    for lot in own:
        points = min(found[lot.lot_id], lot.points - lot.taken_back)
        rest += found[lot.lot_id] - points
        more = min(rest, lot.points - lot.taken_back - points)
        rest -= more
        written_off = taking.written_off.get(lot.lot_id, 0)
        if points + more or written_off:
            counted.append(TakenBack(lot.lot_id, points + more, written_off))
    return tuple(counted)


def _events(
    command: Reversal | TakeBack, taking: _Taking, counted: tuple[TakenBack, ...], asked: int, now: datetime
) -> list[Event]:
    reason = "already_expired" if sum(taking.written_off.values()) == asked else None
    first, *others = in_parts(
        PointsReversed,
        taking.movements,
        accrual_id=command.accrual_id,
        currency=command.currency,
        policy=command.spent_policy,
        reason=reason,
        **stamp(command, now),
    )
    return [replace(first, asked=asked, counted=counted, forgiven=taking.forgiven), *others]


def _pass_on(account: Account, command: Reversal, own: list[Lot], asked: int, now: datetime) -> Decision:
    """A merged account counts what expired here; the account that has the points takes the rest."""
    survivor = account.merged_into or account.account_id
    taking = _Taking()
    left = asked
    for lot in own:
        lapsed = min(left, lot.expired - lot.written_off)
        if lapsed > 0:
            taking.written_off[lot.lot_id] = lapsed
            left -= lapsed
    events = _events(command, taking, _counted(own, taking, asked), asked, now)
    if not left:
        return events
    rest = TakeBack(
        command_id=derive("forwarded", command.command_id),
        account_id=survivor,
        occurred_at=command.occurred_at,
        accrual_id=command.accrual_id,
        currency=command.currency,
        points=left,
        spent_policy=command.spent_policy,
        source=command.source,
        decision_id=command.decision_id,
    )
    return Shared(events, Onward(survivor, rest))
