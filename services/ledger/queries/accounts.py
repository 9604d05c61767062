"""An account as it stands: what was written, and what time alone has changed since."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from contracts.shards import shard_of
from services.ledger.domain.account import Account, Lot
from services.ledger.domain.decide import Recorded, catch_up
from services.ledger.queries import SQL
from services.ledger.storage.load import Loaded, Stored, load_due
from services.ledger.storage.rows import balance_of
from services.runtime.postgres import Pool


@dataclass(frozen=True, slots=True)
class Look:
    """A reader's connection, at one shard and one instant."""

    connection: asyncpg.Connection
    shard: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Expiring:
    """Points available or pending that expire; `month` (`2026-06`) is the last in which they are good, None: never."""

    currency: str
    month: str | None
    points: int
    first_at: datetime | None


@dataclass(frozen=True, slots=True)
class Seen:
    """An account at an instant. `due` has happened to it since it was written, in order, under its future versions.

    `known_at` is that of the last event that was written. `expiring` comes by currency, soonest first.
    """

    account: Account
    due: tuple[Recorded, ...]
    known_at: datetime
    expiring: tuple[Expiring, ...]


@asynccontextmanager
async def looking(pool: Pool, account_id: UUID, now: datetime) -> AsyncIterator[Look]:
    """Look into the shard of an account; everything read within is of one snapshot."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield Look(connection, shard_of(str(account_id)), now)


async def account_at(pool: Pool, account_id: UUID, now: datetime, zone: str = "UTC") -> Seen | None:
    """The account as of now, or None where nothing was ever booked on it: one round trip where nothing is due."""
    shard = shard_of(str(account_id))
    row = await pool.fetchrow(SQL.see, shard, account_id, now, zone)
    if row is None:
        return None
    if row["due_at"] is None or row["due_at"] > now:
        return _seen(row, Stored(), now, zone)
    async with looking(pool, account_id, now) as look:
        return await see(look, account_id, zone)


async def see(look: Look, account_id: UUID, zone: str = "UTC") -> Seen | None:
    """The account at the look's instant, or None where nothing was ever booked on it."""
    row = await look.connection.fetchrow(SQL.see, look.shard, account_id, look.now, zone)
    if row is None:
        return None
    stored = Stored(due_at=row["due_at"])
    await load_due(look, Loaded(stored={account_id: stored}))
    return _seen(row, stored, look.now, zone)


def _seen(row: asyncpg.Record, stored: Stored, now: datetime, zone: str) -> Seen:
    stored.row = tuple(row)[: -len(("balances", "expiring"))]
    stored.balances = {balance[1]: balance_of(balance) for balance in row["balances"]}
    account = stored.account()
    assert account is not None  # noqa: S101  # it has a row
    outcome = catch_up(account, now)
    soon = _expiring(row["expiring"], outcome.account.lots.values(), stored.lots, now, zone)
    return Seen(outcome.account, outcome.recorded, row["known_at"], soon)


def _expiring(
    rows: Iterable[tuple[str, str | None, int, datetime | None]],
    lots: Iterable[Lot],
    before: dict[UUID, Lot],
    now: datetime,
    zone: str,
) -> tuple[Expiring, ...]:
    """What the statement counted, with the lots that it left out because they were due."""
    sums = {(currency, month): (points, first_at) for currency, month, points, first_at in rows}
    for lot in lots:
        points = lot.available + lot.pending - _counted(before[lot.lot_id], now)
        if points:
            key = (lot.currency, month_of(lot.expires_at, zone))
            known, first_at = sums.get(key, (0, None))
            sums[key] = (known + points, min(filter(None, (first_at, lot.expires_at)), default=None))
    found = (Expiring(currency, month, points, first) for (currency, month), (points, first) in sums.items())
    return tuple(sorted((each for each in found if each.points), key=lambda each: (each.currency, each.month or "~")))


def _counted(lot: Lot, now: datetime) -> int:
    """How many points of a lot, as it was written, the statement counted."""
    if lot.available:
        return lot.available + lot.pending if lot.expires_at is None or lot.expires_at > now else 0
    due_at = min(filter(None, (lot.activates_at, lot.expires_at)), default=None)
    return lot.pending if due_at is not None and due_at > now else 0


def month_of(expires_at: datetime | None, zone: str) -> str | None:
    """The last month of the zone in which points are good."""
    if expires_at is None:
        return None
    return (expires_at - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).strftime("%Y-%m")
