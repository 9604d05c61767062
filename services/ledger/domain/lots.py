"""Which points move: soonest-expiring lots first, never-expiring last, then the oldest."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from contracts.ledger_events import Bucket
from services.ledger.domain.account import NEVER, Account, Lot
from services.ledger.domain.events import MAX_SHARES, Event, Movement, PointsExpired

Happening = TypeVar("Happening", bound=Event)


def soonest(lot: Lot) -> tuple[datetime, datetime, int]:
    """The order in which points are spent."""
    return (lot.expires_at or NEVER, lot.earned_at, lot.sequence)


class Purse:
    """An account's available points in one currency, as a decision takes them out one movement after the other."""

    __slots__ = ("_currency", "_left", "_lots")

    def __init__(self, account: Account, currency: str) -> None:
        self._currency = currency
        lots = [lot for lot in account.lots.values() if lot.available and lot.currency == currency]
        lots.sort(key=soonest)
        self._lots = lots
        self._left = {lot.lot_id: lot.available for lot in lots}

    def take(self, points: int, target: Bucket) -> list[Movement]:
        """Up to `points` from the soonest-expiring lots."""
        movements: list[Movement] = []
        for lot in self._lots:
            if points <= 0:
                break
            taken = min(points, self._left[lot.lot_id])
            if taken:
                points -= taken
                self._left[lot.lot_id] -= taken
                movements.append(Movement(self._currency, lot.lot_id, "available", target, taken))
        return movements

    def take_from(self, lot_id: UUID, points: int, target: Bucket) -> list[Movement]:
        """Up to `points` from one lot."""
        taken = min(points, self._left.get(lot_id, 0))
        if taken <= 0:
            return []
        self._left[lot_id] -= taken
        return [Movement(self._currency, lot_id, "available", target, taken)]


def total(movements: Iterable[Movement]) -> int:
    """How many points move."""
    return sum(movement.points for movement in movements)


def in_parts(
    event: Callable[..., Happening],
    movements: Sequence[Movement],
    first: int = 0,
    **fields: Any,  # noqa: ANN401  # the event's own fields
) -> list[Happening]:
    """One event with these movements, or as many as `MAX_SHARES` asks for; parts are numbered from `first`."""
    if len(movements) <= MAX_SHARES:
        return [event(movements=tuple(movements), part=first, **fields)]
    starts = range(0, len(movements), MAX_SHARES)
    return [
        event(movements=tuple(movements[start : start + MAX_SHARES]), part=part, **fields)
        for part, start in enumerate(starts, start=first)
    ]


def terms(lot: Lot, expires_at: datetime | None) -> Lot:
    """The terms of a lot with another expiry, as an event that changes them carries them."""
    return replace(
        lot, expires_at=expires_at, pending=0, available=0, held=0, in_transit=0, redeemed=0, expired=0, reversed=0,
        withdrawn=0, taken_back=0, written_off=0,
    )  # fmt: skip


def past(lot: Lot | None, now: datetime) -> bool:
    """Whether the lot's date has come: at the very instant its points do not count any more."""
    return lot is not None and lot.expires_at is not None and lot.expires_at <= now


def expiry_of_freed(account: Account, freed: Iterable[Movement], now: datetime, **fields: Any) -> list[PointsExpired]:  # noqa: ANN401  # the event's own fields
    """Points that come back to a lot whose date has passed expire at once."""
    dead = [
        Movement(currency, lot_id, "available", "expired", points)
        for currency, lot_id, _, target, points in freed
        if target == "available" and lot_id is not None and past(account.lots.get(lot_id), now)
    ]
    return in_parts(PointsExpired, dead, **fields) if dead else []
