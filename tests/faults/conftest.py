"""Systems that tests may harm, and what the stream comes to in one that nobody harms."""

import os
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest

from deploy.local.provision import Parts
from tests.conftest import with_database
from tests.e2e.processes import clear_leftovers
from tests.e2e.shop import open_shop
from tests.e2e.system import System, Wishes, running
from tests.faults import stream
from tests.faults.histories import History, history
from tests.faults.stream import Stream

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
            # What is sent lies far back; time ends none of its tiers while a test runs, however long that takes.
            patient = replace(wishes, settings={"BONUS_DUE_SWEEP_QUIET_S": "3600", **wishes.settings})
            async with running(parts, dsn, f"t{uuid.uuid4().hex[:12]}.", directory, patient) as system:
                yield system
        finally:
            await admin.execute(f'drop database if exists "{name}" with (force)')
            await admin.close()

    return opened


@pytest.fixture(scope="session")
def storm() -> Stream:
    """The stream that all tests here send."""
    return stream.make()


@pytest.fixture(scope="session")
async def undisturbed(open_system: OpenSystem, storm: Stream) -> History:
    """What the stream comes to where nothing goes wrong."""
    async with open_system(Wishes()) as system:
        await system.start()
        await open_shop(system, stream.FILE)
        await system.send_all(storm.enrolments)
        await system.settle()
        await system.send_all(storm.purchases)
        await system.settle()
        await system.send_all(storm.returns)
        await system.settle()
        assert await system.dead_letters() == []
        found = await history(system)
    assert len(found) == stream.MEMBERS
    return found
