"""What a quote says to people: the programme's texts with their facts, and the next best steps."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from contracts.amounts import format_decimal, format_points
from services.rules.domain.next_steps import Step
from services.rules.domain.programme import ProgrammeVersion, Text
from services.rules.domain.situation import SITUATION_FACTS, Situation
from services.rules.explanation.languages import number
from services.runtime.http.languages import Language

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")

_PHRASES: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "points": "{money} more for {points} {currency}",
        "one": "{money} more for a {currency}",
        "tier": "another {missing} to {tier}",
    },
    "pl": {
        "points": "jeszcze {money} i będzie {points} {currency}",
        "one": "jeszcze {money} i będzie {currency}",
        "tier": "jeszcze {missing} do poziomu {tier}",
    },
    "ru": {
        "points": "ещё {money} — и будет {points} {currency}",
        "one": "ещё {money} — и будет {currency}",
        "tier": "ещё {missing} до уровня {tier}",
    },
}


class Speaker:
    """Says things in one language, in the words of one version of a programme."""

    def __init__(self, version: ProgrammeVersion, language: Language) -> None:
        self._version = version
        self._language = language

    def step(self, step: Step) -> str:
        """A next best step: `1.20 more for a stamp`, `another 35.00 to Silver`."""
        phrases = _PHRASES[self._language]
        if step.kind == "tier":
            return phrases["tier"].format(missing=self._missing(step), tier=self.tier(step.tier))
        currency = self._version.currency(step.currency)
        money = number(format_decimal(step.money or 0), self._language)
        if step.points == int(10**currency.scale) and currency.one:
            return phrases["one"].format(money=money, currency=self._worded(currency.one, currency.key))
        points = self.points(step.points, step.currency)
        return phrases["points"].format(money=money, points=points, currency=self._worded(currency.many, currency.key))

    def points(self, points: int, currency: str) -> str:
        """Points as a person reads them: `5`, `8.50`."""
        text = format_points(points, self._version.currency(currency).scale)
        whole = Decimal(text)
        return number(str(int(whole)) if whole == int(whole) else text, self._language)

    def tier(self, key: str | None) -> str:
        """A level's name; empty where there is none."""
        if key is None or self._version.tiers is None:
            return key or ""
        names = {level.tier: level.name for level in self._version.tiers.levels}
        return self._worded(names.get(key, {}), key)

    def rule(self, key: str) -> str:
        """A rule's name."""
        return next((self._worded(rule.name, key) for rule in self._version.rules if rule.key == key), key)

    def filled(self, text: Text, situation: Situation, of_quote: Mapping[str, str]) -> str:
        """A text of the programme with its facts; empty where the programme has no such text."""
        words = self._worded(text, "")
        return _PLACEHOLDER.sub(lambda found: self._fact(found.group(1), situation, of_quote), words)

    def _fact(self, name: str, situation: Situation, of_quote: Mapping[str, str]) -> str:
        if name in of_quote:
            return of_quote[name]
        if name == "member.tier":
            return self.tier(situation.facts.tier)
        kind, read = SITUATION_FACTS[name]
        value = read(situation)
        if kind == "money" and isinstance(value, int):
            return number(format_decimal(value), self._language)
        if isinstance(value, list):
            return ", ".join(map(str, value))
        return "" if isinstance(value, Mapping) else str(value)

    def _missing(self, step: Step) -> str:
        tiers = self._version.tiers
        if tiers is None or tiers.by == "spend":
            return number(format_decimal(step.missing), self._language)
        if tiers.by == "points":
            return self.points(step.missing, tiers.currency)
        return str(step.missing)

    def _worded(self, words: Text, otherwise: str) -> str:
        return words.get(self._language) or words.get("") or next(iter(words.values()), otherwise)
