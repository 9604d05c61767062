"""What a text in a programme means: numbers, percentages, points, durations, dates, gives.

Each reader takes the text of one scalar and gives a value, or raises NotUnderstood with what to write instead. A hard
space is a space, `×2` and a Cyrillic `х2` are x2; a decimal comma is refused, because nobody can know whether it
separates thousands.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Final, cast
from zoneinfo import ZoneInfo

from contracts.amounts import MAX_DECIMALS, MAX_WHOLE_DIGITS, TEN_THOUSANDTHS
from services.rules.domain.moments import midnight
from services.rules.domain.programme import Duration, DurationUnit, GiveKind

_SPACES: Final = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_NUMBER: Final = r"\d{1,3}(?: \d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_COMMA: Final = re.compile(r"\d,\d")
_WORD: Final = r"[^\W\d][\w.-]*"
_PERCENT: Final = re.compile(rf"({_NUMBER}) ?%(?: (off|{_WORD}))?")
_QUANTITY: Final = re.compile(rf"({_NUMBER}) ({_WORD})")
_PER: Final = re.compile(rf"({_NUMBER}) ({_WORD}) per (?:(unit)|({_NUMBER}))")
_TIMES: Final = re.compile(r"(\d+) times?")
_FACTOR: Final = re.compile(rf"[xX×хХ] ?({_NUMBER})(?: ({_WORD}))?")
_DURATION: Final = re.compile(r"(\d+) (minute|hour|day|week|month|year)s?")
_DAY_OF_YEAR: Final = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_YES: Final = frozenset({"yes", "true"})
_NO: Final = frozenset({"no", "false"})
_LEAP_YEAR: Final = 2024
MAX_DURATION_COUNT: Final = 10_000


class NotUnderstoodError(ValueError):
    """The text does not mean what is needed here; `suggestion` is what to write."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of something: `word` names a currency."""

    value: Fraction
    word: str


@dataclass(frozen=True, slots=True)
class WrittenGive:
    """A give as written: `word` names the currency, empty for the first; `per` is in ten-thousandths of money."""

    kind: GiveKind
    value: Fraction
    word: str = ""
    per: int = 0


def plain(text: str) -> str:
    """The text with ordinary single spaces."""
    return _SPACES.sub(" ", text).strip()


def number(text: str, max_decimals: int = MAX_DECIMALS) -> Fraction:
    """An exact number of zero or more, such as `499.99` or `10 000`."""
    written = plain(text)
    _refuse_comma(written)
    if re.fullmatch(_NUMBER, written) is None:
        raise NotUnderstoodError(f"`{text}` is not a number", "write a number such as 10 or 0.10")
    whole, _, decimals = written.replace(" ", "").partition(".")
    if len(whole) > MAX_WHOLE_DIGITS or len(decimals) > max_decimals:
        digits = f"at most {MAX_WHOLE_DIGITS} digits and {max_decimals} decimals"
        raise NotUnderstoodError(f"`{text}` is too long", f"write {digits}")
    return Fraction(written.replace(" ", ""))


def ten_thousandths(text: str) -> int:
    """Money, or another number with up to four decimals."""
    return int(number(text) * TEN_THOUSANDTHS)


def percent(text: str) -> Fraction:
    """A percentage as a fraction: `5 %` is 1/20."""
    found = _matched(_PERCENT, text, "a percentage", "write it as 5 %")
    if found[2]:
        raise NotUnderstoodError(f"`{text}` says more than a percentage", f"write {found[1]} %")
    return number(found[1]) / 100


def quantity(text: str) -> Quantity:
    """A number of points, which always name their currency: `100 points`."""
    written = plain(text)
    if re.fullmatch(_NUMBER, written):
        raise NotUnderstoodError(f"`{text}` does not say of what", f"write {written} and the currency's name")
    found = _matched(_QUANTITY, text, "a number of points", "write it as 100 points")
    return Quantity(number(found[1]), found[2])


def times(text: str) -> int:
    """How often: `3 times`."""
    found = int(_matched(_TIMES, text, "a number of times", "write it as 3 times")[1])
    if not found:
        raise NotUnderstoodError("0 times means never", "leave the rule out instead")
    return found


