"""Every table: a value, a row less or a row more by someone who may do anything, and verification names the table."""

from typing import Final

import asyncpg

from services.ledger.verify.plan import Plan
from services.ledger.verify.run import verify_shards
from services.ledger.verify.strays import find_strays
from services.runtime.dead_letters import DeadLetter
from services.runtime.messages import Message
from tests.integration.ledger.conftest import POINTS, Api, Books, Member, accrual
from tests.integration.ledger.proof import unguarded

ALTERED_BY: Final = {
    "uuid": "gen_random_uuid()",
    "text": "coalesce({}, '') || 'x'",
    "integer": "coalesce({}, 0) + 1000",
    "bigint": "coalesce({}, 0) + 1000",
    "numeric": "{} + 1",
    "boolean": "not {}",
    "date": "coalesce({}, now()::date) + 1",
    "timestamp with time zone": "coalesce({}, now()) + interval '10 years'",
    "json": "'{{\"other\": true}}'",
    "bytea": "sha256(coalesce({}, ''))",
    "uuid[]": "array_append({}, gen_random_uuid())",
    "bigint[]": "array_append({}, 1::bigint)",
}

ELSEWHERE: Final = {
    "consumer_offset": "compared with Kafka, in test_offsets",
    "programme": "compared with Kafka, in test_offsets and test_verify",
    "archive": "compared with what was signed, in test_archive",
    "idempotency_key": "empty: the books keep answers with the verdict, so any row is unexpected",
    "data_key": "keys of what is encrypted; an erasure destroys them without an event, so the log cannot tell",
    "alembic_version": "the release's own mark of the schema; it holds no books, and is not verified",
}
"""Tables that are not filled here, and why."""

PROVABLE: Final = {"movement.request": "type <> 'transfer', request is null"}
"""Which row comes first where not each can be proven: of most requests the log keeps a part (docs/proof.md)."""

HARMLESS: Final = {
    "account.due_at where there was none": "a sweeper looks too early, finds nothing due, and puts it right"
}
"""Changes that are not named, and why."""


async def test_one_row_changed_anywhere_is_named(
    filled: Member, books: Books, api: Api, database: str, superuser: asyncpg.Connection
) -> None:
    """Column by column, and whole rows; changes that are more subtle are in test_verify."""
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
    await superuser.execute("set synchronous_commit = off")
    unnamed = []
    for table, columns in (await _tables(superuser)).items():
        await superuser.execute(f"create temp table kept_{table} as select * from {table}")  # noqa: S608 - the schema's own names
        for what, statement in (await _changes(superuser, table, columns)).items():
            done = await superuser.execute(statement, filled.shard)
            if done.endswith(" 0"):
                unnamed.append(f"{table}: no row")
                break
            report = await verify_shards(database, [filled.shard], Plan())
            report.join(await find_strays(superuser))
            if not any(named.endswith(f" {table}") for named in report.counts):
                unnamed.append(what)
            await superuser.execute(f"delete from {table}")  # noqa: S608 - the schema's own names
            await superuser.execute(f"insert into {table} select * from kept_{table}")  # noqa: S608 - the same
    assert (await verify_shards(database, [filled.shard], Plan())).differences == []
    assert set(unnamed) <= set(HARMLESS), unnamed


async def _tables(superuser: asyncpg.Connection) -> dict[str, dict[str, str]]:
    rows = await superuser.fetch(
        "select c.relname as table, a.attname as column, format_type(a.atttypid, null) as kind from pg_class c "
        "join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
        "where c.relnamespace = 'ledger'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition "
        "order by 1, a.attnum"
    )
    tables: dict[str, dict[str, str]] = {}
    for row in rows:
        if row["table"] not in ELSEWHERE:
            tables.setdefault(row["table"], {})[row["column"]] = row["kind"]
    checks = await superuser.fetch(
        "select conrelid::regclass::text as table, conname as name from pg_constraint "
        "where connamespace = 'ledger'::regnamespace and contype = 'c' and conparentid = 0 and coninhcount = 0"
    )
    for check in checks:
        await superuser.execute(f"alter table {check['table']} drop constraint {check['name']}")
    return tables


async def _changes(superuser: asyncpg.Connection, table: str, columns: dict[str, str]) -> dict[str, str]:
    """Statements that change one row of a shard ($1): each column, the row deleted, a copy under another key."""
    key = await superuser.fetchval(
        "select attname from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[indnkeyatts - 1] "
        "where indisprimary and indrelid = $1::text::regclass",
        table,
    )
    copy = ", ".join(ALTERED_BY[kind].format(name) if name == key else name for name, kind in columns.items())
    row = "where (tableoid, ctid) = (select tableoid, ctid from {} where shard = $1 order by {} limit 1)"
    changes = {}
    for name, kind in columns.items():
        altered = f"update {table} set {name} = {ALTERED_BY[kind].format(name)} "  # noqa: S608 - the schema's own names
        changes[f"{table}.{name}"] = altered + row.format(table, PROVABLE.get(f"{table}.{name}", f"{name} is null"))
        if await superuser.fetchval(f"select count({name}) between 1 and count(*) - 1 from {table}"):  # noqa: S608 - the same
            changes[f"{table}.{name} where there was none"] = altered + row.format(table, f"{name} is not null")
    any_row = row.format(table, f"{key} is null")
    changes[f"{table} deleted"] = f"delete from {table} {any_row}"  # noqa: S608 - the same
    changes[f"{table} inserted"] = f"insert into {table} select {copy} from {table} {any_row}"  # noqa: S608 - the same
    return changes
