"""Totals of days for finance: what moved from one bucket to another, by programme, currency and month of expiry."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.ledger.domain.account import Lot
from services.ledger.domain.events import Event

COLUMNS: Final = (
    "tenant", "programme", "currency", "effective_on", "recorded_on", "source", "target", "expires_in", "points",
    "movements",
)  # fmt: skip

NEVER: Final = "never"
NO_LOT: Final = "none"
_HALF_A_DAY: Final = timedelta(hours=12)

Key = tuple[str, str, str, date, date, str, str, str]


class Totals:
    """What moved in a transaction. Days are in UTC."""

    def __init__(self) -> None:
        self._sums: defaultdict[Key, list[int]] = defaultdict(lambda: [0, 0])

    def add(self, tenant: str, programme: str, event: Event, months: Mapping[UUID, str], recorded_on: date) -> None:
        """Count an event's movements; `months` says when the lots that it moved points of expire, after it."""
        effective_on = day_of(event.effective_at)
        for currency, lot_id, source, target, points in event.movements:
            expires_in = NO_LOT if lot_id is None else months[lot_id]
            sums = self._sums[tenant, programme, currency, effective_on, recorded_on, source, target, expires_in]
            sums[0] += points
            sums[1] += 1

    def documents(self) -> list[dict[str, Any]]:
        """One for each key, in its order, so that transactions of any shard write in the same order."""
        return [dict(zip(COLUMNS, (*key, *sums), strict=True)) for key, sums in sorted(self._sums.items())]


class Months(dict[UUID, str]):
    """The month in which each lot of an account expires, as its events change it."""

    def __init__(self, lots: Mapping[UUID, Lot]) -> None:
        super().__init__()
        self._lots = lots

    def __missing__(self, lot_id: UUID) -> str:
        """As it was before the events."""
        month = self[lot_id] = month_of_expiry(self._lots[lot_id].expires_at)
        return month

    def learn(self, event: Event) -> None:
        """As an event makes it."""
        for lot in event.lots:
            self[lot.lot_id] = month_of_expiry(lot.expires_at)


def day_of(instant: datetime) -> date:
    """The day in UTC."""
    return (instant - (instant.utcoffset() or timedelta())).date()


def month_of_expiry(expires_at: datetime | None) -> str:
    """The month in which a lot is good for the last time, `2027-06`; or `never`.

    Lots expire at the midnight after their last day, in the programme's zone. Half a day before it is that last day in
    UTC as well, wherever the programme is at home.
    """
    if expires_at is None:
        return NEVER
    last = expires_at - (expires_at.utcoffset() or timedelta()) - _HALF_A_DAY
    return f"{last.year:04d}-{last.month:02d}"
