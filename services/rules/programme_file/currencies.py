"""Currencies of a programme file, and amounts of them wherever a file names one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final, cast

from services.rules.domain.programme import Currency, Duration, Give, PeriodEnd, RoundBy, Rounding, Term
from services.rules.programme_file import scalars
from services.rules.programme_file.errors import nearest
from services.rules.programme_file.fields import Faults, Fields, part_of, understood
from services.rules.programme_file.nodes import Mapping as MappingNode
from services.rules.programme_file.nodes import Node, Place, Scalar
from services.rules.programme_file.scalars import Quantity

_NO_TERM: Final = {"activates": "at_once", "expires": "never"}


@dataclass(frozen=True, slots=True)
class Points:
    """Points in the smallest unit of a currency."""

    value: int
    currency: str


@dataclass(slots=True)
class Currencies:
    """The currencies by key; every amount in the file is read through them."""

    by_key: Mapping[str, Currency]
    faults: Faults

    @property
    def first(self) -> Currency | None:
        """The currency that is meant where none is named."""
        return next(iter(self.by_key.values()), None)

    def named(self, word: str, place: Place) -> Currency | None:
        """The currency of that key or word; the first for an empty one; None and a fault for an unknown one."""
        if not word:
            return self.first
        words = self._words()
        if word not in words:
            suggestion = nearest(word, words) or f"known: {', '.join(self.by_key)}"
            self.faults.add(place, "unknown_currency", f"there is no currency `{word}`", suggestion)
            return None
        return words[word]

    def _words(self) -> dict[str, Currency]:
        """Keys, the words for one and for many, and the other number of an English key: `1 point` of `points`."""
        numbers = {
            key.removesuffix("s") if key.endswith("s") else f"{key}s": currency for key, currency in self.by_key.items()
        }
        words = {
            word: currency
            for currency in self.by_key.values()
            for texts in (currency.one, currency.many, currency.of_one, currency.of_many)
            for word in texts.values()
        }
        return {**numbers, **words, **self.by_key}

    def points(self, node: Node | None) -> Points | None:
        """`100 points`; None if nothing is written, or nothing that can be understood."""
        written = None if node is None else understood(node, scalars.quantity, self.faults)
        return None if written is None or node is None else self.amount(written, node.place)

    def amount(self, written: Quantity, place: Place) -> Points | None:
        """A written amount in the smallest unit of its currency."""
        currency = self.named(written.word, place)
        if currency is None:
            return None
        smallest = written.value * 10**currency.scale
        if smallest.denominator != 1:
            message = f"`{currency.key}` has {currency.scale} decimals"
            self.faults.add(place, "too_many_decimals", message, "write fewer, or raise its scale")
            return None
        return Points(smallest.numerator, currency.key)

    def give(self, node: Node) -> Give | None:
        """What a rule gives; None and a fault if it cannot be."""
        written = understood(node, scalars.give, self.faults)
        currency = None if written is None else self.named(written.word, node.place)
        if written is None or currency is None or not isinstance(node, Scalar):
            return None
        text, place = scalars.plain(node.value), node.place
        value = written.value
        if written.kind == "percent_off":
            return Give("percent_off", "", value, text=text)
        if written.kind == "percent" and not currency.worth:
            message = f"a percentage divides by what `{currency.key}` is worth, and that is zero"
            self.faults.add(place, "divides_by_zero", message, "give a worth, or give a number of it")
        if written.kind == "per_amount" and not written.per:
            self.faults.add(place, "divides_by_zero", "this gives for every 0.00", "write 1 point per 10.00")
        if written.kind == "multiplier" and value < 1:
            self.faults.add(place, "below_one", f"`{text}` takes away", "write x1 or more")
        if written.kind in {"fixed", "per_amount", "per_unit"}:
            points = self.amount(Quantity(value, currency.key), place)
            value = Fraction(points.value) if points else value
        return Give(written.kind, currency.key, value, written.per, text)


def currencies_of(programme: Fields) -> Currencies:
    """The currencies that a programme names; a fault if there are none."""
    notice = programme.duration("inactivity_notice")
    found: dict[str, Currency] = {}
    for key, node in programme.entries("currencies"):
        fields = part_of(node, "currency", programme.faults)
        if fields is not None:
            found[key] = _currency(key, fields, notice)
    if not found and programme.has("currencies"):
        programme.faults.add(programme.place("currencies"), "missing", "a programme has at least one currency")
    return Currencies(found, programme.faults)


def _currency(key: str, fields: Fields, notice: Duration | None) -> Currency:
    worth = fields.read("worth", scalars.ten_thousandths)
    inactive, expires = expiry_of(fields, "expires")
    return Currency(
        key=key,
        scale=fields.whole("scale"),
        worth=0 if worth is None else worth,
        rounding=cast("Rounding", fields.choice("rounding")),
        round_by=cast("RoundBy", fields.choice("round_by")),
        activates=term_of(fields, "activates"),
        expires=expires,
        inactive=inactive,
        inactivity_notice=notice,
        one=fields.words("one"),
        many=fields.words("many"),
        of_one=fields.words("of_one"),
        of_many=fields.words("of_many"),
    )


def term_of(fields: Fields, word: str) -> Term | None:
    """When points begin to count or lapse; None if it is left out, an empty term for `at_once` and `never`."""
    node = fields.get(word)
    if node is None:
        return None
    if isinstance(node, MappingNode):
        return _term_in_words(fields, word)
    if isinstance(node, Scalar) and node.value == _NO_TERM[word]:
        return Term()
    duration = understood(node, scalars.duration, fields.faults)
    return Term(after=duration) if duration else None


def expiry_of(fields: Fields, word: str) -> tuple[Duration | None, Term | None]:
    """How long points outlive the last movement, and when they lapse whatever happens."""
    node = fields.get(word)
    inactive = None
    if isinstance(node, MappingNode):
        part = fields.part_of(word, "term_in_words")
        inactive = part.duration("inactive") if part else None
        if inactive is not None and len(node.entries) == 1:
            return inactive, None
    return inactive, term_of(fields, word)


def _term_in_words(fields: Fields, word: str) -> Term | None:
    part = fields.part_of(word, "term_in_words")
    if part is None:
        return None
    day = part.read("day", scalars.day_of_year)
    at = cast("PeriodEnd", part.choice("at")) if part.has("at") else None
    if word == "activates" and part.has("inactive"):
        fields.faults.add(part.place("inactive"), "only_expires", "`inactive` is for expires")
    if not (part.has("after") or part.has("at") or part.has("day")):
        fields.faults.add(fields.place(word), "missing", f"`{word}` says nothing", "write 14 days, or {after: 14 days}")
        return None
    if at is not None and day is not None:
        fields.faults.add(part.place("day"), "contradicts", "`at` and `day` cannot both say where it ends", "keep one")
    if isinstance(day, date):
        return Term(on=day)
    return Term(part.duration("after"), at, day)
