"""Bases: how much of each line counts, exactly, once points paid, other payments and tax are taken off.

What was paid with points is spread over the lines by amount (those that may be redeemed on first); payments that do not
count are spread over what was left to pay. Tax is taken off in proportion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from services.rules.domain.basket import POINTS_PAYMENT, Basket, BasketLine
from services.rules.domain.programme import Base


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """Numerators over one denominator, one for each line, in ten-thousandths of money."""

    numerators: list[int]
    denominator: int


@dataclass(frozen=True, slots=True)
class Payment:
    """What points and payments that do not count took off each line, in ten-thousandths; None where nothing did."""

    points: list[Fraction] | None
    not_counted: list[Fraction] | None


def payment_of(basket: Basket, redeemable: Sequence[bool] | None, excluded_types: frozenset[str]) -> Payment:
    """How the lines were paid. `redeemable` says for each line whether points may pay for it; None: for all."""
    points = _points_by_line(basket, redeemable)
    not_counted = sum(payment.amount for payment in basket.payments if payment.type in excluded_types)
    if not_counted <= 0:
        return Payment(points, None)
    due = [Fraction(line.amount + line.points_paid) for line in basket.lines]
    if points is not None:
        due = [gross - paid for gross, paid in zip(due, points, strict=True)]
    return Payment(points, _spread(Fraction(not_counted), due))


def _points_by_line(basket: Basket, redeemable: Sequence[bool] | None) -> list[Fraction] | None:
    paid = sum(payment.amount for payment in basket.payments if payment.type == POINTS_PAYMENT)
    on_lines = sum(line.points_paid for line in basket.lines)
    if not paid and not on_lines:
        return None
    found = [Fraction(line.points_paid) for line in basket.lines]
    rest = Fraction(paid - on_lines)
    allowed = [True] * len(found) if redeemable is None else list(redeemable)
    for wanted in (True, False):
        amounts = [
            Fraction(line.amount) if may is wanted else Fraction(0)
            for line, may in zip(basket.lines, allowed, strict=True)
        ]
        spread = _spread(rest, amounts)
        rest -= sum(spread)
        found = [before + more for before, more in zip(found, spread, strict=True)]
    return found


def _spread(money: Fraction, amounts: Sequence[Fraction]) -> list[Fraction]:
    """`money` over lines by amount, never more than the amounts come to."""
    whole = sum(amounts, Fraction(0))
    if whole <= 0 or money <= 0:
        return [Fraction(0)] * len(amounts)
    part = min(money, whole) / whole
    return [amount * part for amount in amounts]


def amounts_that_count(
    lines: Sequence[tuple[int, BasketLine]], payment: Payment, base: Base, *, counts_points_paid: bool
) -> LineAmounts:
    """The base of each of `lines`: (index in the basket, line)."""
    points = None if counts_points_paid else payment.points
    if points is None and payment.not_counted is None:
        if base == "gross":
            return LineAmounts([line.amount + line.points_paid for _, line in lines], 1)
        if not any(line.points_paid for _, line in lines):
            return LineAmounts([line.amount - (line.tax or 0) for _, line in lines], 1)
    found = []
    for index, line in lines:
        counted = Fraction(line.amount + line.points_paid)
        for taken in (points, payment.not_counted):
            if taken is not None:
                counted -= taken[index]
        found.append(counted * _net_share(line) if base == "net" else counted)
    return over_one_denominator(found)


def over_one_denominator(values: Sequence[Fraction]) -> LineAmounts:
    """Fractions as whole numerators over the least denominator that holds them all."""
    denominator = lcm(*(value.denominator for value in values))
    return LineAmounts([value.numerator * (denominator // value.denominator) for value in values], denominator)


def _net_share(line: BasketLine) -> Fraction:
    """The part of a line's amount that is not tax; a till that names no tax sells without it."""
    if not line.tax or not line.amount:
        return Fraction(1)
    return Fraction(line.amount - line.tax, line.amount)
