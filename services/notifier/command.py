"""`bonus notifier`: take events in and send mail, or answer over HTTP."""

from collections.abc import Sequence
from typing import Annotated

import typer

from contracts.topics import LEDGER_EVENTS, MEMBER_EVENTS, PROGRAMMES
from services.notifier.api import application
from services.notifier.api.state import Parts
from services.notifier.channels.email import EmailChannel
from services.notifier.handlers.confirmations import Confirmations
from services.notifier.handlers.contacts import Contacts
from services.notifier.handlers.deliveries import Deliveries
from services.notifier.handlers.notices import Notices
from services.notifier.handlers.pages import Pages
from services.notifier.links import Links
from services.notifier.programmes import Programmes
from services.notifier.sender import Sender
from services.notifier.settings import NotifierSettings
from services.runtime import tokens
from services.runtime.gate import gate_of
from services.runtime.http.server import HttpServer
from services.runtime.privacy import KeysError, MasterKeys, Vault
from services.runtime.process import Part, Process, run_process
from services.runtime.writer import ShardWriter, wall_clock

SCHEMA = "notifier"
GROUP = "notifier"

app = typer.Typer(no_args_is_help=True, help="Telling members: work, serve.")


@app.command()
def work() -> None:
    """Take in ledger and member events, send mail, and publish what became of it."""
    settings = NotifierSettings()
    masters = _masters(settings)

    async def build(process: Process) -> Sequence[Part]:
        return await build_work(process, settings, masters)

    run_process("notifier-work", build, settings)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0: a free one.", min=0, max=65_535)] = 8083,
) -> None:
    """Answer over HTTP: contact data, preferences, what was told."""
    settings = NotifierSettings()
    masters = _masters(settings)
    _check_key(settings)

    async def build(process: Process) -> Sequence[Part]:
        return await build_serve(process, settings, masters, host, port)

    run_process("notifier-serve", build, settings)


async def build_work(process: Process, settings: NotifierSettings, masters: MasterKeys) -> Sequence[Part]:
    """The parts of the worker: consumer, relay, sender."""
    vault = Vault(masters)
    pool = await process.pool(SCHEMA)
    writer = ShardWriter(pool, Notices(settings, wall_clock), settings=settings)
    topics = (LEDGER_EVENTS, MEMBER_EVENTS, PROGRAMMES)
    sender = Sender(
        Deliveries(pool, writer.gate, vault),
        Programmes(pool, wall_clock, settings.programme_cache_s),
        EmailChannel(settings),
        Links(masters, settings.public_url),
        settings,
        wall_clock,
    )
    consumer = process.consumer({topic.name: writer for topic in topics}, GROUP, in_background=True)
    return [consumer, process.relay(pool, prune=True), sender]


async def build_serve(
    process: Process, settings: NotifierSettings, masters: MasterKeys, host: str, port: int
) -> Sequence[Part]:
    """The parts of the server."""
    pool = await process.pool(SCHEMA)
    gate = gate_of(pool, clock=wall_clock, settings=settings)
    vault = Vault(masters)
    programmes = Programmes(pool, wall_clock, settings.programme_cache_s)
    parts = Parts(
        Contacts(pool, gate, vault),
        Deliveries(pool, gate, vault),
        programmes,
        Links(masters, settings.public_url),
        Pages(pool, gate, programmes, settings),
        Confirmations(gate, vault, settings),
    )
    served = application(settings, parts, process.health)
    return [HttpServer(served, host, port, grace_s=settings.stop_grace_s, keep_alive_s=settings.http_keep_alive_s)]


def _masters(settings: NotifierSettings) -> MasterKeys:
    try:
        return MasterKeys.parse(settings.master_keys)
    except KeysError as error:
        raise typer.BadParameter(f"BONUS_MASTER_KEYS: {error}") from error


def _check_key(settings: NotifierSettings) -> None:
    """A key that cannot be used is better known at the start than at the first member who confirms."""
    try:
        if settings.confirmation_key:
            tokens.private_key_of(settings.confirmation_key)
    except ValueError as error:
        raise typer.BadParameter(f"BONUS_CONFIRMATION_KEY: {error}") from error
