"""`bonus demo`: a year of real purchases through real Kafka and Postgres into balances, checked to the last point.

`BASKETS=5000` takes some households only; `KEEP=1` leaves everything running and says how to look around.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import psutil
import typer
from rich.console import Console

from deploy.local.errors import LocalStackError
from deploy.local.mail_sink import MailSink, mail_sink
from deploy.local.settings import PROJECT, LocalSettings
from deploy.local.stack import Stack
from examples.demo import answers, dataset, report, traffic
from examples.demo.dataset import Year
from examples.demo.report import Surroundings
from examples.demo.run import Demonstration, Outcome, client

RESULT: Final = PROJECT / "build" / "demo.json"
MAIL_WAIT_S: Final = 20.0
_MEBIBYTE: Final = 1024 * 1024

app = typer.Typer(
    pretty_exceptions_enable=False, add_completion=False, help="A year of real purchases, from Kafka to balances."
)
_console = Console(highlight=False, soft_wrap=True)


@app.callback(invoke_without_command=True)
def demo(
    baskets: Annotated[int | None, typer.Option(envvar="BASKETS", min=1, help="At most so many baskets.")] = None,
    keep: Annotated[bool, typer.Option(envvar="KEEP", help="Leave everything running at the end.")] = False,
) -> None:
    """Run the year, compare every household, and write build/demo.json. Exit code 1 on any difference."""
    started = time.perf_counter()
    _console.print("reading the year of purchases")
    year = dataset.load(datetime.now(UTC), baskets)
    stack = Stack(LocalSettings(dir=PROJECT / ".local" / "demo"), say=lambda line: _console.print(line, markup=False))
    try:
        with mail_sink() as mail:
            good = _run(stack, year, mail, started)
    except LocalStackError as error:
        _console.print(f"bonus demo: {error}", style="red", markup=False)
        raise typer.Exit(1) from error
    finally:
        if not keep:
            stack.down(wipe=True)
    if keep:
        _say_how_to_look_around(stack)
    if not good:
        raise typer.Exit(1)


def _run(stack: Stack, year: Year, mail: MailSink, started: float) -> bool:
    # A demonstration begins with empty books, whatever an earlier one left.
    stack.down(wipe=True)
    # The first version of the programme is in force at once, and mail goes to the sink in this process.
    os.environ |= {"BONUS_PROGRAMME_LEAD_S": "0", "BONUS_SMTP_HOST": "127.0.0.1", "BONUS_SMTP_PORT": str(mail.port)}
    stack.up(services=True)
    environment = stack.environment()
    outcome = asyncio.run(_demonstrate(year, environment))
    around = Surroundings(
        seconds=time.perf_counter() - started,
        verify=_verify(environment),
        rss_mb=_memory(stack),
        mail_subject=_subject(mail),
    )
    data = report.as_data(year, outcome, around)
    report.write(data, RESULT)
    report.show_totals(_console, data)
    asyncio.run(_show_one(environment, year))
    report.show_verdict(_console, outcome, data)
    _console.print(f"the same as data: {RESULT.relative_to(PROJECT)}")
    return not outcome.mismatches and data["verify_ok"] and not outcome.dead_letters


async def _demonstrate(year: Year, environment: dict[str, str]) -> Outcome:
    return await Demonstration(year, environment, _console).run()


async def _show_one(environment: dict[str, str], year: Year) -> None:
    async with client(environment, "LEDGER") as ledger, client(environment, "RULES") as rules:
        await report.show_one_household(_console, ledger, rules, year)


def _verify(environment: dict[str, str]) -> dict[str, Any]:
    """Replay the whole history with the command that operators use."""
    command = [sys.executable, "-m", "services.command", "ledger", "verify", "--json"]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if not done.stdout:
        raise answers.ApiError(f"verify said nothing: {done.stderr[-1_000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return {"ok": done.returncode == 0} | found


def _memory(stack: Stack) -> dict[str, float]:
    """Resident megabytes of every process of the stack."""
    sizes: dict[str, float] = {}
    for name, process in stack.state().processes.items():
        try:
            sizes[name] = round(psutil.Process(process.pid).memory_info().rss / _MEBIBYTE, 1)
        except psutil.NoSuchProcess:
            continue
    return sizes


def _subject(mail: MailSink) -> str | None:
    if not mail.wait_for(bool, MAIL_WAIT_S):
        return None
    return str(mail.received()[-1]["Subject"])


def _say_how_to_look_around(stack: Stack) -> None:
    _console.print("everything is left running; to look around:")
    _console.print(f"  export BONUS_LOCAL_DIR={stack.directory.relative_to(Path.cwd())}", markup=False)
    _console.print('  eval "$(.venv/bin/bonus local env)"', markup=False)
    account = traffic.account_id(1)
    _console.print(
        f'  curl -H "Authorization: Bearer $BONUS_TOKEN" $BONUS_LEDGER_URL/v1/accounts/{account}', markup=False
    )
    _console.print("  .venv/bin/bonus local down --wipe", markup=False)
