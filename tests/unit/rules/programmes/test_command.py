"""`bonus programme lint` and `diff`: faults with their place, and what changes for members, in words."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.rules.programmes.command import app

FILE = """
programme: club
zone: Europe/Warsaw
money: PLN
currencies: {points: {scale: 2, worth: 1.00, expires: {after: 6 months}}}
tiers: {by: spend, window: 12 months, levels: [{tier: bronze, from: 100}]}
earn:
  - {rule: level, give: {bronze: 5 %}}
  - {rule: big, when: "purchase.total >= 500", give: 100 points, cap: {month: 1 time}}
redeem: {share_of_bill: 30 %}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A good file."""
    path = tmp_path / "club.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_good_file_is_said_to_be_good(file: Path) -> None:
    """Its programme and its rules are named; the command ends well."""
    result = CliRunner().invoke(app, ["lint", str(file)])
    assert (result.exit_code, result.output) == (0, f"{file}: programme club, 2 rules: good\n")


def test_what_cannot_be_published_yet_is_said(file: Path) -> None:
    """The file is good, and would do nothing of this: a reader learns it before publication refuses it."""
    file.write_text(FILE.replace("cap: {month: 1 time}", "to: member.referred_by"), encoding="utf-8")
    result = CliRunner().invoke(app, ["lint", str(file)])
    assert result.exit_code == 0
    assert "it cannot be published yet: rule big: `to:` does not reach others yet" in result.output


def test_every_fault_is_named_with_its_place(file: Path) -> None:
    """Line and column, and exit 1: an editor or a pipeline can use it."""
    file.write_text(FILE.replace("money: PLN", "money: zloty").replace("5 %", "5 procent"), encoding="utf-8")
    result = CliRunner().invoke(app, ["lint", str(file)])
    assert result.exit_code == 1
    assert f"{file}: line 4, column 8: money: " in result.output
    assert f"{file}: line 8, column " in result.output


def test_what_changes_for_members_is_said_in_words(file: Path, tmp_path: Path) -> None:
    """One sentence for each change; nothing where nothing changes."""
    assert CliRunner().invoke(app, ["diff", str(file), str(file)]).output == "Nothing changes for members.\n"
    changed = (
        FILE.replace("bronze: 5 %", "bronze: 4 %")
        .replace("from: 100", "from: 200")
        .replace("after: 6 months", "after: 1 year")
        .replace("share_of_bill: 30 %", "share_of_bill: 50 %")
        .replace("  - {rule: big, ", "  - {rule: huge, ")
    )
    other = tmp_path / "new.yaml"
    other.write_text(changed, encoding="utf-8")
    assert CliRunner().invoke(app, ["diff", str(file), str(other)]).output == (
        "- currency points, lapses: 6 months → 1 year\n"
        "- rule big: ends\n"
        "- rule level, gives: bronze 5 % → bronze 4 %\n"
        "- rule huge: is new\n"
        "- level bronze, from: 100.00 → 200.00\n"
        "- paying with points, share of the bill: 30 % → 50 %\n"
    )
