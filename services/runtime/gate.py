"""The gate to the shards of one schema: in this process one transaction a shard at a time, whoever writes.

Round trips: `begin` and the taking of the shard's row go out together, and so do the moving of its head and `commit`;
what a process knows of a shard's row from its own last commit is confirmed while taking it, and read if it changed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from contracts.shards import SHARDS
from services.runtime.postgres import SQL, Pool
from services.runtime.rows import Table
from services.runtime.settings import RuntimeSettings
from services.runtime.shard import LOG_COLUMNS, ShardTransaction
from services.runtime.telemetry.metrics import COMMIT_SECONDS, ProcessorMetrics

Clock = Callable[[], datetime]

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
        started = time.perf_counter()
        async with self._locks[shard], self._pool.acquire() as connection:
            waited = time.perf_counter()
            try:
                transaction = await self._begin(connection, shard)
                taken = time.perf_counter()
                yield transaction
                processed = time.perf_counter()
                await self._finish(connection, transaction)
            except BaseException:
                if connection.is_in_transaction():
                    await connection.execute("rollback")
                raise
        if metrics is not None:
            metrics.wait.observe(waited - started)
            metrics.take.observe(taken - waited)
            metrics.process.observe(processed - taken)
            metrics.finish.observe(time.perf_counter() - processed)

    async def _begin(self, connection: asyncpg.Connection, shard: int) -> ShardTransaction:
        self.opened_at = time.monotonic()
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
        now = max(self._clock(), head.recorded_at)
        return ShardTransaction(
            connection,
            shard,
            now,
            head=head.position,
            previous_hash=head.hash,
            extra_columns=len(self.log_columns),
            copy_rows_min=self._copy_rows_min,
        )

    async def _finish(self, connection: asyncpg.Connection, transaction: ShardTransaction) -> None:
        await transaction.add(self._log, transaction.take_rows())
        head = Head(transaction.head, transaction.last_hash, transaction.now)
        started = time.perf_counter()
        answer = await connection.execute(_commit_head(transaction.shard, head))
        if answer != _COMMITTED:
            raise CommitLostError(f"commit was answered with {answer}")
        self._commit_seconds.observe(time.perf_counter() - started)
        self._heads[transaction.shard] = head
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


def _commit_head(shard: int, head: Head) -> str:
    return (
        f"execute move_head({shard:d}, {head.position:d}, "
        f"'\\x{head.hash.hex()}', '{head.recorded_at.isoformat()}'); commit"
    )
