"""D7: a database that refuses to write, a broker that is away: nothing is set aside, nothing is lost."""

import asyncio
import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.local.provision import Parts
from deploy.local.settings import LocalSettings
from deploy.local.stack import Stack
from migrations.command import upgrade
from tests.e2e.shop import open_shop
from tests.e2e.system import System, Wishes, running
from tests.faults import stream
from tests.faults.conftest import PATIENT, OpenSystem
from tests.faults.histories import History, differences, history
from tests.faults.stream import Stream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PER_SECOND = 400.0
AWAY_S = 4.0
"""Longer than the longest pause between two tries, by much."""

SMALL = {"kafka_heap_mb": 256, "postgres_shared_buffers_mb": 64, "postgres_max_wal_size_mb": 256}


async def test_D7_while_postgres_refuses_to_write_everything_waits(
    open_system: OpenSystem, storm: Stream, undisturbed: History
) -> None:
    """A failover leaves a database that reads and does not write: workers wait, and go on where they were."""
    async with open_system(Wishes()) as system:
        await system.start()
        await open_shop(system, stream.FILE)
        await system.send_all(storm.enrolments)
        flowing = asyncio.create_task(system.send_all(storm.purchases, PER_SECOND))
        await asyncio.sleep(2)
        await refuse_writing(system, refused=True)
        before = await booked(system)
        await asyncio.sleep(AWAY_S)
        assert await booked(system) == before
        await refuse_writing(system, refused=False)
        await flowing
        await system.settle(timeout_s=120)
        await system.send_all(storm.returns)
        await system.settle(timeout_s=120)
        assert await system.dead_letters() == []
        assert differences(await history(system), undisturbed) == {}


@pytest.fixture
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Servers of this test's own, since it stops one of them."""
    directory = tmp_path_factory.mktemp("stack")
    stack = Stack(LocalSettings.model_validate({"dir": directory, **SMALL}), lambda _: None)
    yield stack
    stack.down(wipe=True)


async def test_D7_while_kafka_is_away_everything_waits(
    own_stack: Stack, storm: Stream, undisturbed: History, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A broker that is away for a while takes nothing and gives nothing: everything goes on when it is back."""
    endpoints = await asyncio.to_thread(own_stack.up)
    await asyncio.to_thread(upgrade, endpoints.postgres_dsn)
    parts = Parts(endpoints.postgres_dsn, endpoints.kafka_bootstrap)
    directory = tmp_path_factory.mktemp(f"system-{os.getpid()}-")
    half = len(storm.purchases) // 2
    async with running(parts, endpoints.postgres_dsn, "", directory, Wishes(settings=PATIENT)) as system:
        await system.start()
        await open_shop(system, stream.FILE)
        await system.send_all(storm.enrolments)
        await system.send_all(storm.purchases[:half])
        await asyncio.to_thread(own_stack.kafka.down, own_stack.state())
        await asyncio.sleep(AWAY_S)
        await asyncio.to_thread(own_stack.kafka.up, own_stack.state())
        await system.send_all(storm.purchases[half:])
        await system.settle(timeout_s=120)
        await system.send_all(storm.returns)
        await system.settle(timeout_s=120)
        assert await system.dead_letters() == []
        assert differences(await history(system), undisturbed) == {}


async def refuse_writing(system: System, *, refused: bool) -> None:
    """Let the database of this system refuse every write, or take them again; sessions that were open end."""
    name = urlsplit(system.dsn).path.removeprefix("/")
    connection = await asyncpg.connect(system.dsn, server_settings={"default_transaction_read_only": "off"})
    try:
        value = "on" if refused else "off"
        await connection.execute(f'alter database "{name}" set default_transaction_read_only = {value}')
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()",
            name,
        )
    finally:
        await connection.close()
    await system.reconnect()


async def booked(system: System) -> int:
    """Events in the books."""
    return int(await system.connection.fetchval("select coalesce(sum(head), 0) from ledger.shard"))
