"""Worker processes: killed at any instant, stopped politely, watched from outside."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest

from services.runtime.settings import RuntimeSettings
from tests.integration.runtime import worker
from tests.integration.runtime.conftest import QUICK, Publish, Until
from tests.integration.runtime.tally import activity, is_gap_free, read_books
from tests.integration.runtime.test_relay import in_order_of_keys, published, relayed

PROJECT = Path(__file__).resolve().parents[3]
MEMBERS = [str(770_000 + number) for number in range(30)]
Spawn = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def spawn(kafka_settings: RuntimeSettings) -> AsyncIterator[Spawn]:
    """A function that starts a worker process; all are gone at the end."""
    started: list[asyncio.subprocess.Process] = []

    async def start(**environment: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.integration.runtime.worker",
            cwd=PROJECT,
            env=os.environ
            | {f"BONUS_{name.upper()}": str(value) for name, value in QUICK.items()}
            | {
                "BONUS_POSTGRES_DSN": kafka_settings.postgres_dsn,
                "BONUS_KAFKA_BOOTSTRAP": kafka_settings.kafka_bootstrap,
                "BONUS_TOPIC_PREFIX": kafka_settings.topic_prefix,
            }
            | environment,
            stdout=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def seen(admin: asyncpg.Connection, count: int) -> Callable[[], Awaitable[bool]]:
    async def is_so() -> bool:
        return bool(await admin.fetchval("select count(*) >= $1 from rules.tally_seen", count))

    return is_so


@pytest.mark.slow
async def test_workers_killed_at_any_instant_leave_what_one_undisturbed_worker_would(
    spawn: Spawn, publish: Publish, admin: asyncpg.Connection, kafka_settings: RuntimeSettings, until: Until
) -> None:
    """Two workers at a time, killed eight times in all while messages flow: every message once, in order, relayed."""
    count = 1_800
    await publish([activity(MEMBERS[number % 30], number // 30) for number in range(count)])
    chance = random.Random(20260305)  # noqa: S311 - the instants of the kills
    environment = {
        worker.DELAY: "0.004",
        "BONUS_CONSUMER_SESSION_TIMEOUT_MS": "6000",
        "BONUS_CONSUMER_POLL_RECORDS": "40",
    }
    workers = [await spawn(**environment) for _ in range(2)]
    for _ in range(8):
        target = min(
            count, int(await admin.fetchval("select count(*) from rules.tally_seen")) + chance.randint(20, 150)
        )
        await until(seen(admin, target))
        await asyncio.sleep(chance.random() / 20)
        victim = workers.pop(0)
        victim.kill()
        await victim.wait()
        workers.append(await spawn(**environment))
    await until(seen(admin, count))
    await until(relayed(admin))
    books = await read_books(admin)
    assert books.orders == {f"card:{member}": list(range(count // 30)) for member in MEMBERS}
    assert books.totals == {f"card:{member}": count // 30 for member in MEMBERS}
    assert is_gap_free(books.positions)
    assert books.broken == []
    log = await admin.fetch("select key, body from rules.event order by shard, position")
    expected = sorted(((row["key"], row["body"]) for row in log), key=lambda pair: pair[0])
    assert list(dict.fromkeys(in_order_of_keys(await published(kafka_settings)))) == expected


async def test_a_worker_stops_politely(spawn: Spawn, publish: Publish, admin: asyncpg.Connection, until: Until) -> None:
    """On SIGTERM the batch in hand is finished, its offsets are stored, and the exit code is 0."""
    await publish([activity(MEMBERS[number % 30], number // 30) for number in range(600)])
    process = await spawn(**{worker.DELAY: "0.05", "BONUS_CONSUMER_POLL_RECORDS": "50"})
    await until(seen(admin, 60))
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    done = await admin.fetchval("select count(*) from rules.tally_seen")
    assert 60 <= done < 600
    assert await admin.fetchval("select sum(next_offset) from rules.consumer_offset") == done


async def test_health_and_metrics_are_answered(
    spawn: Spawn, publish: Publish, admin: asyncpg.Connection, postgres_admin_dsn: str, until: Until
) -> None:
    """A worker says that it lives, when it is ready and why not, and what it has done."""
    port = _free_port()
    await spawn(BONUS_METRICS_PORT=str(port))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

        async def ready() -> bool:
            try:
                return (await client.get("/health/ready")).status_code == httpx.codes.OK
            except httpx.TransportError:
                return False

        await until(ready)
        assert (await client.get("/health/live")).json() == {"status": "live"}
        await publish([activity(MEMBERS[0], number) for number in range(5)])
        await until(seen(admin, 5))
        metrics = (await client.get("/metrics")).text
        assert 'bonus_messages_total{processor="tally",service="rules",verdict="applied"} 5.0' in metrics
        name = await admin.fetchval("select current_database()")
        elsewhere = await asyncpg.connect(postgres_admin_dsn)
        await elsewhere.execute(f'alter database "{name}" allow_connections off')
        await elsewhere.fetch("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
        document = (await client.get("/health/ready")).json()
        assert document["status"] == "not_ready"
        assert "postgres rules" in document["problems"]
        await elsewhere.execute(f'alter database "{name}" allow_connections on')
        await elsewhere.close()
        await until(ready)


def _free_port() -> int:
    import socket  # noqa: PLC0415 - for this alone

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_memory_does_not_grow_with_the_backlog(
    spawn: Spawn, publish: Publish, admin: asyncpg.Connection, until: Until
) -> None:
    """With a backlog of 60 MB in large messages the worker stays under 150 MB."""
    large = [activity(MEMBERS[number % 30], number // 30) for number in range(1_200)]
    for content in large:
        content["data"]["attributes"]["pad"] = "x" * 50_000
    await publish(large)
    process = await spawn()
    peak = 0

    async def done() -> bool:
        nonlocal peak
        peak = max(peak, psutil.Process(process.pid).memory_info().rss)
        return await seen(admin, 1_200)()

    await until(done)
    assert peak < 150_000_000
