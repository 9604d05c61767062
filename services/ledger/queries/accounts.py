"""An account as it stands: what was written, and what time alone has changed since."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
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

_BALANCES: Final = -1
_EXPIRING: Final = -2
"""From which column on a row is no account's any more."""

_KNOWN_AT: Final = -2
"""The column of an account with the instant at which its last event is known."""


@dataclass(frozen=True, slots=True)
class Look:
    """A reader's connection, at one shard and one instant."""

    connection: asyncpg.Connection
    shard: int
    now: datetime


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


@dataclass(frozen=True, slots=True)
class Seen:
    """An account at an instant. `due` has happened to it since it was written, in order, under its future versions.

    `known_at` is that of the last event that was written. `expiring` comes by currency, soonest first, where it was
    asked for.
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
        return _seen(row[:_EXPIRING], row["balances"], Stored(), now, (row["expiring"], zone))
    async with looking(pool, account_id, now) as look:
        return await see(look, account_id, zone)


async def see(look: Look, account_id: UUID, zone: str | None = None) -> Seen | None:
    """The account at the look's instant, or None where nothing was ever booked on it.

    Without a zone it is not asked what expires when, which reads every lot that is good.
    """
    row = await look.connection.fetchrow(SQL.stand, look.shard, account_id)
    if row is None:
        return None
    stored = Stored(due_at=row["due_at"])
    await load_due(look, Loaded(stored={account_id: stored}))
    if zone is None:
        return _seen(row[:_BALANCES], row["balances"], stored, look.now)
    rows = await look.connection.fetch(SQL.expiring, look.shard, account_id, look.now, zone, list(stored.lots))
    return _seen(row[:_BALANCES], row["balances"], stored, look.now, (rows, zone))


def _seen(
    account_row: tuple[Any, ...],
    balances: Iterable[Any],
    stored: Stored,
    now: datetime,
    expiring: tuple[Iterable[Any], str] | None = None,
) -> Seen:
    """`expiring` are rows of what expires, without the lots that are due, and the zone of their months."""
    stored.row = account_row
    stored.balances = {balance[1]: balance_of(balance) for balance in balances}
    account = stored.account()
    assert account is not None  # noqa: S101  # it has a row
    outcome = catch_up(account, now)
    soon = () if expiring is None else _expiring(*expiring, outcome.account.lots.values())
    # The columns of an account end with the instant at which its last event is known, and its position.
    return Seen(outcome.account, outcome.recorded, account_row[_KNOWN_AT], soon)


def _expiring(rows: Iterable[Any], zone: str, due: Iterable[Lot]) -> tuple[Expiring, ...]:
    """What expires, with the lots that were due as they are by now."""
    months = {(currency, month): Expiring(currency, month, *rest) for currency, month, *rest in rows}
    for lot in due:
        points = lot.available + lot.pending
        if points and lot.expires_at is not None:
            month = month_of(lot.expires_at, zone)
            one = Expiring(lot.currency, month, points, lot.expires_at, points)
            known = months.get((lot.currency, month))
            months[lot.currency, month] = one if known is None else _together(known, one)
    return tuple(months[key] for key in sorted(months))


def _together(one: Expiring, other: Expiring) -> Expiring:
    """What expires in a month of two parts of it."""
    first_at = min(one.first_at, other.first_at)
    first_points = sum(each.first_points for each in (one, other) if each.first_at == first_at)
    return Expiring(one.currency, one.month, one.points + other.points, first_at, first_points)


def month_of(expires_at: datetime, zone: str) -> str:
    """The last month of the zone in which points are good."""
    return (expires_at - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).strftime("%Y-%m")
