"""Tiers: how a participant rises, is kept, and falls.

A tier is held in periods, oldest first; the history says by which tier a purchase of any date is priced. A period runs
from midnight of the day on which the tier was reached, for as long as the programme keeps it; after its end comes the
grace, and only then the fall. An upgrade takes effect at the latest purchase decided so far, so that nothing that was
priced is priced again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from services.rules.domain.moments import later, zone_of
from services.rules.domain.programme import Level, ProgrammeVersion, Tiers
from services.rules.domain.windows import WindowStart, start_of, start_of_day, tier_window

REACHED: Final = "tier_reached"
RENEWED: Final = "tier_renewed"
KEPT: Final = "tier_kept"
LOWERED: Final = "tier_period_ended"
RETURNED: Final = "tier_reassessed_after_return"
GIVEN: Final = "tier_given"

PERIODS_MAX: Final = 100
"""Periods remembered; a purchase older than all of them is priced without a tier."""

_TERMS_REMEMBERED: Final = 256


@dataclass(frozen=True, slots=True)
class TierPeriod:
    """A tier (None: none) by which purchases from `effective_at` on are priced, until the next period.

    `since` is midnight of the day on which the tier was first reached, `until` the end of the period, grace left out;
    None: no end. `qualifying` is the sum at `reached_at` by which it was reached, kept right by returns and late
    purchases; `reached_at` is None where no sum was asked: given by hand, kept, or lowered by one step.
    """

    tier: str | None
    effective_at: datetime
    since: datetime
    until: datetime | None = None
    reason: str = REACHED
    cause: str = ""
    qualifying: int = 0
    reached_at: datetime | None = None


History = tuple[TierPeriod, ...]


class Reached(NamedTuple):
    """A qualifying sum, and when it was so high."""

    at: datetime
    qualifying: int


@dataclass(frozen=True, slots=True)
class TierTerms:
    """What a programme version says of tiers, with the zone in which its days begin and the window it sums over."""

    tiers: Tiers
    zone: str
    window: str
    window_start: WindowStart
    ranks: Mapping[str | None, int]

    @classmethod
    def of(cls, programme: ProgrammeVersion) -> "TierTerms | None":
        """The terms of a version; None where it has no tiers."""
        return _terms_of(programme)

    def rank(self, tier: str | None) -> int:
        """The place of a tier among the levels, lowest 0; -1 for none, and for one that the version does not know."""
        return self.ranks.get(tier, -1)

    def least(self, tier: str | None) -> int:
        """What it takes to reach a tier; 0 for none."""
        rank = self.rank(tier)
        return self.tiers.levels[rank].least if rank >= 0 else 0

    def level_of(self, qualifying: int) -> Level | None:
        """The highest level that a sum reaches."""
        reached = None
        for level in self.tiers.levels:
            if qualifying >= level.least:
                reached = level
        return reached

    def kept_until(self, day: datetime) -> datetime:
        """The end of a period that begins at `day`, a midnight."""
        return later(day, self.tiers.keep_for, zone_of(self.zone))

    def falls_at(self, period: TierPeriod) -> datetime | None:
        """When a period that was not renewed ends, its grace included; None: never."""
        if period.until is None or period.reason == GIVEN:
            return period.until
        return later(period.until, self.tiers.grace, zone_of(self.zone))


QualifyingAfter = Callable[[TierPeriod, datetime], int]
"""The qualifying sum at the end of a period; what it was reached by on its first day has done its work."""

TermsAt = Callable[[datetime], TierTerms | None]
"""The terms of the version in force at an instant; None where it has no tiers."""


@lru_cache(maxsize=_TERMS_REMEMBERED)
def _terms_of(programme: ProgrammeVersion) -> TierTerms | None:
    if programme.tiers is None:
        return None
    window = tier_window(programme)
    ranks: dict[str | None, int] = {level.tier: rank for rank, level in enumerate(programme.tiers.levels)}
    return TierTerms(programme.tiers, programme.zone, str(window), start_of(window, programme.zone), ranks)


def tier_at(history: History, at: datetime) -> str | None:
    """The tier by which a purchase made at `at` is priced."""
    for period in reversed(history):
        if period.effective_at <= at:
            return period.tier
    return None


def rise(terms: TierTerms, history: History, qualifying: int, at: datetime, cause: str) -> TierPeriod | None:
    """The period that a sum opens at `at`: a higher tier, or the same one renewed within its grace; else None."""
    level = terms.level_of(qualifying)
    current = history[-1] if history else None
    higher = terms.rank(level.tier if level else None) - terms.rank(current.tier if current else None)
    if level is None or higher < 0 or (current and not higher and (current.until is None or at < current.until)):
        return None
    today = start_of_day(at, terms.zone)
    opened = TierPeriod(level.tier, at, today, terms.kept_until(today), REACHED, cause, qualifying, at)
    if current is None or higher:
        return opened
    return replace(opened, tier=current.tier, since=current.since, reason=RENEWED)


def pass_time(
    terms_at: TermsAt, history: History, to: datetime, qualifying_after: QualifyingAfter
) -> Sequence[TierPeriod]:
    """The periods that end and begin by themselves up to `to`, each effective when it was due, however late it is."""
    passed: list[TierPeriod] = []
    current = history[-1] if history else None
    while current is not None and len(passed) < PERIODS_MAX:
        current = _next_period(terms_at, current, to, qualifying_after)
        if current is not None:
            passed.append(current)
    return passed


def _next_period(
    terms_at: TermsAt, current: TierPeriod, to: datetime, qualifying_after: QualifyingAfter
) -> TierPeriod | None:
    if current.until is None or to < current.until or current.tier is None:
        return None
    terms = terms_at(current.until)
    if terms is None:
        return None
    at_end = qualifying_after(current, current.until)
    if at_end >= terms.least(current.tier) and terms.rank(current.tier) >= 0 and current.reason != GIVEN:
        end = terms.kept_until(current.until)
        return TierPeriod(current.tier, current.until, current.since, end, RENEWED, "", at_end, current.until)
    falls_at = terms.falls_at(current)
    if falls_at is None or to < falls_at:
        return None
    return _fallen(terms, current, falls_at, qualifying_after(current, falls_at))


def _fallen(terms: TierTerms, current: TierPeriod, at: datetime, qualifying: int) -> TierPeriod:
    """What follows a period that was not renewed: by one step, to what the sum still reaches, or kept."""
    end = terms.kept_until(at)
    level = terms.level_of(qualifying)
    reassessed = TierPeriod(level.tier if level else None, at, at, end if level else None, LOWERED, "", qualifying, at)
    if terms.tiers.then == "reassess" or current.reason == GIVEN:
        same = reassessed.tier == current.tier
        return replace(reassessed, since=current.since, reason=RENEWED) if same else reassessed
    if terms.tiers.then == "keep":
        return TierPeriod(current.tier, at, current.since, end, KEPT)
    step = terms.rank(current.tier) - 1
    if terms.rank(reassessed.tier) >= max(step, 0):
        return reassessed
    tier = terms.tiers.levels[step].tier if step >= 0 else None
    return TierPeriod(tier, at, at, end if tier else None, LOWERED)


def next_look(terms_at: TermsAt, history: History, looked_at: datetime) -> datetime | None:
    """When the tier must be looked at next, after everything up to `looked_at` was done."""
    if not history or history[-1].until is None or history[-1].tier is None:
        return None
    current = history[-1]
    if current.until is not None and looked_at < current.until:
        return current.until
    terms = terms_at(current.until or looked_at)
    return terms.falls_at(current) if terms else None


def corrected(history: History, counts_at: datetime, amount: int, window_start: WindowStart) -> History:
    """The history with a late purchase or a return counted in the sums by which tiers were reached."""
    if not any(_held(period, counts_at, window_start) for period in history):
        return history
    return tuple(
        replace(period, qualifying=period.qualifying + amount) if _held(period, counts_at, window_start) else period
        for period in history
    )


def _held(period: TierPeriod, counts_at: datetime, window_start: WindowStart) -> bool:
    reached_at = period.reached_at
    return reached_at is not None and counts_at <= reached_at and window_start(reached_at) < counts_at


def is_undone(terms: TierTerms, history: History) -> bool:
    """Whether returns took away what the current tier was reached by; `history` is corrected already."""
    if not history or terms.tiers.on_return == "keep":
        return False
    current = history[-1]
    reached = current.reached_at is None or current.qualifying >= terms.least(current.tier)
    return current.tier is not None and not reached


def reached_anyway(terms: TierTerms, history: History, highest: Reached) -> History | None:
    """The history where the current tier would have been reached without what came back, only later; None: never."""
    current = history[-1]
    if highest.qualifying < terms.least(current.tier):
        return None
    return (*history[:-1], replace(current, qualifying=highest.qualifying, reached_at=highest.at))


def after_return(terms: TierTerms, history: History, highest: Reached, at: datetime, cause: str) -> TierPeriod:
    """The period that follows when a return took away what the current tier was reached by.

    `history` is corrected already; `highest` is the highest sum since. The member falls to what that reaches, or to the
    tier before, if that would still be running: as if the returned purchase had never been.
    """
    level = terms.level_of(highest.qualifying)
    today = start_of_day(at, terms.zone)
    fallen = TierPeriod(
        level.tier if level else None, at, today, terms.kept_until(today) if level else None,
        RETURNED, cause, highest.qualifying, highest.at,
    )  # fmt: skip
    before = _still_running(terms, history[:-1], at)
    if before is not None and terms.rank(before.tier) >= terms.rank(fallen.tier):
        return replace(before, effective_at=at, reason=RETURNED, cause=cause)
    return fallen


def _still_running(terms: TierTerms, history: History, at: datetime) -> TierPeriod | None:
    for period in reversed(history):
        earned = period.reached_at is None or period.qualifying >= terms.least(period.tier)
        if earned and period.until is not None and at < period.until:
            return period
    return None


def with_periods(history: History, periods: Iterable[TierPeriod]) -> History:
    """The history with more periods, the oldest beyond the limit forgotten."""
    return (*history, *periods)[-PERIODS_MAX:]
