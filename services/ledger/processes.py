"""`bonus ledger work|relay|serve|open-balances`: the books' processes."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from contracts.envelope import DEFAULT_TENANT
from contracts.topics import AWARDS, MEMBER_EVENTS, PROGRAMMES, REDEMPTIONS, TRANSFERS
from services.ledger.api import application
from services.ledger.api.state import Parts
from services.ledger.confirmations import Confirmations
from services.ledger.opening import run as opening_run
from services.ledger.opening.file import Terms
from services.ledger.processor import LOG_COLUMNS, LedgerProcessor
from services.ledger.programmes import ProgrammeProcessor, Programmes
from services.ledger.settings import LedgerSettings
from services.ledger.storage import SESSION
from services.ledger.timers import find_due
from services.runtime.http.server import HttpServer
from services.runtime.postgres import Pool
from services.runtime.process import Part, Process, run_process
from services.runtime.sweeper import Sweeper
from services.runtime.writer import ShardWriter, wall_clock

SCHEMA = "ledger"
GROUP = "ledger"

app = typer.Typer()


@app.command()
def work() -> None:
    """Book what comes over Kafka, and what time alone does to idle accounts."""
    settings = LedgerSettings()

    async def build(process: Process) -> Sequence[Part]:
        return await build_work(process, settings)

    run_process("ledger-work", build, settings)


@app.command()
def relay() -> None:
    """Publish what was booked, in order."""

    async def build(process: Process) -> Sequence[Part]:
        return [process.relay(await process.pool(SCHEMA))]

    run_process("ledger-relay", build, LedgerSettings())


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on; else BONUS_LEDGER_HOST.")] = None,
    port: Annotated[
        int | None,
        typer.Option(help="The port to listen on, 0: a free one; else BONUS_LEDGER_PORT.", min=0, max=65_535),
    ] = None,
) -> None:
    """Answer over HTTP: balances, statements; redemptions and holds."""
    settings = LedgerSettings()
    address = (host or settings.ledger_host, settings.ledger_port if port is None else port)

    async def build(process: Process) -> Sequence[Part]:
        return await build_serve(process, settings, *address)

    run_process("ledger-serve", build, settings)


async def build_work(process: Process, settings: LedgerSettings) -> Sequence[Part]:
    """The parts of a worker: the consumer, and the sweeper of idle accounts."""
    pool = await process.pool(SCHEMA, session=SESSION)
    programmes = Programmes()
    await programmes.refresh(pool)
    confirmations = Confirmations(settings.confirmation_public_key)
    books = ShardWriter(pool, LedgerProcessor(programmes, confirmations), settings=settings, log_columns=LOG_COLUMNS)
    published = ShardWriter(pool, ProgrammeProcessor(), settings=settings, log_columns=LOG_COLUMNS)
    writers = dict.fromkeys((AWARDS.name, REDEMPTIONS.name, TRANSFERS.name, MEMBER_EVENTS.name), books)
    consumer = process.consumer({**writers, PROGRAMMES.name: published}, GROUP)
    sweeping = settings.model_copy(update={"sweep_batch": settings.ledger_sweep_accounts})
    sweeper = Sweeper(books, find_due, sweeping)
    return [consumer, sweeper, KeptFresh(programmes, pool, settings.ledger_programmes_poll_ms / 1_000)]


async def build_serve(process: Process, settings: LedgerSettings, host: str, port: int) -> Sequence[Part]:
    """The parts of an API: commands and queries on pools of their own, so that neither waits for the other."""
    writes = await process.pool(SCHEMA, max_size=settings.ledger_pool_writes, session=SESSION)
    reads = await process.pool(SCHEMA, max_size=settings.ledger_pool_reads, session=SESSION)
    programmes = Programmes()
    await programmes.refresh(reads)
    confirmations = Confirmations(settings.confirmation_public_key)
    writer = ShardWriter(writes, LedgerProcessor(programmes, confirmations), settings=settings, log_columns=LOG_COLUMNS)
    parts = Parts(writer, reads, programmes, settings, wall_clock, confirmations)
    api = application.create(settings, parts, process.health)
    server = HttpServer(api, host, port, grace_s=settings.stop_grace_s, keep_alive_s=settings.http_keep_alive_s)
    return [server, KeptFresh(programmes, reads, settings.ledger_programmes_poll_ms / 1_000)]


class KeptFresh:
    """A part of a process that keeps its copy of the programmes fresh."""

    def __init__(self, programmes: Programmes, pool: Pool, interval_s: float) -> None:
        self._programmes = programmes
        self._pool = pool
        self._interval_s = interval_s
        self._task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Refresh until `stop`."""
        self._task = asyncio.create_task(self._programmes.keep_fresh(self._pool, self._interval_s))
        with suppress(asyncio.CancelledError):
            await self._task

    def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()


@app.command("open-balances")
def open_balances(  # noqa: PLR0913 - typer reads options from the signature
    file: Annotated[Path, typer.Argument(help="The CSV file: member, currency, points, expires, earned, partner.")],
    *,
    programme: Annotated[str, typer.Option(help="The programme whose accounts are opened.")],
    tenant: Annotated[str, typer.Option(help="Whose programme it is.")] = DEFAULT_TENANT,
    scale: Annotated[list[str] | None, typer.Option(help="points=2, for a programme not published here.")] = None,
    zone: Annotated[str, typer.Option(help="The zone in which days end, where it is not published here.")] = "UTC",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file, book nothing.")] = False,
) -> None:
    """Open balances from an old system, each account once, however often this is run; exit 1 for bad lines."""
    try:
        scales = {name: int(decimals) for name, _, decimals in (each.partition("=") for each in scale or ())}
    except ValueError:
        raise typer.BadParameter("write a currency and its decimals: points=2", param_hint="--scale") from None
    terms = Terms(scales, zone)
    if not uvloop.run(opening_run.run(LedgerSettings(), file, (tenant, programme), terms, dry_run=dry_run)):
        raise typer.Exit(1)
