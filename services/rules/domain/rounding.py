"""Exact numbers to whole ones: once, at the end, and shared so that the parts add up to what was rounded."""

from collections.abc import Sequence
from fractions import Fraction

from services.rules.domain.programme import Rounding


def rounded(numerator: int, denominator: int, rounding: Rounding) -> int:
    """The whole number that a fraction (denominator above zero) rounds to; halves below zero go up too."""
    whole, rest = divmod(numerator, denominator)
    if rounding == "floor" or not rest:
        return whole
    if rounding == "half_even" and 2 * rest == denominator:
        return whole + (whole & 1)
    return whole + (2 * rest >= denominator)


def rounded_fraction(value: Fraction, rounding: Rounding) -> int:
    """The same of a Fraction."""
    return rounded(value.numerator, value.denominator, rounding)


def apportioned(total: int, weights: Sequence[int], denominator: int) -> list[int]:
    """`total` as whole shares of exact `weights` over `denominator`: largest remainder first, then the earlier one.

    Weights that do not round to the total (a cap cut it, or lines were rounded one by one) are scaled to it first.
    Weights that add up to nothing leave everything to the first.
    """
    shares: list[int] = []
    remainders: list[int] = []
    for weight in weights:
        share, remainder = divmod(weight, denominator)
        shares.append(share)
        remainders.append(remainder)
    missing = total - sum(shares)
    if not 0 <= missing <= len(shares):
        return _scaled(total, weights)
    if missing:
        # The sort is stable: of equal remainders the earlier comes first.
        for index in sorted(range(len(shares)), key=remainders.__getitem__, reverse=True)[:missing]:
            shares[index] += 1
    return shares


def _scaled(total: int, weights: Sequence[int]) -> list[int]:
    whole = sum(weights)
    if whole <= 0:
        return [total, *[0] * (len(weights) - 1)] if weights else []
    return apportioned(total, [weight * total for weight in weights], whole)
