"""Migrations on a real server: up, down and up again; rights; two at once."""

import asyncio
import sys
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from contracts.shards import SHARDS
from migrations.command import downgrade, upgrade
from migrations.frame import SERVICES
from services.runtime.postgres import open_pool
from services.runtime.settings import RuntimeSettings
from tests.conftest import with_database


@pytest.fixture
async def empty(postgres_admin_dsn: str) -> AsyncIterator[str]:
    """The address of a database without anything in it."""
    name = f"test_migrations_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(postgres_admin_dsn)
    await admin.execute(f'create database "{name}"')
    yield with_database(postgres_admin_dsn, name)
    await admin.execute(f'drop database "{name}" with (force)')
    await admin.close()


async def shape(dsn: str) -> list[tuple[object, ...]]:
    """Every table, column, index, trigger and right of the services' schemas, as text."""
    connection = await asyncpg.connect(dsn)
    statements = (
        """select table_schema, table_name, column_name, data_type, is_nullable, column_default
        from information_schema.columns where table_schema = any($1) order by 1, 2, 3""",
        "select schemaname, tablename, indexname, indexdef from pg_indexes where schemaname = any($1) order by 1, 2, 3",
        """select table_schema, table_name, grantee, privilege_type from information_schema.role_table_grants
        where table_schema = any($1) and grantee like 'bonus_%' order by 1, 2, 3, 4""",
        """select event_object_schema, event_object_table, trigger_name, event_manipulation
        from information_schema.triggers where event_object_schema = any($1) order by 1, 2, 3, 4""",
    )
    rows = [row for each in statements for row in await connection.fetch(each, list(SERVICES))]
    await connection.close()
    return [tuple(row) for row in rows]


async def test_up_down_and_up_again_gives_the_same(empty: str) -> None:
    """Going back leaves only alembic's own table, and going up again makes exactly what was there."""
    await asyncio.to_thread(upgrade, empty)
    first = await shape(empty)
    await asyncio.to_thread(downgrade, empty)
    left = {row[1] for row in await shape(empty)}
    await asyncio.to_thread(upgrade, empty)
    assert left == {"alembic_version"}
    assert await shape(empty) == first


async def _migrate_in_a_process(dsn: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.command", "migrate", "--dsn", dsn, stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0


async def test_two_at_once_do_it_once(empty: str) -> None:
    """A rollout that starts several migrations at the same moment ends with one schema and no error."""
    await asyncio.gather(*(_migrate_in_a_process(empty) for _ in range(3)))
    connection = await asyncpg.connect(empty)
    for service in SERVICES:
        assert await connection.fetchval(f"select count(*) from {service}.shard") == SHARDS  # noqa: S608 - a constant
    await connection.close()


async def test_databases_of_one_server_at_once(empty: str, postgres_admin_dsn: str) -> None:
    """Roles belong to the server: migrations of two databases that need them at once both succeed."""
    admin = await asyncpg.connect(postgres_admin_dsn)
    other = f"test_migrations_{uuid4().hex[:12]}"
    await admin.execute(f'create database "{other}"')
    addresses = (empty, with_database(postgres_admin_dsn, other))
    await asyncio.gather(*(_migrate_in_a_process(address) for address in addresses))
    await admin.execute(f'drop database "{other}" with (force)')
    await admin.close()


async def test_one_service_may_have_a_database_of_its_own(empty: str) -> None:
    """With a service named, its schema alone is made."""
    await asyncio.to_thread(upgrade, empty, "rules")
    assert {row[0] for row in await shape(empty)} == {"rules"}


@pytest.mark.parametrize("service", SERVICES)
async def test_a_role_sees_its_own_schema_alone(database: str, service: str) -> None:
    """A service that runs into another's tables is refused by the database."""
    pool = await open_pool(RuntimeSettings(postgres_dsn=database), service)
    assert await pool.fetchval("select count(*) from shard") == SHARDS
    for other in set(SERVICES) - {service}:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.fetchval(f"select count(*) from {other}.shard")  # noqa: S608 - a constant
    await pool.close()


@pytest.mark.parametrize("table", ["event", "event_first", "event_rest"])
@pytest.mark.parametrize("change", ["update {} set key = 'x'", "delete from {}", "truncate {}"])
async def test_the_ledgers_log_cannot_be_changed(database: str, table: str, change: str) -> None:
    """The role has no right to change the log, and a superuser is refused by the trigger, partition by partition."""
    pool = await open_pool(RuntimeSettings(postgres_dsn=database), "ledger")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute(change.format(table))
    await pool.close()
    admin = await asyncpg.connect(database)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append-only"):
        await admin.execute(change.format(f"ledger.{table}"))
    await admin.close()