def says_times(text: str) -> bool:
    """Whether a cap is on how often, not on how much."""
    return _TIMES.fullmatch(plain(text)) is not None


def duration(text: str) -> Duration:
    """`14 days`, `6 months`, `15 minutes`."""
    found = _matched(_DURATION, text, "a duration", "write it as 14 days, 6 months or 15 minutes")
    count = int(found[1])
    if count > MAX_DURATION_COUNT:
        raise NotUnderstoodError(f"`{text}` is too long", f"write at most {MAX_DURATION_COUNT}")
    return Duration(count, cast("DurationUnit", f"{found[2]}s"))


def give(text: str) -> WrittenGive:
    """What a rule gives, in any of the forms that docs/programmes.md lists."""
    written = plain(text)
    _refuse_comma(written)
    if found := _FACTOR.fullmatch(written):
        return WrittenGive("multiplier", number(found[1]), found[2] or "")
    if found := _PERCENT.fullmatch(written):
        off = found[2] == "off"
        return WrittenGive("percent_off" if off else "percent", number(found[1]) / 100, "" if off else found[2] or "")
    if found := _PER.fullmatch(written):
        points, word, unit, amount = found.groups()
        if unit:
            return WrittenGive("per_unit", number(points), word)
        return WrittenGive("per_amount", number(points), word, ten_thousandths(amount))
    if found := _QUANTITY.fullmatch(written):
        return WrittenGive("fixed", number(found[1]), found[2])
    if re.fullmatch(_NUMBER, written):
        raise NotUnderstoodError(f"`{text}` does not say of what", f"write {written} % or {written} points")
    forms = "5 %, 5 % off, 100 points, 1 point per 10.00, 10 points per unit or x2"
    raise NotUnderstoodError(f"`{text}` is not something to give", f"write one of {forms}")


def yes_or_no(text: str) -> bool:
    """`yes`, `no`, `true`, `false`."""
    written = plain(text).lower()
    if written in _YES | _NO:
        return written in _YES
    raise NotUnderstoodError(f"`{text}` is neither yes nor no", "write yes or no")


def day_of_year(text: str) -> tuple[int, int] | date:
    """A day of every year, `12-31`, as (month, day); or of one year, `2027-12-31`, as a date."""
    year, month, day = _matched(_DAY_OF_YEAR, text, "a day", "write it as 12-31 or 2027-12-31").groups()
    try:
        found = date(int(year or _LEAP_YEAR), int(month), int(day))
    except ValueError as error:
        raise NotUnderstoodError(f"there is no day {text}", "write month-day, such as 12-31") from error
    return found if year else (found.month, found.day)


def beginning(text: str, zone: ZoneInfo) -> datetime:
    """The instant at which something begins: a day begins at midnight."""
    return _moment(text, zone) or midnight(_day(text), zone)


def ending(text: str, zone: ZoneInfo) -> datetime:
    """The instant at which something ends, left out: a last day counts whole."""
    return _moment(text, zone) or midnight(_day(text) + timedelta(days=1), zone)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(plain(text))
    except ValueError as error:
        raise NotUnderstoodError(f"there is no day `{text}`", "write it as 2026-11-27 or 2026-11-27 18:00") from error


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    """A day with a time; None for a day alone."""
    written = plain(text)
    if _DATE.fullmatch(written):
        return None
    try:
        found = datetime.fromisoformat(written)
    except ValueError as error:
        message = f"`{text}` is not a day or a time"
        raise NotUnderstoodError(message, "write it as 2026-11-27 or 2026-11-27 18:00") from error
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def _refuse_comma(text: str) -> None:
    if _COMMA.search(text):
        mended = re.sub(r"(\d),(\d)", r"\1.\2", text)
        raise NotUnderstoodError("a decimal comma is not understood", f"write {mended}")


def _matched(pattern: re.Pattern[str], text: str, what: str, suggestion: str) -> re.Match[str]:
    written = plain(text)
    _refuse_comma(written)
    found = pattern.fullmatch(written)
    if found is None:
        raise NotUnderstoodError(f"`{text}` is not {what}", suggestion)
    return found
