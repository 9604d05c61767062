"""How each language writes numbers and dates."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from services.runtime.http.languages import Language

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
