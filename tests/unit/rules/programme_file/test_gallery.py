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
