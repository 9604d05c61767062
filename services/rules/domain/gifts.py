"""Gifts: what each rule gives on each line, exactly, before any rounding.

Amounts are numerators over one denominator, in the smallest unit of the gift's currency. A fixed amount is spread over
its lines by what they cost, so that every point has a line; an occasion other than a purchase counts as one line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import lcm

from contracts.amounts import TEN_THOUSANDTHS
from services.rules.domain.bases import LineAmounts, Payment, amounts_that_count
from services.rules.domain.basket import BasketLine
from services.rules.domain.plan import RulePlan
from services.rules.domain.programme import Base, Give


@dataclass(slots=True)
class Gift:
    """What one rule gives: `amounts` over `denominator`, by line; `on` are the indices of the lines that it is for."""

    plan: RulePlan
    give: Give
    on: Sequence[int]
    amounts: list[int]
    denominator: int

    @property
    def key(self) -> str:
        """The rule."""
        return self.plan.rule.key

    @property
    def is_fixed(self) -> bool:
        """Whether it is a whole amount for the basket, not something that grows with the lines."""
        return self.give.kind == "fixed"

    def limit(self, points: int) -> None:
        """Cut the whole to `points`, every line in proportion."""
        total = sum(self.amounts)
        self.amounts = [amount * points for amount in self.amounts]
        self.denominator = total


@dataclass(slots=True)
class CountedLines:
    """The lines that may earn, with what counts of each; bases are worked out when a rule first asks for them.

    `lines` are (index in the basket, line), `excluded` the numbers of the lines that may not. What is not a purchase
    has one line that nobody sees: `shown` is False.
    """

    lines: Sequence[tuple[int, BasketLine]]
    payment: Payment
    excluded: Sequence[int] = ()
    shown: bool = True
    _bases: dict[tuple[Base, bool], LineAmounts] = field(default_factory=dict)

    def base(self, base: Base, *, counts_points_paid: bool) -> LineAmounts:
        """What counts of each line, gross or net, with or without what was paid in points."""
        variant = (base, counts_points_paid)
        found = self._bases.get(variant)
        if found is None:
            found = amounts_that_count(self.lines, self.payment, base, counts_points_paid=counts_points_paid)
            self._bases[variant] = found
        return found


def gift_of(plan: RulePlan, tier: str | None, counted: CountedLines, on: Sequence[int]) -> Gift:
    """What a rule gives on the lines `on`. A multiplier gives nothing yet: it needs the others' gifts."""
    rate = plan.rate(tier)
    kind = plan.kind
    if kind == "multiplier":
        return Gift(plan, rate.give, on, [], 1)
    if kind == "fixed":
        weights = _only(on, [max(line.amount + line.points_paid, 0) for _, line in counted.lines])
        return Gift(plan, rate.give, on, *_spread(rate.numerator, weights, on))
    if kind == "per_unit":
        units = _only(on, [line.quantity * rate.numerator for _, line in counted.lines])
        return Gift(plan, rate.give, on, units, TEN_THOUSANDTHS)
    if kind == "percent_off":
        prices = _only(on, [line.amount * rate.numerator for _, line in counted.lines])
        return Gift(plan, rate.give, on, prices, rate.denominator)
    base = counted.base(plan.rule.base, counts_points_paid=plan.rule.counts_points_paid)
    if kind == "per_amount":
        return _per_amount(plan, rate.give, base, on)
    amounts = [amount * rate.numerator for amount in base.numerators]
    return Gift(plan, rate.give, on, _only(on, amounts), rate.denominator * base.denominator)


def _per_amount(plan: RulePlan, give: Give, base: LineAmounts, on: Sequence[int]) -> Gift:
    """Points for every full `per` of the basket, shared by amount; of each line where the currency rounds by line."""
    points, full = give.value.numerator, give.per * base.denominator
    amounts = _only(on, base.numerators)
    if plan.currency is not None and plan.currency.round_by == "line":
        return Gift(plan, give, on, [max(amount, 0) // full * points for amount in amounts], 1)
    total = sum(amounts)
    count = total // full
    if count <= 0:
        return Gift(plan, give, on, [0] * len(amounts), 1)
    return Gift(plan, give, on, [amount * count * points for amount in amounts], total)


def _only(on: Sequence[int], amounts: list[int]) -> list[int]:
    """The amounts of the lines `on`; nothing elsewhere."""
    if len(on) == len(amounts):
        return amounts
    chosen = [0] * len(amounts)
    for index in on:
        chosen[index] = amounts[index]
    return chosen


def _spread(points: int, weights: list[int], on: Sequence[int]) -> tuple[list[int], int]:
    """`points` over lines by weight; where nothing weighs anything, all on the first of them."""
    total = sum(weights)
    if total:
        return [weight * points for weight in weights], total
    return [points if index == on[0] else 0 for index in range(len(weights))], 1


def together(gifts: Sequence[Gift]) -> tuple[list[list[int]], int]:
    """The amounts of several gifts over one denominator."""
    denominators = {gift.denominator for gift in gifts}
    if len(denominators) == 1:
        return [gift.amounts for gift in gifts], denominators.pop()
    common = lcm(*denominators)
    return [
        gift.amounts
        if gift.denominator == common
        else [amount * (common // gift.denominator) for amount in gift.amounts]
        for gift in gifts
    ], common


def by_line(rows: Sequence[Sequence[int]]) -> list[int]:
    """The sum of each line."""
    return list(rows[0]) if len(rows) == 1 else [sum(column) for column in zip(*rows, strict=True)]
