"""A participant: one member (or one household) in one programme, with the facts that decide.

The state is what the participant's decisions made it, in the order in which they were taken; a purchase that comes
late is judged by what was so at its time. Decisions themselves are in `purchases`, `returns` and `occasions`; each is a
pure function that gives commands for the books, the participant's new state, and a record that explains them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from services.rules.domain.budgets import Asked
from services.rules.domain.commands import Command
from services.rules.domain.counting import stamp
from services.rules.domain.moments import zone_of
from services.rules.domain.programme import CapPeriod, ProgrammeVersion
from services.rules.domain.sums import (
    Band,
    Contribution,
    Contributions,
    Measures,
    Span,
    WindowSum,
    bands,
    counted,
    empty,
    merged,
    move,
)
from services.rules.domain.tiers import History, TierTerms
from services.rules.domain.value import value
from services.rules.domain.windows import WindowStart, windows_of

DecisionKind = Literal[
    "purchase", "return", "conflict", "self_referral", "enrolment", "activity", "birthday", "referral"
]

_DAY: Final = timedelta(days=1, hours=1)
"""As long as a day can be, clocks that go back included."""

COUNTER_GROUPS_MAX: Final = 1_000
"""Days, weeks, months and years of which counters are remembered; the oldest are forgotten first."""
KNOWN_MAX: Final = 100
"""Changes of a member's facts remembered with the date they became known; older ones are taken together."""

LASTING: Final = ""
"""The group of counters that belong to no date: campaigns, lifetimes, and what is given once."""
_DATED: Final[tuple[CapPeriod, ...]] = ("day", "week", "month", "year")

Counters = Mapping[str, Mapping[str, int]]
"""Counters by group (`day:2026-03-05`, `month:2026-03`, or lasting), then by the key that the evaluation gave them."""


@value(frozen=True, slots=True)
class Known:
    """What became known about the member at `at`; None: nothing new of that kind."""

    at: datetime
    birthday: date | None = None
    segments: frozenset[str] | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    referred_by: str = ""


@value(frozen=True, slots=True)
class Profile:
    """What is known of the member at some time; personal."""

    birthday: date | None = None
    birthday_known_at: datetime | None = None
    segments: frozenset[str] = frozenset()
    attributes: Mapping[str, object] = field(default_factory=dict)
    referred_by: str = ""


class Celebrated(NamedTuple):
    """How far a member's birthdays were looked at: `through` a day, whole; `year` of the last one that was kept."""

    through: date
    year: int = 0


@value(frozen=True, slots=True)
class Participant:
    """State. `member_id` is whose account it is; others of a household may buy for it.

    `span` is where what counts lies; `sums` are windows as they stood at the last of it, by name. `known` is what is
    known of each member, oldest first, personal as nothing else is. `birthdays` has the members who told theirs.
    """

    account_id: UUID
    member_id: UUID
    tenant: str
    programme: str
    enrolled_at: datetime
    known: Mapping[UUID, tuple[Known, ...]] = field(default_factory=dict)
    decisions: int = 0
    last_purchase_at: datetime | None = None
    span: Span | None = None
    history: History = ()
    counters: Counters = field(default_factory=dict)
    sums: Mapping[str, WindowSum] = field(default_factory=dict)
    birthdays: Mapping[UUID, Celebrated] = field(default_factory=dict)

    @property
    def horizon(self) -> datetime | None:
        """The latest of what counts, or the last change of tier if that is later; what lies before it comes late."""
        latest = self.span.last if self.span else None
        if not self.history:
            return latest
        changed = self.history[-1].effective_at
        return changed if latest is None or changed > latest else latest

    def profile_at(self, member_id: UUID, at: datetime) -> Profile:
        """What was known of a member at `at`; what came first, as a rule with the enrolment, counts before it too."""
        known = self.known.get(member_id)
        if not known:
            return Profile()
        first, *later = known
        known_at = first.at if first.birthday else None
        profile = Profile(first.birthday, known_at, first.segments or frozenset(), first.attributes, first.referred_by)
        for news in later:
            if news.at > at:
                break
            profile = _learned(profile, news)
        return profile

    def counters_of(self, day: date) -> dict[str, int]:
        """The counters that a purchase on `day` can meet."""
        if not self.counters:
            return {}
        found = dict(self.counters.get(LASTING, {}))
        for period in _DATED:
            found.update(self.counters.get(f"{period}:{stamp(period, day)}", {}))
        return found


