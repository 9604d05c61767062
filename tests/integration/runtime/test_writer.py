"""The writer on a real Postgres: one transaction a shard, gap-free positions, poison alone, commands in groups."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from contracts.shards import shard_of
from services.runtime.dead_letters import TooManyDeadLettersError
from services.runtime.messages import Message
from services.runtime.postgres import Pool, open_pool
from services.runtime.settings import RuntimeSettings
from services.runtime.shard import LogEntry, Overloaded, ShardTransaction, Verdict
from services.runtime.writer import ShardWriter
from tests.integration.runtime.tally import (
    ACTIVITIES,
    Holding,
    PoisonError,
    Tally,
    activity,
    dead_letter_id,
    is_gap_free,
    message_of,
    read_books,
)

MEMBER = "770001"
SHARD = shard_of(f"card:{MEMBER}")


def kafka_messages(*contents: dict[str, object]) -> list[Message]:
    return [message_of(content, partition=3, offset=offset) for offset, content in enumerate(contents)]


async def test_a_batch_is_written_in_order_and_chained(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """Entries stand at 1, 2, 3 … in the order of the messages, and every hash follows from the one before."""
    writer = ShardWriter(pool, Tally(), settings=settings)
    batches = [
        [activity(MEMBER, ordinal) for ordinal in range(start, start + count)] for start, count in ((0, 3), (3, 60))
    ]
    verdicts = [await writer.write(SHARD, kafka_messages(*batch)) for batch in batches]
    books = await read_books(admin)
    assert verdicts == [
        [Verdict("applied", answer=position) for position in range(1, 4)],
        [Verdict("applied", answer=position) for position in range(4, 64)],
    ]
    assert books.orders == {f"card:{MEMBER}": list(range(63))}
    assert books.positions == {SHARD: list(range(1, 64))}
    assert books.broken == []
    head = await admin.fetchrow("select head, hash from rules.shard where shard = $1", SHARD)
    last = await admin.fetchrow("select position, hash from rules.event where shard = $1 order by position desc", SHARD)
    assert tuple(head) == tuple(last)


async def test_the_same_messages_again_change_nothing(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """Redelivery is recognised by the business records, within a batch and between batches."""
    writer = ShardWriter(pool, Tally(), settings=settings)
    one, two = activity(MEMBER, 1), activity(MEMBER, 2)
    await writer.write(SHARD, kafka_messages(one, one, two))
    before = await read_books(admin)
    verdicts = await writer.write(SHARD, kafka_messages(one, one, two))
    assert [verdict.kind for verdict in verdicts] == ["duplicate"] * 3
    assert await read_books(admin) == before
    assert before.totals == {f"card:{MEMBER}": 2}


async def test_poison_is_found_among_good_ones_and_set_aside_alone(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """Of a batch with one message that fails, the others are done in order, and a reference to it is in the log."""
    writer = ShardWriter(pool, Tally(), settings=settings)
    contents = [activity(MEMBER, ordinal) for ordinal in range(20)]
    contents[7] = activity(MEMBER, 7, poison=True)
    verdicts = await writer.write(SHARD, kafka_messages(*contents))
    assert [verdict.kind for verdict in verdicts] == ["applied"] * 7 + ["set_aside"] + ["applied"] * 12
    books = await read_books(admin)
    assert books.orders == {f"card:{MEMBER}": [ordinal for ordinal in range(20) if ordinal != 7]}
    assert is_gap_free(books.positions)
    letter = await admin.fetchrow("select * from rules.dead_letter")
    assert (letter["dead_letter_id"], letter["shard"]) == (dead_letter_id(ACTIVITIES, 3, 7), SHARD)
    assert (letter["topic"], letter["partition"], letter["kafka_offset"]) == (ACTIVITIES, 3, 7)
    assert letter["body"] == message_of(contents[7]).body
    assert (letter["code"], letter["state"]) == ("processor_failed", "set_aside")
    reference = await admin.fetchrow("select key, body from rules.event where type = 'bonus.dead-letter.recorded.v1'")
    assert reference["key"] == str(letter["dead_letter_id"])
    assert b"poison" not in reference["body"]
    again = await writer.write(SHARD, kafka_messages(*contents))
    assert [verdict.kind for verdict in again] == ["duplicate"] * 7 + ["set_aside"] + ["duplicate"] * 12
    assert await admin.fetchval("select count(*) from rules.event") == 20


async def test_too_many_dead_letters_stop_setting_aside(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """A bad release sets aside what one minute allows and then nothing more, so that it cannot empty a topic."""
    writer = ShardWriter(pool, Tally(), settings=settings.model_copy(update={"dead_letters_per_minute_max": 2}))
    poison = kafka_messages(*(activity(MEMBER, poison=True) for _ in range(4)))
    with pytest.raises(TooManyDeadLettersError):
        await writer.write(SHARD, poison)
    with pytest.raises(TooManyDeadLettersError):
        await writer.write(SHARD, poison[3:])
    assert await admin.fetchval("select count(*) from rules.dead_letter") == 2
    good = kafka_messages(activity(MEMBER))
    assert [verdict.kind for verdict in await writer.write(SHARD, good)] == ["applied"]


async def test_a_fault_of_the_world_sets_nothing_aside(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """While the database is read-only every write fails as a whole, and goes through unchanged afterwards."""
    writer = ShardWriter(pool, Tally(), settings=settings)
    messages = kafka_messages(activity(MEMBER, 1), activity(MEMBER, 2))
    database = await admin.fetchval("select current_database()")
    await admin.execute(f'alter database "{database}" set default_transaction_read_only = on')
    await pool.expire_connections()
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await writer.write(SHARD, messages)
    await admin.execute("set default_transaction_read_only = off")
    await admin.execute(f'alter database "{database}" set default_transaction_read_only = off')
    await pool.expire_connections()
    assert await admin.fetchval("select count(*) from rules.dead_letter") == 0
    assert [verdict.kind for verdict in await writer.write(SHARD, messages)] == ["applied"] * 2


async def test_positions_have_no_gaps_under_writers_of_two_pools(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """Two processes that write the same shards at once, some of it failing, leave positions without a gap."""
    other = await open_pool(settings, "rules")
    writers = [ShardWriter(each, Tally(), settings=settings) for each in (pool, other)]

    async def write(writer: ShardWriter, start: int) -> None:
        for ordinal in range(start, start + 40):
            member = str(ordinal % 6)
            content = activity(member, ordinal, poison=ordinal % 9 == 0)
            message = message_of(content, partition=0, offset=ordinal)
            await writer.write(shard_of(message.key), [message])

    await asyncio.gather(*(write(writer, 1_000 * number) for number, writer in enumerate(writers * 2)))
    await other.close()
    books = await read_books(admin)
    assert sum(books.totals.values()) + await admin.fetchval("select count(*) from rules.dead_letter") == 160
    assert is_gap_free(books.positions)
    assert books.broken == []


async def test_time_never_goes_back_in_a_shard(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """A clock that jumps back does not reach the records: `now` is never before the shard's last instant."""
    noon = datetime(2026, 3, 5, 12, tzinfo=UTC)
    times = iter([noon, noon - timedelta(hours=1), noon + timedelta(seconds=1)])
    writer = ShardWriter(pool, Tally(), settings=settings, clock=lambda: next(times))
    for ordinal in range(3):
        await writer.write(SHARD, kafka_messages(activity(MEMBER, ordinal)))
    rows = await admin.fetch("select recorded_at from rules.tally_seen order by position")
    assert [row["recorded_at"] for row in rows] == [noon, noon, noon + timedelta(seconds=1)]


