"""One batch of messages to the participants of a shard, decided in their order, in memory."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from contracts.envelope import DEFAULT_TENANT
from contracts.ids import decision_of, derive
from services.rules.decide import asks, awards, notices, others
from services.rules.decide.readings import Due, Reading, TierGiven, read_content
from services.rules.decide.storage import Seat, Waiting
from services.rules.domain.budgets import Asked
from services.rules.domain.celebrations import (
    Birthday,
    birthdays_due_at,
    birthdays_until,
    earliest,
    from_today_on,
    kept,
)
from services.rules.domain.commands import AddressAward, AskBudget, Command, Reverse
from services.rules.domain.facts import ONESELF
from services.rules.domain.occasions import Doing, Joining, celebrate, do, join
from services.rules.domain.participant import (
    Background,
    Decided,
    Decision,
    Known,
    Participant,
    PublishedProgramme,
    learned,
)
from services.rules.domain.programme import ProgrammeVersion
from services.rules.domain.purchases import Inputs, Receipt, judge
from services.rules.domain.records import awarded_in
from services.rules.domain.referrals import SELF_REFERRAL, Had, Lessening, Receiving, lessen, receive
from services.rules.domain.remainders import Bought, GoodsReturned, bought_after
from services.rules.domain.returns import (
    Conflict,
    SelfReferral,
    take_back,
    take_back_conflict,
    take_back_self_referral,
)
from services.rules.domain.standing import Aged, age, changes_told, given, looks_at, standing_of
from services.runtime.shard import LogEntry, Verdict

MEMBER_ERASED: Final = "member_erased"
UNKNOWN_TIER: Final = "unknown_tier"
WAITS_FOR_ENROLMENT: Final = "waits_for_enrolment"
WAITS_FOR_PURCHASE: Final = "waits_for_purchase"

Programmes = Mapping[tuple[str, str], PublishedProgramme]
"""By tenant and name."""


@dataclass(slots=True)
class Loaded:
    """What is known before a batch. `members` are those about whom something may be kept: they were not erased.

    `bought` has None for a purchase whose member was erased.
    """

    members: Container[UUID]
    programmes: Programmes
    seats: dict[UUID, Seat]
    known: set[UUID]
    bought: dict[UUID, Bought | None] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    had: dict[UUID, Had] = field(default_factory=dict)
    """Awards by somebody else's purchases that may have to be taken back."""


@dataclass(slots=True)
class Changes:
    """What a batch came to."""

    entries: list[LogEntry] = field(default_factory=list)
    decisions: list[tuple[UUID, Decision]] = field(default_factory=list)
    seats: dict[UUID, Seat] = field(default_factory=dict)
    kept: dict[tuple[UUID, UUID], Waiting] = field(default_factory=dict)
    released: list[Waiting] = field(default_factory=list)
    asks: dict[UUID, tuple[Decision, Asked]] = field(default_factory=dict)
    """What was asked of budgets, new or changed, with the decision that did it."""
    awards_asked: dict[UUID, Mapping[str, Any]] = field(default_factory=dict)
    """Of the new asks what the ledger is told once they are granted."""


