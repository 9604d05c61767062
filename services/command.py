"""The command `bonus`: every part's own commands under one name.

A part is imported when one of its commands is run, so that `bonus --help` is quick, and so that a part which is
broken hinders no other. What breaks while a part is imported is shown as it is.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import typer


@dataclass(frozen=True, slots=True)
class Part:
    """A sub-command: the module that holds its typer application `app`, and what it is for, in one line."""

    module: str
    purpose: str


PARTS: Mapping[str, Part] = {
    "local": Part("deploy.local.command", "PostgreSQL, Kafka and the services on this machine."),
    "demo": Part("examples.demo.command", "A year of real purchases, from Kafka to balances."),
    "migrate": Part("migrations.command", "Bring the database to this version."),
    "topics": Part("deploy.topics", "Make Kafka's topics."),
    "ledger": Part("services.ledger.command", "The books: work, relay, serve, verify."),
    "rules": Part("services.rules.command", "The brain: work, relay, serve."),
    "programme": Part(
        "services.rules.programmes.command",
        "Programme files: lint, diff, terms, explain; publish, rollback, suspend, resume.",
    ),
    "notifier": Part("services.notifier.command", "Telling members: work, serve."),
    "publish": Part("services.publish", "Send your own events to Kafka, as a till does."),
    "contracts": Part("services.documents", "Check messages and the published documents."),
    "deadletters": Part("services.runtime.command", "Messages that were set aside: list, show, replay."),
    "token": Part("services.runtime.token_command", "Issue a bearer token."),
    "bench": Part("tests.benchmarks.command", "Measure, and write the figures to build/."),
}


WHERE = (
    "PostgreSQL or Kafka does not answer where BONUS_POSTGRES_DSN and BONUS_KAFKA_BOOTSTRAP say. "
    'For the stack on this machine: bonus local up, then eval "$(bonus local env)"'
)


def run(arguments: Sequence[str], parts: Mapping[str, Part] = PARTS) -> None:
    """Run the command line: the part that its first word names, or the overview of all parts."""
    name = arguments[0] if arguments else ""
    if name in parts and is_installed(parts[name].module):
        application = importlib.import_module(parts[name].module).app
        try:
            application(args=list(arguments[1:]), prog_name=f"bonus {name}")
        except Exception as error:
            if not is_away(error):
                raise
            sys.stderr.write(f"bonus {name}: {type(error).__name__}: {error}\n{WHERE}\n")
            raise SystemExit(1) from None
    else:
        overview(parts)(args=list(arguments), prog_name="bonus")


def is_away(error: Exception) -> bool:
    """Say whether PostgreSQL or Kafka did not answer: no fault of this program, so no traceback of it."""
    # Imported here: most commands end well.
    from services.runtime.postgres import is_world_fault  # noqa: PLC0415

    return is_world_fault(error)


def overview(parts: Mapping[str, Part]) -> typer.Typer:
    """Make an application that shows which parts are installed and what each is for, without importing any."""
    app = typer.Typer(
        no_args_is_help=True, add_completion=False, help="An event-sourced bonus ledger for retail loyalty programmes."
    )
    app.callback()(_nothing)
    for name, part in parts.items():
        if is_installed(part.module):
            app.command(name, help=part.purpose)(_stand_in(name))
    return app


def _nothing() -> None:
    pass


def _stand_in(name: str) -> Callable[[], None]:
    def shown_only() -> None:
        raise AssertionError(f"{name} is run by its own application")

    return shown_only


def is_installed(module: str) -> bool:
    """Say whether a module is there, without running it; the packages above it are imported."""
    names = module.split(".")
    return all(importlib.util.find_spec(".".join(names[: depth + 1])) is not None for depth in range(len(names)))


def main() -> None:
    """Run the command line that this process was started with."""
    run(sys.argv[1:])


if __name__ == "__main__":
    main()
