"""The gallery: every programme file loads, and every case beside it comes out as it says."""

from typing import Any

import pytest

from services.rules.domain.programme import ProgrammeVersion
from services.rules.programme_file import load
from tests.unit.rules.programme_file.gallery import GALLERY, Case, cases, outcome

PROGRAMMES = sorted(path.name for path in GALLERY.glob("*.yaml") if not path.name.endswith(".cases.yaml"))
MOST_LINES_OF_THE_SHORTEST = 15


@pytest.mark.parametrize("name", PROGRAMMES)
def test_a_programme_of_the_gallery_loads_and_has_cases(name: str) -> None:
    """No file of the gallery has a fault, its key is its name, and cases stand beside it."""
    version = load((GALLERY / name).read_text(encoding="utf-8"))
    assert isinstance(version, ProgrammeVersion), version
    assert version.key == name.removesuffix(".yaml")
    assert (GALLERY / name.replace(".yaml", ".cases.yaml")).exists()


def test_a_simple_programme_is_short() -> None:
    """The cashback of a till fits in fewer than fifteen lines."""
    assert len((GALLERY / "till-cashback.yaml").read_text(encoding="utf-8").splitlines()) < MOST_LINES_OF_THE_SHORTEST


@pytest.mark.parametrize("case", cases(), ids=str)
def test_a_case_of_the_gallery_comes_out_as_it_says(case: Case) -> None:
    """What `then` names is what the programme says."""
    expected: dict[str, Any] = case.said["then"]
    assert compared(outcome(case), expected) == expected


def compared(found: Any, expected: Any) -> Any:
    """The part of what was found that is expected: lots name only what matters, everything else is compared whole."""
    if isinstance(expected, dict) and "lots" in expected:
        found = {
            **found,
            "lots": [_only(lot, wanted) for lot, wanted in zip(found["lots"], expected["lots"], strict=True)],
        }
    return _only(found, expected)


def _only(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    return {word: found[word] for word in expected}


LATER = {
    "engage": """
earn:
  - {rule: review, event: activity.review, once_per: activity.product, give: 20 points, cap: {day: 2 times}}
  - {rule: survey, event: activity.survey, give: 5 points, cap: {week: 1 time}}
""",
    "hotel-business": """
tiers: {of: account, levels: [{tier: blue, from: 10000}]}
earn: [{rule: nights, give: 5 points per unit, cap: {month: 2000 points, per: member}}]
""",
    "data-miles": "earn: [{rule: back, give: 2 % cash}, {rule: miles, give: 1 mile per 5.00, expires: 2 years}]",
    "beauty-tiers": """
tiers: {window: calendar_year, levels: [{tier: vib, from: 350}, {tier: rouge, from: 1000}]}
earn: [{rule: base, give: 1 point per 1.00}, {rule: more, give: {vib: x1.25, rouge: x1.5}}]
""",
    "sellers": """
earn: [{rule: push, lines: "line.brand == 'X'", give: 10 points per unit, to: line.seller}]
""",
    "sticker-album": "earn: [{rule: stamps, give: 1 stamp per 200}]",
    "mobile-perks": "earn: [{rule: tenure, when: 'member.days_enrolled >= 365', give: 500 MB}]",
}


@pytest.mark.parametrize("name", LATER)
def test_the_rest_of_the_gallery_can_be_said(name: str) -> None:
    """What the decision record says of later programmes is what the language takes today."""
    currencies = "{points: {}, cash: {scale: 2}, miles: {}, stamp: {worth: 0}, data: {worth: 0, many: MB}}"
    text = f"programme: p\nzone: Europe/Warsaw\nmoney: PLN\ncurrencies: {currencies}\n{LATER[name]}\n"
    assert isinstance(load(text), ProgrammeVersion), load(text)