async def test_commands_that_wait_go_together_and_in_order(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """What queues while a shard's transaction runs forms the next one, in the order in which it came."""
    hold = Holding()
    tally = Tally(before=hold)
    writer = ShardWriter(pool, tally, settings=settings)
    first = asyncio.create_task(writer.submit(message_of(activity(MEMBER, 0))))
    await hold.started.wait()
    others = [asyncio.create_task(writer.submit(message_of(activity(MEMBER, ordinal)))) for ordinal in range(1, 30)]
    await asyncio.sleep(0)
    hold.release.set()
    verdicts = await asyncio.gather(first, *others)
    assert [verdict.answer for verdict in verdicts] == list(range(1, 31))
    assert tally.batches == [1, 29]
    assert (await read_books(admin)).orders == {f"card:{MEMBER}": list(range(30))}


async def test_a_command_that_fails_raises_to_its_caller_alone(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """In a group the one that fails gets its own error, the others their verdicts, and nothing is set aside."""
    writer = ShardWriter(pool, Tally(), settings=settings)
    contents = [activity(MEMBER, ordinal, poison=ordinal == 2) for ordinal in range(5)]
    outcomes = await asyncio.gather(
        *(writer.submit(message_of(content)) for content in contents), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [Verdict, Verdict, PoisonError, Verdict, Verdict]
    assert (await read_books(admin)).orders == {f"card:{MEMBER}": [0, 1, 3, 4]}
    assert await admin.fetchval("select count(*) from rules.dead_letter") == 0


async def test_a_caller_goes_on_with_the_next_command_at_once(pool: Pool, settings: RuntimeSettings) -> None:
    """Whoever has an answer may ask again in the same breath, also where one transaction at a time is allowed."""
    writer = ShardWriter(pool, Tally(), settings=settings.model_copy(update={"queue_transactions": 1}))
    async with asyncio.timeout(10):
        verdicts = [await writer.submit(message_of(activity(MEMBER, ordinal))) for ordinal in range(5)]
    assert [verdict.answer for verdict in verdicts] == [1, 2, 3, 4, 5]


async def test_a_full_queue_refuses(pool: Pool, settings: RuntimeSettings) -> None:
    """More commands than may wait are refused at once instead of growing the queue without end."""
    writer = ShardWriter(pool, Tally(), settings=settings.model_copy(update={"queue_commands_max": 3}))
    outcomes = await asyncio.gather(
        *(writer.submit(message_of(activity(MEMBER, ordinal))) for ordinal in range(5)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [Verdict, Verdict, Verdict, Overloaded, Overloaded]


async def test_a_caller_that_leaves_takes_its_waiting_command_back(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """A request that timed out before its command was taken up leaves nothing behind."""
    hold = Holding()
    tally = Tally(before=hold)
    writer = ShardWriter(pool, tally, settings=settings)
    first = asyncio.create_task(writer.submit(message_of(activity(MEMBER, 0))))
    await hold.started.wait()
    leaving = asyncio.create_task(writer.submit(message_of(activity(MEMBER, 1))))
    staying = asyncio.create_task(writer.submit(message_of(activity(MEMBER, 2))))
    await asyncio.sleep(0)
    leaving.cancel()
    hold.release.set()
    await asyncio.gather(first, staying)
    await writer.close()
    assert (await read_books(admin)).orders == {f"card:{MEMBER}": [0, 2]}


async def test_an_entry_too_large_for_kafka_is_the_messages_fault(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """What the relay could never pass on is not written; the message that asks for it is set aside with the reason."""

    class Large(Tally):
        async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
            transaction.append(LogEntry(UUID(int=1), "k", "t", b"x" * 1_000_000))
            return [Verdict("applied") for _ in messages]

    writer = ShardWriter(pool, Large(), settings=settings)
    verdicts = await writer.write(SHARD, kafka_messages(activity(MEMBER)))
    assert verdicts == [Verdict("set_aside", "too_large")]
    assert await admin.fetchval("select count(*) from rules.event where type = 't'") == 0
