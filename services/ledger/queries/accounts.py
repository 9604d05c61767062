"""An account as it stands: what was written, and what time alone has changed since."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from contracts.shards import shard_of
from services.ledger.domain.account import Account
from services.ledger.domain.decide import Recorded, catch_up
from services.ledger.queries import SQL
from services.ledger.queries.expiring import LOTS_MANY, Expiring, Remembered, expiring_of
from services.ledger.storage.load import Loaded, Stored, load_due
from services.ledger.storage.rows import balance_of
from services.runtime.postgres import Pool

_BALANCES: Final = -2
"""From which column on a row is no account's any more."""


@dataclass(frozen=True, slots=True)
class Look:
    """A reader's connection, at one shard and one instant."""

    connection: asyncpg.Connection
    shard: int
    now: datetime


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


async def account_at(pool: Pool, account_id: UUID, now: datetime, zone: str, remembered: Remembered) -> Seen | None:
    """The account as of now, or None where nothing was ever booked on it: one round trip where nothing is due."""
    shard = shard_of(str(account_id))
    asked = None if remembered.has(account_id) else zone
    row = await pool.fetchrow(SQL.see, shard, account_id, now, asked, [])
    if row is None:
        return None
    if row["due_at"] is not None and row["due_at"] <= now:
        async with looking(pool, account_id, now) as look:
            return await see(look, account_id, zone)
    position = row["position"]
    if asked is None:
        expiring = remembered.find(account_id, position, zone, now)
        if expiring is None:
            return await account_at(pool, account_id, now, zone, remembered)
    else:
        expiring = expiring_of(row["expiring"], zone)
        if row["lots_opened"] >= LOTS_MANY:
            remembered.keep(account_id, position, zone, now, expiring)
    return _seen(row, Stored(), now, expiring)


async def see(look: Look, account_id: UUID, zone: str | None = None) -> Seen | None:
    """The account at the look's instant, or None where nothing was ever booked on it.

    Without a zone it is not asked what expires when, which reads every lot that is good.
    """
    row = await look.connection.fetchrow(SQL.see, look.shard, account_id, look.now, None, [])
    if row is None:
        return None
    stored = Stored(due_at=row["due_at"])
    await load_due(look, Loaded(stored={account_id: stored}))
    if zone is None:
        return _seen(row, stored, look.now)
    apart = [lot.sequence for lot in stored.lots.values()]
    rest = await look.connection.fetchrow(SQL.see, look.shard, account_id, look.now, zone, apart)
    seen = _seen(row, stored, look.now)
    return replace(seen, expiring=expiring_of(rest["expiring"], zone, seen.account.lots.values()))


def _seen(row: Any, stored: Stored, now: datetime, expiring: tuple[Expiring, ...] = ()) -> Seen:  # noqa: ANN401  # a row of `see`
    stored.row = row[:_BALANCES]
    stored.balances = {balance[1]: balance_of(balance) for balance in row["balances"]}
    account = stored.account()
    assert account is not None  # noqa: S101  # it has a row
    outcome = catch_up(account, now)
    return Seen(outcome.account, outcome.recorded, row["known_at"], expiring)
