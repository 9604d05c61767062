"""Decisions are found by their list, and nothing points to one that is not there."""

import re
from typing import Final

from tests.architecture.decisions import DIRECTORY, INDEX, decisions
from tests.architecture.sources import read, with_suffix

_ENTRY: Final = re.compile(r"^- \[(?P<number>\d+)\. (?P<title>.*)\]\((?P<file>.*)\)$", re.MULTILINE)
_NAMED: Final = re.compile(r"\bADR (\d+)")


def test_every_decision_has_a_number_of_its_own() -> None:
    """The number in the title is that of the file, and no two share one."""
    files = sorted(DIRECTORY.glob("[0-9]*.md"))
    assert len(decisions()) == len(files) > 0
    assert [int(name.split("-")[0]) for name, _ in decisions().values()] == list(decisions())


def test_what_is_listed_is_there_under_that_title() -> None:
    """`make docs` writes the list anew."""
    listed = {int(each["number"]): (each["file"], each["title"]) for each in _ENTRY.finditer(INDEX.read_text())}
    assert listed
    assert {number: decisions().get(number) for number in listed} == listed


def test_no_text_names_a_decision_that_is_not_there() -> None:
    """A reader who follows a number finds something."""
    texts = [*with_suffix(".py"), *with_suffix(".md"), *with_suffix(".sql")]
    missing = {
        (str(path), int(number))
        for path in texts
        for number in _NAMED.findall(read(path))
        if int(number) not in decisions()
    }
    assert missing == set()
