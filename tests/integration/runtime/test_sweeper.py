"""Sweepers and kept answers on a real Postgres."""

import asyncio
from datetime import datetime

import asyncpg
import pytest

from contracts.shards import SHARDS, shard_of
from services.runtime.http.idempotency import KeptAnswer, fingerprint, keep, recall
from services.runtime.http.problems import Problem
from services.runtime.messages import Message
from services.runtime.postgres import Pool, open_pool
from services.runtime.settings import RuntimeSettings
from services.runtime.span import Lane
from services.runtime.sweeper import Sweeper
from services.runtime.writer import ShardWriter
from tests.integration.runtime.conftest import Until
from tests.integration.runtime.tally import Tally, activity, message_of, read_books

DUE = """
create table rules.tally_due (shard int, activity_id text, member text, ordinal int, due_at timestamptz);
grant select on rules.tally_due to bonus_rules;
"""
MEMBERS = [str(number) for number in range(40)]


@pytest.fixture
async def due(admin: asyncpg.Connection) -> None:
    """A table of work that falls due: five activities of each member, all in the past."""
    await admin.execute(DUE)
    await admin.executemany(
        "insert into rules.tally_due values ($1, $2, $3, $4, '2026-01-01')",
        [
            (shard_of(f"card:{member}"), f"due-{member}-{ordinal}", member, ordinal)
            for member in MEMBERS
            for ordinal in range(5)
        ],
    )


async def find_due(connection: Lane, shard: int, now: datetime, limit: int) -> list[Message]:
    """What is due and not done, the first ordinal first."""
    rows = await connection.fetch(
        "select * from tally_due d where shard = $1 and due_at <= $2 and not exists "
        "(select from tally_seen s where s.shard = d.shard and s.activity_id = d.activity_id) "
        "order by ordinal limit $3",
        shard,
        now,
        limit,
    )
    contents = [
        activity(row["member"], row["ordinal"], activity_id=row["activity_id"], poison=row["ordinal"] < 0)
        for row in rows
    ]
    for content in contents:
        content["id"] = content["data"]["activity_id"]
    return [message_of(content) for content in contents]


async def test_two_sweepers_at_once_do_everything_once(
    due: None, pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection, until: Until
) -> None:
    """After a standstill everything due is done, in order and once, by two processes in bounded batches."""
    assert due is None
    quick = settings.model_copy(update={"sweep_interval_ms": 64, "sweep_batch": 3})
    other = await open_pool(quick, "rules")
    tallies = [Tally(), Tally()]
    writers = [ShardWriter(each, tally, settings=quick) for each, tally in zip((pool, other), tallies, strict=True)]
    sweepers = [Sweeper(writer, find_due, quick) for writer in writers]
    tasks = [asyncio.create_task(sweeper.run()) for sweeper in sweepers]

    async def all_done() -> bool:
        return bool(await admin.fetchval("select count(*) = 200 from rules.tally_seen"))

    await until(all_done)
    for sweeper in sweepers:
        sweeper.stop()
    await asyncio.gather(*tasks)
    await other.close()
    assert (await read_books(admin)).orders == {f"card:{member}": list(range(5)) for member in MEMBERS}
    assert max(size for tally in tallies for size in tally.batches) <= 3


async def test_what_fails_does_not_keep_the_rest_from_its_turn(
    due: None, pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection
) -> None:
    """Due work that raises is left alone for a while; what is due behind it is done."""
    assert due is None
    shard = shard_of(f"card:{MEMBERS[0]}")
    failing = [(shard, f"bad-{number}", MEMBERS[0], -1 - number) for number in range(4)]
    await admin.executemany("insert into rules.tally_due values ($1, $2, $3, $4, '2026-01-01')", failing)
    mine = await admin.fetchval("select count(*) from rules.tally_due where shard = $1 and ordinal >= 0", shard)
    small = settings.model_copy(update={"sweep_batch": 4})
    sweeper = Sweeper(ShardWriter(pool, Tally(), settings=small), find_due, small)
    swept = [await sweeper.sweep(shard) for _ in range(2 + mine // 4)]
    assert swept[0] == 4
    assert await admin.fetchval("select count(*) from rules.tally_seen where shard = $1", shard) == mine
    assert await admin.fetchval("select count(*) from rules.dead_letter") == 0


async def test_a_sweeper_looks_at_its_own_shards_alone(
    due: None, pool: Pool, settings: RuntimeSettings, admin: asyncpg.Connection, until: Until
) -> None:
    """With shards given, the others are left to other processes."""
    assert due is None
    own = frozenset(range(SHARDS // 2))
    quick = settings.model_copy(update={"sweep_interval_ms": 32})
    sweeper = Sweeper(ShardWriter(pool, Tally(), settings=quick), find_due, quick, shards=lambda: own)
    task = asyncio.create_task(sweeper.run())
    left = "select count(*) filter (where shard < 32), count(*) filter (where shard >= 32) from rules.tally_due d"

    async def own_done() -> bool:
        seen = await admin.fetchval("select count(*) from rules.tally_seen")
        return bool(seen == (await admin.fetchrow(left))[0])

    await until(own_done)
    sweeper.stop()
    await task
    assert await admin.fetchval("select count(*) from rules.tally_seen where shard >= 32") == 0


async def test_an_answer_is_kept_and_given_again(pool: Pool, settings: RuntimeSettings) -> None:
    """Under its scope and key, with the fingerprint that tells another request apart."""
    writer = ShardWriter(pool, Tally(), settings=settings)
    first = fingerprint({"points": "10.00"})
    kept = [KeptAnswer("acme\x1ftill\x1froute", key, first, 201, b'{"id":1}') for key in ("k1", "k2")]
    async with writer.transaction(5) as transaction:
        await keep(transaction, kept)
    async with writer.transaction(5) as transaction:
        wanted = [("acme\x1ftill\x1froute", "k1"), ("acme\x1fother\x1froute", "k2"), ("acme\x1ftill\x1froute", "k3")]
        found = await recall(transaction, wanted)
    (answer,) = found.values()
    assert (answer.key, answer.status, answer.answer, answer.fingerprint) == ("k1", 201, b'{"id":1}', first)
    assert answer.recorded_at is not None
    problem = answer.conflict(fingerprint({"points": "11.00"}))
    assert isinstance(problem, Problem)
    assert (problem.status, problem.code) == (409, "idempotency_key_reused")
    assert problem.document()["first"]["answer"] == {"id": 1}
    assert problem.document()["second"]["fingerprint"] != problem.document()["first"]["fingerprint"]