class Decision(NamedTuple):
    """The record of a decision. `counts_at` is the date at which `measures` count; `facts` is data for JSON.

    `inputs` is what it was decided from, personal. `reason` is why nothing was awarded, where nothing could be.
    """

    decision_id: UUID
    member_id: UUID
    number: int
    kind: DecisionKind
    cause_key: UUID
    cause_id: str
    occurred_at: datetime
    counts_at: datetime
    programme_version: int | None
    reason: str | None
    measures: Measures
    facts: Mapping[str, object]
    inputs: object
    of_decision_id: UUID | None = None


class Decided(NamedTuple):
    """A decision: what to record, what to book, and the participant as it is from now on."""

    participant: Participant
    decision: Decision
    commands: Sequence[Command] = ()
    asks: Sequence[Asked] = ()
    """What was asked of budgets, new or changed by a return."""


@value(frozen=True, slots=True)
class PublishedProgramme:
    """A programme's published versions in the order of their beginnings, and when it stood still: (from, until)."""

    key: str
    versions: tuple[ProgrammeVersion, ...]
    suspensions: tuple[tuple[datetime, datetime | None], ...] = ()

    def in_force(self, at: datetime) -> ProgrammeVersion | None:
        """The version that judges what happened at `at`; None before the first."""
        for version in reversed(self.versions):
            if version.starts_at is not None and version.starts_at <= at:
                return version
        return None

    def version(self, number: int) -> ProgrammeVersion | None:
        """The version of that number."""
        return next((version for version in self.versions if version.version == number), None)

    def zone_at(self, at: datetime) -> ZoneInfo | None:
        """The zone whose calendar counts at `at`: before the first version starts that version's, None without any."""
        version = self.in_force(at) or next(iter(self.versions), None)
        return zone_of(version.zone) if version else None

    def terms_at(self, at: datetime) -> TierTerms | None:
        """The terms of tiers in force at `at`; None where there are none."""
        version = self.in_force(at)
        return TierTerms.of(version) if version else None

    def is_suspended(self, at: datetime) -> bool:
        """Whether the programme stood still at `at`."""
        return any(since <= at and (until is None or at < until) for since, until in self.suspensions)


@value(frozen=True, slots=True)
class Background:
    """What decisions on one participant stand on: the programme, and the contributions that were read for them.

    The contributions take in what is decided, so that later decisions of the same batch find it.
    """

    programme: PublishedProgramme
    contributions: Contributions


def learned(participant: Participant, member_id: UUID, news: Known) -> Participant:
    """The participant with facts that became known of a member; the same news twice changes nothing."""
    before = participant.known.get(member_id, ())
    if news in before:
        return participant
    first, rest = before[:1], sorted((*before[1:], news), key=lambda known: known.at)
    return replace(participant, known={**participant.known, member_id: _within_limit((*first, *rest))})


def _within_limit(known: tuple[Known, ...]) -> tuple[Known, ...]:
    if len(known) <= KNOWN_MAX:
        return known
    oldest, next_one, *rest = known
    together = Known(
        oldest.at,
        next_one.birthday or oldest.birthday,
        oldest.segments if next_one.segments is None else next_one.segments,
        {**oldest.attributes, **next_one.attributes},
        next_one.referred_by or oldest.referred_by,
    )
    return (together, *rest)


