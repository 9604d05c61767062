"""What a currency is called when it is counted: by the words of its file, else as the language usually does.

A file gives one (`one:`), the plural (`many:`) and, for languages that have them, the genitives (`of_one:`,
`of_many:`).
"""

from collections.abc import Mapping
from typing import Final

from services.rules.domain.programme import Currency
from services.rules.terms.grammar import Noun
from services.runtime.http.languages import Language

_KNOWN: Final[Mapping[Language, Mapping[str, tuple[str, str, str, str]]]] = {
    "pl": {
        "point": ("punkt", "punkty", "punktu", "punktów"),
        "bonus": ("bonus", "bonusy", "bonusu", "bonusów"),
        "stamp": ("pieczątka", "pieczątki", "pieczątki", "pieczątek"),
        "star": ("gwiazdka", "gwiazdki", "gwiazdki", "gwiazdek"),
        "mile": ("mila", "mile", "mili", "mil"),
    },
    "ru": {
        "point": ("балл", "баллы", "балла", "баллов"),
        "bonus": ("бонус", "бонусы", "бонуса", "бонусов"),
        "stamp": ("наклейка", "наклейки", "наклейки", "наклеек"),
        "star": ("звезда", "звёзды", "звезды", "звёзд"),
        "mile": ("миля", "мили", "мили", "миль"),
    },
    "en": {
        "bonus": ("bonus", "bonuses", "bonus", "bonuses"),
    },
}
"""One, the plural, the genitive of one, the genitive plural; by the English word."""

_HARD: Final = {"pl": "bcdfghjklłmnprstwz", "ru": "бвгджзклмнпрстфх", "en": ""}
_FEMININE: Final = {"pl": "a", "ru": "ая", "en": ""}
_MASCULINE: Final = {"pl": ("y", "u", "ów"), "ru": ("ы", "а", "ов"), "en": ("s", "", "s")}
_SOFTENING: Final = frozenset("kglкгх")
_BREAKING: Final = frozenset("kк")
_VOWELS: Final = frozenset("aeiouyаеиоуыэюя")


def noun_of(currency: Currency, language: Language) -> Noun:
    """The forms of a currency's name."""
    known = _KNOWN[language].get(_english_one(currency.key))
    one = _word(currency.one, language) or (known[0] if known else _english_one(currency.key))
    guessed = known if known and known[0] == one else _by_word(one, language) or _guessed(one, language)
    many = _word(currency.many, language) or guessed[1]
    of_one = _word(currency.of_one, language) or guessed[2]
    of_many = _word(currency.of_many, language) or guessed[3]
    if language == "en":
        return Noun(one, many, many, many, many)
    return Noun(one, many if language == "pl" else of_one, of_many, of_one, many)


def _english_one(key: str) -> str:
    return key.removesuffix("s") if len(key) > 1 and not key.endswith(("us", "ss")) else key


def _word(words: Mapping[str, str], language: Language) -> str:
    return words.get(language) or words.get("") or ""


def _by_word(one: str, language: Language) -> tuple[str, str, str, str] | None:
    return next((forms for forms in _KNOWN[language].values() if forms[0] == one), None)


def _guessed(one: str, language: Language) -> tuple[str, str, str, str]:
    """Regular forms; a word that is not regular is written out in the file."""
    if language == "en":
        return one, one if one.isupper() else f"{one}s", one, one
    if one[-1:] in _FEMININE[language]:
        return _feminine(one, language)
    if one[-1:] in _HARD[language]:
        ending = _MASCULINE[language]
        return one, one + ending[0], one + ending[1], one + ending[2]
    return one, one, one, one


def _feminine(one: str, language: Language) -> tuple[str, str, str, str]:
    """`naklejka`, `naklejki`, `naklejek`; `марка`, `марки`, `марок`; `миля`, `мили`, `миль`."""
    stem = one[:-1]
    if one.endswith("я"):
        return one, f"{stem}и", f"{stem}и", f"{stem}ь"
    soft, hard, loose = ("i", "y", "e") if language == "pl" else ("и", "ы", "о")
    ending = soft if stem[-1:] in _SOFTENING else hard
    is_loose = stem[-1:] in _BREAKING and stem[-2:-1] not in _VOWELS
    return one, stem + ending, stem + ending, f"{stem[:-1]}{loose}{stem[-1:]}" if is_loose else stem
