"""`bonus programme publish` and `explain` on a real database."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.rules.programmes.command import app
from tests.integration.rules.decide.conftest import FIVE_PERCENT, KEY, Counter
from tests.integration.rules.decide.messages import bought, decision, enrolled


async def run(*arguments: str) -> Any:
    """Run the command as a shell would: with a loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments))


async def test_a_file_is_published_and_a_decision_explained(
    counter: Counter, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a file to decisions, and from a decision to words; a second publication of the same file is refused."""
    monkeypatch.setenv("BONUS_POSTGRES_DSN", database)
    monkeypatch.setenv("BONUS_MASTER_KEYS", f"one:{KEY}")
    file = tmp_path / "club.yaml"
    file.write_text(FIVE_PERCENT, encoding="utf-8")
    published = await run("publish", str(file), "--starts-at", "2026-01-01")
    assert (published.exit_code, published.output) == (0, "club: version 1 starts at 2026-01-01 00:00:00 UTC\n")
    early = await run("publish", str(file), "--starts-at", "2026-02-01")
    assert early.exit_code == 1
    assert early.output.startswith("starts_too_early: ")
    await counter.send(enrolled(), bought("p1", "100.00"))
    told = await run("explain", str(decision("p1")), "--language", "ru")
    assert told.exit_code == 0
    assert told.output.startswith("Покупка p1, 1 марта 2026 г., 12:00.\n")
    unknown = await run("explain", str(decision("p2")))
    assert (unknown.exit_code, unknown.output) == (1, "no such decision was taken\n")
