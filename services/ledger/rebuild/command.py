"""`bonus ledger rebuild`: state and projections made anew from the log while writing goes on."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from services.ledger.proof.keys import checker_from
from services.ledger.proof.refusing import refusing
from services.ledger.proof.snapshots import open_snapshot
from services.ledger.rebuild.run import rebuild
from services.ledger.rebuild.shard import Rebuilt, Wish
from services.ledger.settings import LedgerSettings
from services.ledger.verify.plan import Limits

app = typer.Typer()


@app.command("rebuild")
def rebuild_books(
    *,
    processes: Annotated[int, typer.Option(help="How many share the shards.", min=1, max=64)] = 2,
    since: Annotated[Path | None, typer.Option(help="Go on from this signed checkpoint or archive.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compare, and change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="What was done as JSON.")] = False,
) -> None:
    """Build state and projections beside the live ones, compare, and swap what differs, shard by shard.

    Writing goes on. BONUS_POSTGRES_DSN must be a login that owns the tables. Exit 1 if the log cannot make an account.
    """
    settings = LedgerSettings()
    limits = Limits(lots_at_once=settings.ledger_verify_lots)
    with refusing():
        snapshot = None if since is None else open_snapshot(since, checker_from(settings))
        wish = Wish(limits, settings.ledger_rebuild_rows, snapshot, dry_run)
        done = rebuild(settings.postgres_dsn, processes, wish)
    if as_json:
        typer.echo(orjson.dumps(done.document(), option=orjson.OPT_INDENT_2).decode())
    else:
        _show(done, dry_run=dry_run)
    if done.not_replayable:
        raise typer.Exit(1)


def _show(done: Rebuilt, *, dry_run: bool) -> None:
    for difference in done.not_replayable:
        typer.echo(str(difference))
    rows = ", ".join(f"{count} of {table}" for table, count in sorted(done.wrong.items())) or "none"
    verb = "differ" if dry_run else "were put right"
    typer.echo(
        f"{done.events} events of {done.shards} shards replayed in {done.seconds:.1f} s; rows that {verb}: {rows}; "
        f"{done.steps} steps; readers waited 0 ms, writers at most {done.held_ms:.0f} ms"
    )
