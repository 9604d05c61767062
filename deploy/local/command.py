"""`bonus local`: the stack on one machine, from the command line."""

import json
import shlex
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.local.errors import LocalStackError
from deploy.local.settings import LocalSettings
from deploy.local.stack import PartStatus, Stack

NOT_HEALTHY = 3

app = typer.Typer(
    pretty_exceptions_enable=False, no_args_is_help=True, help="PostgreSQL, Kafka and the services on this machine."
)
_notes = Console(stderr=True, highlight=False, soft_wrap=True)


def _stack() -> Stack:
    return Stack(LocalSettings(), say=lambda line: _notes.print(line, markup=False))


def _fail(error: LocalStackError) -> typer.Exit:
    _notes.print(f"bonus local: {error}", style="red", markup=False)
    return typer.Exit(1)


@app.command()
def up(
    services: Annotated[bool, typer.Option(help="Run the services too, with their tables and topics.")] = True,
) -> None:
    """Start what does not run yet, and wait until it is healthy. Run twice, it changes nothing."""
    stack = _stack()
    try:
        stack.up(services=services)
    except LocalStackError as error:
        raise _fail(error) from error
    _print_table(stack.status())
    _notes.print('For clients and tests: eval "$(bonus local env)". To stop it: bonus local down.', markup=False)


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show every process: whether it answers, its pid and its port. Exit code 3 if one does not answer."""
    parts = _stack().status()
    if as_json:
        typer.echo(json.dumps([asdict(part) for part in parts]))
    else:
        _print_table(parts)
    if not all(part.healthy for part in parts):
        raise typer.Exit(NOT_HEALTHY)


@app.command()
def env() -> None:
    """Print the addresses and a token as shell exports: eval "$(bonus local env)"."""
    stack = _stack()
    if not all(part.healthy for part in stack.status()):
        _notes.print("bonus local: the stack is not up; start it with: bonus local up", style="red")
        raise typer.Exit(NOT_HEALTHY)
    for name, value in stack.environment().items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def down(wipe: Annotated[bool, typer.Option("--wipe", help="Remove all data, logs and keys too.")] = False) -> None:
    """Stop everything that was started here."""
    try:
        stopped = _stack().down(wipe=wipe)
    except LocalStackError as error:
        raise _fail(error) from error
    _notes.print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running", markup=False)


def _print_table(parts: list[PartStatus]) -> None:
    table = Table("process", "answers", "pid", "port", box=None, pad_edge=False, header_style="bold")
    for part in parts:
        answers = "[green]yes[/]" if part.healthy else "[red]no[/]"
        table.add_row(part.name, answers, str(part.pid or "-"), str(part.port or "-"))
    _notes.print(table)
