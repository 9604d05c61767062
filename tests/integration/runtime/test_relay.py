"""The relay on real Kafka and Postgres: everything once in order, from where it stood, one at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError

from contracts.shards import shard_of
from services.runtime.postgres import Pool, open_pool
from services.runtime.relay import Relay, Sending
from services.runtime.settings import RuntimeSettings
from services.runtime.writer import ShardWriter
from tests.integration.runtime.conftest import PARTITIONS, Until
from tests.integration.runtime.tally import ACTIVITIES, RECEIPTS, Tally, activity, message_of

MEMBERS = [str(number) for number in range(10)]
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass(frozen=True)
class Log:
    """A writer to fill the log, and what its entries look like."""

    writer: ShardWriter
    admin: asyncpg.Connection

    async def fill(self, count: int, start: int = 0) -> None:
        """Append entries of all members in turn, in transactions of ten."""
        contents = [activity(MEMBERS[number % len(MEMBERS)], start + number) for number in range(count)]
        await asyncio.gather(*(self.writer.submit(message_of(content)) for content in contents))

    async def entries(self) -> list[tuple[str, bytes]]:
        """Key and body of each entry, by key in the order of positions."""
        rows = await self.admin.fetch("select key, body from rules.event order by shard, position")
        return sorted(((row["key"], row["body"]) for row in rows), key=lambda pair: pair[0])


@pytest.fixture
async def log(pool: Pool, kafka_settings: RuntimeSettings, admin: asyncpg.Connection) -> Log:
    return Log(ShardWriter(pool, Tally(), settings=kafka_settings), admin)


@asynccontextmanager
async def relaying(settings: RuntimeSettings, pool: Pool | None = None, **options: Any) -> AsyncIterator[Relay]:
    """Run a relay, on a pool of its own unless one is given."""
    own = pool or await open_pool(settings, "rules")
    relay = Relay(own, settings, **options)
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        relay.stop()
        await task
        if pool is None:
            await own.close()


async def published(settings: RuntimeSettings, topic: str = RECEIPTS) -> list[Any]:
    """Every record of a topic, by partition in order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(settings.topic_prefix + topic, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        records = []
        for place in places:
            while await consumer.position(place) < ends[place]:
                records += (await consumer.getmany(place, timeout_ms=1_000)).get(place, [])
        return records
    finally:
        await consumer.stop()


def relayed(admin: asyncpg.Connection) -> Callable[[], Awaitable[bool]]:
    """Whether the relay's positions are at the heads."""

    async def is_so() -> bool:
        behind = (
            "select count(*) from rules.shard s join rules.relay_position p using (shard) where s.head > p.position"
        )
        return bool(await admin.fetchval(behind) == 0)

    return is_so


def in_order_of_keys(records: Sequence[Any]) -> list[tuple[str, bytes]]:
    pairs = [(record.key.decode(), record.value) for record in records]
    return sorted(pairs, key=lambda pair: pair[0])


async def test_the_log_is_published_as_it_stands_in_the_order_of_keys(
    log: Log, kafka_settings: RuntimeSettings, until: Until
) -> None:
    """Bodies are the stored bytes, keys decide the partition as Kafka's own partitioner would, each once."""
    await log.fill(300)
    async with relaying(kafka_settings):
        await until(relayed(log.admin))
        await log.fill(200, start=300)
        await until(relayed(log.admin))
    records = await published(kafka_settings)
    assert in_order_of_keys(records) == await log.entries()
    assert {record.partition for record in records} == {shard_of(f"card:{each}") % PARTITIONS for each in MEMBERS}
    assert all(record.partition == shard_of(record.key.decode()) % PARTITIONS for record in records)
    assert {record.headers for record in records} == {(("content-type", b"application/cloudevents+json"),)}


async def test_the_trace_goes_along_in_a_header(log: Log, kafka_settings: RuntimeSettings, until: Until) -> None:
    """What came with a traceparent is published with it."""
    message = message_of(activity(MEMBERS[0]))
    message.traceparent = TRACE
    await log.writer.submit(message)
    async with relaying(kafka_settings):
        await until(relayed(log.admin))
    (record,) = await published(kafka_settings)
    assert dict(record.headers)["traceparent"] == TRACE.encode()


async def test_a_relay_goes_on_where_the_last_one_stood(
    log: Log, kafka_settings: RuntimeSettings, until: Until
) -> None:
    """Stopped and started again, it sends nothing twice and leaves nothing out."""
    for start in range(0, 150, 50):
        await log.fill(50, start=start)
        async with relaying(kafka_settings):
            await until(relayed(log.admin))
    assert in_order_of_keys(await published(kafka_settings)) == await log.entries()


async def test_a_crash_between_sending_and_noting_only_repeats(
    log: Log, kafka_settings: RuntimeSettings, until: Until
) -> None:
    """What was sent and not noted is sent again; the first appearance of each entry keeps the order of its key."""
    await log.fill(100)
    async with relaying(kafka_settings):
        await until(relayed(log.admin))
    await log.admin.execute("update rules.relay_position set position = position / 2")
    await log.fill(50, start=100)
    async with relaying(kafka_settings):
        await until(relayed(log.admin))
    records = await published(kafka_settings)
    assert len(records) > 150
    first = list(dict.fromkeys((record.key.decode(), record.value) for record in records))
    assert sorted(first, key=lambda pair: pair[0]) == await log.entries()


async def test_one_relay_is_active_and_the_other_takes_over(
    log: Log, kafka_settings: RuntimeSettings, until: Until
) -> None:
    """Of two relays one stands by; when the first one's session is gone, the other goes on."""
    async with relaying(kafka_settings) as first:

        async def first_is_active() -> bool:
            return first.active

        await until(first_is_active)
        async with relaying(kafka_settings) as second:
            await log.fill(40)
            await until(relayed(log.admin))
            assert (first.active, second.active) == (True, False)
            first.stop()

            async def second_is_active() -> bool:
                return second.active

            await until(second_is_active)
            await log.fill(40, start=40)
            await until(relayed(log.admin))
    assert in_order_of_keys(await published(kafka_settings)) == await log.entries()


async def test_a_relay_whose_session_is_ended_begins_a_new_one(
    log: Log, kafka_settings: RuntimeSettings, until: Until
) -> None:
    """When Postgres ends its connection the relay waits, takes the lock again and leaves nothing out."""
    async with relaying(kafka_settings):
        await log.fill(40)
        await until(relayed(log.admin))
        holder = "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = $1"
        mine = await log.admin.fetchval("select oid from pg_database where datname = current_database()")
        assert await log.admin.fetch(holder, mine)
        await log.fill(40, start=40)
        await until(relayed(log.admin))
    assert in_order_of_keys(await published(kafka_settings)) == await log.entries()


async def test_a_failed_send_is_repeated_from_the_stored_position(
    log: Log, kafka_settings: RuntimeSettings, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round that Kafka did not take moves no position; the next try sends it whole."""
    failures = iter([True, True, False])
    finish = Sending.finish

    async def failing(self: Sending) -> None:
        await finish(self)
        if next(failures, False):
            raise KafkaConnectionError

    monkeypatch.setattr(Sending, "finish", failing)
    await log.fill(40)
    async with relaying(kafka_settings):
        await until(relayed(log.admin))
    first = list(dict.fromkeys((record.key.decode(), record.value) for record in await published(kafka_settings)))
    assert sorted(first, key=lambda pair: pair[0]) == await log.entries()


async def test_rounds_are_bounded_in_bytes(
    log: Log, kafka_settings: RuntimeSettings, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However far behind, no round holds more than its bytes and one entry; shards have their turn."""
    rounds: list[int] = []
    finish = Sending.finish

    async def noting(self: Sending) -> None:
        rounds.append(self.bytes)
        await finish(self)

    monkeypatch.setattr(Sending, "finish", noting)
    await log.fill(300)
    tight = kafka_settings.model_copy(update={"relay_batch_bytes": 2_000, "relay_round_bytes": 5_000})
    async with relaying(tight):
        await until(relayed(log.admin))
    assert max(rounds) <= 5_000 + 2_000
    assert in_order_of_keys(await published(kafka_settings)) == await log.entries()


async def test_references_to_dead_letters_go_to_the_topic_of_their_topic(
    log: Log, kafka_settings: RuntimeSettings, until: Until
) -> None:
    """A message that was set aside is named on its topic's dead-letter topic, without its body."""
    poison = message_of(activity(MEMBERS[0], poison=True), partition=1, offset=7)
    await log.writer.write(shard_of(poison.key), [poison])
    async with relaying(kafka_settings):
        await until(relayed(log.admin))
    (reference,) = await published(kafka_settings, f"{ACTIVITIES}.dead-letters")
    assert b'"offset":7' in reference.value
    assert b"poison" not in reference.value


async def test_an_outbox_is_pruned_of_what_was_relayed_long_ago(
    log: Log, kafka_settings: RuntimeSettings, until: Until
) -> None:
    """Entries relayed more than an hour ago are deleted; younger ones and those not relayed stay."""
    await log.fill(40)
    quick = kafka_settings.model_copy(update={"outbox_prune_interval_s": 0.05, "outbox_prune_rows": 3})
    async with relaying(quick, prune=True):
        await until(relayed(log.admin))
        await asyncio.sleep(0.3)
    assert await log.admin.fetchval("select count(*) from rules.event") == 40
    later = datetime.now(UTC) + timedelta(hours=2)
    async with relaying(quick, prune=True, clock=lambda: later):

        async def is_empty() -> bool:
            return not await log.admin.fetchval("select exists (select from rules.event)")

        await until(is_empty)


async def test_an_entry_is_on_its_way_within_milliseconds(
    log: Log, kafka_settings: RuntimeSettings, pool: Pool, until: Until
) -> None:
    """A writer in the same process wakes the relay: from the commit to Kafka's answer it is not a poll away."""
    patient = kafka_settings.model_copy(update={"relay_poll_ms": 20_000})
    async with relaying(patient, pool):
        await log.fill(20)
        await until(relayed(log.admin))
