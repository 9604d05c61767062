import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local import ports, processes, provision
from deploy.local.settings import LocalSettings
from deploy.local.stack import Endpoints, Stack
from deploy.local.topics import TopicSpecification, create_topics

pytestmark = pytest.mark.slow

SMALL = {"kafka_heap_mb": 256, "postgres_shared_buffers_mb": 32, "postgres_max_wal_size_mb": 128}
TOPIC = "kept"


def small_stack(directory: Path) -> Stack:
    return Stack(LocalSettings.model_validate({"dir": directory, **SMALL}), lambda _: None)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of this module's own, since its tests kill what others would stand on."""
    stack = small_stack(tmp_path_factory.mktemp("stack"))
    yield stack
    stack.down(wipe=True)


def pids(stack: Stack) -> dict[str, int]:
    return {name: started.pid for name, started in stack.state().processes.items()}


def kill(stack: Stack) -> None:
    """Kill the servers, and see them gone."""
    for started in stack.state().processes.values():
        os.kill(started.pid, signal.SIGKILL)
        until = time.monotonic() + 5
        while processes.find(started) is not None:
            assert time.monotonic() < until
            time.sleep(0.01)


def running_on(stack: Stack) -> list[str]:
    """The servers whose command line names this stack's directory."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        if any(str(stack.directory) in word for word in line):
            found.append(Path(line[0]).name)
    return sorted(found)


def bonus(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, which ends before the servers do."""
    sizes = {f"BONUS_LOCAL_{name.upper()}": str(value) for name, value in SMALL.items()}
    return subprocess.run(  # noqa: S603 - the arguments are this file's own
        [sys.executable, "-m", "services.command", "local", *arguments],
        env={**os.environ, **sizes, "BONUS_LOCAL_DIR": str(stack.directory)},
        capture_output=True,
        text=True,
        check=False,
    )


async def write_something(endpoints: Endpoints) -> None:
    connection = await asyncpg.connect(endpoints.postgres_dsn)
    try:
        await connection.execute("create table if not exists kept (word text)")
        await connection.execute("insert into kept values ('kept')")
    finally:
        await connection.close()
    await create_topics(endpoints.kafka_bootstrap, {TOPIC: TopicSpecification(1)})
    producer = AIOKafkaProducer(bootstrap_servers=endpoints.kafka_bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(TOPIC, b"kept")
    finally:
        await producer.stop()


async def read_it_back(endpoints: Endpoints) -> tuple[str, bytes]:
    connection = await asyncpg.connect(endpoints.postgres_dsn)
    try:
        word = await connection.fetchval("select word from kept")
    finally:
        await connection.close()
    consumer = AIOKafkaConsumer(bootstrap_servers=endpoints.kafka_bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(TOPIC, 0)])
        return word, (await consumer.getone()).value
    finally:
        await consumer.stop()


def test_up_twice_is_the_same_stack(stack: Stack) -> None:
    """What runs is left as it is: the same addresses, the same processes."""
    first = stack.up()
    before = pids(stack)
    assert (stack.up(), pids(stack), running_on(stack)) == (first, before, ["java", "postgres"])
    assert [(part.name, part.healthy) for part in stack.status()] == [("postgres", True), ("kafka", True)]


def test_two_who_start_it_at_once_get_one_stack(stack: Stack) -> None:
    """Commands on one directory wait for each other; the servers outlive those who started them."""
    stack.down()
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: bonus(stack, "up", "--no-services"), range(2)))
    assert [(one.returncode, one.stdout) for one in done] == [(0, ""), (0, "")], done
    assert running_on(stack) == ["java", "postgres"]
    assert all(part.healthy for part in stack.status())


async def test_killed_servers_come_back_with_what_they_held(stack: Stack) -> None:
    """After a SIGKILL of both, `up` gives a healthy stack at the same addresses, with the data, and no second one."""
    endpoints = stack.up()
    await write_something(endpoints)
    before = pids(stack)
    kill(stack)
    assert [part.healthy for part in stack.status()] == [False, False]
    assert bonus(stack, "env").returncode == 3
    assert stack.up() == endpoints
    assert set(pids(stack).values()).isdisjoint(before.values())
    assert await read_it_back(endpoints) == ("kept", b"kept")
    assert running_on(stack) == ["java", "postgres"]


async def test_servers_that_nobody_recorded_are_not_doubled(stack: Stack) -> None:
    """Where the record was lost the servers are cleared and started again on the same data."""
    await write_something(stack.up())
    (stack.directory / "state.json").unlink()
    endpoints = stack.up()
    assert running_on(stack) == ["java", "postgres"]
    assert await read_it_back(endpoints) == ("kept", b"kept")


