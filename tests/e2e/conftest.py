"""Systems for cases: one that all share, each with its own programme and cards, and new ones for who needs his own."""

import os
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import pytest

from deploy.local.provision import Parts
from tests.conftest import with_database
from tests.e2e.processes import clear_leftovers
from tests.e2e.system import System, Wishes, running

OpenSystem = Callable[[Wishes], AbstractAsyncContextManager[System]]


@pytest.fixture(scope="session")
def open_system(parts: Parts, database_template: str, tmp_path_factory: pytest.TempPathFactory) -> OpenSystem:
    """A function that makes a system with a database and topics of its own; its processes are not started yet."""
    clear_leftovers()

    @asynccontextmanager
    async def opened(wishes: Wishes) -> AsyncIterator[System]:
        name = f"test_{os.getpid()}_{uuid.uuid4().hex[:12]}"
        directory = tmp_path_factory.mktemp(f"system-{os.getpid()}-")
        admin = await asyncpg.connect(parts.postgres_dsn)
        try:
            await admin.execute(f'create database "{name}" template "{database_template}" strategy wal_log')
            dsn = with_database(parts.postgres_dsn, name)
            async with running(parts, dsn, f"t{uuid.uuid4().hex[:12]}.", directory, wishes) as system:
                yield system
        finally:
            await admin.execute(f'drop database if exists "{name}" with (force)')
            await admin.close()

    return opened


@pytest.fixture(scope="session")
async def system(open_system: OpenSystem) -> AsyncIterator[System]:
    """Rules and ledger, whole, running on real PostgreSQL and Kafka."""
    async with open_system(Wishes()) as system:
        await system.start()
        yield system
