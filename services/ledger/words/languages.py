"""How each language writes amounts."""

from collections.abc import Mapping
from typing import Final

from contracts.amounts import format_points
from services.runtime.http.languages import Language

_POINTS: Final[Mapping[Language, str]] = {"pl": "pkt", "ru": "баллов", "en": "points"}
"""For a currency called `points` whose programme has no word for it."""


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
