"""What finance asks of a programme: liability, movements of a period, breakage.

Whole days (in UTC) come from the totals that are kept with every movement; the parts of a day at the ends of a period
from the events of those hours, so that any instant is exact, in whatever zone the programme closes its books.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import asyncpg

from contracts.shards import SHARDS
from services.ledger.projections.entries import LEAVING
from services.ledger.queries import SQL
from services.runtime.postgres import Pool

FIRST_DAY: Final = date(1970, 1, 1)
STANDING: Final = ("pending", "available", "held", "in_transit")
"""Buckets in which points are owed to members; debt is owed by them."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Points that went from one bucket to another; `expires_in` and the partners as in the totals of days."""

    currency: str
    source: str
    target: str
    expires_in: str
    earned_with: str
    spent_with: str
    points: int
    movements: int


@dataclass(slots=True)
class Liability:
    """What is owed to members in one currency at an instant; `months` is by month of expiry (or `never`)."""

    buckets: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)

    @property
    def outstanding(self) -> int:
        """All that members could still spend, in the smallest unit."""
        return sum(self.buckets[name] for name in STANDING)


class PeriodArchivedError(Exception):
    """The parts of days at the ends of a period need events that were archived; whole days (in UTC) do not."""


async def liability(pool: Pool, tenant: str, programme: str, before: datetime) -> dict[str, Liability]:
    """What is owed just before an instant, by currency."""
    found: defaultdict[str, Liability] = defaultdict(Liability)
    async for moved in movements_between(pool, tenant, programme, None, before):
        each = found[moved.currency]
        for bucket, points in changes_of(moved).items():
            each.buckets[bucket] += points
            if bucket in STANDING:
                each.months[moved.expires_in] += points
    return dict(found)


async def movements_between(
    pool: Pool, tenant: str, programme: str, since: datetime | None, until: datetime
) -> AsyncIterator[Moved]:
    """What moved with effect from `since` (None: ever) and before `until`, in one snapshot.

    Raises `PeriodArchivedError`.
    """
    start = datetime.combine(FIRST_DAY, time(), UTC) if since is None else since.astimezone(UTC)
    until = until.astimezone(UTC)
    first_whole = start.date() if start.time() == time() else start.date() + timedelta(days=1)
    last = until.date()
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        if first_whole > last:
            parts = [(start, until)]
        else:
            for row in await connection.fetch(SQL.moved_before, tenant, programme, first_whole, last):
                yield Moved(*row)
            parts = [(start, _midnight(first_whole)), (_midnight(last), until)]
        for begin, end in parts:
            if begin < end:
                if await connection.fetchval(SQL.archived_within, tenant, programme, begin, end):
                    raise PeriodArchivedError(f"between {begin} and {end}")
                for row in await connection.fetch(SQL.moved_within, tenant, programme, begin, end):
                    yield Moved(*row)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def changes_of(moved: Moved) -> Mapping[str, int]:
    """By how much the buckets change."""
    changes: Counter[str] = Counter()
    _, sign = LEAVING[moved.source]
    changes[moved.source] += sign * moved.points
    _, sign = LEAVING[moved.target]
    changes[moved.target] -= sign * moved.points
    return changes


def settled(moved: Iterable[Moved]) -> Counter[tuple[str, str, str]]:
    """Points that partners gave and others took, by currency, giver and taker, less what came back of them.

    Where no partner gave or took them, it is empty: the programme itself. Giver and taker are never the same.
    """
    points: Counter[tuple[str, str, str]] = Counter()
    for each in moved:
        if each.earned_with != each.spent_with and "redeemed" in {each.source, each.target}:
            sign = 1 if each.target == "redeemed" else -1
            points[each.currency, each.earned_with, each.spent_with] += sign * each.points
    return points


def figures_of(moved: Iterable[Moved]) -> dict[str, Counter[str]]:
    """By how much each bucket changed, by currency."""
    figures: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in moved:
        for bucket, points in changes_of(each).items():
            figures[each.currency][bucket] += points
    return dict(figures)


def owed(buckets: Mapping[str, int]) -> int:
    """What is owed to members less what they owe."""
    return sum(buckets.get(name, 0) for name in STANDING) - buckets.get("debt", 0)


@dataclass(frozen=True, slots=True)
class Cohort:
    """What became of the points that were issued in a month."""

    currency: str
    month: str
    issued: int
    redeemed: int
    expired: int
    reversed: int
    withdrawn: int
    outstanding: int


async def cohorts(pool: Pool, tenant: str, programme: str, zone: str) -> list[Cohort]:
    """Points by month of issue, read shard by shard."""
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 6)
    for shard in range(SHARDS):
        rows: list[asyncpg.Record] = await pool.fetch(SQL.cohorts, shard, tenant, programme, zone)
        for currency, month, *figures in rows:
            sums[currency, month] = [mine + more for mine, more in zip(sums[currency, month], figures, strict=True)]
    return [Cohort(currency, month, *figures) for (currency, month), figures in sorted(sums.items())]
