"""What the runtime's integration tests share: settings, a pool with the tally's tables, topics, a running loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import orjson
import pytest
import structlog
from aiokafka import AIOKafkaProducer

from contracts.shards import shard_of
from services.runtime.consumer import ConsumerLoop
from services.runtime.postgres import Pool, open_pool
from services.runtime.settings import RuntimeSettings
from services.runtime.writer import ShardWriter
from tests.integration.runtime.tally import ACTIVITIES, SCHEMA, TABLES, Tally

PARTITIONS = 4
Publish = Callable[[list[dict[str, object]]], Awaitable[None]]
Running = Callable[[Tally], AbstractAsyncContextManager[ConsumerLoop]]
Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]

QUICK = {
    "retry_first_ms": 20,
    "retry_max_ms": 200,
    "consumer_poll_wait_ms": 50,
    "consumer_fetch_wait_ms": 50,
    "consumer_collect_ms": 10,
    "consumer_session_timeout_ms": 10_000,
    "consumer_commit_to_kafka_s": 0.2,
    "relay_lock_retry_ms": 50,
}


@pytest.fixture(scope="session", autouse=True)
def _log_lines() -> None:
    """Hand log lines to pytest: what structlog shows of an exception by default is slow."""
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer()],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


@pytest.fixture
async def admin(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection to this test's database, with the tally's tables made."""
    connection = await asyncpg.connect(database)
    await connection.execute(TABLES)
    yield connection
    await connection.close()


@pytest.fixture
def settings(database: str, admin: asyncpg.Connection) -> RuntimeSettings:
    """Settings for one database, without Kafka; short pauses."""
    assert admin is not None
    return RuntimeSettings(postgres_dsn=database, postgres_pool_max=4).model_copy(update=QUICK)


@pytest.fixture
async def pool(settings: RuntimeSettings) -> AsyncIterator[Pool]:
    """A pool as a service opens it."""
    opened = await open_pool(settings, SCHEMA)
    yield opened
    await opened.close()


@pytest.fixture
async def topics(kafka_topics: Callable[[Mapping[str, int]], Awaitable[dict[str, str]]], topic_namespace: str) -> str:
    """The prefix of this test's topics: activities in, receipts and dead letters out."""
    names = (ACTIVITIES, "bonus.receipts.v1", f"{ACTIVITIES}.dead-letters")
    await kafka_topics(dict.fromkeys(names, PARTITIONS))
    return topic_namespace


@pytest.fixture
def kafka_settings(settings: RuntimeSettings, kafka_bootstrap: str, topics: str) -> RuntimeSettings:
    """Settings for one database and this test's topics."""
    return settings.model_copy(update={"kafka_bootstrap": kafka_bootstrap, "topic_prefix": topics})


@pytest.fixture
async def publish(kafka_settings: RuntimeSettings) -> AsyncIterator[Publish]:
    """A function that publishes activities, each to the partition of its member."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka_settings.kafka_bootstrap, enable_idempotence=True)
    await producer.start()

    async def send(contents: list[dict[str, object]]) -> None:
        topic = kafka_settings.topic_prefix + ACTIVITIES
        sent = []
        for content in contents:
            body = content if isinstance(content, bytes) else orjson.dumps(content)
            key = key_of(content)
            sent.append(await producer.send(topic, body, key=key.encode(), partition=shard_of(key) % PARTITIONS))
        await asyncio.gather(*sent)

    yield send
    await producer.stop()


def key_of(content: object) -> str:
    """The Kafka key of an activity; of anything else, one and the same."""
    if isinstance(content, dict) and "data" in content:
        return f"card:{content['data']['member']['value']}"
    return "card:unreadable"


@pytest.fixture
def running(kafka_settings: RuntimeSettings) -> Running:
    """A function that runs a worker of its own (pool, writer, loop) as long as its context lasts."""

    @asynccontextmanager
    async def run(tally: Tally) -> AsyncIterator[ConsumerLoop]:
        own = await open_pool(kafka_settings, SCHEMA)
        loop = ConsumerLoop({ACTIVITIES: ShardWriter(own, tally, settings=kafka_settings)}, "tally", kafka_settings)
        task = asyncio.create_task(loop.run())
        try:
            yield loop
        finally:
            loop.stop()
            await task
            await own.close()

    return run


@pytest.fixture
def until() -> Until:
    """A function that waits until something is so; the test's time-out ends it."""

    async def wait(is_so: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(60):
            while not await is_so():  # noqa: ASYNC110 - what is waited for happens in Postgres and Kafka
                await asyncio.sleep(0.02)

    return wait
