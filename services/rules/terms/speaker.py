"""A speaker: one programme in one language, with its names, amounts and dates as members read them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from contracts.amounts import TEN_THOUSANDTHS
from services.rules.domain.moments import zone_of
from services.rules.domain.programme import Currency, Give, ProgrammeVersion, Rule, Text
from services.rules.explanation.languages import day, moment
from services.rules.terms.grammar import HARD_SPACE, Noun, decimal, quoted
from services.rules.terms.nouns import noun_of
from services.rules.terms.phrases import PHRASES
from services.runtime.http.languages import Language

_SYMBOLS: Final = {"PLN": "zł", "RUB": "₽", "EUR": "€", "USD": "$", "UAH": "₴", "GBP": "£", "CZK": "Kč", "KZT": "₸"}
_BEFORE: Final = frozenset({"EUR", "USD", "GBP"})
"""Symbols that English writes before the number."""

_MONEY_PLACES: Final = 2
_EXAMPLES: Final = (100, 1_000, 10_000)
_MOMENT: Final = timedelta(microseconds=1)


@dataclass(slots=True)
class Speaker:
    """Says phrases of a language about a programme."""

    version: ProgrammeVersion
    language: Language
    zone: ZoneInfo = field(init=False)
    _nouns: dict[str, Noun] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.zone = zone_of(self.version.zone)

    def say(self, phrase: str, **values: str) -> str:
        """A phrase with its values."""
        return PHRASES[self.language][phrase].format(**values)

    def has(self, phrase: str) -> bool:
        """Whether there is such a phrase."""
        return phrase in PHRASES[self.language]

    def words(self, text: Text) -> str:
        """A text in this language, or the one that is for all; empty where there is none."""
        return text.get(self.language) or text.get("") or ""

    def named(self, code: str) -> str:
        """What members call a code; the code itself where the file has no word for it."""
        return self.words(self.version.texts.words.get(code, {})) or code

    def quote(self, code: str) -> str:
        """The name of a code in quotation marks."""
        return quoted(self.named(code), self.language)

    def tier(self, key: str) -> str:
        """A level's name."""
        levels = self.version.tiers.levels if self.version.tiers else ()
        return next((self.words(level.name) for level in levels if level.tier == key), "") or self.named(key)

    def partner(self, key: str) -> str:
        """A partner's name in quotation marks."""
        names = {each.key: self.words(each.name) for each in self.version.partners}
        return quoted(names.get(key) or self.named(key), self.language)

    def rule(self, rule: Rule) -> str:
        """A rule's name; empty where members have none for it."""
        return self.words(rule.name)

    def noun(self, currency: Currency) -> Noun:
        """How a currency is counted."""
        if currency.key not in self._nouns:
            self._nouns[currency.key] = noun_of(currency, self.language)
        return self._nouns[currency.key]

    def points(self, smallest: Fraction | int, currency: str) -> str:
        """`100 points`, from the smallest unit."""
        known = self.version.currency(currency)
        return self.counted(Fraction(smallest) / 10**known.scale, known)

    def counted(self, number: Fraction, currency: Currency) -> str:
        """A number of points with its noun."""
        return f"{decimal(number, self.language)}{HARD_SPACE}{self.noun(currency).of(self.language, number)}"

    def points_of(self, smallest: Fraction | int, currency: str) -> str:
        """The same in the genitive."""
        known = self.version.currency(currency)
        number = Fraction(smallest) / 10**known.scale
        return f"{decimal(number, self.language)}{HARD_SPACE}{self.noun(known).genitive(self.language, number)}"

    def money(self, ten_thousandths: Fraction | int) -> str:
        """An amount: whole, or with two decimals or as many as it needs."""
        amount = Fraction(ten_thousandths) / TEN_THOUSANDTHS
        fine = (amount * 10**_MONEY_PLACES).denominator != 1
        places = None if fine else 0 if amount.denominator == 1 else _MONEY_PLACES
        text, code = decimal(amount, self.language, places), self.version.money
        symbol = _SYMBOLS.get(code, code)
        return symbol + text if self.language == "en" and code in _BEFORE else f"{text}{HARD_SPACE}{symbol}"

    def percent(self, share: Fraction) -> str:
        """`5%`; Russian sets the sign apart."""
        return decimal(share * 100, self.language) + (f"{HARD_SPACE}%" if self.language == "ru" else "%")

    def rate(self, give: Give) -> tuple[str, str]:
        """A percentage as points for an amount of money that gives a whole number of the smallest unit."""
        currency = self.version.currency(give.currency)
        for amount in _EXAMPLES:
            points = give.value * amount * TEN_THOUSANDTHS / currency.worth
            if (points * 10**currency.scale).denominator == 1:
                break
        return self.counted(points, currency), self.money(amount * TEN_THOUSANDTHS)

    def number(self, value: float | str) -> str:
        """A number as written in a condition."""
        return decimal(Fraction(Decimal(str(value))), self.language)

    def from_day(self, at: datetime) -> str:
        """The first day of something, or its instant if it does not begin at midnight."""
        return self._day_or_moment(at, at)

    def to_day(self, at: datetime) -> str:
        """The last day of something that ends at `at`, itself left out."""
        return self._day_or_moment(at, at - _MOMENT)

    def _day_or_moment(self, at: datetime, whole: datetime) -> str:
        is_midnight = at.astimezone(self.zone).time() == datetime.min.time()
        return day(whole, self.zone, self.language) if is_midnight else moment(at, self.zone, self.language)
