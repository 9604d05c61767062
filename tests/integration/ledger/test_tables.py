"""Every column of every table: one value altered by someone who may do anything, and verification names the table."""

from typing import Final

import asyncpg

from contracts.shards import SHARDS
from services.ledger.verify.plan import Plan
from services.ledger.verify.run import verify_shards
from services.runtime.dead_letters import DeadLetter
from services.runtime.messages import Message
from tests.integration.ledger.conftest import POINTS, Api, Books, Member, accrual
from tests.integration.ledger.proof import unguarded

ALTERED_BY: Final = {
    "uuid": "gen_random_uuid()",
    "text": "coalesce({}, '') || 'x'",
    "integer": "coalesce({}, 0) + 1",
    "bigint": "coalesce({}, 0) + 1",
    "numeric": "{} + 1",
    "boolean": "not {}",
    "date": "coalesce({}, now()::date) + 1",
    "timestamp with time zone": "coalesce({}, now()) + interval '10 years'",
    "json": "'{{\"other\": true}}'",
    "bytea": "sha256(coalesce({}, ''))",
    "uuid[]": "array_append({}, gen_random_uuid())",
    "bigint[]": "array_append({}, 1::bigint)",
}

NOT_IN_THE_LOG: Final = {
    "movement.type": "the message that asked; the log has what came of it",
    "movement.request": "as asked, for comparison under the same key; the log has it of refused commands only",
    "waiting.content": "a message that came too early, as it came: nothing was decided on it yet",
    "waiting.recorded_at": "the same",
    "programme.state": "compared with the topic of programmes, where Kafka is named",
    "programme.recorded_at": "when it was read from there",
    "dead_letter.replacement": "what an operator sent instead; booked as a command of its own",
}
"""Columns that nothing in the log says anything of, and why."""

WITH_KAFKA_OR_KEYS: Final = {"consumer_offset", "archive", "alembic_version", "idempotency_key"}
"""Tables that are empty here, or compared with what lies outside of the database, in tests of their own."""


async def test_one_value_altered_anywhere_is_named(
    filled: Member, books: Books, api: Api, database: str, superuser: asyncpg.Connection
) -> None:
    """Row by row and column by column; what cannot be named is listed above, with its reason."""
    friend = Member()
    await books.take(accrual(friend, "friend", 1_00))
    sent = await api.post(
        f"/accounts/{filled.account}/transfers",
        {"to_account_id": str(friend.account), "currency": POINTS, "points": "1.00"},
    )
    assert sent.status_code in {200, 201, 202}, sent.text
    key = str(filled.account)
    message = Message(type="x", id="1", source="urn:x", tenant="default", key=key, body=b"{", record_key=key.encode())
    await books.writer.set_aside([DeadLetter(message, "not_json", "this is not JSON")])
    await unguarded(superuser)
    tables = await _tables(superuser)
    unnamed = []
    for table, columns in tables.items():
        await _keep(superuser, table)
        for column, kind in columns.items():
            if not await _alter(superuser, table, column, ALTERED_BY[kind], filled.shard):
                unnamed.append(f"{table}: no row")
                break
            shards = range(SHARDS) if column == "shard" else [filled.shard]
            report = await verify_shards(database, shards, Plan())
            if not any(what.endswith(f" {table}") for what in report.counts):
                unnamed.append(f"{table}.{column}")
            await _restore(superuser, table)
    assert (await verify_shards(database, range(SHARDS), Plan())).differences == []
    assert sorted(unnamed) == sorted(NOT_IN_THE_LOG)


async def _tables(superuser: asyncpg.Connection) -> dict[str, dict[str, str]]:
    rows = await superuser.fetch(
        "select c.relname as table, a.attname as column, format_type(a.atttypid, null) as kind from pg_class c "
        "join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
        "where c.relnamespace = 'ledger'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition "
        "order by 1, a.attnum"
    )
    tables: dict[str, dict[str, str]] = {}
    for row in rows:
        if row["table"] not in WITH_KAFKA_OR_KEYS:
            tables.setdefault(row["table"], {})[row["column"]] = row["kind"]
    checks = await superuser.fetch(
        "select conrelid::regclass::text as table, conname as name from pg_constraint "
        "where connamespace = 'ledger'::regnamespace and contype = 'c' and conparentid = 0 and coninhcount = 0"
    )
    for check in checks:
        await superuser.execute(f"alter table {check['table']} drop constraint {check['name']}")
    return tables


async def _keep(superuser: asyncpg.Connection, table: str) -> None:
    await superuser.execute(f"create temp table kept_{table} as select * from {table}")  # noqa: S608 - the schema's own names


async def _restore(superuser: asyncpg.Connection, table: str) -> None:
    await superuser.execute(f"truncate {table}")
    await superuser.execute(f"insert into {table} select * from kept_{table}")  # noqa: S608 - the schema's own names


async def _alter(superuser: asyncpg.Connection, table: str, column: str, by: str, shard: int) -> bool:
    value = by.format(column)
    done = await superuser.execute(
        f"update {table} set {column} = {value} where (tableoid, ctid) = "  # noqa: S608 - the schema's own names
        f"(select tableoid, ctid from {table} where shard = $1 order by {column} is null limit 1)",
        shard,
    )
    return not done.endswith(" 0")
