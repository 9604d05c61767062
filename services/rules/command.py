"""`bonus rules`: the brain's processes."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from contracts.envelope import DEFAULT_TENANT
from contracts.topics import (
    ACTIVITIES,
    BUDGETS,
    IDENTIFIERS,
    LEDGER_EVENTS,
    PURCHASE_INDEX,
    PURCHASES,
    RECEIPTS,
    RETURNS,
)
from services.rules.api import application
from services.rules.api.state import Parts
from services.rules.budgets.processor import BudgetProcessor
from services.rules.decide.due import participants_due
from services.rules.decide.processor import DecideProcessor
from services.rules.decide.queries import Decisions
from services.rules.decide.watermark import Watermark
from services.rules.enrolment.file import BadLine, Member, Membership, read
from services.rules.enrolment.sending import send
from services.rules.identify.due import unclaimed
from services.rules.identify.merges import MergeFollower
from services.rules.identify.processor import IdentifyProcessor
from services.rules.identify.queries import Queries
from services.rules.index.processor import EntryProcessor, IndexProcessor
from services.rules.listener import LedgerListener
from services.rules.privacy import KeysError, MasterKeys, Pseudonyms, Vault
from services.rules.programmes.catalogue import Catalogue
from services.rules.rehearsal.command import rehearse
from services.rules.rehearsal.sweeping import RehearsalSweeper
from services.rules.rehearsal.worker import RehearsalWorker
from services.rules.settings import RulesSettings
from services.runtime.consumer import ConsumerLoop
from services.runtime.http.server import HttpServer
from services.runtime.process import Part, Process, run_process
from services.runtime.shard import Processor
from services.runtime.sweeper import Sweeper
from services.runtime.writer import ShardWriter, wall_clock

SCHEMA: Final = "rules"

Made = TypeVar("Made")

app = typer.Typer(no_args_is_help=True, help="The brain: work, relay, serve.")
app.command()(rehearse)


class Worker(StrEnum):
    """What a worker process may be told to do alone."""

    IDENTIFY = "identify"
    INDEX = "index"
    DECIDE = "decide"
    VERDICTS = "verdicts"
    BUDGETS = "budgets"


_IN_BACKGROUND: Final = {Worker.INDEX, Worker.VERDICTS}
"""No balance waits for these: returns and quotes do, for a moment."""


class Secrets:
    """What is needed to keep what is personal. Raises `typer.BadParameter` where the settings have no usable keys."""

    def __init__(self, settings: RulesSettings) -> None:
        self.vault = Vault(_from("BONUS_MASTER_KEYS", lambda: MasterKeys.parse(settings.master_keys)))
        self.pseudonyms = _from("BONUS_IDENTIFIER_KEY", lambda: Pseudonyms(settings.identifier_key))


@app.command()
def work(
    only: Annotated[list[Worker] | None, typer.Option(help="Do this alone; may be said several times.")] = None,
) -> None:
    """Take in what comes over Kafka: identify, index, decide, and hear the ledger's verdicts."""
    settings = RulesSettings()
    secrets = Secrets(settings)

    async def build(process: Process) -> Sequence[Part]:
        return await build_work(process, settings, secrets, only or list(Worker))

    run_process("rules-work", build, settings)


@app.command()
def relay() -> None:
    """Publish what was identified, indexed and decided, in order."""

    async def build(process: Process) -> Sequence[Part]:
        return [process.relay(await process.pool(SCHEMA), prune=True)]

    run_process("rules-relay", build, RulesSettings())


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; 0: a free one.", min=0, max=65_535)] = None,
) -> None:
    """Answer over HTTP: purchases, returns, members, programmes, decisions, quotes."""
    settings = RulesSettings()
    secrets = Secrets(settings)
    address = (host or settings.rules_host, settings.rules_port if port is None else port)

    async def build(process: Process) -> Sequence[Part]:
        return await build_serve(process, settings, secrets, address)

    run_process("rules-serve", build, settings)


@app.command()
def enrol(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with a header line; see the docs.")],
    programme: Annotated[str, typer.Option(help="The programme that they join.")],
    enrolled_at: Annotated[
        str | None, typer.Option(help="When those joined whose line does not say: 2026-03-05T10:00:00+01:00")
    ] = None,
    tenant: Annotated[str, typer.Option(help="Whose members they are.")] = DEFAULT_TENANT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file and send nothing.")] = False,
) -> None:
    """Enrol the members of a CSV file; sent twice it enrols nobody twice. A file with a bad line is not sent at all."""
    since = _instant(enrolled_at)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        found = list(read(lines, Membership(tenant, programme, since)))
    members = [each for each in found if isinstance(each, Member)]
    bad = [each for each in found if isinstance(each, BadLine)]
    for line in bad:
        typer.echo(f"line {line.number}: {line.reason}", err=True)
    if bad:
        typer.echo(f"{len(bad)} of {len(found)} lines are bad: nothing was sent", err=True)
        raise typer.Exit(1)
    if not dry_run:
        asyncio.run(send(RulesSettings(), tenant, members, wall_clock()))
    typer.echo(f"{len(members)} enrolments {'could be' if dry_run else 'were'} sent")


@app.command()
def rehearsals() -> None:
    """Do the rehearsals that are asked for, beside the live work: its processes take what others leave of a core."""
    settings = RulesSettings()
    Secrets(settings)

    async def build(process: Process) -> Sequence[Part]:
        pool = await process.pool(SCHEMA, max_size=settings.rehearsal_processes + 1)
        return [RehearsalWorker(pool, settings), RehearsalSweeper(pool, settings)]

    run_process("rules-rehearsals", build, settings)


