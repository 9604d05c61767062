"""README: every command block is pasted into a shell, twice, and does what the text around it says.

The blocks run against a system of their own; what starts and stops a stack on the machine is left to the tests of the
local stack, and is named here, so that no new block goes untested.
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from deploy.local.mail_sink import MailSink, mail_sink
from deploy.local.ports import LOOPBACK
from tests.e2e.conftest import OpenSystem
from tests.e2e.processes import SERVERS, WORKERS
from tests.e2e.system import System, Wishes

PROJECT: Final = Path(__file__).resolve().parents[2]
BIN: Final = Path(sys.executable).parent
TIMEOUT_S: Final = 90
TWO_COMMANDS: Final = (
    "make demo    # a year of real purchases, from Kafka to balances, every household checked "
    "(BASKETS=5000 for a quick look)\nmake test    # all tests, on real Postgres and Kafka\n"
)
NOT_HERE: Final = (
    TWO_COMMANDS,
    'make up\neval "$(.venv/bin/bonus local env)"\n',
    ".venv/bin/bonus local down --wipe\n",
)
"""Blocks that start or stop a whole stack: tests/integration/test_local_stack.py and the build itself run them."""


@dataclass(frozen=True)
class Pasted:
    """What a shell printed, block by block."""

    outputs: list[str]
    errors: str
    code: int

    def answers(self, block: int) -> list[dict[str, object]]:
        """The JSON documents that a block printed, one a line."""
        return [json.loads(line) for line in self.outputs[block].splitlines() if line.startswith("{")]


def blocks() -> list[str]:
    """The command blocks of the README, in order."""
    return re.findall(r"```sh\n(.*?)```", (PROJECT / "README.md").read_text(), flags=re.DOTALL)


def test_no_block_goes_untested() -> None:
    """Those that are not run here are just those named here."""
    assert [block for block in blocks() if block in NOT_HERE] == list(NOT_HERE)
    assert len(blocks()) > len(NOT_HERE)


@pytest.fixture
async def mailed_system(open_system: OpenSystem) -> AsyncIterator[tuple[System, MailSink]]:
    """All three services, and a mail system that keeps what it is sent."""
    with mail_sink() as sink:
        settings = {"BONUS_SMTP_HOST": LOOPBACK, "BONUS_SMTP_PORT": str(sink.port)}
        names = (*WORKERS, *SERVERS, "notifier-work", "notifier-serve")
        async with open_system(Wishes(processes=names, settings=settings)) as system:
            await system.start()
            yield system, sink


async def paste(system: System) -> Pasted:
    """Paste every block that is for a running stack into one shell."""
    own = {
        f"BONUS_{name.upper()}_URL": f"http://{LOOPBACK}:{system.processes.port(f'{name}-serve')}"
        for name in ("ledger", "rules", "notifier")
    }
    environment = {**os.environ, **system.processes.environment, **own, "BONUS_TOKEN": system.token()}
    mark = "--- next block"
    pasted = [block.replace(".venv/bin/", f"{BIN}/") for block in blocks() if block not in NOT_HERE]
    script = f"\necho '{mark}'\n".join(pasted)
    shell = await asyncio.create_subprocess_exec(
        "bash", "-u", "-c", script, cwd=PROJECT, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(TIMEOUT_S):
            output, errors = await shell.communicate()
    finally:
        if shell.returncode is None:
            shell.kill()
    return Pasted(output.decode().split(f"{mark}\n"), errors.decode(), shell.returncode or 0)


@pytest.mark.slow
async def test_the_readme_does_what_it_says_also_when_pasted_again(
    mailed_system: tuple[System, MailSink],
) -> None:
    """Programme, member, purchases both ways, decision in words, balance, redemption, statement, mail, proof."""
    system, sink = mailed_system
    first = await paste(system)
    assert (first.errors, first.code) == ("", 0)
    versions, publish, booked, balance, redeemed, verified, lint, valid, operator = first.outputs
    assert [answer["state"] for answer in first.answers(0)] == ["draft", "published"]
    assert "bonus.purchase.completed.v1 000451-1: " in publish
    assert [answer["accrued"] for answer in first.answers(2)[-2:]] == [{"bonus": "50.00"}, {"bonus": "10.00"}]
    assert "1000.00" in balance
    account = first.answers(3)[-1]
    assert isinstance(account["balances"], dict)
    assert account["balances"]["bonus"]["available"] == "360.00"
    contacts, redemption, statement, deliveries = first.answers(4)
    assert contacts["email"] == "zofia@example.com"
    assert redemption["points"] == "20.00"
    assert isinstance(statement["items"], list)
    assert [item["changes"]["available"] for item in statement["items"]] == ["-20.00", "10.00", "50.00", "300.00"]
    assert deliveries["next_cursor"] is None
    assert [mail["To"] for mail in sink.received()] == ["Zofia <zofia@example.com>"]
    assert "all as the log says" in verified
    assert lint.endswith(": good\n")
    assert valid == "1 valid bonus.purchase.completed.v1\n"
    assert operator.splitlines()[-1].count(".") == 2
    assert (versions, booked, redeemed) != ("", "", "")

    again = await paste(system)
    assert (again.errors, again.code) == ("", 0)
    assert [again.answers(block)[-1] for block in (0, 2)] == [first.answers(block)[-1] for block in (0, 2)]
    later = again.answers(3)[-1]
    assert isinstance(later["balances"], dict)
    assert later["balances"]["bonus"]["available"] == "340.00"
    assert again.answers(4)[1:3] == [redemption, statement]
    assert len(sink.received()) == 1
