"""`bonus ledger archive`: the oldest partition of the log put away, with its proof."""

from pathlib import Path
from typing import Annotated

import typer
import uvloop

from services.ledger.archive import run
from services.ledger.archive.partitions import Partition, extend
from services.ledger.proof.keys import checker_from, signer_from
from services.ledger.proof.refusing import UNUSABLE, refusing
from services.ledger.proof.snapshots import Snapshot
from services.ledger.settings import LedgerSettings
from services.ledger.verify.plan import Limits
from services.ledger.verify.report import Report
from services.runtime.writer import wall_clock

app = typer.Typer()


@app.command()
def archive(
    directory: Annotated[Path, typer.Argument(help="A new directory for the archive.")],
    *,
    since: Annotated[Path | None, typer.Option(help="The archive before it; none for the first.")] = None,
    processes: Annotated[int, typer.Option(help="How many share the shards while it is verified.", min=1, max=64)] = 2,
    keep: Annotated[bool, typer.Option("--keep", help="Write the archive, drop nothing.")] = False,
) -> None:
    """Verify the oldest partition of the log, write it into an archive with the state at its end, and drop it.

    Writing goes on. BONUS_POSTGRES_DSN must be a login that owns the tables. Exit 1 if the log does not prove itself.
    """
    settings = LedgerSettings()
    with refusing():
        wish = run.Archiving(
            settings.postgres_dsn, directory, signer_from(settings), checker_from(settings), since,
            Limits(lots_at_once=settings.ledger_verify_lots), processes, keep,
        )  # fmt: skip
        try:
            partition = uvloop.run(_oldest(wish))
        except run.NothingToArchiveError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(UNUSABLE) from error
        report, since_snapshot = run.check(wish, partition)
        if not report.ok:
            for difference in report.differences:
                typer.echo(str(difference))
            raise typer.Exit(1)
        uvloop.run(_put_away(wish, partition, report, since_snapshot, settings))
    words = "still in the database" if keep else "dropped from the database"
    typer.echo(f"{report.events} events of positions {partition.begin} to {partition.until} in {directory}; {words}")


@app.command("partitions")
def make_partitions() -> None:
    """Make partitions of the log ahead of every shard, where there are too few."""
    settings = LedgerSettings()
    with refusing():
        made = uvloop.run(_extend(settings))
    for partition in made:
        typer.echo(f"{partition.name}: positions {partition.begin} to {partition.until}")


async def _oldest(wish: run.Archiving) -> Partition:
    connection = await run.connect(wish.dsn)
    try:
        return await run.oldest(connection)
    finally:
        await connection.close()


async def _put_away(
    wish: run.Archiving,
    partition: Partition,
    report: Report,
    since: Snapshot | None,
    settings: LedgerSettings,
) -> None:
    connection = await run.connect(wish.dsn)
    try:
        at = wall_clock()
        await run.export(connection, wish, report, since, at)
        if not wish.keep:
            await run.put_away(connection, wish, partition, at)
        await extend(connection, settings.ledger_partition_positions, settings.ledger_partitions_ahead)
    finally:
        await connection.close()


async def _extend(settings: LedgerSettings) -> list[Partition]:
    connection = await run.connect(settings.postgres_dsn)
    try:
        return await extend(connection, settings.ledger_partition_positions, settings.ledger_partitions_ahead)
    finally:
        await connection.close()
