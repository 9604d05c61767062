"""The tables beside the live ones, in one session: filled by COPY, compared set-wise."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import asyncpg

from services.ledger.rebuild import SQL
from services.ledger.rebuild.tables import BESIDE, LINES, STATE, TOTALS, Values, statement
from services.ledger.verify.plan import LAST_POSITION

ROWS_AT_ONCE: Final = 5_000
_INDEXED: Final = (*STATE, LINES)


class Beside:
    """Rows of one shard as they should be; `wrong` tables hold the keys of those that are not so."""

    def __init__(self, connection: asyncpg.Connection, shard: int) -> None:
        self._connection = connection
        self._shard = shard
        self._rows: dict[str, list[Values]] = defaultdict(list)

    async def make(self) -> None:
        """Make the tables, where this session has none yet; else empty them."""
        for table in BESIDE:
            if await self._connection.fetchval(SQL.is_made, f"beside_{table}"):
                await self._connection.execute(f"truncate beside_{table}, wrong_{table}")
                continue
            await self._connection.execute(statement("make_beside", table))
            await self._connection.execute(statement("make_wrong", table))
            if table in _INDEXED:
                await self._connection.execute(SQL.index_beside.replace("TABLE", table).replace("KEYS", "account_id"))
        if not await self._connection.fetchval(SQL.is_made, "chosen_entry"):
            await self._connection.execute(SQL.make_chosen)

    async def add(self, table: str, rows: Iterable[Values]) -> None:
        """Add rows; they are written in portions, and with `flush`."""
        waiting = self._rows[table]
        waiting += rows
        if len(waiting) >= ROWS_AT_ONCE:
            await self._write(table)

    async def flush(self) -> None:
        """Write what was added."""
        for table in list(self._rows):
            await self._write(table)

    async def compare(self, start: int) -> None:
        """Compare whole tables, in the snapshot that the rows were made in; lines and verdicts after `start`."""
        for table in BESIDE:
            await self._connection.execute(f"analyze beside_{table}")
        await self._connection.execute(SQL.keep_earlier_due, self._shard, None)
        for table in STATE:
            await self._connection.execute(statement("compare", table), self._shard)
        await self._connection.execute(SQL.compare_lines, self._shard, start, LAST_POSITION)
        await self._connection.execute(SQL.note_totals, self._shard)
        await self._connection.execute(SQL.note_verdicts, self._shard, start)

    async def replace(self, accounts: Collection[str]) -> None:
        """Forget the rows of state of accounts that have changed since, before they are added anew."""
        for table in STATE:
            await self._connection.execute(statement("forget_beside", table), accounts)

    async def compare_accounts(self, accounts: Collection[str], after: int, until: int) -> None:
        """Compare again: the state of these accounts, and lines and verdicts of these positions."""
        await self._connection.execute(SQL.keep_earlier_due, self._shard, accounts)
        for table in STATE:
            await self._connection.execute(statement("forget_wrong", table), accounts)
            await self._connection.execute(statement("compare_accounts", table), self._shard, accounts)
        await self._connection.execute(SQL.compare_lines, self._shard, after, until)
        await self._connection.execute(SQL.note_verdicts, self._shard, after)

    async def pass_over(self, accounts: Collection[str]) -> None:
        """Leave accounts as they are, whatever was noted of them."""
        for table in _INDEXED:
            await self._connection.execute(statement("forget_wrong", table), accounts)

    async def counts(self) -> dict[str, int]:
        """How many rows differ, by table; tables without any are left out."""
        counts = {table: await self._connection.fetchval(statement("count_wrong", table)) for table in BESIDE}
        return {table: count for table, count in counts.items() if count}

    async def wrong_accounts(self) -> Sequence[tuple[str, int]]:
        """Accounts whose state differs, and in how many rows."""
        return [(str(row["account_id"]), row["rows"]) for row in await self._connection.fetch(SQL.wrong_accounts)]

    async def swap_accounts(self, accounts: Collection[str]) -> None:
        """Put the state of accounts right."""
        for table in STATE:
            await self._connection.execute(statement("take_out", table), self._shard, accounts)
            await self._connection.execute(statement("put_in", table), accounts)
            await self._connection.execute(statement("forget_wrong", table), accounts)

    async def swap_lines(self, rows: int) -> None:
        """Put some lines of statements right."""
        await self._connection.execute("truncate chosen_entry")
        await self._connection.execute(SQL.choose_lines, rows)
        await self._connection.execute(SQL.take_out_lines, self._shard)
        await self._connection.execute(SQL.put_in_lines)

    async def swap_verdicts(self, rows: int) -> None:
        """Put some records of commands right."""
        await self._connection.execute(SQL.swap_verdicts, self._shard, rows)

    async def swap_totals(self) -> None:
        """Put the totals of days right."""
        await self._connection.execute(SQL.swap_totals, self._shard)
        await self._connection.execute(SQL.drop_empty_totals, self._shard)
        await self._connection.execute(f"truncate wrong_{TOTALS}")

    async def _write(self, table: str) -> None:
        rows, self._rows[table] = self._rows[table], []
        if rows:
            await self._connection.copy_records_to_table(f"beside_{table}", records=rows)
