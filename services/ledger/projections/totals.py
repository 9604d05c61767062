"""Totals of days for finance: what moved from one bucket to another, by programme, currency and month of expiry."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.ledger.domain.account import Lot
from services.ledger.domain.events import Event

COLUMNS: Final = (
    "tenant", "programme", "currency", "effective_on", "recorded_on", "source", "target", "expires_in",
    "earned_with", "spent_with", "points", "movements",
)  # fmt: skip

NEVER: Final = "never"
NO_LOT: Final = "none"
_HALF_A_DAY: Final = timedelta(hours=12)

Origin = tuple[str, str]
"""When a lot expires, as a month, and which partner of a coalition gave it (empty: the programme itself)."""

WITHOUT_LOT: Final[Origin] = (NO_LOT, "")
Key = tuple[str, date, str, str, Origin, str]
"""Currency, day, bucket, bucket, origin of the lot, partner with whom the points were spent."""


class ProgrammeTotals:
    """What moved in one programme in a transaction. Days are in UTC."""

    def __init__(self) -> None:
        self.sums: dict[Key, list[int]] = {}

    def add(self, event: Event, origins: Mapping[UUID, Origin]) -> None:
        """Count an event's movements; `origins` are those of the lots that it moved points of, after it."""
        effective_on = day_of(event.effective_at)
        spent_with = getattr(event, "partner", "")
        for currency, lot_id, source, target, points in event.movements:
            origin = WITHOUT_LOT if lot_id is None else origins[lot_id]
            key = (currency, effective_on, source, target, origin, spent_with)
            sums = self.sums.get(key)
            if sums is None:
                self.sums[key] = [points, 1]
            else:
                sums[0] += points
                sums[1] += 1


class Totals:
    """What moved in a transaction, by tenant and programme."""

    def __init__(self) -> None:
        self._programmes: dict[tuple[str, str], ProgrammeTotals] = {}

    def of(self, tenant: str, programme: str) -> ProgrammeTotals:
        """One programme's."""
        totals = self._programmes.get((tenant, programme))
        if totals is None:
            totals = self._programmes[tenant, programme] = ProgrammeTotals()
        return totals

    def moved(self) -> Iterator[tuple[str, str, str, str, int]]:
        """Programme, currency, bucket, bucket and points of everything that moved."""
        for (_, programme), totals in self._programmes.items():
            for (currency, _, source, target, *_), (points, _) in totals.sums.items():
                yield programme, currency, source, target, points

    def documents(self, recorded_on: date) -> list[dict[str, Any]]:
        """One for each key, in their order."""
        return [
            dict(
                zip(
                    COLUMNS,
                    (*programme, currency, effective_on, recorded_on, source, target, *origin, spent_with, *sums),
                    strict=True,
                )
            )
            for programme, totals in sorted(self._programmes.items())
            for (currency, effective_on, source, target, origin, spent_with), sums in sorted(totals.sums.items())
        ]


class Origins(dict[UUID, Origin]):
    """The origin of each lot of an account, as its events change it."""

    def __init__(self, lots: Mapping[UUID, Lot]) -> None:
        super().__init__()
        self._lots = lots

    def __missing__(self, lot_id: UUID) -> Origin:
        """As it was before the events."""
        origin = self[lot_id] = origin_of(self._lots[lot_id])
        return origin

    def learn(self, event: Event) -> None:
        """As an event makes it."""
        for lot in event.lots:
            self[lot.lot_id] = origin_of(lot)


def origin_of(lot: Lot) -> Origin:
    """When a lot expires, and who gave it."""
    return month_of_expiry(lot.expires_at), lot.partner


def day_of(instant: datetime) -> date:
    """The day in UTC."""
    return instant.date() if instant.tzinfo is UTC else instant.astimezone(UTC).date()


def month_of_expiry(expires_at: datetime | None) -> str:
    """The month in which a lot is good for the last time, `2027-06`; or `never`.

    Lots expire at the midnight after their last day, in the programme's zone. Half a day before it is that last day in
    UTC as well, wherever the programme is at home.
    """
    if expires_at is None:
        return NEVER
    last = expires_at.astimezone(UTC) - _HALF_A_DAY
    return f"{last.year:04d}-{last.month:02d}"
