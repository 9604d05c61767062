"""`bonus ledger verify`: the books prove themselves."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import orjson
import typer
import uvloop

from services.ledger.proof import anchors
from services.ledger.proof.archives import in_order, open_archive
from services.ledger.proof.keys import checker_from, signer_from
from services.ledger.proof.refusing import refusing
from services.ledger.proof.signatures import Checker, StatementRefusedError
from services.ledger.proof.snapshots import MANIFEST, open_snapshot, write_manifest
from services.ledger.settings import LedgerSettings
from services.ledger.verify import run
from services.ledger.verify.archived import compare_archives
from services.ledger.verify.plan import Limits, Plan
from services.ledger.verify.reading import with_database
from services.ledger.verify.report import Report
from services.ledger.verify.strays import find_strays

app = typer.Typer()


@app.command()
def verify(  # noqa: PLR0913 - typer reads options from the signature
    *,
    processes: Annotated[int, typer.Option(help="How many share the shards.", min=1, max=64)] = 2,
    since: Annotated[Path | None, typer.Option(help="Go on from this signed checkpoint (a directory).")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Write a signed checkpoint into this directory, if nothing differs.")
    ] = None,
    anchor_file: Annotated[
        list[Path] | None, typer.Option("--anchor", help="A file of anchors that the log must still contain.")
    ] = None,
    archive: Annotated[
        list[Path] | None, typer.Option(help="An archive, whose events are read before those in the database.")
    ] = None,
    check_offsets: Annotated[
        bool | None,
        typer.Option("--offsets/--no-offsets", help="Compare consumers' offsets with Kafka; where Kafka is named."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Replay everything and name whatever differs from it; exit 1 if anything does, 2 if it cannot be checked."""
    settings = LedgerSettings()
    with refusing():
        checker = checker_from(settings) if since or anchor_file or archive else None
        signer = signer_from(settings) if checkpoint else None
        plan = _plan(settings, checker, since, archive or (), anchor_file or (), checkpoint)
        put_away = uvloop.run(
            with_database(settings.postgres_dsn, partial(compare_archives, plan=plan, checker=checker))
        )
        report = run.verify(settings.postgres_dsn, processes, plan)
        report.join(put_away)
        report.join(uvloop.run(with_database(settings.postgres_dsn, find_strays)))
        if settings.kafka_bootstrap if check_offsets is None else check_offsets:
            # Kafka's client takes as long to import as a shard takes to verify, and is not always asked for.
            from services.ledger.verify.offsets import compare_offsets  # noqa: PLC0415

            report.join(uvloop.run(compare_offsets(settings)))
        if checkpoint is not None and signer is not None and report.ok:
            write_manifest(checkpoint, report.heads, report.files, datetime.now(UTC), signer)
    _show(report, as_json=as_json)
    if not report.ok:
        raise typer.Exit(1)


def _plan(  # noqa: PLR0913, PLR0917 - the options of `verify`
    settings: LedgerSettings,
    checker: Checker | None,
    since: Path | None,
    archives: Sequence[Path],
    anchor_files: Sequence[Path],
    checkpoint: Path | None,
) -> Plan:
    if since is not None and archives:
        raise StatementRefusedError("either go on from a checkpoint or begin with archives, not both")
    if checkpoint is not None:
        checkpoint.mkdir(parents=True, exist_ok=True)
        if (checkpoint / MANIFEST).exists():
            raise FileExistsError(f"{checkpoint} holds a checkpoint already")
    lines: list[bytes] = [line for file in anchor_files for line in file.read_bytes().splitlines()]
    return Plan(
        limits=Limits(lots_at_once=settings.ledger_verify_lots),
        since=None if since is None or checker is None else open_snapshot(since, checker),
        archives=() if checker is None else in_order([open_archive(each, checker) for each in archives]),
        anchored={} if checker is None else anchors.anchored_in(lines, checker),
        write_to=checkpoint,
    )


def _show(report: Report, *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(report.document(), option=orjson.OPT_INDENT_2).decode())
        return
    for difference in report.differences:
        typer.echo(str(difference))
    typer.echo(
        f"{report.events} events of {report.accounts} accounts, {report.lots} lots and {report.entries} statement "
        f"lines in {report.seconds:.1f} s: {'all as the log says' if report.ok else dict(report.counts)}"
    )