class Batch:
    """Decides message by message; later ones find what earlier ones left."""

    def __init__(self, loaded: Loaded, now: datetime) -> None:
        self.changes = Changes()
        self._loaded = loaded
        self._now = now

    def decide(self, reading: Reading) -> Verdict:
        """Decide on one message."""
        if reading.member_id not in self._loaded.members and not isinstance(reading.subject, Due):
            return Verdict("refused", MEMBER_ERASED)
        if reading.decision_id is not None and reading.decision_id in self._loaded.known:
            return Verdict("duplicate")
        seat = self._loaded.seats.get(reading.account_id)
        if isinstance(reading.subject, Joining):
            return self._join(reading, reading.subject) if seat is None else Verdict("duplicate")
        if seat is None:
            return self._keep(reading, reading.account_id, WAITS_FOR_ENROLMENT)
        return self._decide(reading, seat)

    def _decide(self, reading: Reading, seat: Seat) -> Verdict:
        participant, background = seat.participant, self._background(reading, seat)
        match reading.subject:
            case Receipt() as receipt:
                verdict = self._take(reading, seat, judge(participant, receipt, background))
                self._release(reading.account_id, receipt.decision_id)
                return verdict
            case Doing() as doing:
                return self._take(reading, seat, do(participant, doing, background))
            case Receiving() | Lessening() as subject:
                return self._from_others(reading, seat, subject)
            case GoodsReturned() | Conflict() as subject:
                return self._take_back(reading, seat, subject)
            case Known() | TierGiven() as news:
                return self._hear(reading, seat, news)
            case Due(at):
                return self._look_at(reading, seat, at)
            case other:
                raise TypeError(f"nothing is decided on {type(other).__name__}")

    def _join(self, reading: Reading, joining: Joining) -> Verdict:
        seat = Seat(Participant(joining.account_id, joining.member_id, "", "", joining.at), news={joining.member_id})
        self._loaded.seats[reading.account_id] = seat
        verdict = self._take(reading, seat, join(joining, self._background(reading, seat)))
        self._note_birthday(reading, seat, joining.member_id)
        self._release(reading.account_id, reading.account_id)
        return verdict

    def _take_back(self, reading: Reading, seat: Seat, subject: GoodsReturned | Conflict) -> Verdict:
        if reading.of is None:
            raise TypeError(f"{type(subject).__name__} names no purchase")
        if reading.of not in self._loaded.bought:
            return self._keep(reading, reading.of, WAITS_FOR_PURCHASE)
        bought = self._loaded.bought[reading.of]
        if bought is None:
            return Verdict("refused", MEMBER_ERASED)
        background = self._background(reading, seat)
        if isinstance(subject, GoodsReturned):
            decided = take_back(seat.participant, subject, bought, background)
        else:
            decided = take_back_conflict(seat.participant, subject, bought, background)
        self._loaded.bought[reading.of] = _less(bought, decided)
        return self._take(reading, seat, decided)

    def _from_others(self, reading: Reading, seat: Seat, subject: Receiving | Lessening) -> Verdict:
        if isinstance(subject, Receiving):
            return self._receive(reading, seat, subject)
        return self._lessen(reading, seat, subject)

    def _receive(self, reading: Reading, seat: Seat, receiving: Receiving) -> Verdict:
        decided = receive(seat.participant, receiving, self._background(reading, seat))
        verdict = self._take(reading, seat, decided)
        award = sum(awarded_in(decided.decision.facts).values())
        self._loaded.had[receiving.decision_id] = Had(
            receiving.member_id, decided.decision.programme_version, receiving.award.currency, receiving.award.scale,
            award, 0,
        )  # fmt: skip
        self._release(reading.account_id, receiving.decision_id)
        if decided.decision.reason == SELF_REFERRAL:
            self._refers_oneself(reading, seat, receiving)
        return verdict

    def _refers_oneself(self, reading: Reading, seat: Seat, receiving: Receiving) -> None:
        """Take back what the purchase gave for its referrer too, and know from now on whom the member named."""
        bought = self._loaded.bought.get(reading.of) if reading.of is not None else None
        if bought is None or reading.of is None:
            return
        key = derive(SELF_REFERRAL, reading.of)
        found = SelfReferral(decision_of(reading.account_id, key), key, receiving.at)
        decided = take_back_self_referral(seat.participant, found, bought, self._background(reading, seat))
        if decided is None:
            return
        self._loaded.bought[reading.of] = _less(bought, decided)
        self._take(reading, seat, decided)
        oneself = Known(receiving.at, referred_by=ONESELF)
        member_id = decided.decision.member_id
        seat.participant = learned(seat.participant, member_id, oneself)
        seat.news.add(member_id)

    def _lessen(self, reading: Reading, seat: Seat, lessening: Lessening) -> Verdict:
        had = self._loaded.had.get(lessening.of)
        if had is None:
            return self._keep(reading, lessening.of, WAITS_FOR_PURCHASE)
        decided = lessen(seat.participant, lessening, had, self._background(reading, seat))
        taken = sum(command.points for command in decided.commands if isinstance(command, Reverse))
        self._loaded.had[lessening.of] = had._replace(taken=had.taken + taken)
        return self._take(reading, seat, decided)

    def _hear(self, reading: Reading, seat: Seat, news: Known | TierGiven) -> Verdict:
        if isinstance(news, TierGiven):
            return self._give_tier(reading, seat, news)
        return self._learn(reading, seat, learned(seat.participant, reading.member_id, news))

    def _learn(self, reading: Reading, seat: Seat, participant: Participant) -> Verdict:
        member_id = reading.member_id
        if participant is seat.participant:
            return Verdict("duplicate")
        seat.participant = participant
        seat.news.add(member_id)
        self._note_birthday(reading, seat, member_id)
        self.changes.seats[participant.account_id] = seat
        return Verdict("applied")

    def _give_tier(self, reading: Reading, seat: Seat, tier: TierGiven) -> Verdict:
        """Give a tier by hand; what else was said with it is learned either way."""
        background = self._background(reading, seat)
        self._learn(reading, seat, learned(seat.participant, reading.member_id, tier.known))
        aged = given(seat.participant, background, tier.tier, reading.at, tier.until)
        if aged is None:
            return Verdict("refused", UNKNOWN_TIER)
        self._change_tier(reading, seat, aged, reading.at)
        return Verdict("applied" if aged.changes else "duplicate")

    def _change_tier(self, reading: Reading, seat: Seat, aged: Aged, at: datetime) -> None:
        """Note a change of tier that no decision brought, and tell of it."""
        background = self._background(reading, seat)
        participant, changes = aged
        told = changes_told(participant, changes, standing_of(participant, background, at))
        seat.participant = participant
        tier_due_at = looks_at(participant, background.programme, max(at, participant.horizon or at))
        seat.due_at = earliest(tier_due_at, birthdays_due_at(participant, background.programme, at))
        self.changes.seats[participant.account_id] = seat
        self._tell(participant, told, None, reading.traceparent)

    def _note_birthday(self, reading: Reading, seat: Seat, member_id: UUID) -> None:
        """Wait for the next birthday of a member who told its date; those that are past are past."""
        programme = self._background(reading, seat).programme
        seat.participant = from_today_on(seat.participant, member_id, programme.zone_at(self._now), self._now)
        seat.due_at = earliest(seat.due_at, birthdays_due_at(seat.participant, programme, self._now))

    def _look_at(self, reading: Reading, seat: Seat, at: datetime) -> Verdict:
        """Keep the birthdays that came by `at`, and end the tiers that were due."""
        background = self._background(reading, seat)
        birthdays = birthdays_until(seat.participant, background.programme, at)
        for birthday in birthdays:
            self._celebrate(reading, seat, birthday)
        aged = age(seat.participant, background, at)
        self._change_tier(reading, seat, aged, at)
        return Verdict("applied" if aged.changes or birthdays else "duplicate")

    def _celebrate(self, reading: Reading, seat: Seat, birthday: Birthday) -> None:
        seat.participant = kept(seat.participant, birthday)
        decided = celebrate(seat.participant, birthday, self._background(reading, seat))
        if decided is not None:
            self._take(reading, seat, decided)
        self.changes.entries.append(notices.birthday(seat.participant, birthday, self._now, reading.traceparent))

    def _take(self, reading: Reading, seat: Seat, decided: Decided) -> Verdict:
        """Note what was decided."""
        participant, decision, commands, asked = decided
        programme = self._background(reading, seat).programme
        seat.participant = participant
        looked_at = max(decision.occurred_at, participant.horizon or decision.occurred_at)
        tier_due_at = looks_at(participant, programme, looked_at)
        seat.due_at = earliest(tier_due_at, birthdays_due_at(participant, programme, looked_at))
        self._loaded.known.add(decision.decision_id)
        self.changes.seats[participant.account_id] = seat
        self.changes.decisions.append((participant.account_id, decision))
        if isinstance(decision.inputs, Inputs):
            self._loaded.bought[decision.decision_id] = _bought(decision, decision.inputs, asked)
        self.changes.asks |= {ask.ask_id: (decision, ask) for ask in asked}
        number = decision.programme_version
        version = None if number is None else programme.version(number)
        self._tell(participant, commands, version, reading.traceparent)
        return Verdict("applied", decision.reason, decision.decision_id)

    def _tell(
        self,
        participant: Participant,
        commands: Iterable[Command],
        version: ProgrammeVersion | None,
        traceparent: str | None,
    ) -> None:
        told = tuple(commands)
        self.changes.entries += awards.entries(participant, told, version, self._now, traceparent)
        for command in told:
            if isinstance(command, AskBudget):
                award = asks.award_of(participant, command, version)
                self.changes.entries.append(asks.entry_of(participant, command, award, self._now, traceparent))
                self.changes.awards_asked[command.command_id] = award
            elif isinstance(command, AddressAward):
                self.changes.entries.append(others.entry_of(participant, command, self._now, traceparent))

    def _keep(self, reading: Reading, waits_for: UUID, code: str) -> Verdict:
        """Keep a message until what it belongs to comes."""
        if isinstance(reading.subject, Due):
            return Verdict("duplicate")
        waiting_id = reading.decision_id or derive("waiting", str(reading.content.get("id")))
        place = (reading.account_id, waiting_id)
        waits_already = any(row.decision_id == waiting_id for row in self._loaded.waiting)
        if place not in self.changes.kept and not waits_already:
            row = Waiting(
                reading.account_id, reading.member_id, waits_for, waiting_id, reading.content, reading.traceparent
            )
            self.changes.kept[place] = row
            self._count_waiting(reading.account_id, 1)
        return Verdict("waiting", code)

    def _release(self, account_id: UUID, came: UUID) -> None:
        """Decide what has waited for the thing that just came; it may have to wait for another."""
        if not self._loaded.waiting and not self.changes.kept:
            return
        mine = [row for row in self._loaded.waiting if row.account_id == account_id and row.waits_for == came]
        new = [row for row in self.changes.kept.values() if row.account_id == account_id and row.waits_for == came]
        self._loaded.waiting = [row for row in self._loaded.waiting if row not in mine]
        self.changes.released += mine
        for row in new:
            del self.changes.kept[row.account_id, row.decision_id]
        if mine or new:
            self._count_waiting(account_id, -len(mine) - len(new))
        for row in (*mine, *new):
            if row.content is not None:
                self.decide(read_content(row.content, row.content.get("tenant", DEFAULT_TENANT), row.traceparent))

    def _count_waiting(self, account_id: UUID, count: int) -> None:
        seat = self._loaded.seats.get(account_id)
        if seat is not None:
            seat.waiting = max(0, seat.waiting + count)
            self.changes.seats[account_id] = seat

    def _background(self, reading: Reading, seat: Seat) -> Background:
        programme = self._loaded.programmes[reading.tenant, reading.programme]
        return Background(programme, seat.contributions)


def _bought(decision: Decision, inputs: Inputs, asked: Iterable[Asked]) -> Bought:
    counted = decision.facts.get("counted", {})
    return Bought(
        inputs, decision.programme_version, awarded_in(decision.facts), counted if isinstance(counted, dict) else {},
        decision.measures, asks=tuple(asked), gave_others="others" in decision.facts,
    )  # fmt: skip


def _less(bought: Bought, decided: Decided) -> Bought:
    """A purchase once a decision took something of it back."""
    left, remaining = decided.decision.facts["left"], decided.decision.inputs
    if not isinstance(left, dict) or not isinstance(remaining, tuple):
        raise TypeError("a decision that takes back says what is left")
    return bought_after(bought, left, remaining, decided.asks)
