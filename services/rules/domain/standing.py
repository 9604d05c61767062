"""Where a participant stands in the tiers, and what a decision or the mere passing of time makes of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from contracts.ids import command_of, transition_of
from services.rules.domain.commands import ChangeTier, Standing
from services.rules.domain.participant import Background, Participant, PublishedProgramme, WindowView
from services.rules.domain.sums import move
from services.rules.domain.tiers import (
    GIVEN,
    Reached,
    TierPeriod,
    TierTerms,
    corrected,
    next_look,
    pass_time,
    rise,
    tier_at,
    with_periods,
)
from services.rules.domain.windows import WindowStart, start_of_day

NOTED: Final = "standing"
"""The reason of a command that changes no tier: it tells how far the next one is."""


class Change(NamedTuple):
    """A period that began. `decision_id` is the decision that brought it; None: it came by itself, on its day."""

    period: TierPeriod
    previous: str | None
    decision_id: UUID | None = None


class Aged(NamedTuple):
    """The participant once everything that was due had come."""

    participant: Participant
    changes: tuple[Change, ...] = ()


def age(participant: Participant, background: Background, to: datetime) -> Aged:
    """Let the tier's periods end and begin that were due by `to`."""
    history = participant.history
    until = history[-1].until if history else None
    if until is None or to < until:
        return Aged(participant)
    view = WindowView(participant, background.contributions)
    programme = background.programme

    def qualifying_after(period: TierPeriod, at: datetime) -> int:
        terms = programme.terms_at(at)
        return _qualifying_after(view, terms, period, at) if terms else 0

    periods = pass_time(programme.terms_at, history, to, qualifying_after)
    if not periods:
        return Aged(participant)
    previous = [history[-1].tier, *(period.tier for period in periods)]
    changes = tuple(Change(period, before) for period, before in zip(periods, previous, strict=False))
    return Aged(replace(participant, history=with_periods(history, periods)), changes)


def _qualifying_after(view: WindowView, terms: TierTerms, period: TierPeriod, at: datetime) -> int:
    """The sum at the end of a period.

    A period of twelve months over a window of twelve months ends where the window still holds the first day, from its
    midnight on: without this, whatever a tier was reached by would also renew it.
    """
    qualifying = view.qualifying(terms, at)
    edge, reached_at = terms.window_start(at), period.reached_at
    if reached_at is None or not start_of_day(reached_at, terms.zone) <= edge < reached_at:
        return qualifying
    return qualifying - view.contributions.between(edge, reached_at).qualifying


def given(participant: Participant, background: Background, tier: str, at: datetime, until: datetime) -> Aged | None:
    """Give a tier by hand from `at` on, or from the latest that was decided; no change: it was given before.

    None where the programme has no such tier, or the date is past.
    """
    at = max(at, participant.horizon or at)
    terms = background.programme.terms_at(at)
    if terms is None or terms.rank(tier) < 0 or until <= at:
        return None
    participant, changes = age(participant, background, at)
    if any(each.reason == GIVEN and (each.tier, each.until) == (tier, until) for each in participant.history):
        return Aged(participant, changes)
    current = tier_at(participant.history, at)
    today = start_of_day(at, terms.zone)
    period = TierPeriod(tier, at, today, until, GIVEN)
    history = with_periods(participant.history, (period,))
    return Aged(replace(participant, history=history), (*changes, Change(period, current)))


def looks_at(participant: Participant, programme: PublishedProgramme, looked_at: datetime) -> datetime | None:
    """When the participant's tier must be looked at next, whether it buys or not."""
    return next_look(programme.terms_at, participant.history, looked_at)


