"""What expires of an account, month by month."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.ledger.domain.account import Lot

LOTS_MANY: Final = 2_000
"""From so many lots on, adding them up takes longer than all the rest of a read."""

REMEMBERED_MAX: Final = 1_000
REMEMBERED: Final = timedelta(minutes=1)
"""How long sums are told without looking again, so that what an operator puts right by a rebuild is soon seen."""


@dataclass(frozen=True, slots=True)
class Expiring:
    """Points available or pending that expire; `month` (`2026-06`) is the last in which they are good.

    `first_points` of them expire at `first_at`, the first instant at which any do.
    """

    currency: str
    month: str
    points: int
    first_at: datetime
    first_points: int


def expiring_of(rows: Iterable[Any], zone: str, due: Iterable[Lot] = ()) -> tuple[Expiring, ...]:
    """What expires, by currency, soonest first: rows of `see`, and the lots that were due, as they are by now."""
    months: dict[tuple[str, str], Expiring] = {}
    for one in (*(Expiring(*row) for row in rows), *_of_lots(due, zone)):
        known = months.get((one.currency, one.month))
        months[one.currency, one.month] = one if known is None else _together(known, one)
    return tuple(months[key] for key in sorted(months))


def _of_lots(lots: Iterable[Lot], zone: str) -> Iterable[Expiring]:
    for lot in lots:
        points = lot.available + lot.pending
        if points and lot.expires_at is not None:
            yield Expiring(lot.currency, month_of(lot.expires_at, zone), points, lot.expires_at, points)


def _together(one: Expiring, other: Expiring) -> Expiring:
    """What expires in a month of two parts of it."""
    first_at = min(one.first_at, other.first_at)
    first_points = sum(each.first_points for each in (one, other) if each.first_at == first_at)
    return Expiring(one.currency, one.month, one.points + other.points, first_at, first_points)


def month_of(expires_at: datetime, zone: str) -> str:
    """The last month of the zone in which points are good."""
    return (expires_at - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).strftime("%Y-%m")


@dataclass(frozen=True, slots=True)
class _Sums:
    position: int
    zone: str
    read_at: datetime
    expiring: tuple[Expiring, ...]


class Remembered:
    """What expires of accounts with many lots, by their last event: it is added up once, until they change."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[UUID, _Sums] = OrderedDict()

    def keep(
        self, account_id: UUID, position: int, zone: str, read_at: datetime, expiring: tuple[Expiring, ...]
    ) -> None:
        """Keep what was read when the account's last event was at `position`, and nothing was due."""
        self._accounts[account_id] = _Sums(position, zone, read_at, expiring)
        if len(self._accounts) > REMEMBERED_MAX:
            self._accounts.popitem(last=False)

    def has(self, account_id: UUID) -> bool:
        """Whether it may be worth the while to ask without the sums."""
        return account_id in self._accounts

    def find(self, account_id: UUID, position: int, zone: str, now: datetime) -> tuple[Expiring, ...] | None:
        """What expires, where nothing was booked since; None and forgotten where it has to be read anew."""
        sums = self._accounts.pop(account_id, None)
        if sums is None or (sums.position, sums.zone) != (position, zone):
            return None
        if not sums.read_at <= now < sums.read_at + REMEMBERED:
            return None
        self._accounts[account_id] = sums
        return sums.expiring
