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
    file.write_text(FILE.replace("cap: {month: 1 time}", "to: line.seller"), encoding="utf-8")
    result = CliRunner().invoke(app, ["lint", str(file)])
    assert result.exit_code == 0
    assert "it cannot be published yet: rule big: `to: line.seller` does not reach others yet" in result.output


def test_every_fault_is_named_with_its_place(file: Path) -> None:
    """Line and column, and exit 1: an editor or a pipeline can use it."""
    file.write_text(FILE.replace("money: PLN", "money: zloty").replace("5 %", "5 procent"), encoding="utf-8")
    result = CliRunner().invoke(app, ["lint", str(file)])
    assert result.exit_code == 1
    assert f"{file}: line 4, column 8: money: " in result.output
    assert f"{file}: line 8, column " in result.output


def test_what_changes_for_members_is_said_in_words(file: Path, tmp_path: Path) -> None:
    """One sentence for each change; nothing where nothing changes."""
    assert CliRunner().invoke(app, ["diff", str(file), str(file)]).output == "Nothing changes.\n"
    changed = (
        FILE.replace("bronze: 5 %", "bronze: 4 %")
        .replace("from: 100", "from: 200")
        .replace("after: 6 months", "after: 1 year")
        .replace("share_of_bill: 30 %", "share_of_bill: 50 %")
        .replace("  - {rule: big, ", "  - {rule: huge, ")
    )
    other = tmp_path / "new.yaml"
    other.write_text(changed, encoding="utf-8")
    assert CliRunner().invoke(app, ["diff", str(file), str(other)]).output.replace("\u00a0", " ") == (
        "For members:\n"
        "~ before: For every purchase, a share of what you pay, by level: bronze – 5% (5 points for every 100 zł).\n"
        "  now: For every purchase, a share of what you pay, by level: bronze – 4% (4 points for every 100 zł).\n"
        "+ new: For a purchase of at least 500 zł: 100 points. At most once in a calendar month.\n"
        "~ before: Points may pay up to 30% of a bill.\n"
        "  now: Points may pay up to 50% of a bill.\n"
        "~ before: Points are valid for 6 months from the purchase, the last day included.\n"
        "  now: Points are valid for 1 year from the purchase, the last day included.\n"
        "~ before: Bronze: from 100 zł.\n"
        "  now: Bronze: from 200 zł.\n"
        "- no longer: For a purchase of at least 500 zł: 100 points. At most once in a calendar month.\n"
        "In the words of the file:\n"
        "  order: level, big → level, huge\n"
        "  currencies/points/expires: after 6 months → after 1 year\n"
        "  rules/level/by_tier: {bronze: 5 %} → {bronze: 4 %}\n"
        "  rules/huge/give: – → 100 points\n"
        '  rules/huge/when: – → "purchase.total >= 500"\n'
        "  rules/huge/caps: – → (period month; times 1)\n"
        "  tiers/levels: (tier bronze; least 1000000) → (tier bronze; least 2000000)\n"
        "  redeem/share_of_bill: 30 % → 50 %\n"
        "  rules/big/give: 100 points → –\n"
        '  rules/big/when: "purchase.total >= 500" → –\n'
        "  rules/big/caps: (period month; times 1) → –\n"
    )
    assert CliRunner().invoke(app, ["diff", str(file), str(other), str(file)]).exit_code == 2


def test_the_terms_are_written_from_the_file(file: Path) -> None:
    """Markdown in the language that was asked for, or a page for a browser."""
    said = CliRunner().invoke(app, ["terms", str(file), "--language", "pl"]).output
    assert said.startswith("# club: zasady programu\n\n## Jak zbierasz\n\n- Za każdy zakup, część zapłaconej kwoty")
    assert (
        CliRunner().invoke(app, ["terms", str(file), "--html"]).output.startswith('<!doctype html>\n<html lang="en">')
    )


def test_a_programme_is_explained_to_members_and_to_the_shop(file: Path) -> None:
    """Behind the terms every rule stands in the words of the file."""
    said = CliRunner().invoke(app, ["explain", str(file)]).output.replace("\u00a0", " ")
    assert "- For a purchase of at least 500 zł: 100 points. At most once in a calendar month.\n" in said
    assert "## For the shop only\n\n- `order`: level, big\n" in said
    assert '- `rules/big`: give 100 points; when "purchase.total >= 500"; caps (period month; times 1)\n' in said
    nothing = CliRunner().invoke(app, ["explain", "nothing"])
    assert (nothing.exit_code, "neither a file nor the id of a decision" in nothing.output) == (2, True)
