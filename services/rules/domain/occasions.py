"""What is not a purchase: joining, what becomes known about a member, and what a member does otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from contracts.ids import command_of, decision_of, derive
from services.rules.domain.basket import Occasion
from services.rules.domain.celebrations import Birthday
from services.rules.domain.commands import Cause, Command, OpenAccount
from services.rules.domain.evaluation import evaluate
from services.rules.domain.participant import (
    Background,
    Decided,
    Decision,
    DecisionKind,
    Known,
    Participant,
    WindowView,
    counters_with,
    with_contribution,
)
from services.rules.domain.plan import plan_of
from services.rules.domain.programme import BIRTHDAY, ENROLMENT, ProgrammeVersion
from services.rules.domain.purchases import (
    NO_VERSION,
    Buyer,
    Judged,
    accruals,
    asked_by,
    asks,
    counted_in,
    facts_at,
    for_others,
)
from services.rules.domain.records import record_of
from services.rules.domain.standing import Change, age, changes_told, risen, standing_of, with_tier
from services.rules.domain.sums import NOTHING, Contribution, Measures
from services.rules.domain.tiers import tier_at


@dataclass(frozen=True, slots=True)
class Joining:
    """A member joins. `card_category` is of the identifier under which it does; `referred_by` is `type:value`."""

    account_id: UUID
    member_id: UUID
    tenant: str
    programme: str
    at: datetime
    card_category: str = ""
    birthday: date | None = None
    referred_by: str = ""
    attributes: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Doing:
    """Something that a member did. `id` is the source's own, `key` the business key."""

    decision_id: UUID
    member_id: UUID
    key: UUID
    id: str
    occasion: Occasion
    card_category: str = ""


def join(joining: Joining, background: Background) -> Decided:
    """Open the account, and award what joining earns."""
    known = Known(joining.at, joining.birthday, None, joining.attributes or {}, joining.referred_by)
    participant = Participant(
        joining.account_id, joining.member_id, joining.tenant, joining.programme, joining.at,
        {joining.member_id: (known,)},
    )  # fmt: skip
    decision_id = decision_of(joining.account_id, ENROLMENT)
    occasion = Occasion(ENROLMENT, joining.at)
    doing = Doing(
        decision_id, joining.member_id, joining.account_id, str(joining.member_id), occasion, joining.card_category
    )
    decided = _judge(participant, doing, ENROLMENT, background)
    version = background.programme.in_force(joining.at) or next(iter(background.programme.versions), None)
    currencies = tuple((currency.key, currency.scale) for currency in version.currencies) if version else ()
    opened: tuple[Command, ...] = (OpenAccount(command_of("open", decision_id), joining.at, currencies),)
    return decided._replace(commands=(*opened, *decided.commands))


def celebrate(participant: Participant, birthday: Birthday, background: Background) -> Decided | None:
    """Decide on a birthday; None where no rule of that time says anything of birthdays."""
    at, day, member_id = birthday.begins_at, birthday.day, birthday.member_id
    version = background.programme.in_force(at)
    if version is None or BIRTHDAY not in plan_of(version).occasions:
        return None
    key = derive("birthday", participant.account_id, member_id, str(day.year))
    doing = Doing(decision_of(participant.account_id, key), member_id, key, day.isoformat(), Occasion(BIRTHDAY, at))
    return _judge(participant, doing, "birthday", background)


def do(participant: Participant, doing: Doing, background: Background) -> Decided:
    """Decide on an activity."""
    return _judge(participant, doing, "activity", background)


def _judge(participant: Participant, doing: Doing, kind: DecisionKind, background: Background) -> Decided:
    at, programme = doing.occasion.at, background.programme
    version = programme.in_force(at)
    if version is None:
        return _not_in_force(participant, doing, kind)
    aged, changes = age(participant, background, at)
    view = WindowView(aged, background.contributions)
    facts = facts_at(view, version, Buyer(doing.member_id, doing.card_category), at, programme.is_suspended(at))
    evaluation = evaluate(version, doing.occasion, facts)
    counters = counters_with(aged.counters, counted_in(evaluation))
    counted = replace(aged, decisions=aged.decisions + 1, counters=counters)
    measures = Measures(evaluation.qualifying, 0, 0)
    counted, change = _with_qualifying(counted, doing, version, measures, background)
    changes = (*changes, *change)
    standing = standing_of(counted, background, at)
    judged = Judged(facts, evaluation, changes, standing)
    cause = Cause(kind, doing.id)
    accrued = accruals(doing.decision_id, at, cause, version, judged)
    asked = asks(doing.decision_id, at, cause, version, evaluation)
    others = for_others(doing.decision_id, doing.member_id, at, version, evaluation)
    told = changes_told(counted, changes, standing)
    decision = Decision(
        doing.decision_id, doing.member_id, counted.decisions, kind, doing.key, doing.id, at, at, version.version,
        evaluation.reason, measures, record_of(facts.tier, evaluation, (*asked, *others), changes, standing),
        (doing, facts),
    )  # fmt: skip
    return Decided(counted, decision, (*accrued, *asked, *others, *told), asked_by(asked))


def _with_qualifying(
    participant: Participant, doing: Doing, version: ProgrammeVersion, measures: Measures, background: Background
) -> tuple[Participant, tuple[Change, ...]]:
    """The participant with what counts for tiers, and the tier that this reaches; the lowest may need nothing."""
    at = doing.occasion.at
    horizon = max(at, participant.horizon or at)
    terms = background.programme.terms_at(horizon)
    if terms is not None:
        view = WindowView(participant, background.contributions)
        period = risen(view, terms, at, measures.qualifying, doing.id)
        changes = () if period is None else (Change(period, tier_at(participant.history, horizon), doing.decision_id),)
        participant = with_tier(participant, terms, at, measures.qualifying, period)
    else:
        changes = ()
    if measures != NOTHING:
        contribution = Contribution(at, measures)
        in_force = background.programme.in_force(horizon) or version
        span, sums = with_contribution(participant, background.contributions, contribution, in_force)
        participant = replace(participant, span=span, sums=sums)
    return participant, changes


def _not_in_force(participant: Participant, doing: Doing, kind: DecisionKind) -> Decided:
    at = doing.occasion.at
    participant = replace(participant, decisions=participant.decisions + 1)
    decision = Decision(
        doing.decision_id, doing.member_id, participant.decisions, kind, doing.key, doing.id, at, at, None, NO_VERSION,
        NOTHING, {}, (doing, None),
    )  # fmt: skip
    return Decided(participant, decision)
