"""Several shards in one transaction: each decides by itself, what they say to Postgres goes out together.

A processor knows one shard. In a span it runs for each of several shards at once; when all of them wait for Postgres,
calls of the same statement leave as one pipeline, each still for its one shard, and COPYs into one table as one COPY.
So a trickle over all shards costs the round trips and the commit of one transaction. Nothing of a processor changes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any, Final, Generic, TypeVar

import asyncpg

from services.runtime.rows import Table, write

Answer = TypeVar("Answer")

_LANE: Final = "lane"


@dataclass(slots=True)
class _Call:
    """One lane's call; `kind` is equal for calls that can go together."""

    shard: int
    kind: tuple[Any, ...]
    arguments: Sequence[Any]
    answer: asyncio.Future[Any]


class Lane:
    """What a shard's transaction in a span has for its connection: the calls of asyncpg that processors use.

    Rows carry one more column at their end, `lane`. `execute` gives no status.
    """

    __slots__ = ("_ask", "_shard")

    def __init__(self, shard: int, ask: Callable[[int, tuple[Any, ...], Sequence[Any]], Awaitable[Any]]) -> None:
        self._shard = shard
        self._ask = ask

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:  # noqa: ANN401 - what asyncpg takes
        """All rows."""
        rows: list[asyncpg.Record] = await self._ask(self._shard, ("fetch", query), arguments)
        return rows

    async def fetchrow(self, query: str, *arguments: Any) -> Any:  # noqa: ANN401 - what asyncpg takes and gives
        """The first row, or None."""
        rows = await self.fetch(query, *arguments)
        return rows[0] if rows else None

    async def fetchval(self, query: str, *arguments: Any) -> Any:  # noqa: ANN401 - what asyncpg takes
        """The first column of the first row."""
        row = await self.fetchrow(query, *arguments)
        return None if row is None else row[0]

    async def execute(self, query: str, *arguments: Any) -> None:  # noqa: ANN401 - what asyncpg takes
        """Run it, whatever it answers."""
        await self._ask(self._shard, ("execute", query), arguments)

    async def add(self, table: Table, rows: Sequence[Iterable[Any]]) -> None:
        """Add rows to a table."""
        await self._ask(self._shard, ("add", table), rows)

    async def write(self, statement: str, tables: Sequence[Sequence[Mapping[str, Any]]]) -> None:
        """Run a statement that takes rows of any shards, as JSON."""
        await self._ask(self._shard, ("write", statement), tables)

    async def copy_records_to_table(self, table: str, *, records: Sequence[Any], columns: Sequence[str]) -> None:
        """Add rows to a table by COPY."""
        await self._ask(self._shard, ("copy", table, tuple(columns)), records)


@dataclass(slots=True)
class Span(Generic[Answer]):
    """The lanes of one transaction on one connection."""

    connection: asyncpg.Connection
    copy_rows_min: int = 1
    _calls: list[_Call] = field(default_factory=list)
    _running: int = 0
    _unfinished: int = 0
    _failure: BaseException | None = None
    _blocked: asyncio.Event = field(default_factory=asyncio.Event)

    def lane(self, shard: int) -> Lane:
        """The connection of one shard."""
        return Lane(shard, self._ask)

    async def run(self, works: Mapping[int, Coroutine[Any, Any, Answer]]) -> dict[int, Answer]:
        """Do the work of every lane; the first failure ends all of them and is raised."""
        tasks = {shard: asyncio.create_task(self._work(work)) for shard, work in works.items()}
        self._running = self._unfinished = len(tasks)
        try:
            while self._unfinished:
                await self._blocked.wait()
                self._blocked.clear()
                if self._failure is not None:
                    raise self._failure
                calls, self._calls = self._calls, []
                await self._answer(calls)
            return {shard: task.result() for shard, task in tasks.items()}
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    async def _work(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        try:
            return await work
        except BaseException as error:
            self._failure = self._failure or error
            raise
        finally:
            self._unfinished -= 1
            self._wait()

    async def _ask(self, shard: int, kind: tuple[Any, ...], arguments: Sequence[Any]) -> Any:  # noqa: ANN401 - rows or nothing
        call = _Call(shard, kind, arguments, asyncio.get_running_loop().create_future())
        self._calls.append(call)
        self._wait()
        return await call.answer

    def _wait(self) -> None:
        """One lane fewer runs; when none does, or one has failed, it is the connection's turn."""
        self._running -= 1
        if not self._running or self._failure is not None:
            self._blocked.set()

    async def _answer(self, calls: Sequence[_Call]) -> None:
        groups: dict[tuple[Any, ...], list[_Call]] = {}
        for call in calls:
            groups.setdefault(call.kind, []).append(call)
        answers = [(group, await self._send(kind, group)) for kind, group in groups.items()]
        for group, given in answers:
            for call in group:
                self._running += 1
                call.answer.set_result(given.get(call.shard))

    async def _send(self, kind: tuple[Any, ...], group: Sequence[_Call]) -> Mapping[int, Any]:
        """Make the calls of one kind; the rows of each shard, where there are rows."""
        method, what, *more = kind
        arguments = [call.arguments for call in group]
        if method == "copy":
            await self.connection.copy_records_to_table(what, records=_joined(arguments), columns=more[0])
        elif method == "add":
            await what.add(self.connection, _joined(arguments), copy_rows_min=self.copy_rows_min)
        elif method == "write":
            await write(self.connection, what, [_joined(rows) for rows in zip(*arguments, strict=True)])
        elif len(group) == 1 or not all(_is_for_its_shard(call) for call in group):
            return {call.shard: await getattr(self.connection, method)(what, *call.arguments) for call in group}
        elif method == "execute":
            await self.connection.executemany(what, arguments)
        else:
            found: dict[int, list[asyncpg.Record]] = {call.shard: [] for call in group}
            for row in await self.connection.fetchmany(_with_lane(what), arguments):
                found[row[_LANE]].append(row)
            return found
        return {}


def _joined(several: Iterable[Sequence[Any]]) -> list[Any]:
    return list(chain.from_iterable(several))


def _is_for_its_shard(call: _Call) -> bool:
    """Whether the statement's first parameter is the shard, as it is everywhere in the write path."""
    return bool(call.arguments) and call.arguments[0] == call.shard


@lru_cache(maxsize=256)
def _with_lane(query: str) -> str:
    """The statement with its first parameter as one more column, so that rows find their way back."""
    return f"with found as ({query}) select found.*, $1::int as {_LANE} from found"  # noqa: S608 - our own statements
