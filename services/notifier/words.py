"""Numbers, days and names as members read them, in each language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contracts.amounts import MAX_POINTS, MAX_SCALE, format_points

_NO_BREAK: Final = "\u00a0"
_MONTHS: Final[Mapping[str, tuple[str, ...]]] = {
    "pl": (
        "stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca",
        "lipca", "sierpnia", "września", "października", "listopada", "grudnia",
    ),
    "ru": (
        "января", "февраля", "марта", "апреля", "мая", "июня",
        "июля", "августа", "сентября", "октября", "ноября", "декабря",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip
_POINTS: Final[Mapping[str, str]] = {"pl": "pkt", "ru": "баллов", "en": "points"}
"""For a currency called `points` whose programme has no word for it."""


@dataclass(frozen=True, slots=True)
class ProgrammeWords:
    """A programme as its members read it; names by language, each of them optional."""

    code: str
    zone: tzinfo = UTC
    names: Mapping[str, str] = field(default_factory=dict)
    currencies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tiers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    scales: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of_versions(cls, code: str, versions: Sequence[Mapping[str, Any]], now: datetime) -> Self:
        """The words of the version in force at `now`, of those published (contracts.programmes.ProgrammeGuards)."""
        begun = [version for version in versions if datetime.fromisoformat(version["starts_at"]) <= now]
        if not begun:
            return cls(code)
        version = max(begun, key=lambda each: (datetime.fromisoformat(each["starts_at"]), each["version"]))
        currencies = {each["currency"]: each.get("name", {}) for each in version["currencies"]}
        scales = {each["currency"]: each["scale"] for each in version["currencies"]}
        zone = _zone(version["zone"])
        return cls(code, zone, version.get("name", {}), currencies, version.get("tiers", {}), scales)

    def name(self, language: str) -> str:
        """The programme's name."""
        return self.names.get(language) or next(iter(self.names.values()), self.code)

    def tier(self, code: str, language: str) -> str:
        """The name of a tier."""
        return self.tiers.get(code, {}).get(language) or code

    def currency(self, code: str, language: str) -> str:
        """The word after an amount."""
        own = self.currencies.get(code, {}).get(language)
        return own or (_POINTS[language] if code == "points" else code)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        # A zone that this machine does not know yet: a day too early or late is better than no message.
        return UTC


def number(points: int, scale: int, language: str) -> str:
    """Points as a number: `1 234,50` in Polish and Russian (with no-break spaces), `1,234.50` in English.

    Raises ValueError for what no currency has: a scale over 4, more points than a movement may have.
    """
    if not (0 <= scale <= MAX_SCALE and abs(points) <= MAX_POINTS):
        raise ValueError(f"no amount has {scale} decimals, or so many points")
    whole, point, decimals = format_points(points, scale).partition(".")
    grouped = f"{int(whole):,}"
    sign = "-" if whole == "-0" else ""
    if language == "en":
        return f"{sign}{grouped}{point}{decimals}"
    return f"{sign}{grouped.replace(',', _NO_BREAK)}{',' if point else ''}{decimals}"


def day(instant: datetime, zone: tzinfo, language: str) -> str:
    """The calendar day of an instant: `19 marca 2026`."""
    local = instant.astimezone(zone)
    return f"{local.day}{_NO_BREAK}{_MONTHS[language][local.month - 1]} {local.year}"


def clock(instant: datetime, zone: tzinfo) -> str:
    """The time of day of an instant: `17:04`."""
    return f"{instant.astimezone(zone):%H:%M}"


def last_day(end: datetime, zone: tzinfo, language: str) -> str:
    """The last day that is wholly before or at `end`: what ends on 1 March 00:00 is valid through 28 February."""
    return day(end - timedelta(microseconds=1), zone, language)
