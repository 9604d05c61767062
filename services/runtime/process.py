"""A process: event loop, signals, graceful stop; health and metrics of workers; one exit code.

async def build(process: Process) -> Sequence[Part]:
pool = await process.pool("ledger")
writer = ShardWriter(pool, LedgerProcessor(), settings=process.settings)
return [process.consumer({AWARDS.name: writer}, "ledger"), process.relay(pool)]

run_process("ledger-work", build, settings)
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Final, Protocol

import structlog
import uvloop
from starlette.applications import Starlette

from services.runtime.backoff import Backoff
from services.runtime.consumer import ConsumerLoop
from services.runtime.health import Health, commits_move, consumer_joined, postgres_answers, relay_runs
from services.runtime.http.probes import probe_routes
from services.runtime.http.server import HttpServer
from services.runtime.postgres import Pool, is_world_fault, open_pool
from services.runtime.relay import Relay, Route, topic_of_type
from services.runtime.settings import RuntimeSettings
from services.runtime.telemetry import logs, tracing
from services.runtime.writer import ShardWriter

log = structlog.get_logger(__name__)

FAILED: Final = 1
_POOL_CLOSE_S: Final = 5.0
# Batches make many objects that live as long as the batch; the collector's default of 700 would look at them in vain.
_GARBAGE_THRESHOLD: Final = 50_000


class Part(Protocol):
    """Something that runs in a process until it is told to stop."""

    async def run(self) -> None:
        """Run until `stop`."""
        ...

    def stop(self) -> None:
        """Ask it to finish what it has in hand and end."""
        ...


class Process:
    """What parts are built from: pools that are closed at the end, and checks of health for what is made here."""

    def __init__(self, name: str, settings: RuntimeSettings) -> None:
        self.name = name
        self.settings = settings
        self.health = Health()
        self.stack = AsyncExitStack()

    async def pool(self, schema: str, *, max_size: int | None = None, session: Mapping[str, str] | None = None) -> Pool:
        """Open a pool in a service's role and schema, closed when the process ends; `session` as in `open_pool`."""
        pool = await open_pool(self.settings, schema, max_size=max_size, session=session)
        self.stack.push_async_callback(_close, pool)
        self.health.add(f"postgres {schema}", postgres_answers(pool))
        return pool

    def consumer(self, writers: Mapping[str, ShardWriter], group: str, *, in_background: bool = False) -> ConsumerLoop:
        """Make a consumer loop; `writers` by topic."""
        loop = ConsumerLoop(writers, group, self.settings, in_background=in_background)
        self.health.add(f"consumer {group}", consumer_joined(loop))
        gate = next(iter(writers.values())).gate
        self.health.add(f"commits {group}", commits_move(gate, self.settings.stuck_after_s))
        return loop

    def relay(self, pool: Pool, route: Route = topic_of_type, *, prune: bool = False) -> Relay:
        """Make the relay of a pool's schema; `prune` where its log is an outbox."""
        relay = Relay(pool, self.settings, route, prune=prune)
        self.health.add(f"relay {pool.schema}", relay_runs(relay, self.settings.stuck_after_s))
        return relay


Build = Callable[[Process], Awaitable[Sequence[Part]]]


def run_process(name: str, build: Build, settings: RuntimeSettings) -> None:
    """Run the parts that `build` makes until SIGTERM or SIGINT; exits with 1 if one of them failed."""
    logs.configure(settings, name)
    tracing.start(settings, name)
    gc.set_threshold(_GARBAGE_THRESHOLD)
    try:
        failed = uvloop.run(supervise(Process(name, settings), build))
    finally:
        tracing.stop()
    if failed:
        sys.exit(FAILED)


async def supervise(process: Process, build: Build) -> bool:
    """Build the parts, run them, stop them on a signal or when one fails; gives whether one failed."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        return await _supervise(process, build, stopping)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _supervise(process: Process, build: Build, stopping: asyncio.Event) -> bool:
    probes = await _start_probes(process)
    try:
        async with process.stack:
            parts = await _build(process, build, stopping)
            # What was imported and built stays for good: to search all of it for garbage stops everybody for long.
            gc.collect()
            gc.freeze()
            log.info("running", parts=[type(part).__name__ for part in parts])
            return await _run_parts(parts, stopping, process.settings.stop_grace_s)
    finally:
        if probes is not None:
            server, task = probes
            server.stop()
            await task


async def _build(process: Process, build: Build, stopping: asyncio.Event) -> Sequence[Part]:
    """Build the parts; while Postgres or Kafka is away, try again."""
    backoff = Backoff.of(process.settings)
    while not stopping.is_set():
        try:
            return await build(process)
        except Exception as error:
            if not is_world_fault(error):
                raise
            log.warning("cannot start yet", error=f"{type(error).__name__}: {error}")
            await process.stack.aclose()
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), backoff.next_s())
    return []


async def _run_parts(parts: Sequence[Part], stopping: asyncio.Event, grace_s: float) -> bool:
    stop = asyncio.create_task(stopping.wait())
    tasks = [asyncio.create_task(part.run(), name=type(part).__name__) for part in parts]
    done, _ = await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping", because="signal" if stop in done else "a part ended")
    stop.cancel()
    for part in parts:
        part.stop()
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=grace_s)
        for task in late:
            log.warning("not finished in time", part=task.get_name())
            task.cancel()
        await asyncio.wait(tasks)
    return _report(tasks)


def _report(tasks: Sequence[asyncio.Task[None]]) -> bool:
    failed = False
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a part failed", part=task.get_name(), exc_info=error)
            failed = True
    return failed


async def _start_probes(process: Process) -> tuple[HttpServer, asyncio.Task[None]] | None:
    settings = process.settings
    if settings.metrics_port is None:
        return None
    app = Starlette(routes=probe_routes(process.health))
    server = HttpServer(app, settings.metrics_host, settings.metrics_port, grace_s=1)
    task = asyncio.create_task(server.run(), name="probes")
    log.info("health and metrics", port=await server.port())
    return server, task


async def _close(pool: Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), _POOL_CLOSE_S)
    except TimeoutError:
        pool.terminate()
