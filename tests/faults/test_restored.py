"""D8: a database that was put back to what it was, while Kafka is of now."""

import asyncpg
import pytest

from tests.conftest import with_database
from tests.e2e.shop import open_shop
from tests.e2e.system import System, Wishes
from tests.faults import stream
from tests.faults.conftest import OpenSystem
from tests.faults.histories import History, differences, history
from tests.faults.stream import Stream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


async def test_D8_a_restored_database_skips_nothing(
    open_system: OpenSystem, storm: Stream, undisturbed: History
) -> None:
    """Half of the day is lost with the disk; from the backup on everything comes again from Kafka, and once."""
    half = len(storm.purchases) // 2
    async with open_system(Wishes()) as system:
        await system.start()
        await open_shop(system, stream.FILE)
        await system.send_all(storm.enrolments)
        await system.send_all(storm.purchases[:half])
        # In the middle of its work: what is on its way then is neither done nor lost.
        await system.stop()
        backup = await copied(system)
        await system.start()
        await system.send_all(storm.purchases[half:])
        await system.settle(timeout_s=120)
        await system.stop()
        await put_back(system, backup)
        await system.start()
        await system.settle(timeout_s=120)
        await system.send_all(storm.returns)
        await system.settle(timeout_s=120)
        assert await system.dead_letters() == []
        assert differences(await history(system), undisturbed) == {}


async def copied(system: System) -> str:
    """A copy of the system's database, while nobody uses it; gives its name."""
    name = await system.connection.fetchval("select current_database()")
    await system.disconnect()
    await as_administrator(system, f'create database "{name}_backup" template "{name}"')
    await system.reconnect()
    return f"{name}_backup"


async def put_back(system: System, backup: str) -> None:
    """Let the copy take the database's place."""
    name = backup.removesuffix("_backup")
    await system.disconnect()
    await as_administrator(system, f'drop database "{name}" with (force)')
    await as_administrator(system, f'alter database "{backup}" rename to "{name}"')
    await system.reconnect()


async def as_administrator(system: System, statement: str) -> None:
    connection = await asyncpg.connect(with_database(system.dsn, "postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
