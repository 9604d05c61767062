"""The worker loop on real Kafka and Postgres: exactly once in effect, whatever happens to workers and offsets."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from contracts.shards import shard_of
from services.runtime import offsets
from services.runtime.consumer import ConsumerLoop
from services.runtime.messages import Message
from services.runtime.postgres import Pool, open_pool
from services.runtime.settings import RuntimeSettings
from services.runtime.shard import ShardTransaction, Verdict
from services.runtime.writer import ShardWriter
from tests.integration.runtime.conftest import PARTITIONS, Publish, Running, Until
from tests.integration.runtime.tally import ACTIVITIES, SCHEMA, Tally, activity, is_gap_free, read_books

MEMBERS = [str(770_000 + number) for number in range(12)]


def stream(count: int) -> list[dict[str, object]]:
    """Activities of all members in turn; each member's are numbered from 0."""
    return [activity(MEMBERS[number % len(MEMBERS)], number // len(MEMBERS)) for number in range(count)]


def seen(admin: asyncpg.Connection, count: int) -> Callable[[], Awaitable[bool]]:
    async def is_so() -> bool:
        return bool(await admin.fetchval("select count(*) >= $1 from rules.tally_seen", count))

    return is_so


async def stored_sum(admin: asyncpg.Connection) -> int:
    return int(await admin.fetchval("select coalesce(sum(next_offset), 0) from rules.consumer_offset"))


@dataclass(frozen=True)
class Kept:
    """The tally's offsets as they are kept in Postgres."""

    pool: Pool
    prefix: str

    def place(self, partition: int) -> TopicPartition:
        """A partition of the activities."""
        return TopicPartition(self.prefix + ACTIVITIES, partition)

    async def load(self) -> dict[TopicPartition, int]:
        """What is kept."""
        return await offsets.load(self.pool, f"{self.prefix}tally", [self.prefix + ACTIVITIES])

    async def store(self, places: dict[TopicPartition, int]) -> None:
        """Move forward."""
        await offsets.store(self.pool, f"{self.prefix}tally", places)

    async def rewind(self, places: dict[TopicPartition, int]) -> None:
        """Move anywhere."""
        await offsets.rewind(self.pool, f"{self.prefix}tally", places)


@pytest.fixture
def kept(pool: Pool, kafka_settings: RuntimeSettings) -> Kept:
    return Kept(pool, kafka_settings.topic_prefix)


async def test_every_message_once_and_in_the_order_of_its_key(
    running: Running, publish: Publish, admin: asyncpg.Connection, until: Until
) -> None:
    """A stream published twice leaves each activity once, each member's in order, and the offsets at the end."""
    contents = stream(600)
    await publish(contents)
    await publish(contents)
    async with running(Tally()):
        await until(seen(admin, 600))

        async def all_done() -> bool:
            return await stored_sum(admin) == 1_200

        await until(all_done)
    books = await read_books(admin)
    assert books.totals == {f"card:{member}": 50 for member in MEMBERS}
    assert books.orders == {f"card:{member}": list(range(50)) for member in MEMBERS}
    assert is_gap_free(books.positions)
    assert books.broken == []


async def test_D8_offsets_restored_with_the_database_are_the_ones_that_count(
    running: Running,
    publish: Publish,
    kafka_settings: RuntimeSettings,
    admin: asyncpg.Connection,
    until: Until,
) -> None:
    """With a database of an hour ago and Kafka's group offsets of now, nothing is skipped and nothing done twice."""
    await publish(stream(240))
    async with running(Tally()):
        await until(seen(admin, 240))
        await until(told_kafka(kafka_settings, 240))
    whole = await read_books(admin)
    # An hour ago: half of each shard's records, their log and the offsets were not there yet.
    await admin.execute("truncate rules.tally_seen, rules.tally, rules.event, rules.consumer_offset")
    await admin.execute(
        "update rules.shard set head = 0, hash = decode(repeat('00', 32), 'hex'), recorded_at = 'epoch'"
    )
    async with running(Tally()):
        await until(seen(admin, 240))
    restored = await read_books(admin)
    assert restored.totals == whole.totals
    assert restored.orders == whole.orders
    assert await admin.fetchval("select count(*) from rules.consumer_offset") == PARTITIONS


def told_kafka(settings: RuntimeSettings, count: int) -> Callable[[], Awaitable[bool]]:
    async def is_so() -> bool:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_bootstrap, group_id=f"{settings.topic_prefix}tally"
        )
        await consumer.start()
        try:
            places = [TopicPartition(settings.topic_prefix + ACTIVITIES, number) for number in range(PARTITIONS)]
            return sum([await consumer.committed(place) or 0 for place in places]) == count
        finally:
            await consumer.stop()

    return is_so


async def test_a_rebalance_moves_partitions_without_loss_or_repetition(
    running: Running, publish: Publish, admin: asyncpg.Connection, until: Until
) -> None:
    """A second worker joins while messages flow and leaves again; accounts and orders are as with one worker."""

    async def slowly(_: ShardTransaction, __: Sequence[Message]) -> None:
        await asyncio.sleep(0.005)

    async with running(Tally(before=slowly)) as first:
        await publish(stream(600))
        await until(seen(admin, 50))
        async with running(Tally(before=slowly)) as second:
            await until(shared(first, second))
            await publish(stream(1_200)[600:])
            await until(seen(admin, 900))
        await until(seen(admin, 1_200))
    books = await read_books(admin)
    assert books.orders == {f"card:{member}": list(range(100)) for member in MEMBERS}
    assert is_gap_free(books.positions)


def shared(first: ConsumerLoop, second: ConsumerLoop) -> Callable[[], Awaitable[bool]]:
    async def is_so() -> bool:
        return len(first.shards()) == len(second.shards()) == PARTITIONS // 2

    return is_so


async def test_a_worker_that_lost_its_partitions_changes_nothing(
    running: Running, publish: Publish, admin: asyncpg.Connection, kept: Kept, until: Until
) -> None:
    """Two stale owners that write and store what they once read leave records and offsets as they are."""
    contents = stream(120)
    await publish(contents)
    async with running(Tally()):
        await until(seen(admin, 120))

        async def all_done() -> bool:
            return await stored_sum(admin) == 120

        await until(all_done)
    before = await read_books(admin)
    stored = await kept.load()
    await asyncio.gather(*(kept.store(dict.fromkeys(stored, 1)) for _ in range(2)))
    assert await kept.load() == stored
    # The same two workers with everything read again from the beginning, at once.
    await kept.rewind(dict.fromkeys(stored, 0))
    async with running(Tally()), running(Tally()):
        await until(all_done)
    assert await read_books(admin) == before


async def test_offsets_beyond_a_topic_that_was_made_anew_begin_again(
    running: Running, publish: Publish, admin: asyncpg.Connection, kept: Kept, until: Until
) -> None:
    """A topic that is younger than its stored offsets is read from its beginning instead of never."""
    await kept.rewind({kept.place(number): 5_000 for number in range(PARTITIONS)})
    await publish(stream(24))
    async with running(Tally()):
        await until(seen(admin, 24))

        async def all_done() -> bool:
            return await stored_sum(admin) == 24

        await until(all_done)


async def test_unreadable_messages_are_set_aside_and_the_partition_goes_on(
    running: Running, kafka_settings: RuntimeSettings, admin: asyncpg.Connection, until: Until
) -> None:
    """What is no JSON, no CloudEvent, of no known type or wrong in its data is kept with its reason; others go on."""
    good = activity(MEMBERS[0], 0)
    unknown = good | {"type": "bonus.nothing.known.v1"}
    foreign = {"specversion": "1.0", "type": "bonus.account.open.v1", "id": "1", "source": "s"}
    wrong = activity(MEMBERS[0], 1)
    wrong["data"]["programme"] = ""
    bodies = [b"{", b"[]", orjson.dumps(unknown), orjson.dumps(foreign), orjson.dumps(wrong), orjson.dumps(good)]
    producer = AIOKafkaProducer(bootstrap_servers=kafka_settings.kafka_bootstrap)
    await producer.start()
    for body in bodies:
        await producer.send_and_wait(kafka_settings.topic_prefix + ACTIVITIES, body, partition=0)
    await producer.stop()
    async with running(Tally()):
        await until(seen(admin, 1))
    rows = await admin.fetch("select kafka_offset, code, body from rules.dead_letter order by kafka_offset")
    codes = ["not_json", "not_a_cloud_event", "unknown_type", "wrong_topic", "invalid_data"]
    assert [tuple(row) for row in rows] == [(offset, code, bodies[offset]) for offset, code in enumerate(codes)]
    assert is_gap_free((await read_books(admin)).positions)


async def test_an_unknown_version_pauses_its_partition_alone(
    running: Running, publish: Publish, admin: asyncpg.Connection, until: Until
) -> None:
    """Readers ship before writers: the partition waits at the message, what came before it is done, others go on."""
    newer = activity(MEMBERS[0], 1) | {"type": "bonus.activity.recorded.v2"}
    blocked = shard_of(f"card:{MEMBERS[0]}") % PARTITIONS
    contents = stream(48)
    await publish([contents[0], newer, *contents[1:]])
    elsewhere = [content for content in contents[1:] if partition_of(content) != blocked]
    async with running(Tally()) as loop:
        await until(seen(admin, 1 + len(elsewhere)))

        async def waits() -> bool:
            return dict(loop.waiting_for) == {"unknown_version": 1}

        await until(waits)
        await asyncio.sleep(0.3)
    assert await admin.fetchval("select count(*) from rules.tally_seen") == 1 + len(elsewhere)
    assert await admin.fetchval("select count(*) from rules.dead_letter") == 0
    next_offset = "select next_offset from rules.consumer_offset where partition = $1"
    assert await admin.fetchval(next_offset, blocked) == 1


def partition_of(content: dict[str, object]) -> int:
    data = content["data"]
    assert isinstance(data, dict)
    return shard_of(f"card:{data['member']['value']}") % PARTITIONS


async def test_too_many_dead_letters_pause_the_partition(
    running: Running, publish: Publish, admin: asyncpg.Connection, until: Until
) -> None:
    """When the processor fails at everything, the set number is set aside and then the loop waits."""

    async def bad_release(_: ShardTransaction, __: Sequence[Message]) -> None:
        raise RuntimeError

    async with running(Tally(before=bad_release)) as loop:
        await publish([activity(MEMBERS[0], number) for number in range(150)])

        async def waits() -> bool:
            return dict(loop.waiting_for) == {"dead_letters": 1}

        await until(waits)
        await asyncio.sleep(0.5)
        assert await admin.fetchval("select count(*) from rules.dead_letter") == 100
    # The release that is put right goes on where the bad one stopped.
    async with running(Tally()):
        await until(seen(admin, 50))


async def test_binary_mode_is_read_like_structured_mode(
    running: Running, kafka_settings: RuntimeSettings, admin: asyncpg.Connection, until: Until
) -> None:
    """Attributes in headers and data alone in the value make the same message."""
    whole = activity(MEMBERS[0], 5)
    attributes = [(f"ce_{name}", str(value).encode()) for name, value in whole.items() if name != "data"]
    producer = AIOKafkaProducer(bootstrap_servers=kafka_settings.kafka_bootstrap)
    await producer.start()
    headers = [*attributes, ("content-type", b"application/json")]
    topic = kafka_settings.topic_prefix + ACTIVITIES
    await producer.send_and_wait(topic, orjson.dumps(whole["data"]), partition=1, headers=headers)
    await producer.stop()
    async with running(Tally()):
        await until(seen(admin, 1))
    assert (await read_books(admin)).orders == {f"card:{MEMBERS[0]}": [5]}


async def test_kafkas_own_offsets_do_not_lead(
    running: Running, publish: Publish, kafka_settings: RuntimeSettings, admin: asyncpg.Connection, until: Until
) -> None:
    """A new database with a group that Kafka knows begins with the earliest message."""
    await publish(stream(24))
    topic = kafka_settings.topic_prefix + ACTIVITIES
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka_settings.kafka_bootstrap,
        group_id=f"{kafka_settings.topic_prefix}tally",
        enable_auto_commit=False,
    )
    await consumer.start()
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer.assign(places)
    ends = await consumer.end_offsets(places)
    await consumer.commit({place: OffsetAndMetadata(end, "") for place, end in ends.items()})
    await consumer.stop()
    async with running(Tally()):
        await until(seen(admin, 24))


