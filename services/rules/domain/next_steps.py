"""The next best steps: how much more would have to be bought for a stamp, a bonus or a higher level.

Where a rule begins to give more can be read off the rule; whether it would, with all caps and exclusions, is found by
evaluating the basket with so much more in it. What cannot be shown to give more is not said.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, NamedTuple

from services.rules.domain.basket import Basket, BasketLine
from services.rules.domain.discounts import COIN
from services.rules.domain.evaluation import evaluate
from services.rules.domain.exclusions import counted_lines, with_partners
from services.rules.domain.facts import Facts
from services.rules.domain.outcome import Evaluation
from services.rules.domain.plan import RulePlan, plan_of
from services.rules.domain.programme import ProgrammeVersion
from services.rules.domain.situation import Situation

STEPS_MAX: Final = 3
"""Steps that a quote names: a cashier says one, a screen shows three."""
TRIED_MAX: Final = 8
"""Rules that are tried for one quote, the nearest first."""

_TEN_THOUSANDTHS: Final = 10_000
_LEAST: Final = re.compile(r"purchase\.total\s*(>=|>)\s*(\d+(?:\.\d{1,4})?)")
_LEAST_TURNED: Final = re.compile(r"(\d+(?:\.\d{1,4})?)\s*(<=|<)\s*purchase\.total")


class Step(NamedTuple):
    """What so much `money` more, in ten-thousandths, would bring: points of a rule, or the level `tier`.

    For levels that are not reached by spending, `money` is None and `missing` is what is missing, in their unit.
    """

    kind: Literal["points", "tier"]
    money: int | None
    rule: str = ""
    currency: str = ""
    points: int = 0
    tier: str = ""
    missing: int = 0


def next_steps(
    programme: ProgrammeVersion, basket: Basket, facts: Facts, record: Mapping[str, Any], most: int = STEPS_MAX
) -> tuple[Step, ...]:
    """The nearest steps, the cheapest first. `record` is that of the decision on the basket as it is."""
    found = [*_points(programme, basket, facts, record), *_tier(programme, record.get("standing"))]
    found.sort(key=lambda step: (step.money is None, step.money or 0))
    return tuple(found[:most])


def _tier(programme: ProgrammeVersion, standing: object) -> Iterator[Step]:
    if programme.tiers is None or not isinstance(standing, Mapping) or not standing.get("next_tier"):
        return
    missing = int(standing["missing"])
    money = missing if programme.tiers.by == "spend" else None
    yield Step("tier", money, tier=str(standing["next_tier"]), missing=missing)


def _points(programme: ProgrammeVersion, basket: Basket, facts: Facts, record: Mapping[str, Any]) -> Iterator[Step]:
    if facts.suspended:
        return
    running = plan_of(programme).earning.at(basket.at).running
    wanted = sorted(_candidates(programme, running, basket, facts), key=lambda each: each[0])[:TRIED_MAX]
    for money, plan in wanted:
        after = evaluate(programme, _with_more(basket, money), facts)
        gained = _of_rule(after, plan.rule.key) - _recorded_of_rule(record, plan.rule.key)
        if gained > 0 and plan.currency is not None:
            yield Step("points", money, plan.rule.key, plan.currency.key, gained)


def _candidates(
    programme: ProgrammeVersion, running: Sequence[RulePlan], basket: Basket, facts: Facts
) -> Iterator[tuple[int, RulePlan]]:
    """Where a rule may begin to give more; rules that look at lines are left out: nobody knows what would be bought."""
    for plan in running:
        rule = plan.rule
        if rule.lines is not None or rule.to:
            continue
        if plan.kind == "per_amount":
            missing = _to_next_full_amount(programme, plan, basket, facts)
            if missing is not None:
                yield missing, plan
        elif plan.kind in ("fixed", "percent") and rule.when is not None:
            for least in _thresholds(rule.when.text):
                if least > basket.total:
                    yield least - basket.total, plan


def _to_next_full_amount(programme: ProgrammeVersion, plan: RulePlan, basket: Basket, facts: Facts) -> int | None:
    """What is missing to one more full amount of the rule's base, in whole coins."""
    rule, give = plan.rule, plan.rates[None].give if None in plan.rates else None
    if rule.by_tier:
        give = rule.by_tier.get(facts.tier or "")
    if give is None or plan.currency is None or plan.currency.round_by == "line":
        return None
    situation = Situation.of(programme, basket, facts)
    counted, _ = counted_lines(situation, with_partners(basket, situation.partner))
    base = counted.base(rule.base, counts_points_paid=rule.counts_points_paid)
    whole = sum(base.numerators) // base.denominator
    missing = give.per - whole % give.per if whole >= 0 else give.per - whole
    return -(-missing // COIN) * COIN


def _thresholds(condition: str) -> Iterator[int]:
    """The amounts from which a condition on the total of the purchase may hold."""
    for sign, amount in _LEAST.findall(condition):
        yield _money(amount) + (COIN if sign == ">" else 0)
    for amount, sign in _LEAST_TURNED.findall(condition):
        yield _money(amount) + (COIN if sign == "<" else 0)


def _money(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * _TEN_THOUSANDTHS + int(part.ljust(4, "0")[:4])


def _with_more(basket: Basket, money: int) -> Basket:
    """The basket with one more line, of goods of which nothing is known but the price."""
    number = max((line.line for line in basket.lines), default=0) + 1
    return replace(basket, lines=(*basket.lines, BasketLine(number, amount=money)))


def _of_rule(found: Evaluation, rule: str) -> int:
    """What a rule gives, what it asks its budget for included."""
    awards = [*found.awards, *(ask.award for ask in found.budget_asks)]
    return sum(points for award in awards for key, points in award.rules if key == rule)


def _recorded_of_rule(record: Mapping[str, Any], rule: str) -> int:
    """The same, as a record has it."""
    awards = [*record.get("awards", ()), *record.get("asks", ())]
    return sum(points for award in awards for key, points in award["rules"] if key == rule)
