"""A situation: a basket or an occasion, with the member's facts, as conditions read it by dotted names.

Money and quantities stay in ten-thousandths; the compiler of conditions scales what is compared with them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from operator import attrgetter
from typing import Final, Literal

from services.rules.domain.basket import Basket, BasketLine, Occasion
from services.rules.domain.facts import ONESELF, Facts
from services.rules.domain.moments import zone_of
from services.rules.domain.programme import Duration, ProgrammeVersion

FactType = Literal["text", "texts", "whole", "money", "quantity", "attributes"]

LONG_AGO_DAYS: Final = 999_999
"""Days since something that never happened, so that `>=` reads as a person means it."""

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SPEND_IN: Final = "member.spend_in"
PURCHASES_IN: Final = "member.purchases_in"

_NO_ATTRIBUTES: Final[Mapping[str, object]] = {}


@dataclass(slots=True)
class Situation:
    """`local` is the time of the purchase in the programme's zone; `segments` those set and those found, sorted."""

    programme: ProgrammeVersion
    subject: Basket | Occasion
    facts: Facts
    local: datetime
    today: date
    segments: list[str]
    partner: str

    @classmethod
    def of(cls, programme: ProgrammeVersion, subject: Basket | Occasion, facts: Facts) -> "Situation":
        """The situation before the programme's own segments are found."""
        local = subject.at.astimezone(zone_of(programme.zone))
        partner = _partner_of(programme, subject) if isinstance(subject, Basket) else ""
        return cls(programme, subject, facts, local, local.date(), sorted(facts.segments), partner)

    def days_since(self, at: datetime | None) -> int:
        """Whole days on the calendar of the programme's zone; `LONG_AGO_DAYS` for what never was."""
        if at is None:
            return LONG_AGO_DAYS
        return (self.today - at.astimezone(self.local.tzinfo).date()).days


def _partner_of(programme: ProgrammeVersion, basket: Basket) -> str:
    """The partner that the basket names, or whose store it is."""
    if basket.partner or not programme.partners:
        return basket.partner
    return next((partner.key for partner in programme.partners if basket.store in partner.stores), "")


def _basket(name: str) -> Callable[[Situation], object]:
    return lambda situation: getattr(situation.subject, name, "")


def _member(name: str) -> Callable[[Situation], object]:
    return lambda situation: getattr(situation.facts, name)


def _occasion(name: str, default: object) -> Callable[[Situation], object]:
    return lambda situation: getattr(situation.subject, name) if isinstance(situation.subject, Occasion) else default


def _activity_name(situation: Situation) -> str:
    return situation.subject.event.removeprefix("activity.") if isinstance(situation.subject, Occasion) else ""


SITUATION_FACTS: Final[Mapping[str, tuple[FactType, Callable[[Situation], object]]]] = {
    "purchase.total": ("money", lambda it: it.subject.total if isinstance(it.subject, Basket) else 0),
    "purchase.lines": ("whole", lambda it: len(it.subject.lines) if isinstance(it.subject, Basket) else 0),
    "purchase.store": ("text", _basket("store")),
    "purchase.partner": ("text", attrgetter("partner")),
    "purchase.channel": ("text", _basket("channel")),
    "purchase.weekday": ("text", lambda it: WEEKDAYS[it.today.weekday()]),
    "purchase.hour": ("whole", lambda it: it.local.hour),
    "purchase.day": ("whole", lambda it: it.today.day),
    "purchase.month": ("whole", lambda it: it.today.month),
    "purchase.year": ("whole", lambda it: it.today.year),
    "purchase.date": ("text", lambda it: it.today.isoformat()),
    "member.id": ("text", _member("member_id")),
    "member.tier": ("text", lambda it: it.facts.tier or ""),
    "member.segments": ("texts", lambda it: it.segments),
    "member.card_category": ("text", _member("card_category")),
    "member.days_enrolled": ("whole", lambda it: it.days_since(it.facts.enrolled_at)),
    "member.referred_by": ("text", lambda it: "" if it.facts.referred_by == ONESELF else it.facts.referred_by),
    "member.attributes": ("attributes", _member("attributes")),
    "member.purchases": ("whole", _member("purchases")),
    "member.spend": ("money", _member("spend")),
    "member.days_since_purchase": ("whole", lambda it: it.days_since(it.facts.last_purchase_at)),
    "member.favourite_category": ("text", _member("favourite_category")),
    "activity.name": ("text", _activity_name),
    "activity.product": ("text", _occasion("product", "")),
    "activity.attributes": ("attributes", _occasion("attributes", _NO_ATTRIBUTES)),
}
"""Facts that are the same for every line, with their types."""

QUOTE_FACTS: Final = frozenset(
    {"quote.pays", "quote.discount", "quote.earned", "quote.redeemable", "quote.available", "quote.next_step"}
)
"""What a quote comes to: facts for the texts of `cashier:` and `slip:` alone."""

LINE_FACTS: Final[Mapping[str, FactType]] = {
    "line.category": "text",
    "line.brand": "text",
    "line.sku": "text",
    "line.seller": "text",
    "line.partner": "text",
    "line.amount": "money",
    "line.quantity": "quantity",
    "line.attributes": "attributes",
}
"""Facts of one line; each is the attribute of that name."""


def window_fact(name: str, window: Duration) -> str:
    """The fact that a call such as `member.spend_in('90 days')` reads: `member.spend_in_90_days`."""
    return f"{name}_{window.count}_{window.unit}"


def window_of(fact: str) -> tuple[str, Duration] | None:
    """The function and the window behind such a fact; None for any other fact."""
    for name in (SPEND_IN, PURCHASES_IN):
        if fact.startswith(f"{name}_"):
            count, _, unit = fact.removeprefix(f"{name}_").partition("_")
            return name, Duration(int(count), unit)  # type: ignore[arg-type]  # made by window_fact
    return None


@cache
def situation_reader(fact: str) -> Callable[[Situation], object]:
    """How to read a fact that is no line's; KeyError for an unknown one."""
    window = window_of(fact)
    if window is None:
        return SITUATION_FACTS[fact][1]
    name, duration = window
    if name == SPEND_IN:
        return lambda situation: situation.facts.spend_in.get(duration, 0)
    return lambda situation: situation.facts.purchases_in.get(duration, 0)


@cache
def line_reader(fact: str) -> Callable[[BasketLine], object]:
    """How to read a line's fact."""
    return attrgetter(fact.removeprefix("line."))