async def test_ports_that_were_taken_meanwhile_are_replaced(stack: Stack) -> None:
    """Another program may sit on our ports after a pause; the stack moves, controller included, and keeps its data."""
    before = stack.up()
    await write_something(before)
    stack.down()
    holders = [socket.create_server((ports.LOOPBACK, port)) for port in stack.state().ports.values()]
    try:
        after = stack.up()
    finally:
        for holder in holders:
            holder.close()
    assert after.postgres_dsn != before.postgres_dsn
    assert after.kafka_bootstrap != before.kafka_bootstrap
    assert await read_it_back(after) == ("kept", b"kept")


async def test_two_stacks_side_by_side_know_nothing_of_each_other(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two clones on one machine: other ports, other passwords, other data; one's end is not the other's."""
    mine = stack.up()
    await write_something(mine)
    other = small_stack(tmp_path_factory.mktemp("other"))
    try:
        theirs = other.up()
        strangers = mine.postgres_dsn.replace(mine.postgres_dsn.split("@")[1], theirs.postgres_dsn.split("@")[1])
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(strangers)
        connection = await asyncpg.connect(theirs.postgres_dsn)
        assert await connection.fetchval("select to_regclass('kept')") is None
        await connection.close()
    finally:
        other.down(wipe=True)
    assert (running_on(other), running_on(stack)) == ([], ["java", "postgres"])
    assert await read_it_back(mine) == ("kept", b"kept")


def test_env_is_read_by_a_shell(stack: Stack) -> None:
    """`eval "$(bonus local env)"` in sh gives the addresses and a token, and nothing else is printed."""
    endpoints = stack.up()
    printed = bonus(stack, "env")
    names = [
        "BONUS_POSTGRES_DSN",
        "BONUS_KAFKA_BOOTSTRAP",
        "BONUS_LEDGER_URL",
        "BONUS_RULES_URL",
        "BONUS_NOTIFIER_URL",
        "BONUS_TOKEN",
        "BONUS_TOKEN_PUBLIC_KEY_FILE",
        "BONUS_TOKEN_PRIVATE_KEY_FILE",
    ]
    script = f"eval {shlex.quote(printed.stdout)}; for name in {' '.join(names)}; do printenv $name || echo none; done"
    shell = subprocess.run(["/bin/sh", "-eu", "-c", script], env={}, capture_output=True, text=True, check=True)  # noqa: S603 - as above
    values = dict(zip(names, shell.stdout.splitlines(), strict=True))
    assert (values["BONUS_POSTGRES_DSN"], values["BONUS_KAFKA_BOOTSTRAP"]) == (
        endpoints.postgres_dsn,
        endpoints.kafka_bootstrap,
    )
    assert all(values[f"BONUS_{name}_URL"].startswith("http://127.0.0.1:") for name in ("LEDGER", "RULES", "NOTIFIER"))
    assert len(values["BONUS_TOKEN"].split(".")) == 3
    assert Path(values["BONUS_TOKEN_PRIVATE_KEY_FILE"]).stat().st_mode & 0o077 == 0


def test_status_as_data_names_each_process(stack: Stack) -> None:
    """A script can wait for the stack without parsing a table."""
    stack.up()
    shown = bonus(stack, "status", "--json")
    known = stack.state()
    expected = [
        {"name": name, "healthy": True, "pid": known.processes[name].pid, "port": known.ports[name]}
        for name in ("postgres", "kafka")
    ]
    assert (shown.returncode, json.loads(shown.stdout)) == (0, expected)


def test_down_leaves_no_process_and_wipe_no_data(stack: Stack) -> None:
    """After `down` nothing runs and the data is there; after `down --wipe` only locks are left."""
    stack.up()
    first, again = bonus(stack, "down"), bonus(stack, "down")
    assert (first.stderr.strip(), again.stderr.strip()) == ("stopped: postgres, kafka", "nothing was running")
    assert (running_on(stack), stack.state().processes) == ([], {})
    assert (stack.postgres.data / "PG_VERSION").exists()
    assert bonus(stack, "down", "--wipe").returncode == 0
    assert {entry.suffix for entry in stack.directory.iterdir()} == {".lock"}


def test_the_last_test_run_to_leave_stops_the_stack(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Several people run the tests at once: they share one stack, and the one who ends first takes nothing away."""
    directory = tmp_path_factory.mktemp("shared")
    with provision.shared_stack(directory, lambda _: None) as first:
        with provision.shared_stack(directory, lambda _: None) as second:
            assert second.endpoints() == first.endpoints()
        assert all(part.healthy for part in first.status())
    assert running_on(first) == []
