"""docs/programmes.md: its programmes load, its command runs, and it names every fact and every reason."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.rules.domain import eligibility
from services.rules.domain.programme import ProgrammeVersion
from services.rules.domain.situation import LINE_FACTS, PURCHASES_IN, SITUATION_FACTS, SPEND_IN
from services.rules.programme_file import load
from services.rules.programme_file.fields import schema

ROOT = Path(__file__).parents[4]
TEXT = (ROOT / "docs" / "programmes.md").read_text(encoding="utf-8")
PROGRAMMES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [
    command
    for block in re.findall(r"```shell\n(.*?)\n```", TEXT, re.DOTALL)
    for command in block.splitlines()
    # Those of `bonus` need a database: tests/integration/rules/decide/test_newcomer.py runs them.
    if not command.startswith("bonus ")
]


@pytest.mark.parametrize("text", PROGRAMMES, ids=range(len(PROGRAMMES)))
def test_a_programme_of_the_page_loads(text: str) -> None:
    """What a reader copies works."""
    assert isinstance(load(text), ProgrammeVersion), load(text)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_runs(command: str) -> None:
    """Run as written, from the project's root, by the interpreter at hand."""
    _, *arguments = command.split()
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  # our own page
    assert (done.returncode, done.stdout, done.stderr) == (
        0, "examples/programmes/season.yaml: season, 7 rules, nothing wrong\n", "",
    )  # fmt: skip


def test_the_command_tells_every_fault_as_an_editor_understands_it(tmp_path: Path) -> None:
    """File, line and column first, so that an editor can jump there; the exit code says that something is wrong."""
    path = tmp_path / "wrong.yaml"
    path.write_text("programme: p\nzone: Europe/Warsw\nmoney: PLN\ncurrencies: {points: {}}\n", encoding="utf-8")
    done = subprocess.run(  # noqa: S603  # the interpreter at hand, on a file of ours
        [sys.executable, "-m", "services.rules.programme_file", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (
        1,
        f"{path}:2:7: zone: there is no time zone `Europe/Warsw` (did you mean Europe/Warsaw?)\n",
    )


@pytest.mark.parametrize(
    "fact", [*SITUATION_FACTS, *LINE_FACTS, f"{SPEND_IN}('90 days')", f"{PURCHASES_IN}('90 days')"]
)
def test_every_fact_is_on_the_page(fact: str) -> None:
    """A fact that nobody knows of is not used."""
    assert f"`{fact}`" in TEXT


def test_every_reason_is_on_the_page() -> None:
    """The reasons that the checks give are those that the page lists."""
    reasons = re.findall(r"`([a-z_]+)`", (eligibility.__doc__ or "").partition("The reasons")[2])
    assert reasons
    assert [reason for reason in reasons if f"`{reason}`" not in TEXT] == []


@pytest.mark.parametrize("part", ["programme", "rule", "caps", "birthday", "budget"])
def test_every_word_is_on_the_page(part: str) -> None:
    """The words of the schema are those of the page."""
    words = schema()["$defs"][part]["properties"]
    missing = [word for word in words if not re.search(rf"\b{word}\b", TEXT)]
    assert missing == []
