"""The text of a condition: where its literals and calls end, and what is written in their place to compile it."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from contracts.amounts import TEN_THOUSANDTHS

_NUMBER: Final = re.compile(r"-?\s*\d+(?:\.\d+)?(?![\w.])")
_TEXT: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_CLOSING: Final = re.compile(r"\s*\)")
_LARGEST: Final = 2**53


class ConditionError(ValueError):
    """What is wrong with a condition at `place`, an offset in its text."""

    def __init__(self, place: int, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.place = max(place, 0)
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Write `text` instead of what stands from `start` up to `end`."""

    start: int
    end: int
    text: str


def scaled(source: str, place: int) -> Edit:
    """The number at `place` in ten-thousandths, as money is counted."""
    found = _NUMBER.match(source, place)
    if found is None:
        raise ConditionError(place, "this number cannot be compared with an amount", "write it as 500 or 499.99")
    value = Fraction(found[0].replace(" ", "")) * TEN_THOUSANDTHS
    if value.denominator != 1:
        raise ConditionError(place, f"{found[0]} has more than four decimals")
    if abs(value) > _LARGEST:
        raise ConditionError(place, f"{found[0]} is too large")
    return Edit(place, found.end(), str(value.numerator))


def call_end(source: str, argument_place: int) -> int:
    """Where a call ends whose only argument is the text at `argument_place`."""
    found = _TEXT.match(source, argument_place)
    closing = _CLOSING.match(source, found.end()) if found else None
    if closing is None:
        raise ConditionError(argument_place, "this call has one text in quotes, such as ('90 days')")
    return closing.end()


def edited(source: str, edits: list[Edit]) -> str:
    """The text with its edits made."""
    for edit in sorted(set(edits), reverse=True):
        source = source[: edit.start] + edit.text + source[edit.end :]
    return source


def original_place(place: int, edits: list[Edit]) -> int:
    """Where a place of the edited text was before the edits."""
    shift = 0
    for edit in sorted(set(edits)):
        begins = edit.start + shift
        if place < begins:
            break
        if place < begins + len(edit.text):
            return edit.start
        shift += len(edit.text) - (edit.end - edit.start)
    return place - shift
