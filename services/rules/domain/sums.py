"""Sums over a window that looks back, (t - window, t], kept as one figure and moved from purchase to purchase.

A participant may have bought ten thousand times; what a decision needs is the sum at one instant. So the sum stands
where it was last taken, and a decision reads only what lies between there and here: the contributions that leave at the
far end of the window, and for a late purchase those that came after it. What is written never changes: a return is a
contribution below zero at the date of its purchase.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from services.rules.domain.windows import WindowStart

_MOMENT: Final = timedelta(microseconds=1)


class Measures(NamedTuple):
    """What is summed: for tiers (in their unit), of money in ten-thousandths, and how often."""

    qualifying: int
    spend: int
    purchases: int

    def plus(self, other: "Measures") -> "Measures":
        """Both together."""
        return Measures(self[0] + other[0], self[1] + other[1], self[2] + other[2])

    def minus(self, other: "Measures") -> "Measures":
        """This without the other."""
        return Measures(self[0] - other[0], self[1] - other[1], self[2] - other[2])


NOTHING: Final = Measures(0, 0, 0)


class Contribution(NamedTuple):
    """What counts at `at`: below zero for a return, which counts at the date of its purchase."""

    at: datetime
    measures: Measures


class WindowSum(NamedTuple):
    """The sum of everything in (since, at]."""

    at: datetime
    since: datetime
    measures: Measures


class Band(NamedTuple):
    """The instants in (after, until]."""

    after: datetime
    until: datetime


class Span(NamedTuple):
    """Where a participant's recorded contributions lie: at `first`, at `last`, and between."""

    first: datetime
    last: datetime

    def clip(self, band: Band) -> Band | None:
        """The part of a band that can hold something; None when no part can."""
        clipped = Band(max(band.after, self.first - _MOMENT), min(band.until, self.last))
        return clipped if clipped.after < clipped.until else None

    def widened(self, at: datetime) -> "Span":
        """The span with one more contribution."""
        if self.first <= at <= self.last:
            return self
        return Span(min(self.first, at), max(self.last, at))


@dataclass(slots=True)
class Contributions:
    """The contributions of one participant that a batch may need, in order of time; grows as the batch is decided."""

    instants: list[datetime] = field(default_factory=list)
    measures: list[Measures] = field(default_factory=list)

    @classmethod
    def of(cls, found: Iterable[Contribution]) -> "Contributions":
        """Put rows in order of time, as a storage found them."""
        rows = sorted(found)
        return cls([row.at for row in rows], [row.measures for row in rows])

    def add(self, contribution: Contribution) -> None:
        """Take in what was just decided."""
        index = bisect_right(self.instants, contribution.at)
        self.instants.insert(index, contribution.at)
        self.measures.insert(index, contribution.measures)

    def between(self, after: datetime, until: datetime) -> Measures:
        """The sum of (after, until]; with its sign turned where `until` lies before `after`."""
        if until < after:
            return NOTHING.minus(self.between(until, after))
        first, last = bisect_right(self.instants, after), bisect_right(self.instants, until)
        total = NOTHING
        for measures in self.measures[first:last]:
            total = total.plus(measures)
        return total

    def instants_between(self, after: datetime, until: datetime) -> Sequence[datetime]:
        """The instants in (after, until] at which something counts."""
        return self.instants[bisect_right(self.instants, after) : bisect_right(self.instants, until)]

    def first_after(self, after: datetime) -> datetime | None:
        """The earliest instant after `after` at which something counts for tiers."""
        for index in range(bisect_right(self.instants, after), len(self.instants)):
            if self.measures[index].qualifying > 0:
                return self.instants[index]
        return None

    def last_before(self, at: datetime) -> datetime | None:
        """The latest instant before `at` at which something was bought."""
        for index in range(bisect_left(self.instants, at) - 1, -1, -1):
            if self.measures[index].purchases > 0:
                return self.instants[index]
        return None


def move(window_sum: WindowSum, at: datetime, start: WindowStart, contributions: Contributions) -> WindowSum:
    """The sum of the window that ends at `at`; the contributions must hold the bands between there and here."""
    if at == window_sum.at:
        return window_sum
    since = start(at)
    measures = window_sum.measures
    if contributions.instants:
        measures = measures.plus(contributions.between(window_sum.at, at))
        measures = measures.minus(contributions.between(window_sum.since, since))
    return WindowSum(at, since, measures)


def counted(window_sum: WindowSum, contribution: Contribution) -> WindowSum:
    """The sum with one more contribution, if it lies in the window."""
    if window_sum.since < contribution.at <= window_sum.at:
        return window_sum._replace(measures=window_sum.measures.plus(contribution.measures))
    return window_sum


def empty(earliest: datetime, start: WindowStart) -> WindowSum:
    """A sum of nothing, from which `move` reaches any later instant: where a new kind of window begins."""
    beginning = start(earliest)
    return WindowSum(beginning, beginning, NOTHING)


def bands(window_sum: WindowSum, span: Span, instants: Sequence[datetime], start: WindowStart) -> tuple[Band, ...]:
    """What must be read so that `move` can reach each of `instants`; `span` is where the participant has contributions.

    Two bands at most; none in the usual case, a purchase later than all others whose window still holds the very first.
    """
    earliest, latest = min(instants), max(instants)
    far = span.clip(Band(min(start(earliest), window_sum.since), max(start(latest), window_sum.since)))
    near = span.clip(Band(min(earliest, window_sum.at), max(latest, window_sum.at)))
    return tuple(band for band in (far, near) if band)


def merged(found: Iterable[Band]) -> tuple[Band, ...]:
    """The same instants in bands that do not overlap: a row that is read twice would count twice."""
    result: list[Band] = []
    for band in sorted(found):
        if result and band.after <= result[-1].until:
            result[-1] = Band(result[-1].after, max(result[-1].until, band.until))
        else:
            result.append(band)
    return tuple(result)
