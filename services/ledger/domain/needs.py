"""What a decision reads of an account, so that an account with 100,000 lots costs no more than one with ten.

Whatever is asked for, these are loaded always (`due` reads them), with `now` the transaction's clock:
- the account and all its balances;
- lots with `pending > 0 and activates_at <= now`, or `pending + available > 0 and expires_at <= now`;
- holds that are open with `expires_at <= now`, with the lots of their shares;
- where a balance has `lapses_at <= now`: all lots of that currency with `pending + available + held > 0`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from contracts.awards import PurchaseRedemption, RedemptionRestore, Reversal
from services.ledger.domain.commands import (
    Adjust,
    CaptureHold,
    Close,
    Command,
    CompleteTransfer,
    PlaceHold,
    ReceivePoints,
    Redeem,
    ReleaseHold,
    ReturnTransfer,
    ReverseRedemption,
    SendPoints,
    Surrender,
    TakeBack,
)


@dataclass(frozen=True, slots=True)
class Needs:
    """What to load for some commands of one account, beside what is loaded always.

    `cover`: per currency, lots with `available > 0 and (expires_at is null or expires_at > now)`, in the order
    (expires_at, nulls last; earned_at; sequence): the fewest whose available points reach this number, or all.
    `accruals`: lots by `accrual_id`. `holds`: with the lots of their shares and with the redemptions whose `hold_id`
    they are, with theirs. `redemptions`: those with this id or claimed by it (`claimed_by`), with the lots of their
    shares. `transits`: with their lots. `open_lots`: every lot with `pending + available + held > 0`.
    `commands`: which of these commands have come (`Account.decided_commands`).
    """

    cover: Mapping[str, int] = field(default_factory=dict)
    accruals: frozenset[UUID] = frozenset()
    holds: frozenset[UUID] = frozenset()
    redemptions: frozenset[UUID] = frozenset()
    transits: frozenset[UUID] = frozenset()
    commands: frozenset[UUID] = frozenset()
    open_lots: bool = False


_NOTHING: Final = Needs()


def needs(command: Command) -> Needs:
    """What deciding `command` reads."""
    particular = _PARTICULAR.get(type(command))
    return _NOTHING if particular is None else particular(command)


def together(each: Iterable[Needs]) -> Needs:
    """What deciding several commands on one account reads, one after the other at the same `now`: covers add up."""
    every = [one for one in each if one is not _NOTHING]
    if len(every) <= 1:
        return every[0] if every else _NOTHING
    cover: dict[str, int] = {}
    for one in every:
        for currency, points in one.cover.items():
            cover[currency] = cover.get(currency, 0) + points
    return Needs(
        cover=cover,
        accruals=frozenset().union(*(one.accruals for one in every)),
        holds=frozenset().union(*(one.holds for one in every)),
        redemptions=frozenset().union(*(one.redemptions for one in every)),
        transits=frozenset().union(*(one.transits for one in every)),
        commands=frozenset().union(*(one.commands for one in every)),
        open_lots=any(one.open_lots for one in every),
    )


def _of_reversal(command: Reversal) -> Needs:
    return Needs(
        cover={} if command.spent_policy == "pending_only" else {command.currency: command.points},
        accruals=frozenset((command.accrual_id,)),
        commands=frozenset((command.accrual_id,)),
    )


def _of_take_back(command: TakeBack) -> Needs:
    return Needs(cover={command.currency: command.points}, accruals=frozenset((command.accrual_id,)))


def _of_purchase(command: PurchaseRedemption) -> Needs:
    return Needs(
        cover={command.currency: command.points},
        holds=frozenset((command.hold_id,)) if command.hold_id else frozenset(),
        redemptions=frozenset((command.redemption_id,)) if command.redemption_id else frozenset(),
    )


def _of_restore(command: RedemptionRestore) -> Needs:
    named = frozenset((command.redemption_id,))
    return Needs(redemptions=named, commands=named)


def _of_undoing(command: ReverseRedemption) -> Needs:
    return Needs(redemptions=frozenset((command.redemption_id,)))


def _of_spending(command: Redeem | SendPoints) -> Needs:
    cover = {command.currency: max(command.points, 0)}
    made = command.confirmation.made_id if isinstance(command, Redeem) and command.confirmation else None
    if made is None:
        return Needs(cover=cover)
    return Needs(cover=cover, holds=frozenset((made,)), redemptions=frozenset((made,)))


def _of_adjustment(command: Adjust) -> Needs:
    return Needs(cover={command.currency: -command.points}) if command.points < 0 else _NOTHING


def _of_hold(command: CaptureHold | ReleaseHold) -> Needs:
    return Needs(holds=frozenset((command.hold_id,)))


def _of_arrival(command: ReceivePoints) -> Needs:
    return Needs(cover={command.currency: command.owed}) if command.owed else _NOTHING


def _of_answer(command: CompleteTransfer | ReturnTransfer) -> Needs:
    return Needs(transits=frozenset((command.transit_id,)))


def _of_everything(_: Surrender | Close) -> Needs:
    return Needs(open_lots=True)


_PARTICULAR: Final[dict[type, Callable[[Any], Needs]]] = {
    Reversal: _of_reversal, TakeBack: _of_take_back, PurchaseRedemption: _of_purchase, RedemptionRestore: _of_restore,
    ReverseRedemption: _of_undoing, Redeem: _of_spending, PlaceHold: _of_spending, SendPoints: _of_spending,
    Adjust: _of_adjustment, CaptureHold: _of_hold, ReleaseHold: _of_hold, ReceivePoints: _of_arrival,
    CompleteTransfer: _of_answer, ReturnTransfer: _of_answer, Surrender: _of_everything, Close: _of_everything,
}  # fmt: skip
