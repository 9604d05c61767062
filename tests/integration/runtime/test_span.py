"""Several shards in one transaction: each writes and reads its own, and what fails or is held goes by itself."""

import asyncio
from collections.abc import Sequence

import asyncpg

from contracts.shards import shard_of
from services.runtime.messages import Message
from services.runtime.postgres import Pool
from services.runtime.settings import RuntimeSettings
from services.runtime.shard import ShardTransaction, Verdict
from services.runtime.writer import ShardWriter
from tests.integration.runtime.tally import Holding, PoisonError, Tally, activity, message_of, read_books

MEMBERS = [f"77000000000{number:02}" for number in range(40)]


def _by_shard(contents: Sequence[dict[str, object]]) -> dict[int, list[Message]]:
    groups: dict[int, list[Message]] = {}
    for offset, content in enumerate(contents):
        message = message_of(content, partition=3, offset=offset)
        groups.setdefault(shard_of(message.key), []).append(message)
    return groups


async def test_many_shards_share_a_transaction(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """What forty members did is written in one transaction, each shard's log in its own order and without a gap."""
    writer = ShardWriter(pool, Tally(), settings=settings)
    groups = _by_shard([activity(member, ordinal) for ordinal in range(3) for member in MEMBERS])
    assert await writer.write_together(groups) == []
    again = await writer.write_together(groups)
    books = await read_books(admin)
    assert again == []
    assert books.broken == []
    assert books.orders == {f"card:{member}": [0, 1, 2] for member in MEMBERS}
    assert await admin.fetchval("select count(distinct xmin::text) from rules.tally_seen") == 1


async def test_a_shard_that_somebody_holds_is_left_out(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """A span does not wait for a shard that another process writes: the others are done, and it is named."""
    writer = ShardWriter(pool, Tally(), settings=settings)
    groups = _by_shard([activity(member, 0) for member in MEMBERS])
    held = min(groups)
    async with admin.transaction():
        await admin.execute("select from rules.shard where shard = $1 for no key update", held)
        assert await writer.write_together(groups) == [held]
    theirs = {message.key for message in groups[held]}
    assert set((await read_books(admin)).orders) == {f"card:{member}" for member in MEMBERS} - theirs
    assert await writer.write_together({held: groups[held]}) == []
    assert (await read_books(admin)).orders == {f"card:{member}": [0] for member in MEMBERS}


async def test_what_fails_in_a_span_leaves_nothing(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """One poisonous message ends the whole transaction; every shard is named as still to be written."""
    writer = ShardWriter(pool, Tally(), settings=settings)
    contents = [activity(member, 0, poison=member == MEMBERS[7]) for member in MEMBERS]
    groups = _by_shard(contents)
    assert sorted(await writer.write_together(groups)) == sorted(groups)
    assert (await read_books(admin)).orders == {}


async def test_what_a_shard_reads_is_its_own(pool: Pool, settings: RuntimeSettings) -> None:
    """Rows of a statement that many shards ask at once find their way: none, one or several, in their order."""
    found: dict[int, tuple[list[int], object, int]] = {}

    class Asking(Tally):
        async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
            connection, shard = transaction.connection, transaction.shard
            rows = await connection.fetch("select n from generate_series(1, $1::int % 4) as n order by n desc", shard)
            first = await connection.fetchrow("select shard, head from shard where shard = $1 and head > $2", shard, 0)
            twice = await connection.fetchval("select $1::int * 2", shard)
            found[shard] = ([row["n"] for row in rows], first, twice)
            return [Verdict("applied") for _ in messages]

    groups = _by_shard([activity(member, 0) for member in MEMBERS])
    assert await ShardWriter(pool, Asking(), settings=settings).write_together(groups) == []
    assert found == {shard: (list(range(shard % 4, 0, -1)), None, shard * 2) for shard in groups}


async def test_rows_of_many_shards_are_written_by_one_statement(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """Rows that shards write with one statement go out together, each with its shard; without any, nothing is sent."""
    insert = (
        "insert into tally_seen (shard, activity_id, ordinal) "
        "select row.* from json_to_recordset($1::json) as row (shard int, activity_id text, ordinal int) "
        "union all select row.* from json_to_recordset($2::json) as row (shard int, activity_id text, ordinal int)"
    )

    class Writing(Tally):
        async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
            odd = [{"activity_id": message.key, "ordinal": 0} for message in messages if transaction.shard % 2]
            even = [{"activity_id": message.key, "ordinal": 1} for message in messages if not transaction.shard % 2]
            await transaction.write(insert, odd, even)
            await transaction.write("this is no statement", [], [])
            return [Verdict("applied") for _ in messages]

    writer = ShardWriter(pool, Writing(), settings=settings)
    groups = _by_shard([activity(member, 0) for member in MEMBERS])
    alone = min(groups)
    assert await writer.write_together({alone: groups.pop(alone)}) == []
    assert await writer.write_together(groups) == []
    rows = await admin.fetch("select shard, activity_id, ordinal from rules.tally_seen order by shard, activity_id")
    keys = sorted((shard_of(f"card:{member}"), f"card:{member}") for member in MEMBERS)
    assert [tuple(row) for row in rows] == [(shard, key, 0 if shard % 2 else 1) for shard, key in keys]
    assert await admin.fetchval("select count(distinct (xmin::text, cmin::text)) from rules.tally_seen") == 2


async def test_commands_of_many_shards_go_together(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """What queues in forty shards while a transaction runs forms the next ones; each fails for its caller alone."""
    hold = Holding()
    tally = Tally(before=hold)
    writer = ShardWriter(pool, tally, settings=settings.model_copy(update={"queue_transactions": 1}))
    first = asyncio.create_task(writer.submit(message_of(activity(MEMBERS[0], 0))))
    await hold.started.wait()
    contents = [activity(member, 1, poison=member == MEMBERS[7]) for member in MEMBERS]
    others = [asyncio.create_task(writer.submit(message_of(content))) for content in contents]
    await asyncio.sleep(0)
    hold.release.set()
    outcomes = await asyncio.gather(first, *others, return_exceptions=True)
    poisoned = outcomes.pop(8)
    assert type(poisoned) is PoisonError
    assert {type(outcome) for outcome in outcomes} == {Verdict}
    books = await read_books(admin)
    assert books.broken == []
    assert books.orders == {
        f"card:{member}": [0, 1] if member == MEMBERS[0] else [1] for member in MEMBERS if member != MEMBERS[7]
    }


async def test_a_command_waits_for_a_shard_that_is_held_and_the_others_do_not(
    pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """While another process writes a shard, commands of the other shards are answered; its own when it is free."""
    writer = ShardWriter(pool, Tally(), settings=settings.model_copy(update={"queue_transactions": 1}))
    held = shard_of(f"card:{MEMBERS[0]}")
    free = [member for member in MEMBERS if shard_of(f"card:{member}") != held]
    async with admin.transaction():
        await admin.execute("select from rules.shard where shard = $1 for no key update", held)
        # The first goes by itself; what comes meanwhile goes together.
        before = asyncio.create_task(writer.submit(message_of(activity(free[0], 0))))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(writer.submit(message_of(activity(MEMBERS[0], 0))))
        verdicts = await asyncio.gather(before, *(writer.submit(message_of(activity(each, 1))) for each in free))
        assert {verdict.kind for verdict in verdicts} == {"applied"}
        assert not waiting.done()
    assert (await waiting).kind == "applied"
    await writer.close()