async def build_work(
    process: Process, settings: RulesSettings, secrets: Secrets, only: Sequence[Worker]
) -> Sequence[Part]:
    """The parts of a worker: a consumer for each thing it does, and its copy of the programmes."""
    pool = await process.pool(SCHEMA)
    catalogue = await _catalogue(process, settings)
    processors: dict[Worker, Processor] = {
        Worker.IDENTIFY: _identify(catalogue, settings, secrets),
        Worker.INDEX: IndexProcessor(catalogue, secrets.vault, ahead_max=_ahead_max(settings)),
        Worker.DECIDE: DecideProcessor(catalogue, secrets.vault),
        Worker.VERDICTS: LedgerListener(MergeFollower(secrets.pseudonyms, secrets.vault)),
        Worker.BUDGETS: BudgetProcessor(),
    }
    topics = {
        Worker.IDENTIFY: (PURCHASES, ACTIVITIES, IDENTIFIERS),
        Worker.INDEX: (PURCHASE_INDEX, RETURNS),
        Worker.DECIDE: (RECEIPTS,),
        Worker.VERDICTS: (LEDGER_EVENTS,),
        Worker.BUDGETS: (BUDGETS,),
    }
    parts: list[Part] = [catalogue]
    for worker in dict.fromkeys(only):
        writer = ShardWriter(pool, processors[worker], settings=settings)
        writers = {topic.name: writer for topic in topics[worker]}
        if worker is Worker.INDEX:
            entries = EntryProcessor(catalogue, secrets.vault, ahead_max=_ahead_max(settings))
            writers[PURCHASE_INDEX.name] = ShardWriter(pool, entries, settings=settings)
        consumer = process.consumer(writers, f"rules-{worker}", in_background=worker in _IN_BACKGROUND)
        parts.append(consumer)
        if worker is Worker.IDENTIFY:
            parts.append(_sweeper_of_unclaimed(writer, consumer, settings))
        if worker is Worker.DECIDE:
            parts += _tiers(writer, settings)
    return parts


def _tiers(decide: ShardWriter, settings: RulesSettings) -> Sequence[Part]:
    """What ends tiers on their day, also of members who no longer buy."""
    watermark = Watermark(decide.pool, settings)
    delay, quiet = timedelta(seconds=settings.tier_sweep_delay_s), timedelta(seconds=settings.due_sweep_quiet_s)
    behind_max = timedelta(seconds=settings.due_sweep_behind_max_s)
    find = participants_due(lambda: watermark.decided_through, delay, quiet, behind_max)
    return [watermark, Sweeper(decide, find, settings)]


async def build_serve(
    process: Process, settings: RulesSettings, secrets: Secrets, address: tuple[str, int]
) -> Sequence[Part]:
    """The parts of an API: commands and queries on pools of their own, so that neither waits for the other."""
    writes = await process.pool(SCHEMA, max_size=settings.rules_pool_writes)
    reads = await process.pool(SCHEMA, max_size=settings.rules_pool_reads)
    catalogue = await _catalogue(process, settings)
    index = IndexProcessor(catalogue, secrets.vault, ahead_max=_ahead_max(settings))
    parts = Parts(
        ShardWriter(writes, _identify(catalogue, settings, secrets), settings=settings),
        ShardWriter(writes, index, settings=settings),
        reads,
        Queries(reads, secrets.pseudonyms, secrets.vault),
        Decisions(),
        secrets.vault,
        wall_clock,
        catalogue,
    )
    api = application(settings, parts, process.health)
    return [
        catalogue,
        HttpServer(api, *address, grace_s=settings.stop_grace_s, keep_alive_s=settings.http_keep_alive_s),
    ]


def _sweeper_of_unclaimed(writer: ShardWriter, consumer: ConsumerLoop, settings: RulesSettings) -> Sweeper:
    sweeping = settings.model_copy(update={"sweep_interval_ms": settings.rules_unclaimed_sweep_ms})
    grace = timedelta(seconds=settings.rules_claim_grace_s)
    return Sweeper(writer, unclaimed(grace), sweeping, shards=consumer.shards)


async def _catalogue(process: Process, settings: RulesSettings) -> Catalogue:
    # Decisions ask it while they hold a connection: from their own pool, transactions that have taken all connections
    # would wait for one another.
    pool = await process.pool(SCHEMA, max_size=1)
    return Catalogue(pool, settings, refresh_s=settings.programmes_refresh_s, fresh_s=settings.programmes_fresh_s)


def _identify(catalogue: Catalogue, settings: RulesSettings, secrets: Secrets) -> IdentifyProcessor:
    return IdentifyProcessor(catalogue, secrets.pseudonyms, secrets.vault, ahead_max=_ahead_max(settings))


def _ahead_max(settings: RulesSettings) -> timedelta:
    return timedelta(seconds=settings.rules_time_ahead_max_s)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise typer.BadParameter("write a time with its zone: 2026-03-05T10:00:00+01:00", param_hint="--enrolled-at")
    return instant


def _from(variable: str, make: Callable[[], Made]) -> Made:
    try:
        return make()
    except KeysError as error:
        raise typer.BadParameter(f"{variable}: {error}") from error
