"""The watermark: up to when everything that was published has been decided, by all workers together.

What time does to a tier must wait for what was bought before it, also after a standstill. So a round notes how far
the topics and the log have come, and ends when all that is done; a message passes through at most `HOPS` topics on its
way to a decision, and as many rounds leave nothing behind that was published when the first of them began.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError, for_code

from contracts.topics import ACTIVITIES, IDENTIFIERS, PURCHASE_INDEX, PURCHASES, RECEIPTS, RETURNS
from services.rules.decide.storage import SQL
from services.runtime.backoff import Backoff
from services.runtime.gate import Clock
from services.runtime.postgres import Pool, is_world_fault
from services.runtime.settings import RuntimeSettings
from services.runtime.writer import wall_clock

log = structlog.get_logger(__name__)

HOPS: Final = 4
"""An enrolment goes to its identifier, to its other identifiers, on to the account; one round more to be safe."""
TOPICS: Final = (PURCHASES, ACTIVITIES, RETURNS, IDENTIFIERS, PURCHASE_INDEX, RECEIPTS)

_LOOK_S: Final = 0.5
_PAUSE_S: Final = 5.0

Offsets = Mapping[TopicPartition, int]


class Watermark:
    """A part of a worker. `decided_through` is None until it is known for the first time."""

    def __init__(self, pool: Pool, settings: RuntimeSettings, *, clock: Clock = wall_clock) -> None:
        self.decided_through: datetime | None = None
        self._pool = pool
        self._settings = settings
        self._clock = clock
        self._topics = [settings.topic_prefix + topic.name for topic in TOPICS]
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Keep the watermark moving, until `stop`."""
        backoff = Backoff.of(self._settings)
        while not self._stopping.is_set():
            try:
                await self._follow()
                backoff.reset()
            except Exception as error:
                if not (is_world_fault(error) or isinstance(error, KafkaError | OSError)):
                    raise
                log.warning("watermark waits", error=f"{type(error).__name__}: {error}")
                await self._pause(backoff.next_s())

    def stop(self) -> None:
        """Ask it to end."""
        self._stopping.set()

    async def _follow(self) -> None:
        kafka = {
            "bootstrap_servers": self._settings.kafka_bootstrap,
            "client_id": "rules-watermark",
            "request_timeout_ms": self._settings.kafka_request_timeout_ms,
            "metadata_max_age_ms": self._settings.kafka_metadata_max_age_ms,
        }
        consumer, admin = AIOKafkaConsumer(enable_auto_commit=False, **kafka), AIOKafkaAdminClient(**kafka)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(consumer.stop)
            await consumer.start()
            stack.push_async_callback(admin.close)
            await admin.start()
            while not self._stopping.is_set():
                began = self._clock()
                for _ in range(HOPS):
                    await self._round(consumer, admin)
                if not self._stopping.is_set():
                    self.decided_through = began
                await self._pause(_PAUSE_S)

    async def _round(self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient) -> None:
        """Wait until all is done that there is now. The log first: what it holds may still have to reach a topic."""
        heads = {row["shard"]: row["head"] for row in await self._pool.fetch(SQL.log_heads)}
        while not self._stopping.is_set() and not await self._relayed(heads):
            await self._pause(_LOOK_S)
        ends = await self._ends(consumer, admin)
        while not self._stopping.is_set() and not await self._done(ends):
            await self._pause(_LOOK_S)

    async def _relayed(self, heads: Mapping[int, int]) -> bool:
        rows = await self._pool.fetch(SQL.log_heads)
        return all(row["relayed"] >= heads[row["shard"]] for row in rows)

    async def _ends(self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient) -> Offsets:
        places = [place for topic in await admin.describe_topics(self._topics) for place in _places(topic)]
        first, last = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        # Of a partition without messages nothing is ever stored.
        return {place: last[place] for place in places if last[place] > first[place]}

    async def _done(self, ends: Offsets) -> bool:
        rows = await self._pool.fetch(SQL.offsets_done, self._topics)
        done = {TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        return all(done.get(place, 0) >= end for place, end in ends.items())

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def _places(topic: Mapping[str, Any]) -> list[TopicPartition]:
    """The partitions of a topic as Kafka describes it; none of one that nobody has made yet."""
    error = for_code(topic["error_code"])
    if error is UnknownTopicOrPartitionError:
        return []
    if topic["error_code"]:
        raise error(topic["topic"])
    return [TopicPartition(topic["topic"], partition["partition"]) for partition in topic["partitions"]]
