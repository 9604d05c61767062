"""`bonus contracts validate`, as the developer of a till runs it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.command import app
from contracts.documents import SAMPLES

GOOD = (SAMPLES / "bonus.purchase.completed.v1.grocer.json").read_bytes()
BAD = GOOD.replace(b'"7.98"', b"7.98")
ONE_LINE = json.dumps(json.loads(GOOD)).encode()
BAD_LINE = json.dumps(json.loads(BAD)).encode()
AMOUNT = '$.data.lines[0].amount: write a decimal string such as "7.98", in quotes [decimal_string]'
NO_KEY = "unexpected character, expected a string key [not_json]"


def run(tmp_path: Path, content: bytes) -> tuple[int, list[str], list[str]]:
    """Exit code, what was said, and what was complained of, with the file's folder left out."""
    file = tmp_path / "events.json"
    file.write_bytes(content)
    result = CliRunner().invoke(app, ["validate", str(file)])
    said = [line.replace(f"{tmp_path}/", "") for line in result.stderr.splitlines()]
    return result.exit_code, result.stdout.splitlines(), said


@pytest.mark.parametrize(
    ("content", "number"),
    [(GOOD, 1), (b"[" + GOOD + b"," + GOOD + b"]", 2), (ONE_LINE + b"\n\n" + ONE_LINE + b"\n", 2)],
    ids=["one", "array", "lines"],
)
def test_good_events_are_counted(tmp_path: Path, content: bytes, number: int) -> None:
    """One event over many lines, an array, one event a line: all are understood."""
    assert run(tmp_path, content) == (0, [f"{number} valid bonus.purchase.completed.v1"], [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (BAD, ["events.json, event: " + AMOUNT]),
        (b"[" + GOOD + b"," + BAD + b"]", ["events.json, event 1: " + AMOUNT.replace("$", "$[1]", 1)]),
        (ONE_LINE + b"\n" + BAD_LINE, ["events.json, line 2: " + AMOUNT]),
        (
            ONE_LINE + b"\n{nonsense\n",
            ["events.json, line 2, column 2: $: this is not JSON: " + NO_KEY],
        ),
        (b"[1]", ["events.json, event 0: $[0]: an event is an object: { … } [not_a_cloud_event]"]),
    ],
    ids=["one", "array", "lines", "broken line", "number"],
)
def test_a_bad_event_is_named_by_place_and_field(tmp_path: Path, content: bytes, said: list[str]) -> None:
    """The others are still checked; exit 1."""
    code, _, complaints = run(tmp_path, content)
    assert code == 1
    assert complaints == [*said, "1 not valid"]


def test_nothing_is_not_valid(tmp_path: Path) -> None:
    """An empty array is more likely a broken export than good news."""
    assert run(tmp_path, b"[]") == (1, [], ["events.json holds no events"])


def test_standard_input_is_read() -> None:
    """A pipe from a test of the till's own."""
    result = CliRunner().invoke(app, ["validate", "-"], input=GOOD)
    assert (result.exit_code, result.stdout) == (0, "1 valid bonus.purchase.completed.v1\n")


def test_a_file_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    """Exit 2, as for every wrong call."""
    assert CliRunner().invoke(app, ["validate", str(tmp_path / "missing")]).exit_code == 2
