"""Rehearsing one account: its past under another programme, beside what was decided live."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from services.rules.domain.eligibility import is_held_out
from services.rules.domain.evaluation import segments_of
from services.rules.domain.lift import Group
from services.rules.domain.participant import Decided, Participant, PublishedProgramme
from services.rules.domain.programme import Currency, ProgrammeVersion, Rule
from services.rules.domain.purchases import Inputs, Receipt
from services.rules.domain.replay import Past, PastConflict, PastReturn, PastSelfReferral, Replay
from services.rules.domain.tally import NONE, Given, Place, Tally, given_by, month_of


@dataclass(frozen=True, slots=True)
class Plan:
    """What is rehearsed.

    `draft` is in force from `since` on, after the versions that were; what lies before `until` and not before `since`
    is counted. `against` None: it is compared with what was decided live. `measured` are rules that keep members out,
    of the draft or of what was in force.
    """

    draft: ProgrammeVersion
    programme: PublishedProgramme
    since: datetime
    until: datetime
    against: PublishedProgramme | None
    zone: ZoneInfo
    measured: tuple[Rule, ...] = ()

    def counts(self, at: datetime) -> bool:
        """Whether something at `at` lies in the period."""
        return self.since <= at < self.until


class Recorded(NamedTuple):
    """A decision as it was taken live: by what tier, what it gave, and what it counted as spent, and when."""

    tier: str
    given: Sequence[Given]
    counts_at: datetime
    spend: int


@dataclass(slots=True)
class AccountRehearsal:
    """One account on its way through its past; `close` puts what it came to into the tally."""

    plan: Plan
    tally: Tally
    participant: Participant
    returned: Collection[UUID] = ()
    _rehearsed: Replay = field(init=False)
    _other: Replay | None = field(init=False)
    _balance: dict[str, dict[str, int]] = field(default_factory=lambda: {"rehearsed": {}, "live": {}})
    _places: dict[UUID, tuple[Place, Place]] = field(default_factory=dict)
    _spent: dict[str, dict[UUID, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rehearsed = Replay(self.participant, self.plan.programme, self.returned)
        against = self.plan.against
        self._other = Replay(self.participant, against, self.returned) if against is not None else None
        self._spent = {rule.key: {} for rule in self.plan.measured}

    def again(self, past: Past, at: datetime, member_id: UUID, recorded: Recorded) -> None:
        """Decide once more on something of the past, and count it if it lies in the period."""
        decided = self._rehearsed.again(past)
        other = self._other.again(past) if self._other is not None else None
        self._measure(member_id, recorded)
        if decided is None or not self.plan.counts(at):
            return
        local = at.astimezone(self.plan.zone)
        month, day = month_of(local), local.date().isoformat()
        live = Recorded(_tier(other), given_by(other.commands), *recorded[2:]) if other is not None else recorded
        mine, theirs = self._places_of(past, decided, live, month, day)
        if isinstance(past, Receipt):
            self.tally.count("baskets", month)
            self.tally.count("turnover", month, past.basket.total)
        self._take("rehearsed", mine, given_by(decided.commands))
        self._take("live", theirs, live.given)

    def unreadable(self, at: datetime, member_id: UUID, recorded: Recorded) -> None:
        """Pass over what nobody can read any more: its member was erased. It is left out on both sides."""
        self._measure(member_id, recorded)
        if self.plan.counts(at):
            self.tally.count("unreadable")

    def close(self) -> None:
        """Put what the account came to into the tally."""
        draft = self.plan.draft
        live = self.plan.against or self.plan.programme
        others = [version for version in live.versions if version is not draft] or [draft]
        gained = money_of(self._balance["rehearsed"], draft.currencies) - money_of(
            self._balance["live"], others[-1].currencies
        )
        self.tally.gain(gained, str(self.participant.account_id), str(self.participant.member_id))
        for rule in self.plan.measured:
            self._close_measure(rule)

    def _close_measure(self, rule: Rule) -> None:
        _, ends_at = _window(rule, self.plan)
        if self.participant.enrolled_at >= ends_at:
            return
        out, reached = self.tally.lifts.get(rule.key, (Group(), Group()))
        for member_id in {self.participant.member_id, *self._spent[rule.key]}:
            if rule.audience.members and str(member_id) not in rule.audience.members:
                continue
            spent = self._spent[rule.key].get(member_id, 0)
            if is_held_out(rule, str(member_id)):
                out = out.with_member(spent)
            else:
                reached = reached.with_member(spent)
        self.tally.lifts[rule.key] = (out, reached)

    def _measure(self, member_id: UUID, recorded: Recorded) -> None:
        for rule in self.plan.measured:
            starts_at, ends_at = _window(rule, self.plan)
            if starts_at <= recorded.counts_at < ends_at:
                spent = self._spent[rule.key]
                spent[member_id] = spent.get(member_id, 0) + recorded.spend

    def _take(self, side: str, place: Place, given: Sequence[Given]) -> None:
        self.tally.take("rehearsed" if side == "rehearsed" else "live", place, given)
        balance = self._balance[side]
        for _, currency, points, _ in given:
            balance[currency] = balance.get(currency, 0) + points

    def _places_of(self, past: Past, decided: Decided, live: Recorded, month: str, day: str) -> tuple[Place, Place]:
        """Where it is counted on each side; what came back stands by its purchase, in the month of the return."""
        if isinstance(past, PastReturn | PastConflict | PastSelfReferral):
            known = self._places.get(past.of)
            if known is not None:
                return known[0]._replace(month=month, day=day), known[1]._replace(month=month, day=day)
        segments = self._segments(past, decided)
        mine = Place(month, day, _tier(decided), segments)
        theirs = Place(month, day, live.tier, segments)
        if isinstance(past, Receipt) and past.decision_id in self.returned:
            self._places[past.decision_id] = (mine, theirs)
        return mine, theirs

    def _segments(self, past: Past, decided: Decided) -> Sequence[str]:
        inputs = decided.decision.inputs
        if not isinstance(past, Receipt) or not isinstance(inputs, Inputs):
            return ()
        return segments_of(self.plan.draft, past.basket, inputs.facts)


def money_of(points: Mapping[str, int], currencies: Sequence[Currency]) -> int:
    """What points are worth, in ten-thousandths, rounded down; a currency that there is not is worth nothing."""
    worth = {currency.key: (currency.worth, 10**currency.scale) for currency in currencies}
    return sum(amount * worth[key][0] // worth[key][1] for key, amount in points.items() if key in worth)


def _window(rule: Rule, plan: Plan) -> tuple[datetime, datetime]:
    """When a rule was at work in the period."""
    starts_at = max(rule.starts_at, plan.since) if rule.starts_at else plan.since
    return starts_at, min(rule.ends_at, plan.until) if rule.ends_at else plan.until


def _tier(decided: Decided | None) -> str:
    tier = decided.decision.facts.get("tier") if decided is not None else None
    return str(tier) if tier else NONE
