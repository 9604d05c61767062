"""`bonus ledger`: the books' processes, and their proof.

A module is imported when one of its commands is run: checking the books waits for no web framework, and starting a
worker for no file format of archives.
"""

import importlib
from collections.abc import Mapping
from typing import Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

_MODULES: Final[Mapping[str, str]] = {
    "work": "services.ledger.processes",
    "relay": "services.ledger.processes",
    "serve": "services.ledger.processes",
    "open-balances": "services.ledger.processes",
    "verify": "services.ledger.verify.command",
    "anchor": "services.ledger.proof.command",
    "proof-key": "services.ledger.proof.command",
    "rebuild": "services.ledger.rebuild.command",
    "archive": "services.ledger.archive.command",
    "partitions": "services.ledger.archive.command",
}
"""Command to the module that has it, in a typer application `app`."""


class ImportedWhenRun(TyperGroup):
    """The commands of `_MODULES`."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002  # the base names a private class
        """Every command by its name."""
        return list(_MODULES)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | None:  # type: ignore[override]  # the same
        """The command; None: there is none by this name."""
        module = _MODULES.get(cmd_name)
        if module is None:
            return None
        command = get_command(importlib.import_module(module).app)
        found = command.get_command(ctx, cmd_name) if isinstance(command, TyperGroup) else command
        return found if isinstance(found, TyperCommand) else None


app = typer.Typer(
    cls=ImportedWhenRun,
    no_args_is_help=True,
    help="The books: work, relay, serve; verify, anchor, rebuild, archive; open-balances.",
)


@app.callback()
def _books() -> None:
    pass
