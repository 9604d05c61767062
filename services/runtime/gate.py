"""The gate to the shards of one schema: in this process a shard is in one transaction at a time, whoever writes.

Round trips: `begin` and the taking of the shard's row go out together, and so do the moving of its head and `commit`;
what a process knows of a shard's row from its own last commit is confirmed while taking it, and read if it changed.
A span is one transaction of several shards. It waits for no shard's row: what another process holds it leaves out, so
spans of several processes cannot lock each other out, and nobody waits for a shard because another one is busy.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import asyncpg

from contracts.shards import SHARDS
from services.runtime.postgres import SQL, Pool
from services.runtime.rows import Table
from services.runtime.settings import RuntimeSettings
from services.runtime.shard import LOG_COLUMNS, ShardTransaction
from services.runtime.span import Lane, Span
from services.runtime.telemetry.metrics import COMMIT_SECONDS, ProcessorMetrics

Clock = Callable[[], datetime]
Answer = TypeVar("Answer")
Work = Callable[[ShardTransaction], Coroutine[Any, Any, Answer]]

_TAKEN: Final = "SELECT 1"
_COMMITTED: Final = "COMMIT"


class ShardMissingError(OSError):
    """The schema has no row for this shard: it is not migrated. A fault of the world, so nothing is set aside."""


class CommitLostError(OSError):
    """Postgres answered `commit` with a rollback: nothing was written. A fault of the world."""


@dataclass(frozen=True, slots=True)
class Head:
    """A shard's row, as this process left it."""

    position: int
    hash: bytes
    recorded_at: datetime


class _Steps:
    """How long each step of a transaction took, told where somebody wants to know."""

    def __init__(self, metrics: ProcessorMetrics | None) -> None:
        self._metrics = metrics
        self._since = time.perf_counter()

    def done(self, step: str) -> None:
        now = time.perf_counter()
        if self._metrics is not None:
            self._metrics.steps[step].observe(now - self._since)
        self._since = now


