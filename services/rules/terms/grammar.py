"""Grammar: how each language counts, and writes numbers, durations, lists and times.

Source of the plural forms: the Unicode CLDR's plural rules for pl, ru and en.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from services.rules.domain.programme import Duration, DurationUnit
from services.runtime.http.languages import Language

HARD_SPACE: Final = "\u00a0"
_PLACES_MAX: Final = 12


class Noun(NamedTuple):
    """What is counted: 1 `one`, 2 `few`, 5 `many`, 1.5 `part`; `name` is the plural alone, in the nominative."""

    one: str
    few: str
    many: str
    part: str
    name: str

    def of(self, language: Language, number: Fraction) -> str:
        """The form that goes with a number."""
        return self[_form(language, number)]

    def genitive(self, language: Language, number: Fraction) -> str:
        """The form that goes with a number in the genitive: `do 1 punktu`, `от 21 балла`, `od 2 punktów`."""
        form = _form(language, number)
        return self[_PART if form == _ONE and language != "en" else _MANY if form == _FEW else form]


_ONE, _FEW, _MANY, _PART = range(4)
_TEEN_FIRST, _TEEN_LAST = 11, 14


def _form(language: Language, number: Fraction) -> int:
    if number.denominator != 1:
        return _PART
    whole = abs(number.numerator)
    if language == "en":
        return _ONE if whole == 1 else _MANY
    teen = _TEEN_FIRST <= whole % 100 <= _TEEN_LAST
    if whole == 1 or (language == "ru" and whole % 10 == 1 and not teen):
        return _ONE
    return _FEW if whole % 10 in {2, 3, 4} and not teen else _MANY


def decimal(number: Fraction, language: Language, places: int | None = None) -> str:
    """A number with its decimals: `places` of them, or as many as it needs. Thousands are set apart from 10 000 on."""
    digits = places if places is not None else _places(number)
    scaled = round(number * 10**digits)
    whole, rest = divmod(abs(scaled), 10**digits)
    text = f"{whole:,}" if whole >= 10_000 or language == "en" else str(whole)  # noqa: PLR2004  # shorter ones read well
    if language != "en":
        text = text.replace(",", HARD_SPACE)
    if digits:
        text += ("." if language == "en" else ",") + f"{rest:0{digits}d}"
    return f"-{text}" if scaled < 0 else text


def _places(number: Fraction) -> int:
    """How many decimals a number has; a dozen for one that has no end."""
    return next((places for places in range(_PLACES_MAX) if (number * 10**places).denominator == 1), _PLACES_MAX)


class _Unit(NamedTuple):
    """A unit of time counted: as in `for 14 days` (accusative), and as in `within 14 days` (genitive)."""

    lasting: Noun
    within: Noun


def _unit(one: str, few: str, many: str, of_one: str, of_many: str) -> _Unit:
    return _Unit(Noun(one, few, many, of_one, few), Noun(of_one, of_many, of_many, of_one, of_many))


def _english(one: str) -> _Unit:
    noun = Noun(one, f"{one}s", f"{one}s", f"{one}s", f"{one}s")
    return _Unit(noun, noun)


_UNITS: Final[dict[Language, dict[DurationUnit, _Unit]]] = {
    "pl": {
        "minutes": _unit("minutę", "minuty", "minut", "minuty", "minut"),
        "hours": _unit("godzinę", "godziny", "godzin", "godziny", "godzin"),
        "days": _unit("dzień", "dni", "dni", "dnia", "dni"),
        "weeks": _unit("tydzień", "tygodnie", "tygodni", "tygodnia", "tygodni"),
        "months": _unit("miesiąc", "miesiące", "miesięcy", "miesiąca", "miesięcy"),
        "years": _unit("rok", "lata", "lat", "roku", "lat"),
    },
    "ru": {
        "minutes": _unit("минуту", "минуты", "минут", "минуты", "минут"),
        "hours": _unit("час", "часа", "часов", "часа", "часов"),
        "days": _unit("день", "дня", "дней", "дня", "дней"),
        "weeks": _unit("неделю", "недели", "недель", "недели", "недель"),
        "months": _unit("месяц", "месяца", "месяцев", "месяца", "месяцев"),
        "years": _unit("год", "года", "лет", "года", "лет"),
    },
    "en": {
        "minutes": _english("minute"),
        "hours": _english("hour"),
        "days": _english("day"),
        "weeks": _english("week"),
        "months": _english("month"),
        "years": _english("year"),
    },
}


def lasting(duration: Duration, language: Language) -> str:
    """`for 14 days`: przez 14 dni, через 14 дней."""
    return _counted(duration, _UNITS[language][duration.unit].lasting, language)


def within(duration: Duration, language: Language) -> str:
    """`within 14 days`: w ciągu 14 dni, в течение 14 дней."""
    return _counted(duration, _UNITS[language][duration.unit].within, language)


def _counted(duration: Duration, noun: Noun, language: Language) -> str:
    count = Fraction(duration.count)
    return f"{decimal(count, language)} {noun.of(language, count)}"


_TIMES: Final[dict[Language, Noun]] = {
    "pl": Noun("raz", "razy", "razy", "raza", "razy"),
    "ru": Noun("раз", "раза", "раз", "раза", "разы"),
    "en": Noun("time", "times", "times", "times", "times"),
}
_TIMES_IN_WORDS: Final[dict[Language, dict[int, str]]] = {
    "pl": {1: "raz", 2: "dwa razy", 3: "trzy razy"},
    "ru": {1: "один раз", 2: "два раза", 3: "три раза"},
    "en": {1: "once", 2: "twice", 3: "three times"},
}


def times(count: Fraction, language: Language) -> str:
    """How often, or how many times as much: `twice`, `5 times`."""
    words = _TIMES_IN_WORDS[language]
    if count.denominator == 1 and count.numerator in words:
        return words[count.numerator]
    return f"{decimal(count, language)} {_TIMES[language].of(language, count)}"


_PURCHASES: Final[dict[Language, Noun]] = {
    "pl": Noun("zakup", "zakupy", "zakupów", "zakupu", "zakupy"),
    "ru": Noun("покупка", "покупки", "покупок", "покупки", "покупки"),
    "en": Noun("purchase", "purchases", "purchases", "purchases", "purchases"),
}


def purchases_of(count: int, language: Language) -> str:
    """A number of purchases in the genitive: `od 10 zakupów`, `от 10 покупок`."""
    number = Fraction(count)
    return f"{decimal(number, language)} {_PURCHASES[language].genitive(language, number)}"


_AND: Final[dict[Language, str]] = {"pl": " i ", "ru": " и ", "en": " and "}
_OR: Final[dict[Language, str]] = {"pl": " lub ", "ru": " или ", "en": " or "}


def all_of(parts: Sequence[str], language: Language) -> str:
    """`a, b and c`."""
    return _joined(parts, _AND[language])


def any_of(parts: Sequence[str], language: Language) -> str:
    """`a, b or c`."""
    return _joined(parts, _OR[language])


def _joined(parts: Sequence[str], last: str) -> str:
    return last.join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


_QUOTES: Final[dict[Language, tuple[str, str]]] = {"pl": ("„", "”"), "ru": ("«", "»"), "en": ("“", "”")}


def quoted(text: str, language: Language) -> str:
    """A name in the quotation marks of the language."""
    opening, closing = _QUOTES[language]
    return f"{opening}{text}{closing}"


def sentence(text: str) -> str:
    """The text with a capital and a full stop."""
    begun = text[:1].upper() + text[1:]
    return begun if begun.endswith((".", "!", "?", "…")) else f"{begun}."
