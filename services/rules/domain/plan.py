"""A plan: what can be said of a version before any basket is seen, so that a basket pays only for what concerns it."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Final
from zoneinfo import ZoneInfo

from services.rules.domain.eligibility import Check, checks_of
from services.rules.domain.moments import zone_of
from services.rules.domain.programme import PURCHASE, Currency, Give, ProgrammeVersion, Rule

_PLANS_KEPT: Final = 256

MULTIPLIER: Final = "multiplier"
DISCOUNT: Final = "percent_off"


@dataclass(frozen=True, slots=True)
class Rate:
    """A give, and for a percentage how many parts of a point one ten-thousandth of money earns."""

    give: Give
    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True, eq=False)
class RulePlan:
    """A rule with what it takes to apply it. `alone`: its points stand in a lot of their own."""

    rule: Rule
    kind: str
    currency: Currency | None
    rates: Mapping[str | None, Rate]
    checks: tuple[Check, ...]
    alone: bool

    def rate(self, tier: str | None) -> Rate:
        """The rate for a tier; KeyError for a tier without one, which the checks refuse first."""
        return self.rates[tier] if self.rule.by_tier else self.rates[None]


@dataclass(frozen=True, slots=True)
class Slice:
    """A span of time in which the same rules run: those, by priority and file order, and the keys of the others."""

    running: tuple[RulePlan, ...]
    not_running: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Rules of one event by time: `slices[i]` runs until `starts[i]`, the last one for ever."""

    starts: tuple[datetime, ...]
    slices: tuple[Slice, ...]

    def at(self, at: datetime) -> Slice:
        """The rules that run at an instant."""
        return self.slices[bisect_right(self.starts, at)]


@dataclass(frozen=True, slots=True)
class Plan:
    """`earning` and `discounts` are for purchases; `occasions` for every other event."""

    zone: ZoneInfo
    earning: Calendar
    discounts: Calendar
    occasions: Mapping[str, Calendar]


@lru_cache(maxsize=_PLANS_KEPT)
def plan_of(programme: ProgrammeVersion) -> Plan:
    """The plan of a version; a version is one object as long as it is in use."""
    ordered = sorted(programme.rules, key=lambda rule: -rule.priority)
    denominators = {currency.key: _denominator(currency, ordered) for currency in programme.currencies}
    plans = [_rule_plan(programme, rule, denominators) for rule in ordered]
    events = {rule.event for rule in ordered} - {PURCHASE}
    return Plan(
        zone_of(programme.zone),
        _calendar([plan for plan in plans if plan.rule.event == PURCHASE and plan.kind != DISCOUNT]),
        _calendar([plan for plan in plans if plan.rule.event == PURCHASE and plan.kind == DISCOUNT]),
        {event: _calendar([plan for plan in plans if plan.rule.event == event]) for event in sorted(events)},
    )


def _rule_plan(programme: ProgrammeVersion, rule: Rule, denominators: Mapping[str, int]) -> RulePlan:
    first = rule.gives[0]
    currency = None if first.kind == DISCOUNT else programme.currency(first.currency)
    rates = {
        tier: _rate(give, currency, denominators)
        for tier, give in (rule.by_tier.items() if rule.by_tier else ((None, rule.give),))
        if give is not None
    }
    alone = rule.budget is not None or bool(rule.to) or rule.activates is not None or rule.expires is not None
    return RulePlan(rule, first.kind, currency, rates, checks_of(rule), alone)


def _rate(give: Give, currency: Currency | None, denominators: Mapping[str, int]) -> Rate:
    if give.kind != "percent" or currency is None:
        return Rate(give, give.value.numerator, give.value.denominator)
    denominator = denominators[currency.key]
    return Rate(give, int(_points_per_money(give, currency) * denominator), denominator)


def _points_per_money(give: Give, currency: Currency) -> Fraction:
    """Points in the smallest unit for one ten-thousandth of money: a percentage is of money, a point has its worth."""
    smallest_units: int = 10**currency.scale
    return give.value * smallest_units / currency.worth


def _denominator(currency: Currency, rules: Sequence[Rule]) -> int:
    """The least denominator that holds every percentage of a currency, so that lines are summed as whole numbers."""
    gives = [give for rule in rules for give in rule.gives]
    percents = [give for give in gives if give.kind == "percent" and give.currency == currency.key]
    return lcm(*(_points_per_money(give, currency).denominator for give in percents))


def _calendar(plans: Sequence[RulePlan]) -> Calendar:
    bounds = {bound.astimezone(UTC) for plan in plans for bound in (plan.rule.starts_at, plan.rule.ends_at) if bound}
    starts = tuple(sorted(bounds))
    slices = [_slice(plans, None), *[_slice(plans, start) for start in starts]]
    return Calendar(starts, tuple(slices))


def _slice(plans: Sequence[RulePlan], at: datetime | None) -> Slice:
    """The rules that run from `at` on until the next bound; None: before the first."""
    running = tuple([plan for plan in plans if _runs(plan.rule, at)])
    not_running = tuple([plan.rule.key for plan in plans if not _runs(plan.rule, at)])
    return Slice(running, not_running)


def _runs(rule: Rule, at: datetime | None) -> bool:
    if at is None:
        return rule.starts_at is None
    return (rule.starts_at is None or rule.starts_at <= at) and (rule.ends_at is None or at < rule.ends_at)