class ShardGate:
    """What the writers of one pool share. `appended` is set when a commit has added to the log: it wakes the relay."""

    def __init__(
        self,
        pool: Pool,
        *,
        clock: Clock,
        settings: RuntimeSettings,
        log_columns: tuple[str, ...] = (),
    ) -> None:
        own = dict(column.split(" ", 1) for column in log_columns)
        self.log_columns = log_columns
        self._pool = pool
        self._clock = clock
        self._copy_rows_min = settings.copy_rows_min
        self._log = Table("event", LOG_COLUMNS | own)
        self._locks = [asyncio.Lock() for _ in range(SHARDS)]
        self._heads: list[Head | None] = [None] * SHARDS
        self._commit_seconds = COMMIT_SECONDS.labels(pool.schema)
        self.appended = asyncio.Event()
        self.opened_at = 0.0
        self.committed_at = time.monotonic()

    @asynccontextmanager
    async def transaction(self, shard: int, metrics: ProcessorMetrics | None = None) -> AsyncIterator[ShardTransaction]:
        """Open the shard's transaction; leaving commits, an exception rolls back.

        Waits for its turn in this process, then for a connection, then for the shard's row.
        """
        steps = _Steps(metrics)
        async with self._locks[shard], self._pool.acquire() as connection:
            steps.done("wait")
            async with self._whole(connection):
                transaction = await self._begin(connection, shard)
                steps.done("take")
                yield transaction
                steps.done("process")
                await transaction.add(self._log, transaction.take_rows())
                await self._commit(connection, [transaction])
        steps.done("finish")

    async def together(
        self, shards: Iterable[int], work: Work[Answer], metrics: ProcessorMetrics | None = None
    ) -> dict[int, Answer]:
        """Do the work of several shards in one transaction, all of it or nothing; gives the answers by shard.

        Waits for its turn in this process. A shard that another process holds is left out, and has no answer.
        """
        steps = _Steps(metrics)
        async with AsyncExitStack() as held:
            wanted = sorted(shards)
            for shard in wanted:
                # In one order, so that no two spans wait for each other.
                await held.enter_async_context(self._locks[shard])
            connection = await held.enter_async_context(self._pool.acquire())
            steps.done("wait")
            async with self._whole(connection):
                span: Span[Answer] = Span(connection, self._copy_rows_min)
                transactions = await self._begin_free(span, wanted)
                steps.done("take")
                answers = await span.run({each.shard: self._logged(each, work) for each in transactions})
                steps.done("process")
                await self._commit(connection, transactions)
        steps.done("finish")
        return answers

    @asynccontextmanager
    async def _whole(self, connection: asyncpg.Connection) -> AsyncIterator[None]:
        """Roll back whatever does not come to its commit."""
        self.opened_at = time.monotonic()
        try:
            yield
        except BaseException:
            if connection.is_in_transaction():
                await connection.execute("rollback")
            raise

    async def _logged(self, transaction: ShardTransaction, work: Work[Answer]) -> Answer:
        answer = await work(transaction)
        await transaction.add(self._log, transaction.take_rows())
        return answer

    async def _begin(self, connection: asyncpg.Connection, shard: int) -> ShardTransaction:
        # Forgotten until this transaction has committed: after any failure the row is read again.
        head, self._heads[shard] = self._heads[shard], None
        if head is None:
            await connection.execute("begin")
        elif await connection.execute(_begin_known(shard, head)) != _TAKEN:
            head = None
        if head is None:
            row = await connection.fetchrow(SQL.take_shard, shard)
            if row is None:
                raise ShardMissingError(f"schema {self._pool.schema} has no shard {shard}")
            head = Head(row["head"], row["hash"], row["recorded_at"])
        return self._opened(connection, shard, head, self._copy_rows_min)

    async def _begin_free(self, span: Span[Any], shards: Sequence[int]) -> list[ShardTransaction]:
        await span.connection.execute("begin")
        rows = await span.connection.fetch(SQL.take_free_shards, shards)
        for row in rows:
            self._heads[row["shard"]] = None
        # Lanes share a COPY, so it pays for fewer rows of each.
        copy_rows_min = max(1, self._copy_rows_min // max(1, len(rows)))
        return [
            self._opened(
                span.lane(row["shard"]), row["shard"], Head(row["head"], row["hash"], row["recorded_at"]), copy_rows_min
            )
            for row in rows
        ]

    def _opened(
        self, connection: asyncpg.Connection | Lane, shard: int, head: Head, copy_rows_min: int
    ) -> ShardTransaction:
        return ShardTransaction(
            connection,
            shard,
            max(self._clock(), head.recorded_at),
            head=head.position,
            previous_hash=head.hash,
            extra_columns=len(self.log_columns),
            copy_rows_min=copy_rows_min,
        )

    async def _commit(self, connection: asyncpg.Connection, transactions: Sequence[ShardTransaction]) -> None:
        heads = {each.shard: Head(each.head, each.last_hash, each.now) for each in transactions}
        started = time.perf_counter()
        answer = await connection.execute(_commit_heads(heads))
        if answer != _COMMITTED:
            raise CommitLostError(f"commit was answered with {answer}")
        self._commit_seconds.observe(time.perf_counter() - started)
        for shard, head in heads.items():
            self._heads[shard] = head
        for transaction in transactions:
            transaction.committed()
        self.committed_at = time.monotonic()
        self.appended.set()


def gate_of(pool: Pool, *, clock: Clock, settings: RuntimeSettings, log_columns: tuple[str, ...] = ()) -> ShardGate:
    """Give the gate of a pool, made on first use; `log_columns` are the schema's own: `("account_id uuid", …)`.

    Raises ValueError if the pool's gate was made with other columns.
    """
    if pool.gate is None:
        pool.gate = ShardGate(pool, clock=clock, settings=settings, log_columns=log_columns)
    gate: ShardGate = pool.gate
    if log_columns not in ((), gate.log_columns):
        raise ValueError(f"log columns {log_columns} are not those of the pool: {gate.log_columns}")
    return gate


def _begin_known(shard: int, head: Head) -> str:
    # Several statements in one round trip exist in the simple protocol alone, which takes no parameters: the values
    # are an integer, hexadecimal digits and a timestamp of our own, and the statement is prepared in the session.
    return (
        f"begin; execute take_known_shard({shard:d}, {head.position:d}, "
        f"'\\x{head.hash.hex()}', '{head.recorded_at.isoformat()}')"
    )


def _commit_heads(heads: Mapping[int, Head]) -> str:
    moved = "".join(
        f"execute move_head({shard:d}, {head.position:d}, '\\x{head.hash.hex()}', '{head.recorded_at.isoformat()}'); "
        for shard, head in heads.items()
    )
    return f"{moved}commit"
