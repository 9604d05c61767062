"""Opening balances from the CSV of an old system: each account once, or nothing at all."""

from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from services.ledger.command import app
from services.ledger.opening.file import BadLineError, OpeningLot, Terms, read
from tests.integration.ledger.conftest import Member

TERMS = Terms({"points": 2, "miles": 0}, "Europe/Warsaw")
HEAD = "member,currency,points,expires,earned,partner"
ANNA, OLGA = "8fb3024b-07f5-5659-afc8-98cbd4681ce3", "6f46838a-b609-5f37-86d1-d9fbda49300f"


def test_lines_become_lots_with_their_dates() -> None:
    """A day of expiry counts whole, in the programme's zone; columns come in any order; quotes and blanks are read."""
    opening = read(
        [
            "points,member,currency,expires,earned\n",
            f'10.50,"{ANNA}", points ,2026-12-31,2026-01-05\n',
            f"7,{ANNA},miles,,2026-01-05T10:00:00+01:00\n",
        ],
        TERMS,
    )
    lots = opening.lots[UUID(ANNA)]
    assert [(lot.line, lot.currency, lot.points) for lot in lots] == [(2, "points", 1050), (3, "miles", 7)]
    assert [lot.expires_at and lot.expires_at.isoformat() for lot in lots] == ["2027-01-01T00:00:00+01:00", None]
    assert [lot.earned_at and lot.earned_at.isoformat() for lot in lots] == [
        "2026-01-05T00:00:00+01:00",
        "2026-01-05T10:00:00+01:00",
    ]
    assert (opening.totals, opening.bad) == ({"points": 1050, "miles": 7}, [])


def test_bad_lines_are_named_by_number() -> None:
    """Each bad line with its reason, and the good ones beside them counted."""
    rows = [
        f"{ANNA},points,1.00,,,",
        "anna,points,1.00,,,",
        f"{ANNA},stars,1.00,,,",
        f"{ANNA},points,1.001,,,",
        f"{ANNA},points,-1,,,",
        f"{ANNA},points,1e400,,,",
        f"{ANNA},points,1,2026-02-30,,",
        f"{ANNA},points,1,2026-01-01,2026-06-01,",
        f"{ANNA},points,1,2026-01-01T00:00:00,,",
        f"{ANNA},points,1",
        f"{ANNA},points,1,,,{'x' * 201}",
        f"{OLGA},miles,3,,,cinema",
    ]
    opening = read([HEAD, *rows], TERMS)
    assert [number for number, _ in opening.bad] == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert [reason.split(":")[0] for _, reason in opening.bad] == [
        "member", "currency", "points", "points", "points", "expires", "expires", "expires",
        "it has more or fewer columns than the first line", "partner",
    ]  # fmt: skip
    assert opening.lots[UUID(OLGA)] == [OpeningLot(13, "miles", 3, None, None, "cinema")]
    for head in ("member,points", f"{HEAD},expiry"):
        with pytest.raises(BadLineError):
            read([head], TERMS)


def test_A8_an_old_systems_balances_are_opened_once(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run twice, each account is opened once and the totals agree with the file; a bad line, and nothing is booked."""
    monkeypatch.setenv("BONUS_POSTGRES_DSN", database)
    members = [Member() for _ in range(30)]
    file = tmp_path / "old.csv"
    rows = [f"{each.member_id},points,{number + 1}.50,2099-12-31,2026-01-05," for number, each in enumerate(members)]
    rows += [f"{members[0].member_id},points,2.00,2099-06-30,," for _ in range(60)]
    options = ["--programme", "grocer", "--scale", "points=2"]

    def command(*more: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["open-balances", str(file), *options, *more])
        return result.exit_code, result.output

    file.write_text("\n".join([HEAD, *rows, "anna,points,1,,,"]))
    code, output = command()
    assert (code, output.splitlines()) == (
        1,
        [
            "line 92: member: not an id such as 8fb3024b-07f5-5659-afc8-98cbd4681ce3",
            "91 lines, 30 members, 600.00 points",
            "1 bad lines: nothing was booked",
        ],
    )
    file.write_text("\n".join([HEAD, *rows]))
    assert command("--dry-run") == (0, "90 lines, 30 members, 600.00 points\n")
    first, second = command(), command()
    assert first == (0, "90 lines, 30 members, 600.00 points\nbooked now: 600.00 points; 0 commands stood already\n")
    assert second == (0, "90 lines, 30 members, 600.00 points\nbooked now: nothing; 32 commands stood already\n")
    file.write_text("\n".join([HEAD, *rows[1:], f"{members[0].member_id},points,9.50,2099-12-31,2026-01-05,"]))
    code, output = command()
    assert (code, f"member {members[0].member_id}: opened before with other figures" in output) == (1, True)
    verified = CliRunner().invoke(app, ["verify", "--processes", "1"])
    assert verified.exit_code == 0, verified.output
    assert " 30 accounts, 90 lots" in verified.output
