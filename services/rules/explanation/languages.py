"""Languages: how each writes numbers and dates, and which one a reader asks for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

Language = Literal["pl", "ru", "en"]
LANGUAGES: Final[Sequence[Language]] = get_args(Language)
DEFAULT: Final[Language] = "en"

_MONTHS: Final[Mapping[Language, Sequence[str]]] = {
    "pl": (
        "stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września", "października",
        "listopada", "grudnia",
    ),
    "ru": (
        "января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября",
        "декабря",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
}  # fmt: skip


def asked_for(accept_language: str | None) -> Language:
    """The language that `Accept-Language` prefers among those there are; English where none of them is named.

    Source: RFC 9110, section 12.5.4.
    """
    best: tuple[float, Language] = (0.0, DEFAULT)
    for part in (accept_language or "").split(","):
        name, _, parameter = part.strip().partition(";")
        language = next((each for each in LANGUAGES if each == name.strip().lower().partition("-")[0]), None)
        weight = _weight(parameter)
        if language is not None and weight > best[0]:
            best = (weight, language)
    return best[1]


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def number(text: str, language: Language) -> str:
    """A decimal string as it is written in the language."""
    return text if language == "en" else text.replace(".", ",")


def day(at: datetime, zone: ZoneInfo, language: Language) -> str:
    """The day of an instant: `5 March 2026`."""
    local = at.astimezone(zone)
    said = f"{local.day} {_MONTHS[language][local.month - 1]} {local.year}"
    return f"{said} г." if language == "ru" else said


def day_of_year(month: int, number: int, language: Language) -> str:
    """A day of every year: `31 December`."""
    return f"{number} {_MONTHS[language][month - 1]}"


def moment(at: datetime, zone: ZoneInfo, language: Language) -> str:
    """The day and the time of an instant: `5 March 2026, 17:04`; seconds only where they are not zero."""
    local = at.astimezone(zone)
    time = local.strftime("%H:%M:%S" if local.second else "%H:%M")
    return f"{day(at, zone, language)}, {time}"
