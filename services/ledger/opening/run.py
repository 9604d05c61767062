"""The command that opens balances: what it says, and whether all is well."""

import asyncio
from datetime import datetime
from pathlib import Path

import typer

from contracts.amounts import format_points
from services.ledger.opening.file import BadLineError, Opening, Terms, read
from services.ledger.opening.load import Destination, Loaded, load
from services.ledger.processor import LOG_COLUMNS, LedgerProcessor
from services.ledger.programmes import Programmes
from services.ledger.settings import LedgerSettings
from services.ledger.storage import SESSION
from services.runtime.postgres import open_pool
from services.runtime.writer import ShardWriter, wall_clock


async def run(settings: LedgerSettings, file: Path, owner: tuple[str, str], terms: Terms, *, dry_run: bool) -> bool:
    """Check the file and, if every line is good, book it. False: there were bad lines, or something was refused."""
    pool = await open_pool(settings, "ledger", session=SESSION)
    try:
        programmes = Programmes()
        await programmes.refresh(pool)
        now = wall_clock()
        terms = _terms(programmes, owner, terms, now)
        try:
            # A byte order mark is what spreadsheets put first.
            with file.open(encoding="utf-8-sig", newline="") as lines:
                opening = await asyncio.to_thread(read, lines, terms)
        except (BadLineError, UnicodeDecodeError, OSError) as error:
            typer.echo(f"{file.name}: {error}", err=True)
            return False
        _say_file(opening, terms)
        if opening.bad_count or dry_run:
            return not opening.bad_count
        writer = ShardWriter(pool, LedgerProcessor(programmes), settings=settings, log_columns=LOG_COLUMNS)
        loaded = await load(writer, opening, Destination(*owner, now, terms.scales))
        _say_loaded(loaded, terms)
        return not loaded.differing and not loaded.refused
    finally:
        await asyncio.wait_for(pool.close(), settings.stop_grace_s)


def _terms(programmes: Programmes, owner: tuple[str, str], given: Terms, now: datetime) -> Terms:
    """What is published of the programme, else what was given."""
    guards = programmes.guards(*owner, now)
    published = {name: terms.scale for name, terms in guards.currencies.items()}
    return Terms({**given.scales, **published}, guards.zone if published else given.zone)


def _say_file(opening: Opening, terms: Terms) -> None:
    for number, reason in opening.bad:
        typer.echo(f"line {number}: {reason}", err=True)
    totals = ", ".join(f"{format_points(points, terms.scales[name])} {name}" for name, points in opening.totals.items())
    typer.echo(f"{opening.lines} lines, {len(opening.lots)} members, {totals or 'no points'}")
    if opening.bad_count:
        typer.echo(f"{opening.bad_count} bad lines: nothing was booked", err=True)


def _say_loaded(loaded: Loaded, terms: Terms) -> None:
    booked = ", ".join(f"{format_points(points, terms.scales[name])} {name}" for name, points in loaded.points.items())
    again = loaded.commands["duplicate"]
    typer.echo(f"booked now: {booked or 'nothing'}; {again} commands stood already")
    for member in loaded.differing:
        typer.echo(f"member {member}: opened before with other figures; those stand", err=True)
    for member, code in loaded.refused:
        typer.echo(f"member {member}: refused, {code}", err=True)