async def test_a_moment_of_fault_keeps_the_order_and_is_not_hammered(
    kafka_settings: RuntimeSettings, publish: Publish, admin: asyncpg.Connection, until: Until
) -> None:
    """While a fault lasts it is tried with growing pauses; nothing behind it in its partition overtakes it."""
    await publish([activity(MEMBERS[0], number) for number in range(60)])
    tries: list[float] = []
    began = asyncio.get_running_loop().time()

    async def away_for_a_second(_: ShardTransaction, __: Sequence[Message]) -> None:
        now = asyncio.get_running_loop().time()
        tries.append(now)
        if now - began < 1:
            raise ConnectionResetError

    # Slices of a few messages: what stops one of them must stop those behind it.
    small = kafka_settings.model_copy(update={"consumer_decode_bytes": 2_000})
    pool = await open_pool(small, SCHEMA)
    loop = ConsumerLoop(
        {ACTIVITIES: ShardWriter(pool, Tally(before=away_for_a_second), settings=small)}, "tally", small
    )
    task = asyncio.create_task(loop.run())
    began = asyncio.get_running_loop().time()
    await until(seen(admin, 60))
    loop.stop()
    await task
    await pool.close()
    assert len([at for at in tries if at - began < 1]) <= 14
    assert (await read_books(admin)).orders == {f"card:{MEMBERS[0]}": list(range(60))}
    assert await admin.fetchval("select count(*) from rules.dead_letter") == 0


async def test_a_trickle_is_taken_in_a_few_batches(
    kafka_settings: RuntimeSettings, pool: Pool, publish: Publish, admin: asyncpg.Connection, until: Until
) -> None:
    """After a small poll nothing is fetched for a while: single messages come together, and all of them are taken."""
    batches = 0

    class Counting(Tally):
        async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
            nonlocal batches
            batches += 1
            return await super().process(transaction, messages)

    settings = kafka_settings.model_copy(update={"consumer_collect_ms": 500})
    loop = ConsumerLoop({ACTIVITIES: ShardWriter(pool, Counting(), settings=settings)}, "tally", settings)
    task = asyncio.create_task(loop.run())
    one = MEMBERS[0]
    for ordinal in range(60):
        await publish([activity(one, ordinal)])
        await asyncio.sleep(0.01)
    await until(seen(admin, 60))
    loop.stop()
    await task
    assert (await read_books(admin)).orders == {f"card:{one}": list(range(60))}
    assert batches < 20
