"""`bonus rules rehearse`: a programme file on recorded purchases, here and now, with the page to show."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final
from uuid import uuid4

import orjson
import typer

from contracts.envelope import DEFAULT_TENANT
from contracts.shards import shard_of
from services.rules.programmes.store import FaultyFileError, checked
from services.rules.rehearsal.page import page_of
from services.rules.rehearsal.plan import Asked
from services.rules.rehearsal.store import Kept, Rehearsals, said_of
from services.rules.rehearsal.worker import RehearsalWorker
from services.rules.settings import RulesSettings
from services.runtime.http.idempotency import fingerprint
from services.runtime.http.languages import asked_for
from services.runtime.postgres import open_pool
from services.runtime.writer import wall_clock

SCHEMA: Final = "rules"
OPERATOR: Final = "bonus rules rehearse"
_DAYS: Final = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
_LOOK_S: Final = 1.0


def rehearse(  # noqa: PLR0913, PLR0917 - the options of a command
    file: Annotated[Path, typer.Argument(help="The programme file to rehearse (YAML).", exists=True, dir_okay=False)],
    since: Annotated[datetime, typer.Option("--from", help="The beginning of the period, in UTC.", formats=_DAYS)],
    until: Annotated[datetime, typer.Option(help="Its end, in UTC, itself left out.", formats=_DAYS)],
    against: Annotated[int | None, typer.Option(help="A published version; left out: what was decided live.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page here.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the report as data here.")] = None,
    language: Annotated[str, typer.Option(help="Of the page: pl, ru or en.")] = "en",
    tenant: Annotated[str, typer.Option(help="Whose programme it is.")] = DEFAULT_TENANT,
) -> None:
    """Rehearse a programme file on the recorded purchases of a period, and say what it would have cost."""
    text = file.read_text(encoding="utf-8")
    try:
        programme = checked(text).key
    except FaultyFileError as error:
        for each in error.errors:
            typer.echo(f"{file}: {each}", err=True)
        raise typer.Exit(1) from None
    if until <= since:
        raise typer.BadParameter("a period ends after it begins", param_hint="--until")
    rehearsal_id = uuid4()
    asked = Asked(
        shard_of(str(rehearsal_id)), rehearsal_id, tenant, programme, text, None, against,
        since.replace(tzinfo=UTC), until.replace(tzinfo=UTC),
    )  # fmt: skip
    kept = asyncio.run(_done(asked))
    if kept.report is None:
        typer.echo(f"{programme}: {kept.error}", err=True)
        raise typer.Exit(1)
    said = said_of(kept)
    if html is not None:
        html.write_text(page_of(said, asked_for(language)), encoding="utf-8")
    if json is not None:
        json.write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2, default=str))
    cost = kept.report["cost"]
    typer.echo(
        f"{programme}: {kept.report['baskets']} baskets of {kept.report['members']} members; rehearsed "
        f"{cost['rehearsed']['money']}, live {cost['live']['money']}, difference {cost['difference']} "
        f"{kept.report['money']}"
    )


async def _done(asked: Asked) -> Kept:
    settings = RulesSettings()
    pool = await open_pool(settings, SCHEMA, max_size=settings.rehearsal_processes + 1)
    rehearsals = Rehearsals(pool)
    await rehearsals.ask(asked, fingerprint(str(asked.rehearsal_id)), OPERATOR, wall_clock())
    worker = asyncio.create_task(RehearsalWorker(pool, settings, only=asked).run())
    while not worker.done():
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(worker), _LOOK_S)
        kept = await rehearsals.find(asked.tenant, asked.rehearsal_id)
        if kept is not None and not worker.done():
            typer.echo(f"{kept.parts_done} of {kept.parts} parts done", err=True)
    worker.result()
    kept = await rehearsals.find(asked.tenant, asked.rehearsal_id)
    await pool.close()
    if kept is None:
        raise RuntimeError("a rehearsal that was asked for is there")
    return kept
