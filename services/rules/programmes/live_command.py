"""The commands of `bonus programme` that change what is live: straight in the database, as the API does it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from contracts.envelope import DEFAULT_TENANT
from services.rules.domain.refusals import Refusal
from services.rules.programmes.queries import versions_of
from services.rules.programmes.store import Answer, FaultyFileError, Place, ProgrammeStore, checked
from services.rules.settings import RulesSettings
from services.runtime.gate import gate_of
from services.runtime.postgres import Pool, open_pool
from services.runtime.writer import wall_clock

OPERATOR: Final = "bonus programme"
_FORMATS: Final = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]
_SHOWN: Final = "%Y-%m-%d %H:%M:%S"

Result = TypeVar("Result")
Change = Callable[[ProgrammeStore], Awaitable[Answer | Refusal]]

Tenant = Annotated[str, typer.Option(help="Whose programme it is.")]
Name = Annotated[str, typer.Argument(help="The programme's key.")]
StartsAt = Annotated[
    datetime | None,
    typer.Option(help="From when on it judges, in UTC; left out: as soon as it may.", formats=_FORMATS),
]


def publish(
    file: Annotated[Path, typer.Argument(help="A programme file (YAML).", exists=True, dir_okay=False)],
    starts_at: StartsAt = None,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Draft a file and publish it. A first version may start in the past."""
    try:
        text = file.read_text(encoding="utf-8")
        place = Place(tenant, checked(text).key)
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file} is not text in UTF-8") from error
    except FaultyFileError as error:
        for each in error.errors:
            typer.echo(f"{file}: {each}", err=True)
        raise typer.Exit(1) from error

    async def put(store: ProgrammeStore) -> Answer | Refusal:
        drafted = await store.draft(place, text, OPERATOR)
        if isinstance(drafted, Refusal):
            return drafted
        return await store.publish(place, drafted.said["version"], _utc(starts_at), OPERATOR)

    _say_start(_changed(put))


def rollback(
    programme: Name,
    version: Annotated[int, typer.Argument(help="The version whose file starts again.", min=1)],
    starts_at: StartsAt = None,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Let the file of an earlier version start again, as the next version."""
    place = Place(tenant, programme)
    _say_start(_changed(lambda store: store.roll_back(place, version, _utc(starts_at), OPERATOR)))


def suspend(
    programme: Name,
    since: Annotated[
        datetime | None, typer.Option("--from", help="From when on, in UTC; left out: now.", formats=_FORMATS)
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Until when, in UTC; left out: until it is resumed.", formats=_FORMATS)
    ] = None,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Let a programme stand still: what is bought then earns nothing, and nothing is redeemed."""
    place = Place(tenant, programme)
    _say_suspensions(_changed(lambda store: store.suspend(place, _utc(since), _utc(until))))


def resume(programme: Name, tenant: Tenant = DEFAULT_TENANT) -> None:
    """Let a programme go on now; suspensions that are still to come are called off."""
    _say_suspensions(_changed(lambda store: store.resume(Place(tenant, programme))))


def versions(programme: Name, tenant: Tenant = DEFAULT_TENANT) -> None:
    """List the versions of a programme, drafts included."""
    found = with_database(lambda pool, _: versions_of(pool, tenant, programme))
    if not found:
        typer.echo(f"there is no programme {programme}", err=True)
        raise typer.Exit(1)
    for row in found:
        start = f"starts at {row.starts_at.astimezone(UTC):{_SHOWN}} UTC" if row.starts_at else "draft"
        typer.echo(f"{row.version:>4}  {start}  by {row.published_by or row.drafted_by}")


def with_database(do: Callable[[Pool, RulesSettings], Awaitable[Result]]) -> Result:
    """Do something with the database of rules, on a connection of its own."""
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


def _changed(change: Change) -> Answer:
    """What a change came to; exit 1 with the reason if it was refused."""

    async def put(pool: Pool, settings: RulesSettings) -> Answer | Refusal:
        gate = gate_of(pool, clock=wall_clock, settings=settings)
        return await change(ProgrammeStore(pool, gate, lead=timedelta(seconds=settings.programme_lead_s)))

    found = with_database(put)
    if isinstance(found, Refusal):
        typer.echo(f"{found.code}: {found.message}", err=True)
        raise typer.Exit(1)
    return found


def _say_start(answer: Answer) -> None:
    said = answer.said
    typer.echo(f"{said['programme']}: version {said['version']} starts at {said['starts_at']:{_SHOWN}} UTC")


def _say_suspensions(answer: Answer) -> None:
    said = answer.said
    if not said["suspensions"]:
        typer.echo(f"{said['programme']}: runs")
    for each in said["suspensions"]:
        until = f"until {each['ends_at']:{_SHOWN}} UTC" if each["ends_at"] else "until it is resumed"
        typer.echo(f"{said['programme']}: stands still from {each['starts_at']:{_SHOWN}} UTC {until}")


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at else None
