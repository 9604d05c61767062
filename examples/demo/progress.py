"""How far the purchases are: read from the offsets that each service keeps and from the ends of the topics."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from contracts.shards import SHARDS
from contracts.topics import AWARDS, PURCHASE_INDEX, PURCHASES, RECEIPTS, RETURNS

_FLOW: Final = {
    "identified": ("rules", PURCHASES.name),
    "decided": ("rules", RECEIPTS.name),
    "booked": ("ledger", AWARDS.name),
}
_BESIDE: Final = {"indexed": ("rules", PURCHASE_INDEX.name), "returned": ("rules", RETURNS.name)}
_SETTLED_READINGS: Final = 2
_POLL_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """Messages that a stage has taken, and those in its topic."""

    taken: int
    there: int

    @property
    def behind(self) -> int:
        """Messages still to take."""
        return self.there - self.taken


class Progress:
    """Reads the state of the flow. It is asked a few times a second and costs the services next to nothing."""

    def __init__(self, connection: asyncpg.Connection, consumer: AIOKafkaConsumer) -> None:
        self._connection = connection
        self._consumer = consumer

    async def stages(self) -> dict[str, Reading]:
        """The stages of the flow, in order."""
        return {name: await self._reading(*where) for name, where in _FLOW.items()}

    async def settled(self) -> bool:
        """Whether everything that was sent has been taken by everyone, published by every relay, and nothing is due."""
        readings = [await self._reading(*where) for where in (_FLOW | _BESIDE).values()]
        if any(reading.behind for reading in readings):
            return False
        waiting = [await self._connection.fetchval(_UNPUBLISHED[schema]) for schema in ("rules", "ledger")]
        return not any(waiting) and not await self._connection.fetchval(_DUE)

    async def wait_until_settled(self, timeout_s: float, between: Callable[[], Awaitable[None]]) -> None:
        """Wait until the flow is empty twice in a row; `between` runs at every look. Raises TimeoutError."""
        ends_at_s = time.monotonic() + timeout_s
        in_a_row = 0
        while in_a_row < _SETTLED_READINGS:
            if time.monotonic() > ends_at_s:
                raise TimeoutError(f"the flow did not come to rest within {timeout_s:.0f} s")
            await between()
            in_a_row = in_a_row + 1 if await self.settled() else 0
            await asyncio.sleep(_POLL_S)

    async def dead_letters(self) -> int:
        """Messages that were set aside."""
        return int(await self._connection.fetchval(_DEAD_LETTERS))

    async def _reading(self, schema: str, topic: str) -> Reading:
        partitions = [TopicPartition(topic, partition) for partition in range(SHARDS)]
        ends = await self._consumer.end_offsets(partitions)
        taken = await self._connection.fetchval(_TAKEN[schema], topic)
        return Reading(int(taken), sum(ends.values()))


# The flow is read from outside, as an operator would: these statements are no part of any service.
_TAKEN: Final = {
    "rules": "select coalesce(sum(next_offset), 0) from rules.consumer_offset where topic = $1",
    "ledger": "select coalesce(sum(next_offset), 0) from ledger.consumer_offset where topic = $1",
}
_UNPUBLISHED: Final = {
    "rules": "select coalesce(sum(s.head - coalesce(r.position, 0)), 0)"
    " from rules.shard s left join rules.relay_position r using (shard)",
    "ledger": "select coalesce(sum(s.head - coalesce(r.position, 0)), 0)"
    " from ledger.shard s left join ledger.relay_position r using (shard)",
}
_DUE: Final = "select count(*) from ledger.account where due_at <= now()"
_DEAD_LETTERS: Final = (
    "select (select count(*) from rules.dead_letter) + (select count(*) from ledger.dead_letter)"
    " + (select count(*) from notifier.dead_letter)"
)