def risen(view: WindowView, terms: TierTerms, at: datetime, qualifying: int, cause: str) -> TierPeriod | None:
    """The upgrade that something brings which counts at `at`; if it comes late, it takes effect at the horizon."""
    participant = view.participant
    horizon = participant.horizon
    if horizon is None or at >= horizon:
        return rise(terms, participant.history, view.qualifying(terms, at) + qualifying, at, cause)
    best: int | None = None
    for moment in _moments(view, terms.window_start, at, horizon):
        without = view.qualifying(terms, moment)
        before, after = terms.level_of(without), terms.level_of(without + qualifying)
        # Only a level that is reached because of this counts, and only if it would still be held.
        if after is not None and after != before and (moment == horizon or _still_held(terms, moment, horizon)):
            best = max(best or 0, without + qualifying)
    return None if best is None else rise(terms, participant.history, best, horizon, cause)


def _moments(view: WindowView, start: WindowStart, at: datetime, horizon: datetime) -> Sequence[datetime]:
    """The moments from `at` to the horizon at which sums change, as long as `at` is in their window."""
    between = view.contributions.instants_between(at, horizon)
    return [moment for moment in (at, *between, horizon) if start(moment) < at]


def _still_held(terms: TierTerms, reached_at: datetime, horizon: datetime) -> bool:
    period = TierPeriod(None, reached_at, reached_at, terms.kept_until(start_of_day(reached_at, terms.zone)))
    falls_at = terms.falls_at(period)
    return falls_at is None or horizon < falls_at


def highest_since(view: WindowView, terms: TierTerms, since: datetime, at: datetime) -> Reached:
    """The highest sum from `since` to `at`, and the first moment of it; the contributions hold what lies between."""
    start, contributions = terms.window_start, view.contributions
    window_sum = view.at(terms.window, start, since)
    highest = Reached(since, window_sum.measures.qualifying)
    for moment in (*contributions.instants_between(since, at), at):
        window_sum = move(window_sum, moment, start, contributions)
        if window_sum.measures.qualifying > highest.qualifying:
            highest = Reached(moment, window_sum.measures.qualifying)
    return highest


def with_tier(
    participant: Participant, terms: TierTerms, at: datetime, qualifying: int, period: TierPeriod | None
) -> Participant:
    """The participant with what counts at `at` in the sums by which tiers were reached, and with a new period."""
    history = corrected(participant.history, at, qualifying, terms.window_start)
    if period is not None:
        history = with_periods(history, (period,))
    return participant if history is participant.history else replace(participant, history=history)


def standing_of(participant: Participant, background: Background, at: datetime) -> Standing | None:
    """Where the participant stands at `at`, or at the horizon if that is later; None without tiers."""
    at = max(at, participant.horizon or at)
    terms = background.programme.terms_at(at)
    if terms is None:
        return None
    current = participant.history[-1] if participant.history else None
    qualifying = WindowView(participant, background.contributions).qualifying(terms, at)
    rank = terms.rank(current.tier) if current else -1
    higher = terms.tiers.levels[rank + 1] if rank + 1 < len(terms.tiers.levels) else None
    return Standing(
        tier=current.tier if current else None,
        since=current.since if current else None,
        until=current.until if current else None,
        qualifying=qualifying,
        next_tier=higher.tier if higher else None,
        missing=max(0, higher.least - qualifying) if higher else None,
    )


def changes_told(
    participant: Participant, changes: Sequence[Change], standing: Standing | None
) -> tuple[ChangeTier, ...]:
    """The commands that tell of changes. What came by itself has an id of its own day, whoever notices it."""
    if standing is None:
        return ()
    return tuple(_told(participant.account_id, change, standing) for change in changes)


def _told(account_id: UUID, change: Change, standing: Standing) -> ChangeTier:
    period = change.period
    if change.decision_id is not None:
        command_id = command_of("tier", change.decision_id)
    else:
        command_id = transition_of("tier", account_id, period.effective_at)
    return ChangeTier(
        command_id, period.effective_at, period.tier, change.previous, period.since, period.until, period.reason,
        period.cause, standing,
    )  # fmt: skip


def note_of(decision_id: UUID, at: datetime, standing: Standing) -> ChangeTier:
    """The command that tells of a standing which no other command carries."""
    return ChangeTier(
        command_of("standing", decision_id), at, standing.tier, standing.tier, standing.since or at, standing.until,
        NOTED, "", standing,
    )  # fmt: skip
