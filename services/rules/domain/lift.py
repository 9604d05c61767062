"""The effect of a campaign, measured by those who were kept out of it: what members spent, with and without.

Everybody who could have been reached is compared with everybody who was kept out, whether they bought or not: who is
kept out was drawn by a hash, so nothing else tells the two apart.
Source: Welch's interval for the difference of two means; its quantile of Student's t by the expansion of Cornish and
Fisher (Abramowitz and Stegun, 26.7.5); the interval of the ratio by the delta method.
"""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

CONFIDENCE: Final = 0.95
_LEAST_MEMBERS: Final = 2


class Group(NamedTuple):
    """Members, the sum of what they spent in ten-thousandths, and the sum of its squares."""

    members: int = 0
    total: int = 0
    squares: int = 0

    def plus(self, other: "Group") -> "Group":
        """Both together."""
        return Group(self[0] + other[0], self[1] + other[1], self[2] + other[2])

    def with_member(self, spent: int) -> "Group":
        """The group with one more member."""
        return Group(self[0] + 1, self[1] + spent, self[2] + spent * spent)

    @property
    def mean(self) -> float:
        """What a member spent."""
        return self.total / self.members if self.members else 0.0

    @property
    def variance_of_mean(self) -> float:
        """How far the mean may be off by chance, squared."""
        if self.members < _LEAST_MEMBERS:
            return 0.0
        spread = (self.squares - self.total * self.total / self.members) / (self.members - 1)
        return max(spread, 0.0) / self.members


Lifts = dict[str, tuple[Group, Group]]
"""By rule: those who were kept out, and those who were not."""


@dataclass(frozen=True, slots=True)
class Lift:
    """By how much more those spent who were reached: each, in ten-thousandths, and as a share; with their intervals."""

    difference: float
    difference_between: tuple[float, float]
    share: float | None
    share_between: tuple[float, float] | None


def lift_of(kept_out: Group, reached: Group, confidence: float = CONFIDENCE) -> Lift | None:
    """The measured lift; None where one of the groups has fewer than two members."""
    if min(kept_out.members, reached.members) < _LEAST_MEMBERS:
        return None
    without, with_ = kept_out.variance_of_mean, reached.variance_of_mean
    error = sqrt(without + with_)
    times = _quantile(confidence, _freedom(kept_out, reached))
    difference = reached.mean - kept_out.mean
    between = (difference - times * error, difference + times * error)
    if kept_out.mean <= 0 or reached.mean <= 0:
        return Lift(difference, between, None, None)
    ratio = reached.mean / kept_out.mean
    off = times * ratio * sqrt(with_ / reached.mean**2 + without / kept_out.mean**2)
    return Lift(difference, between, ratio - 1, (ratio - 1 - off, ratio - 1 + off))


def _freedom(one: Group, other: Group) -> float:
    """The degrees of freedom of Welch and Satterthwaite."""
    first, second = one.variance_of_mean, other.variance_of_mean
    if first + second == 0:
        return float("inf")
    return (first + second) ** 2 / (first**2 / (one.members - 1) + second**2 / (other.members - 1))


def _quantile(confidence: float, freedom: float) -> float:
    """How many standard errors the interval goes to each side."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / freedom ** (power + 1) for power, term in enumerate(terms))
