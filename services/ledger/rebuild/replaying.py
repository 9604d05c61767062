"""The log of a shard replayed into the tables beside the live ones."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import asyncpg

from services.ledger.domain.account import Account
from services.ledger.domain.books import BooksDoNotBalanceError
from services.ledger.proof.snapshots import Snapshot
from services.ledger.rebuild.beside import Beside
from services.ledger.rebuild.tables import LINES, STATE, TOTALS, VERDICTS, Values, rows_of, statement
from services.ledger.rebuild.verdicts import Decided
from services.ledger.storage.rows import account_of, balance_of, hold_of, lot_of, redemption_of, transit_of
from services.ledger.verify import SQL as LOG
from services.ledger.verify.entry import Entry
from services.ledger.verify.lines import Line, expected_lines
from services.ledger.verify.log import parsed
from services.ledger.verify.part import Part
from services.ledger.verify.replay import Replayed
from services.ledger.verify.restoring import restore_accounts
from services.ledger.verify.rows import Findings, Portions, Row
from services.ledger.verify.totals import Totals, add_to_totals
from services.ledger.wire import REJECTED

_PARTS: Final = {
    "balance": ("balances", balance_of),
    "lot": ("lots", lot_of),
    "hold": ("holds", hold_of),
    "redemption": ("redemptions", redemption_of),
    "transit": ("transits", transit_of),
}


class Replaying:
    """Replays events in order. `broken` are accounts that the log cannot make: they are left as they are."""

    def __init__(self, connection: asyncpg.Connection, shard: int, beside: Beside, findings: Findings) -> None:
        self.shard = shard
        self.broken: set[str] = set()
        self.events = 0
        self._connection = connection
        self._beside = beside
        self._findings = findings
        self._accounts: dict[str, Replayed] = {}

    async def whole(self, since: Snapshot | None, head: int, part: Part, totals: Totals, rows_at_once: int) -> None:
        """The log from a snapshot (None: the beginning) to `head`, for the accounts of a part; verdicts once.

        Raises `StatementRefusedError`, `OSError`.
        """
        start = 0 if since is None else since.heads[self.shard].position
        self._accounts = dict(restore_accounts(since, self.shard, part))
        portions = (
            Portions(self._connection, LOG.events, self.shard, start, head, at_once=rows_at_once)
            if part.number == 0
            else Portions(
                self._connection, LOG.events_of_part, self.shard, start, head, part.number, part.parts,
                at_once=rows_at_once,
            )
        )  # fmt: skip
        decided = Decided(self.shard) if part.number == 0 else None
        while rows := await portions.take():
            await self._take(self._read(rows), part, totals, decided)
        if decided is not None:
            await self._beside.add(VERDICTS, decided.finish())
        await self._give_back()
        if part.number == part.parts - 1:
            await self._beside.add(TOTALS, (self._total(key, sums) for key, sums in totals.items()))
        await self._beside.flush()

    async def catch_up(self, after: int, until: int) -> list[str]:
        """The events after one position, until another, onto what is beside; gives the accounts that they changed."""
        rows = await self._connection.fetch(LOG.events, self.shard, after, until)
        entries = self._read(rows)
        touched = {entry.account_id for entry in entries if entry.account_id is not None} - self.broken
        fresh = [account_id for account_id in touched if account_id not in self._accounts]
        if fresh:
            await self._load(fresh)
        decided = Decided(self.shard)
        await self._take(entries, Part(0, 1), defaultdict(lambda: [0, 0]), decided)
        await self._beside.add(VERDICTS, decided.finish())
        touched -= self.broken
        await self._beside.replace(list(touched))
        for account_id in touched & self._accounts.keys():
            await self._put(self._accounts[account_id])
        await self._beside.flush()
        return list(touched)

    def _read(self, rows: Sequence[Row]) -> list[Entry]:
        """The events in rows of the log; those that cannot be read are named."""
        self.events += len(rows)
        entries = []
        for row in rows:
            entry = parsed(row, None)
            if entry is None:
                self._findings.differs("unreadable", "event", f"position {row[0]}")
            else:
                entries.append(entry)
        return entries

    async def _take(self, entries: Sequence[Entry], part: Part, totals: Totals, decided: Decided | None) -> None:
        for entry in entries:
            if decided is not None:
                await self._beside.add(VERDICTS, decided.take(entry))
            account_id = entry.account_id
            if account_id is None or entry.type == REJECTED or account_id in self.broken:
                continue
            if part.has(account_id):
                lines = self._replay(entry, account_id, totals)
                await self._beside.add(LINES, (_line_row(self.shard, line) for line in lines))

    def _replay(self, entry: Entry, account_id: str, totals: Totals) -> list[Line]:
        try:
            replayed = self._accounts.get(account_id)
            if replayed is None:
                replayed = self._accounts[account_id] = Replayed.unopened(entry)
            movements = replayed.take(entry)
            add_to_totals(totals, entry, movements, replayed)
            return expected_lines(entry, movements, replayed)
        except (ValueError, KeyError, TypeError) as error:
            self._break(account_id, f"position {entry.position}: {error!r}")
            return []

    async def _give_back(self) -> None:
        """Write the accounts of a part beside, and forget them."""
        for replayed in [*self._accounts.values()]:
            await self._put(replayed)
        self._accounts = {}

    async def _put(self, replayed: Replayed) -> None:
        try:
            account = replayed.account()
        except BooksDoNotBalanceError as error:
            self._break(str(replayed.account_id), repr(error))
            return
        by_table: dict[str, list[Values]] = defaultdict(list)
        for table, row in rows_of(self.shard, account, replayed.known_at, replayed.position):
            by_table[table].append(row)
        for table, rows in by_table.items():
            await self._beside.add(table, rows)

    async def _load(self, accounts: Sequence[str]) -> None:
        """Take accounts up from the rows beside."""
        parts: dict[str, dict[str, Any]] = {each: {name: {} for name, _ in _PARTS.values()} for each in accounts}
        own: dict[str, Row] = {}
        for table in STATE:
            for record in await self._connection.fetch(statement("beside_rows", table), accounts):
                row: Row = tuple(record)[1:]
                if table == "account":
                    own[str(row[0])] = row
                else:
                    name, make = _PARTS[table]
                    parts[str(row[0])][name][row[1]] = make(row)
        for account_id, values in own.items():
            account: Account = account_of(values, **parts[account_id])
            *_, known_at, position = values
            self._accounts[account_id] = Replayed.restored(account, known_at, position)

    def _break(self, account_id: str, why: str) -> None:
        self._findings.differs("not_replayable", "account", account_id, "", why)
        self.broken.add(account_id)
        self._accounts.pop(account_id, None)

    def _total(self, key: tuple[Any, ...], sums: list[int]) -> Values:
        tenant, programme, currency, effective_on, recorded_on, *rest = key
        days = date.fromisoformat(effective_on), date.fromisoformat(recorded_on)
        return (self.shard, tenant, programme, currency, *days, *rest, *sums)


def _line_row(shard: int, line: Line) -> Values:
    position, currency, account_id, known_at, version, kind, *rest = line
    return (shard, account_id, known_at, version, currency, position, kind, *rest)
