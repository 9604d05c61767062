"""A sweeper: finds what is due in idle shards and feeds it through the same writer as everything else.

Due work has deterministic ids and is decided under the shard's row, so two sweepers do no harm. After a standstill
each shard gives a bounded batch at a time, so messages and requests pass in between.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import structlog

from contracts.shards import SHARDS
from services.runtime.backoff import Backoff
from services.runtime.gate import Clock
from services.runtime.messages import Message
from services.runtime.postgres import is_world_fault
from services.runtime.settings import RuntimeSettings
from services.runtime.span import Lane, Span
from services.runtime.writer import ShardWriter, wall_clock

log = structlog.get_logger(__name__)

FindDue = Callable[[Lane, int, datetime, int], Coroutine[Any, Any, list[Message]]]
"""(connection, shard, now, limit): at most `limit` messages that are due in the shard, the longest due first."""

_ALL: Final = frozenset(range(SHARDS))
_FAILED_RETRY_S: Final = 300.0
_FAILED_MAX: Final = 1_000


def every_shard() -> Collection[int]:
    """All of them."""
    return _ALL


class Sweeper:
    """Looks at all shards every `sweep_interval_ms`; `shards` says which are this process's to look at."""

    def __init__(
        self,
        writer: ShardWriter,
        find_due: FindDue,
        settings: RuntimeSettings,
        *,
        shards: Callable[[], Collection[int]] = every_shard,
        clock: Clock = wall_clock,
    ) -> None:
        self._writer = writer
        self._find_due = find_due
        self._settings = settings
        self._shards = shards
        self._clock = clock
        self._stopping = asyncio.Event()
        self._failed: dict[str, float] = {}

    async def run(self) -> None:
        """Sweep until `stop`; while Postgres is away it waits and tries again."""
        backoff = Backoff.of(self._settings)
        while not self._stopping.is_set():
            try:
                await self._pass()
                backoff.reset()
            except Exception as error:
                if not is_world_fault(error):
                    raise
                log.warning("sweeper waits", error=f"{type(error).__name__}: {error}")
                await self._pause(backoff.next_s())

    def stop(self) -> None:
        """Ask it to end after the shard in hand."""
        self._stopping.set()

    async def sweep(self, shard: int) -> int:
        """Do what is due in one shard, at most a batch; gives how many messages that were."""
        found = await self._look([shard])
        return await self._do(shard, found[shard])

    async def _pass(self) -> None:
        now = time.monotonic()
        self._failed = {name: until for name, until in self._failed.items() if until > now}
        found = await self._look(sorted(self._shards()))
        more = False
        for shard, messages in found.items():
            if self._stopping.is_set():
                return
            # A full batch: there is more, so the next look comes at once.
            more |= await self._do(shard, messages) >= self._settings.sweep_batch
        await self._pause(0 if more else self._settings.sweep_interval_ms / 1_000)

    async def _look(self, shards: Sequence[int]) -> dict[int, list[Message]]:
        """What is due in these shards, asked in one round trip."""
        limit = self._settings.sweep_batch + len(self._failed)
        async with self._writer.pool.acquire() as connection:
            span: Span[list[Message]] = Span(connection)
            now = self._clock()
            return await span.run({shard: self._find_due(span.lane(shard), shard, now, limit) for shard in shards})

    async def _do(self, shard: int, found: Sequence[Message]) -> int:
        due = [message for message in found if message.id not in self._failed]
        if due:
            outcomes = await self._writer.settle(shard, due)
            for message, outcome in zip(due, outcomes, strict=True):
                if isinstance(outcome, Exception) and len(self._failed) < _FAILED_MAX:
                    # Logged by the writer. Left alone for a while, so that it does not keep others from their turn.
                    self._failed[message.id] = time.monotonic() + _FAILED_RETRY_S
        return len(due)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
