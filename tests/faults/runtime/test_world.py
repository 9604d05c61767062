"""Faults of the world: the worker waits, sets nothing aside, and goes on as if nothing had been."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaProducer

from contracts.shards import shard_of
from deploy.local.topics import TopicSpecification, create_topics
from services.runtime.consumer import ConsumerLoop
from services.runtime.postgres import open_pool
from services.runtime.relay import Relay
from services.runtime.settings import RuntimeSettings
from services.runtime.writer import ShardWriter
from tests.faults.runtime.conftest import OwnBroker
from tests.integration.runtime.conftest import PARTITIONS, Publish, Running, Until
from tests.integration.runtime.tally import ACTIVITIES, RECEIPTS, SCHEMA, Tally, activity, is_gap_free, read_books
from tests.integration.runtime.test_consumer import seen, stored_sum
from tests.integration.runtime.test_relay import in_order_of_keys, published, relayed

MEMBERS = [str(770_000 + number) for number in range(12)]


def stream(start: int, stop: int) -> list[dict[str, object]]:
    return [activity(MEMBERS[number % len(MEMBERS)], number // len(MEMBERS)) for number in range(start, stop)]


async def _publish(settings: RuntimeSettings, contents: list[dict[str, object]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, enable_idempotence=True)
    await producer.start()
    sent = []
    for content in contents:
        key = f"card:{content['data']['member']['value']}"  # type: ignore[index] # an activity
        topic = settings.topic_prefix + ACTIVITIES
        sent.append(await producer.send(topic, orjson.dumps(content), partition=shard_of(key) % PARTITIONS))
    await asyncio.gather(*sent)
    await producer.stop()


async def _end_sessions(admin: asyncpg.Connection) -> None:
    await admin.fetch(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )


async def test_D7_postgres_read_only(
    running: Running, publish: Publish, admin: asyncpg.Connection, until: Until
) -> None:
    """While Postgres is read-only nothing is set aside and nothing lost; afterwards the worker goes on by itself."""
    name = await admin.fetchval("select current_database()")
    await admin.execute("set session characteristics as transaction read write")
    async with running(Tally()) as loop:
        await publish(stream(0, 120))
        await until(seen(admin, 120))
        await admin.execute(f'alter database "{name}" set default_transaction_read_only = on')
        await _end_sessions(admin)
        await publish(stream(120, 240))

        async def waits() -> bool:
            return loop.waiting_for.get("world", 0) > 0

        await until(waits)
        await asyncio.sleep(1)
        assert await admin.fetchval("select count(*) from rules.tally_seen") == 120
        await admin.execute(f'alter database "{name}" reset default_transaction_read_only')
        await _end_sessions(admin)
        await until(seen(admin, 240))

        async def stored() -> bool:
            return await stored_sum(admin) == 240

        await until(stored)
        assert dict(loop.waiting_for) == {}
    books = await read_books(admin)
    assert books.orders == {f"card:{member}": list(range(20)) for member in MEMBERS}
    assert is_gap_free(books.positions)
    assert await admin.fetchval("select count(*) from rules.dead_letter") == 0


async def test_D7_postgres_sessions_ended_again_and_again(
    running: Running, publish: Publish, admin: asyncpg.Connection, until: Until
) -> None:
    """Sessions that Postgres ends in the middle of transactions cost a retry each, and nothing else."""
    async with running(Tally()):
        await publish(stream(0, 1_200))
        for _ in range(15):
            await asyncio.sleep(0.05)
            await _end_sessions(admin)
        await until(seen(admin, 1_200))
    books = await read_books(admin)
    assert books.orders == {f"card:{member}": list(range(100)) for member in MEMBERS}
    assert is_gap_free(books.positions)
    assert books.broken == []
    assert await admin.fetchval("select count(*) from rules.dead_letter") == 0


@pytest.mark.slow
async def test_D7_kafka_away(
    broker: OwnBroker, settings: RuntimeSettings, admin: asyncpg.Connection, until: Until
) -> None:
    """With the broker gone and back, the loop and the relay go on: every message once, published in order."""
    bootstrap = await asyncio.to_thread(broker.start)
    names = (ACTIVITIES, RECEIPTS, f"{ACTIVITIES}.dead-letters")
    await create_topics(bootstrap, {name: TopicSpecification(PARTITIONS) for name in names})
    away = settings.model_copy(update={"kafka_bootstrap": bootstrap, "kafka_request_timeout_ms": 3_000})
    async with _worker(away):
        await _publish(away, stream(0, 120))
        await until(seen(admin, 120))
        await asyncio.to_thread(broker.stop)
        await asyncio.sleep(3)
        await asyncio.to_thread(broker.start)
        await _publish(away, stream(120, 240))
        await until(seen(admin, 240))
        await until(relayed(admin))
    books = await read_books(admin)
    assert books.orders == {f"card:{member}": list(range(20)) for member in MEMBERS}
    assert await admin.fetchval("select count(*) from rules.dead_letter") == 0
    log = await admin.fetch("select key, body from rules.event order by shard, position")
    expected = sorted(((row["key"], row["body"]) for row in log), key=lambda pair: pair[0])
    assert list(dict.fromkeys(in_order_of_keys(await published(away)))) == expected


@asynccontextmanager
async def _worker(settings: RuntimeSettings) -> AsyncIterator[None]:
    pool = await open_pool(settings, SCHEMA)
    loop = ConsumerLoop({ACTIVITIES: ShardWriter(pool, Tally(), settings=settings)}, "tally", settings)
    relay = Relay(pool, settings)
    tasks = [asyncio.create_task(part.run()) for part in (loop, relay)]
    try:
        yield
    finally:
        loop.stop()
        relay.stop()
        await asyncio.gather(*tasks)
        await pool.close()
