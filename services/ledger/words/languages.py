"""Languages: which one a reader asks for, and how each writes amounts."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args

from contracts.amounts import format_points

Language = Literal["pl", "ru", "en"]
LANGUAGES: Final[Sequence[Language]] = get_args(Language)
DEFAULT: Final[Language] = "en"

_POINTS: Final[Mapping[Language, str]] = {"pl": "pkt", "ru": "баллов", "en": "points"}
"""For a currency called `points` whose programme has no word for it."""


def asked_for(accept_language: str | None) -> Language:
    """The language that `Accept-Language` prefers among those there are; English where none of them is named.

    Source: RFC 9110, section 12.5.4.
    """
    best: tuple[float, Language] = (0.0, DEFAULT)
    for part in (accept_language or "").split(","):
        name, _, parameter = part.partition(";")
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


def amount(points: int, scale: int, language: Language) -> str:
    """Points as the language writes a number: `1234,50` for a Pole."""
    text = format_points(points, scale)
    return text if language == "en" else text.replace(".", ",")


def currency_word(currency: str, names: Mapping[str, str], language: Language) -> str:
    """The word after an amount: the programme's own, else a plain one."""
    named = names.get(language)
    if named:
        return named
    return _POINTS[language] if currency == "points" else currency
