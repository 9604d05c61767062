"""`bonus programme`: programme files on the way to publication, and decisions explained."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import typer

from contracts.envelope import DEFAULT_TENANT
from services.rules.decide.queries import Decisions
from services.rules.domain.programme import ProgrammeVersion
from services.rules.domain.refusals import Refusal
from services.rules.explanation.languages import asked_for
from services.rules.explanation.words import Told, in_words
from services.rules.privacy import KeysError, MasterKeys, Vault
from services.rules.programmes.differences import differences
from services.rules.programmes.queries import published_version
from services.rules.programmes.store import Answer, FaultyFileError, Place, ProgrammeStore, checked
from services.rules.programmes.support import unsupported
from services.rules.settings import RulesSettings
from services.runtime.gate import gate_of
from services.runtime.postgres import Pool, open_pool
from services.runtime.writer import wall_clock

OPERATOR = "bonus programme"

Result = TypeVar("Result")

app = typer.Typer(no_args_is_help=True, help="Programme files: lint, diff, publish, explain.")

File = Annotated[Path, typer.Argument(help="A programme file (YAML).", exists=True, dir_okay=False)]
Tenant = Annotated[str, typer.Option(help="Whose programme it is.")]


@app.command()
def lint(files: Annotated[list[Path], typer.Argument(help="Programme files.", exists=True, dir_okay=False)]) -> None:
    """Check files; every fault is named with line and column. Exit 1 if there is one."""
    faults = 0
    for file in files:
        try:
            version = checked(_text(file))
        except FaultyFileError as error:
            faults += len(error.errors)
            for each in error.errors:
                typer.echo(f"{file}: {each}", err=True)
            continue
        typer.echo(f"{file}: programme {version.key}, {len(version.rules)} rules: good")
        for missing in unsupported(version):
            typer.echo(f"{file}: it cannot be published yet: {missing}")
    if faults:
        raise typer.Exit(1)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="The file as it was.", exists=True, dir_okay=False)],
    new: Annotated[Path, typer.Argument(help="The file as it will be.", exists=True, dir_okay=False)],
) -> None:
    """Say in words what changes for members."""
    found = differences(_draft(old), _draft(new))
    for sentence in found:
        typer.echo(f"- {sentence}")
    if not found:
        typer.echo("Nothing changes for members.")


@app.command()
def publish(
    file: File,
    starts_at: Annotated[
        datetime | None,
        typer.Option(
            help="From when on it judges, in UTC; left out: as soon as it may.",
            formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"],
        ),
    ] = None,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Draft a file and publish it, straight into the database. A first version may start in the past."""
    draft = _draft(file)
    start = starts_at.replace(tzinfo=UTC) if starts_at else None

    async def put(pool: Pool, settings: RulesSettings) -> Answer | Refusal:
        gate = gate_of(pool, clock=wall_clock, settings=settings)
        store = ProgrammeStore(pool, gate, lead=timedelta(seconds=settings.programme_lead_s))
        place = Place(tenant, draft.key)
        drafted = await store.draft(place, _text(file), OPERATOR)
        if isinstance(drafted, Refusal):
            return drafted
        return await store.publish(place, drafted.said["version"], start, OPERATOR)

    published = _with_database(put)
    if isinstance(published, Refusal):
        typer.echo(f"{published.code}: {published.message}", err=True)
        raise typer.Exit(1)
    said = published.said
    typer.echo(f"{said['programme']}: version {said['version']} starts at {said['starts_at']:%Y-%m-%d %H:%M:%S} UTC")


@app.command()
def explain(
    decision_id: Annotated[UUID, typer.Argument(help="The decision's id.")],
    language: Annotated[str, typer.Option(help="pl, ru or en.")] = "en",
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Tell in words what was decided, and why."""

    async def ask(pool: Pool, settings: RulesSettings) -> str | None:
        found = await Decisions().find(pool, _vault(settings), tenant, decision_id)
        if found is None:
            return None
        version = None
        if found.version is not None:
            version = await published_version(pool, tenant, found.programme, found.version)
        told = Told(
            found.number, found.kind, found.cause_id, found.occurred_at, found.programme, found.version, found.reason,
            found.record,
        )  # fmt: skip
        return in_words(told, version, asked_for(language))

    text = _with_database(ask)
    if text is None:
        typer.echo("no such decision was taken", err=True)
        raise typer.Exit(1)
    typer.echo(text, nl=False)


def _draft(file: Path) -> ProgrammeVersion:
    try:
        return checked(_text(file))
    except FaultyFileError as error:
        for each in error.errors:
            typer.echo(f"{file}: {each}", err=True)
        raise typer.Exit(1) from error


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file} is not text in UTF-8") from error


def _vault(settings: RulesSettings) -> Vault:
    try:
        return Vault(MasterKeys.parse(settings.master_keys))
    except KeysError as error:
        raise typer.BadParameter(f"BONUS_MASTER_KEYS: {error}") from error


def _with_database(do: Callable[[Pool, RulesSettings], Awaitable[Result]]) -> Result:
    settings = RulesSettings()
    if not settings.postgres_dsn:
        raise typer.BadParameter("BONUS_POSTGRES_DSN is not set; `bonus local env` prints it")

    async def run() -> Result:
        pool = await open_pool(settings, "rules", max_size=1)
        try:
            return await do(pool, settings)
        finally:
            await pool.close()

    return asyncio.run(run())
