"""`bonus deadletters`: messages that were set aside, and the way back for them."""

import asyncio
import getpass
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import typer
from aiokafka import AIOKafkaProducer
from rich.console import Console
from rich.table import Table

from services.runtime import replay as letters
from services.runtime.postgres import Pool, open_pool
from services.runtime.replay import Filter, UnknownDeadLetterError, UnreadableDeadLetterError
from services.runtime.sealing import Sealing
from services.runtime.settings import RuntimeSettings

SERVICES: Final = ("ledger", "rules", "notifier")
_REQUEST_OVERHEAD_BYTES: Final = 64 * 1024
_COLUMNS: Final = ("dead_letter_id", "service", "topic", "partition", "kafka_offset", "code", "state", "set_aside_at")

app = typer.Typer(no_args_is_help=True, help="Messages that were set aside because they could not be taken in.")

Service = Annotated[str | None, typer.Option(help=f"One of {', '.join(SERVICES)}; all if left out.")]
Topic = Annotated[str | None, typer.Option(help="Those of this topic alone.")]
Code = Annotated[str | None, typer.Option(help="Those set aside for this reason alone.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command("list")
def list_letters(  # noqa: PLR0913, PLR0917 - the options of a command
    service: Service = None,
    topic: Topic = None,
    code: Code = None,
    everything: Annotated[bool, typer.Option("--all", help="Also those that were replayed.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many of each service.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List what was set aside, the latest first."""
    wanted = Filter(topic, code, letters.STATES if everything else letters.OPEN, limit)

    async def run(pools: Sequence[Pool]) -> list[dict[str, Any]]:
        return [letter for pool in pools for letter in await letters.find(pool, wanted)]

    found = _run(service, run)
    if as_json:
        typer.echo(json.dumps(found, default=str))
        return
    table = Table(*_COLUMNS, box=None, pad_edge=False, header_style="bold")
    for letter in found:
        table.add_row(*(str(letter[column]) for column in _COLUMNS))
    Console(soft_wrap=True).print(table)


@app.command()
def show(letter_id: UUID, service: Service = None, as_json: AsJson = False) -> None:
    """Show one of them: why it was set aside, and the message itself. It may hold personal data."""

    async def run(pools: Sequence[Pool]) -> dict[str, Any]:
        return (await letters.show(pools, letter_id, Sealing.of(RuntimeSettings().master_keys)))[1]

    letter = {name: _readable(value) for name, value in _run(service, run).items()}
    if as_json:
        typer.echo(json.dumps(letter, default=str))
        return
    for name, value in letter.items():
        typer.echo(f"{name}: {value}")


@app.command()
def replay(  # noqa: PLR0913, PLR0917 - the options of a command
    letter_ids: Annotated[list[UUID] | None, typer.Argument(help="Their ids; or choose by --topic and --code.")] = None,
    service: Service = None,
    topic: Topic = None,
    code: Code = None,
    body: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A mended message, sent in the place of this one.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who does this; kept with the message.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many of each service.")] = 1_000,
) -> None:
    """Send messages to their topics again. What was taken in before is recognised, and not done twice."""
    ids = letter_ids or []
    if not ids and topic is None and code is None:
        raise typer.BadParameter("name messages, or choose them by --topic or --code")
    if body is not None and len(ids) != 1:
        raise typer.BadParameter("a mended body is for one message", param_hint="--body")
    mended = body.read_bytes() if body is not None else None
    settings = RuntimeSettings()

    async def run(pools: Sequence[Pool]) -> list[dict[str, Any]]:
        chosen = list(ids)
        if not chosen:
            wanted = Filter(topic, code, limit=limit)
            found = [letter for pool in pools for letter in await letters.find(pool, wanted)]
            # In the order in which they came, as far as that is known.
            found.sort(key=lambda each: (each["topic"], each["partition"], each["kafka_offset"]))
            chosen = [letter["dead_letter_id"] for letter in found]
        async with _producer(settings) as producer:
            way = letters.Way(pools, producer, Sealing.of(settings.master_keys), settings.topic_prefix)
            who = by or getpass.getuser()
            return [await letters.replay(way, each, by=who, now=datetime.now(UTC), body=mended) for each in chosen]

    for sent in _run(service, run):
        typer.echo(f"{sent['dead_letter_id']} -> {sent['topic']} [{sent['partition']}] {sent['offset']}")


def _run(service: str | None, action: Callable[[Sequence[Pool]], Coroutine[Any, Any, Any]]) -> Any:  # noqa: ANN401 - whatever the action gives
    if service is not None and service not in SERVICES:
        raise typer.BadParameter(f"no such service; there are {', '.join(SERVICES)}", param_hint="--service")
    settings = RuntimeSettings()

    async def run() -> Any:  # noqa: ANN401 - the same
        async with _pools(settings, (service,) if service is not None else SERVICES) as pools:
            return await action(pools)

    try:
        return asyncio.run(run())
    except (UnknownDeadLetterError, UnreadableDeadLetterError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@asynccontextmanager
async def _pools(settings: RuntimeSettings, schemas: Sequence[str]) -> AsyncIterator[list[Pool]]:
    pools: list[Pool] = []
    try:
        for schema in schemas:
            pools += [await open_pool(settings, schema, max_size=1)]
        yield pools
    finally:
        for pool in pools:
            await pool.close()


@asynccontextmanager
async def _producer(settings: RuntimeSettings) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap,
        enable_idempotence=True,
        max_request_size=settings.message_max_bytes + _REQUEST_OVERHEAD_BYTES,
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


def _readable(value: Any) -> Any:  # noqa: ANN401 - a column's value
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else value
