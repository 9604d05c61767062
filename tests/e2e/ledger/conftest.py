"""The books from Kafka to Kafka: workers and the relay of one database, on topics of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from contracts.shards import SHARDS, shard_of
from contracts.topics import AWARDS, LEDGER_EVENTS, MEMBER_EVENTS, PROGRAMMES, REDEMPTIONS, TRANSFERS
from services.ledger.processes import build_work
from services.ledger.settings import LedgerSettings
from services.runtime.postgres import Pool, open_pool
from services.runtime.process import Part, Process
from tests.conftest import MakeTopics

PARTITIONS = 8
TOPICS = (AWARDS, REDEMPTIONS, TRANSFERS, MEMBER_EVENTS, PROGRAMMES, LEDGER_EVENTS)
SETTLED_WITHIN_S = 60
Event = dict[str, Any]


@dataclass
class Ledger:
    """One database with its workers, and a producer to feed it."""

    settings: LedgerSettings
    pool: Pool
    producer: AIOKafkaProducer

    async def send(self, topic: str, events: Iterable[Event]) -> None:
        """Publish events keyed by account."""
        sending = [
            await self.producer.send(
                self.settings.topic_prefix + topic,
                orjson.dumps(event),
                key=event["data"]["account_id"].encode(),
                partition=shard_of(event["data"]["account_id"]) % PARTITIONS,
            )
            for event in events
        ]
        await asyncio.gather(*sending)

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        """A worker with its consumer and sweeper, stopped gracefully at the end."""
        process = Process("ledger-work", self.settings)
        async with process.stack, _running(await build_work(process, self.settings)):
            yield

    @asynccontextmanager
    async def relay(self) -> AsyncIterator[None]:
        """The relay."""
        process = Process("ledger-relay", self.settings)
        async with process.stack, _running([process.relay(await process.pool("ledger"))]):
            yield

    async def until(self, statement: str, wanted: Callable[[Any], bool]) -> Any:
        """Wait until a figure is as wanted, and give it."""
        async with asyncio.timeout(SETTLED_WITHIN_S):
            while True:
                found = await self.pool.fetchval(statement)
                if wanted(found):
                    return found
                await asyncio.sleep(0.05)

    async def published(self, topic: str) -> list[Event]:
        """Everything on a topic, partition by partition."""
        name = self.settings.topic_prefix + topic
        consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.kafka_bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            partitions = [TopicPartition(name, number) for number in range(PARTITIONS)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            events = []
            for partition in partitions:
                while await consumer.position(partition) < ends[partition]:
                    records = await consumer.getmany(partition, timeout_ms=500)
                    events += [orjson.loads(each.value) for each in records.get(partition, ())]
            return events
        finally:
            await consumer.stop()


@asynccontextmanager
async def _running(parts: Sequence[Part]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(part.run()) for part in parts]
    try:
        yield
    finally:
        for part in parts:
            part.stop()
        await asyncio.wait_for(asyncio.gather(*tasks), 30)


@pytest.fixture
async def ledger(
    database: str, kafka_bootstrap: str, topic_namespace: str, kafka_topics: MakeTopics
) -> AsyncIterator[Ledger]:
    """The books, with nothing running yet."""
    await kafka_topics({topic.name: PARTITIONS for topic in TOPICS})
    settings = LedgerSettings(
        postgres_dsn=database, kafka_bootstrap=kafka_bootstrap, topic_prefix=topic_namespace, postgres_pool_max=3,
        retry_first_ms=20, retry_max_ms=200, consumer_poll_wait_ms=50, consumer_fetch_wait_ms=50,
        consumer_collect_ms=10, consumer_session_timeout_ms=10_000, relay_lock_retry_ms=50, sweep_interval_ms=500,
    )  # fmt: skip
    async with AsyncExitStack() as stack:
        pool = await open_pool(settings, "ledger")
        stack.push_async_callback(lambda: _closed(pool.close()))
        producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
        await producer.start()
        stack.push_async_callback(producer.stop)
        yield Ledger(settings, pool, producer)


async def _closed(closing: Awaitable[None]) -> None:
    await asyncio.wait_for(closing, 10)


def shards() -> range:
    """All of them."""
    return range(SHARDS)
