"""One system for all cases: each has its own programme and cards, so none sees another's."""

import os
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest

from deploy.local.provision import Parts
from tests.conftest import with_database
from tests.e2e.processes import clear_leftovers
from tests.e2e.system import System, Wishes, running


@pytest.fixture(scope="session")
async def system(
    parts: Parts, database_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[System]:
    """Rules and ledger, whole, running on real PostgreSQL and Kafka."""
    clear_leftovers()
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:12]}"
    admin = await asyncpg.connect(parts.postgres_dsn)
    await admin.execute(f'create database "{name}" template "{database_template}" strategy wal_log')
    directory = tmp_path_factory.mktemp(f"system-{os.getpid()}-")
    try:
        async with running(
            parts, with_database(parts.postgres_dsn, name), f"t{uuid.uuid4().hex[:12]}.", directory, Wishes()
        ) as system:
            await system.start()
            yield system
    finally:
        await admin.execute(f'drop database if exists "{name}" with (force)')
        await admin.close()
