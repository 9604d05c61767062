"""Reading the state of accounts: what the commands of a transaction need, set-wise, in one to three round trips."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

import asyncpg
import orjson

from services.ledger.domain.account import Account, Balance, Hold, Lot, Redemption, Transit
from services.ledger.domain.needs import Needs
from services.ledger.storage import SQL
from services.ledger.storage.rows import (
    Row,
    account_of,
    balance_of,
    hold_of,
    lot_of,
    redemption_of,
    transit_of,
)

LOTS_AT_FIRST: Final = 8
"""Lots looked through for each account whose points are spent; where they do not suffice, many times as many."""

LOTS_GROWTH: Final = 64
LOTS_MAX: Final = 2**31 - 1

_DUE_AT: Final = -3
_KNOWN_AT: Final = -2
_POSITION: Final = -1


class Reading(Protocol):
    """What reading stands on: a shard's transaction, or a reader's connection with the clock of its request."""

    @property
    def connection(self) -> asyncpg.Connection:
        """Where statements go."""
        ...

    @property
    def shard(self) -> int:
        """The one shard."""
        ...

    @property
    def now(self) -> datetime:
        """The clock."""
        ...


class Known(NamedTuple):
    """A command that was decided before: its verdict and code, what was asked and what was answered, as JSON."""

    command_id: UUID
    account_id: UUID
    verdict: str
    code: str | None
    request: str | None
    answer: str | None


@dataclass(slots=True)
class Stored:
    """What was read of one account; `known_at` and `position` are those of its last event.

    Nothing is due before `due_at`; `woken`: its row says that something is.
    """

    row: Row | None = None
    due_at: datetime | None = None
    known_at: datetime | None = None
    position: int = 0
    woken: bool = False
    balances: dict[str, Balance] = field(default_factory=dict)
    lots: dict[UUID, Lot] = field(default_factory=dict)
    holds: dict[UUID, Hold] = field(default_factory=dict)
    redemptions: dict[UUID, Redemption] = field(default_factory=dict)
    transits: dict[UUID, Transit] = field(default_factory=dict)

    def account(self) -> Account | None:
        """The account, as far as it was read; None where nothing is stored of it."""
        if self.row is None:
            return None
        return account_of(
            self.row,
            balances=self.balances,
            lots=self.lots,
            holds=self.holds,
            redemptions=self.redemptions,
            transits=self.transits,
        )


@dataclass(slots=True)
class Loaded:
    """What was read for a batch. `waiting` holds messages as they came, by the command that they wait for."""

    known: dict[UUID, Known] = field(default_factory=dict)
    waiting: dict[UUID, list[tuple[UUID, dict[str, Any]]]] = field(default_factory=dict)
    stored: dict[UUID, Stored] = field(default_factory=dict)


async def load(reading: Reading, wanted: Mapping[UUID, Needs], commands: Collection[UUID]) -> Loaded:
    """Read accounts with what their commands need, and what is known of `commands` and of those they ask about."""
    asked = [*commands, *(command for needs in wanted.values() for command in needs.commands)]
    cover = [
        (account_id, currency, points)
        for account_id, needs in wanted.items()
        for currency, points in needs.cover.items()
    ]
    record = await _first(reading, asked, list(wanted), cover, LOTS_AT_FIRST)
    loaded = Loaded(stored={account_id: Stored() for account_id in wanted})
    loaded.known = {row[0]: Known(*row) for row in record["known"]}
    for awaited_id, command_id, content in record["waiting"]:
        loaded.waiting.setdefault(awaited_id, []).append((command_id, orjson.loads(content)))
    for row in record["accounts"]:
        stored = loaded.stored[row[0]]
        stored.row, stored.due_at, stored.known_at, stored.position = row, row[_DUE_AT], row[_KNOWN_AT], row[_POSITION]
    for row in record["balances"]:
        loaded.stored[row[0]].balances[row[1]] = balance_of(row)
    _keep_lots(loaded, record["lots"])
    if cover:
        await _more_lots(reading, loaded, cover)
    await load_due(reading, loaded)
    await _load_named(reading, loaded, wanted)
    return loaded


async def load_due(reading: Reading, loaded: Loaded) -> None:
    """Read what time alone has changed in these accounts, where their rows say that something may be due."""
    ripe = [
        account_id
        for account_id, stored in loaded.stored.items()
        if stored.due_at is not None and stored.due_at <= reading.now
    ]
    if not ripe:
        return
    record = await reading.connection.fetchrow(SQL.load_due, reading.shard, ripe, reading.now)
    _keep_lots(loaded, record["lots"])
    _keep_holds(loaded, record["holds"])
    for account_id, later in record["later"]:
        # What the row said has come; what is not loaded comes no sooner than this.
        loaded.stored[account_id].due_at = later
        loaded.stored[account_id].woken = True


async def _first(
    reading: Reading,
    commands: Sequence[UUID],
    accounts: Sequence[UUID],
    cover: Sequence[tuple[UUID, str, int]],
    lots_max: int,
) -> asyncpg.Record:
    columns: Iterable[Sequence[Any]] = zip(*cover, strict=True) if cover else ((), (), ())
    return await reading.connection.fetchrow(
        SQL.load, reading.shard, commands, accounts, reading.now, *map(list, columns), lots_max
    )


async def _more_lots(reading: Reading, loaded: Loaded, cover: Sequence[tuple[UUID, str, int]]) -> None:
    """Look through more lots, where those looked through hold less than is to be spent and there may be others."""
    limit = LOTS_AT_FIRST
    while cover and limit < LOTS_MAX:
        short = []
        for account_id, currency, points in cover:
            lots = [
                lot
                for lot in loaded.stored[account_id].lots.values()
                if lot.currency == currency
                and lot.available
                and (lot.expires_at is None or lot.expires_at > reading.now)
            ]
            if len(lots) >= limit and sum(lot.available for lot in lots) < points:
                short.append((account_id, currency, points))
        cover = short
        if cover:
            limit = min(limit * LOTS_GROWTH, LOTS_MAX)
            record = await _first(reading, (), (), cover, limit)
            _keep_lots(loaded, record["lots"])


async def _load_named(reading: Reading, loaded: Loaded, wanted: Mapping[UUID, Needs]) -> None:
    named = {
        account_id: needs
        for account_id, needs in wanted.items()
        if needs.accruals or needs.holds or needs.redemptions or needs.transits or needs.open_lots
    }
    if not named:
        return
    record = await reading.connection.fetchrow(
        SQL.load_named,
        reading.shard,
        list(named),
        [each for needs in named.values() for each in needs.accruals],
        [each for needs in named.values() for each in needs.holds],
        [each for needs in named.values() for each in needs.redemptions],
        [each for needs in named.values() for each in needs.transits],
        [account_id for account_id, needs in named.items() if needs.open_lots],
    )
    _keep_lots(loaded, record["lots"])
    _keep_holds(loaded, record["holds"])
    for row in record["redemptions"]:
        loaded.stored[row[0]].redemptions[row[1]] = redemption_of(row)
    for row in record["transits"]:
        loaded.stored[row[0]].transits[row[1]] = transit_of(row)


def _keep_lots(loaded: Loaded, rows: Iterable[Row]) -> None:
    for row in rows:
        loaded.stored[row[0]].lots[row[1]] = lot_of(row)


def _keep_holds(loaded: Loaded, rows: Iterable[Row]) -> None:
    for row in rows:
        loaded.stored[row[0]].holds[row[1]] = hold_of(row)