def _learned(profile: Profile, news: Known) -> Profile:
    # A birthday that is told again has been known all along.
    new_birthday = news.birthday is not None and news.birthday != profile.birthday
    return Profile(
        news.birthday if new_birthday else profile.birthday,
        news.at if new_birthday else profile.birthday_known_at,
        profile.segments if news.segments is None else news.segments,
        {**profile.attributes, **news.attributes} if news.attributes else profile.attributes,
        news.referred_by or profile.referred_by,
    )


def counters_with(counters: Counters, increments: Mapping[str, int], sign: int = 1) -> Counters:
    """The counters with what a decision counted; `sign` -1 gives it back."""
    if not increments:
        return counters
    result = dict(counters)
    for key, count in increments.items():
        group = _group_of(key)
        members = dict(result.get(group, {}))
        members[key] = max(0, members.get(key, 0) + sign * count)
        result[group] = members
    if len(result) > COUNTER_GROUPS_MAX:
        oldest = min((group for group in result if group), key=lambda group: group.partition(":")[2])
        del result[oldest]
    return result


def _group_of(key: str) -> str:
    # `big-basket:times:month:2026-11`; see counting.
    _, unit, period, when, *_ = (*key.split(":"), "", "")
    return f"{period}:{when}" if unit != "once" and period in _DATED else LASTING


@value(frozen=True, slots=True)
class WindowView:
    """A participant's sums at any instant that the loaded contributions reach."""

    participant: Participant
    contributions: Contributions

    def at(self, name: str, start: WindowStart, at: datetime) -> WindowSum:
        """The sum of a window that ends at `at`."""
        known = self.participant.sums.get(name)
        if known is None:
            known = empty(min(at, self.participant.span.first) if self.participant.span else at, start)
        return move(known, at, start, self.contributions)

    def qualifying(self, terms: TierTerms, at: datetime) -> int:
        """What counts for tiers in the window that ends at `at`."""
        return self.at(terms.window, terms.window_start, at).measures.qualifying


def moved_to(view: WindowView, at: datetime, programme: ProgrammeVersion) -> Mapping[str, WindowSum]:
    """The sums of a version's windows at `at`, which is not before anything that counts, beside those of others."""
    return {**view.participant.sums, **{name: view.at(name, start, at) for name, start in windows_of(programme)}}


def with_contribution(
    participant: Participant, contributions: Contributions, contribution: Contribution, programme: ProgrammeVersion
) -> tuple[Span, Mapping[str, WindowSum]]:
    """Span and sums of the participant once a purchase or return counts; the contributions take it in."""
    at, sums = contribution.at, participant.sums
    span = participant.span.widened(at) if participant.span else Span(at, at)
    if any(name not in sums or sums[name].at != span.last for name, _ in windows_of(programme)):
        sums = moved_to(WindowView(participant, contributions), span.last, programme)
    contributions.add(contribution)
    return span, {name: counted(known, contribution) for name, known in sums.items()}


def to_read(participant: Participant, programme: PublishedProgramme, instants: Iterable[datetime]) -> tuple[Band, ...]:
    """The dates whose contributions must be read before anything that happened at `instants` is decided."""
    moments = list(instants)
    if participant.span is None or not moments:
        return ()
    latest = max(moments)
    moments.append(participant.span.last)
    period = participant.history[-1] if participant.history else None
    found: list[Band] = []
    if period is not None and period.until is not None and period.until <= latest:
        moments.append(period.until)
        if period.reached_at is not None:
            found.append(Band(period.reached_at - _DAY, period.reached_at))
    for name, start in _windows_at(programme, moments):
        known = participant.sums.get(name)
        # Of a window that was never summed, what lies before its beginning is neither gained nor lost.
        fresh = participant.span.clip(Band(start(min(moments)), max(moments)))
        found += bands(known, participant.span, moments, start) if known else [fresh] if fresh else []
    return merged(found)


def _windows_at(programme: PublishedProgramme, moments: Iterable[datetime]) -> Iterable[tuple[str, WindowStart]]:
    versions = {programme.in_force(moment) for moment in moments}
    return {window for version in versions if version for window in windows_of(version)}
