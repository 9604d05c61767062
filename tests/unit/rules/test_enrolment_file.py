"""A file of members: what each line says, and which lines are bad and why."""

from datetime import UTC, datetime
from pathlib import Path

from typer.testing import CliRunner

from contracts.catalogue import MODELS
from services.rules.command import app
from services.rules.enrolment.file import BadLine, Member, Membership, read

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
MEMBERSHIP = Membership("default", "grocer", AT)
HEADER = "card,phone,birthday,enrolled_at,referred_by,shoe size"


def test_a_line_becomes_an_enrolment() -> None:
    """Empty cells say nothing, other columns are attributes, the first identifier is the key."""
    lines = [HEADER, "77, 600100200 ,1990-02-28,2026-02-01T00:00:00+01:00,card:88,42", ",600100201,,,,"]
    first, second = read(lines, MEMBERSHIP)
    assert isinstance(first, Member)
    assert isinstance(second, Member)
    assert first.data == {
        "programme": "grocer",
        "identifiers": [{"type": "card", "value": "77"}, {"type": "phone", "value": "600100200"}],
        "enrolled_at": "2026-02-01T00:00:00+01:00",
        "birthday": "1990-02-28",
        "referred_by": {"type": "card", "value": "88"},
        "attributes": {"shoe size": "42"},
    }
    assert (second.key, second.data["enrolled_at"]) == ("phone:600100201", "2026-03-01T10:00:00+00:00")
    event = first.event("default", AT)
    MODELS[event["type"]].model_validate(event)
    assert list(read(lines, MEMBERSHIP)) == [first, second]


def test_bad_lines_are_named_by_their_number() -> None:
    """One bad line hides no other."""
    lines = [HEADER, "77,,soon,,,", ",,,,,", "88,,,,,", "88,600,,,,", "99,,", "1,,,tomorrow,,"]
    found = list(read(lines, MEMBERSHIP))
    bad = [each for each in found if isinstance(each, BadLine)]
    assert [(each.number, each.reason) for each in bad] == [
        (2, '$.birthday: write a day such as "1990-03-05"'),
        (3, "$.identifiers: at least 1"),
        (5, "the same first identifier as in line 4"),
        (6, "it has not as many cells as the first line has names"),
        (7, '$.enrolled_at: write a time with its zone, such as "2026-03-05T17:04:11+01:00"'),
    ]


def test_a_file_with_a_bad_line_is_not_sent_at_all(tmp_path: Path) -> None:
    """The command says which lines are bad, and exits with 1; a dry run sends nothing either."""
    file = tmp_path / "members.csv"
    file.write_text("card,enrolled_at\n77,2026-02-01T00:00:00Z\n78,\n")
    arguments = ["enrol", str(file), "--programme", "grocer", "--dry-run"]
    refused = CliRunner().invoke(app, arguments)
    assert (refused.exit_code, "line 3: $.enrolled_at: this field is required" in refused.stderr) == (1, True)
    accepted = CliRunner().invoke(app, [*arguments, "--enrolled-at", "2026-03-01T10:00:00+01:00"])
    assert (accepted.exit_code, accepted.stdout) == (0, "2 enrolments could be sent\n")
    unclear = CliRunner().invoke(app, [*arguments, "--enrolled-at", "yesterday"])
    assert unclear.exit_code == 2
