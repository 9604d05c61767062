"""`bonus publish`: what is sent where, under which key, and what is not sent at all."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.documents import SAMPLES
from services.publish import app, key_of

NOBODY = ["--bootstrap", "127.0.0.1:1"]


def sample(name: str) -> dict[str, object]:
    """A golden sample."""
    content: dict[str, object] = json.loads((SAMPLES / f"{name}.json").read_bytes())
    return content


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("bonus.purchase.completed.v1.grocer", "card:770001234567"),
        ("bonus.purchase.returned.v1.one-line", "krakow-12/3/000451"),
        ("bonus.member.enrolled.v1.by-card", "card:770001234567"),
        ("bonus.activity.recorded.v1.review", "email:zofia@example.com"),
        ("bonus.points.redeem.v1.plain", "8fb3024b-07f5-5659-afc8-98cbd4681ce3"),
    ],
)
def test_a_message_goes_by_what_it_is_about(name: str, key: str) -> None:
    """The identifier, the purchase, or the account, in the text that decides the shard."""
    assert key_of(sample(name)) == key


def test_a_purchase_without_a_member_goes_by_its_own_id() -> None:
    """It is kept under it, as `no_member`."""
    purchase = sample("bonus.purchase.completed.v1.grocer")
    assert isinstance(purchase["data"], dict)
    del purchase["data"]["member"]
    assert key_of(purchase) == "krakow-12/3/000451"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "holds no events"),
        ("{", "not_json"),
        ('{"type": "bonus.purchase.completed.v1"}', "$.data: "),
        ((SAMPLES / "bonus.points.accrued.v1.pending.json").read_text(), "[not_retail]"),
    ],
)
def test_what_is_not_good_is_not_sent(tmp_path: Path, content: str, said: str) -> None:
    """Nobody is even asked to take it; the reason names the field."""
    file = tmp_path / "events.json"
    file.write_text(content)
    result = CliRunner().invoke(app, [str(file), *NOBODY])
    assert (result.exit_code, said in result.stderr) == (1, True), result.stderr


def test_one_bad_event_holds_back_the_good_ones(tmp_path: Path) -> None:
    """All or nothing: a file is not sent by half."""
    good = json.dumps(sample("bonus.purchase.completed.v1.grocer"))
    file = tmp_path / "events.jsonl"
    file.write_text(f"{good}\n{{}}\n")
    result = CliRunner().invoke(app, [str(file), *NOBODY])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "line 2: $.type" in result.stderr
