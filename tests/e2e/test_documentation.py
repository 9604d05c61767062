"""What the documents tell a newcomer to type does what they say."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

from deploy.local.ports import LOOPBACK
from deploy.local.settings import PROJECT
from tests.e2e.system import System

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TIMEOUT_S = 120


async def typed(system: System, directory: Path, commands: str) -> str:
    """Type commands into a shell as a newcomer would, in a directory like the project's; gives what they print."""
    client = system.http("rules")
    environment = (
        os.environ
        | system.processes.environment
        | {
            "BONUS_RULES_URL": f"http://{LOOPBACK}:{system.processes.port('rules-serve')}",
            "BONUS_TOKEN": client.headers["authorization"].removeprefix("Bearer "),
            "PYTHONPATH": str(PROJECT),
            # On a busy machine the least claim may be no claim at all.
            "BONUS_REHEARSAL_NICENESS": "0",
        }
    )
    shell = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", commands.replace(".venv/bin/bonus", f"{sys.executable} -m services.command"),
        cwd=directory, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(_TIMEOUT_S):
        out, errors = await shell.communicate()
    assert shell.returncode == 0, f"{commands}\n{out.decode()}\n{errors.decode()}"
    return out.decode()


async def test_a_newcomer_goes_from_a_file_to_a_rehearsal(system: System, tmp_path: Path) -> None:
    """Every command of the section, then those of quotes, dry runs and rehearsals: no answer is a problem."""
    (tmp_path / "examples").symlink_to(PROJECT / "examples")
    programmes = (PROJECT / "docs" / "programmes.md").read_text(encoding="utf-8")
    section = programmes.partition("## A rehearsal")[2].partition("\n## ")[0]
    [commands] = _BLOCK.findall(section)
    said = await typed(system, tmp_path, commands)
    assert "till-cashback: version 1 starts at 2026-01-01 00:00:00 UTC" in said
    assert "till-cashback: 0 baskets of 0 members; rehearsed 0.00, live 0.00, difference 0.00 RUB" in said
    assert "<svg" in (tmp_path / "rehearsal.html").read_text(encoding="utf-8")
    blocks = _BLOCK.findall((PROJECT / "docs" / "rehearsal.md").read_text(encoding="utf-8"))
    assert len(blocks) == 4
    for block in blocks:
        said = await typed(system, tmp_path, block)
        if said.startswith("{"):
            answer = json.loads(said)
            assert "title" not in answer, answer
            assert answer.get("programme") == "till-cashback"
