"""Judging a purchase: what it earns, what it was paid with, and what it makes of the participant's tier.

Whatever arrives when, a purchase is judged by the version in force at its time and by the facts as they stood then.
Caps and what is given once are consumed in the order of decisions; sums over a window count by date.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from contracts.amounts import TEN_THOUSANDTHS
from contracts.ids import command_of, derive
from services.rules.domain.basket import Basket
from services.rules.domain.budgets import Asked, ask_of
from services.rules.domain.commands import Accrue, AddressAward, AskBudget, Cause, Redeem, Standing
from services.rules.domain.evaluation import Evaluation, evaluate
from services.rules.domain.facts import Facts
from services.rules.domain.moments import zone_of
from services.rules.domain.participant import (
    Background,
    Decided,
    Decision,
    Participant,
    WindowView,
    counters_with,
    moved_to,
    with_contribution,
)
from services.rules.domain.preference import favourite_of
from services.rules.domain.programme import Currency, Duration, ProgrammeVersion
from services.rules.domain.records import record_of
from services.rules.domain.standing import Change, age, changes_told, note_of, risen, standing_of, with_tier
from services.rules.domain.sums import Contribution, Contributions, Measures
from services.rules.domain.tiers import REACHED, tier_at
from services.rules.domain.value import value
from services.rules.domain.windows import LIFE, start_of

NO_VERSION: Final = "no_version_in_force"


class PointsPayment(NamedTuple):
    """A part paid with points: `points` as the till wrote them, in ten-thousandths of a point; None: worth `amount`."""

    amount: int
    points: int | None = None
    hold_id: UUID | None = None
    redemption_id: UUID | None = None


@value(frozen=True, slots=True)
class Receipt:
    """An identified purchase. `member_id` is who bought, `card_category` of the identifier that was shown."""

    decision_id: UUID
    member_id: UUID
    purchase_key: UUID
    purchase_id: str
    basket: Basket
    card_category: str = ""
    points_payments: tuple[PointsPayment, ...] = ()


class Inputs(NamedTuple):
    """What a purchase was decided from: all that is needed to price what is left of it after a return."""

    receipt: Receipt
    facts: Facts


class Judged(NamedTuple):
    """What a purchase came to."""

    facts: Facts
    evaluation: Evaluation
    changes: tuple[Change, ...]
    standing: Standing | None


def judge(participant: Participant, receipt: Receipt, background: Background) -> Decided:
    """Decide on a purchase. The background's contributions hold the bands of `participant.to_read`."""
    at, programme = receipt.basket.at, background.programme
    version = programme.in_force(at)
    if version is None:
        return _not_in_force(participant, receipt)
    aged, changes = age(participant, background, at)
    horizon = max(at, aged.horizon or at)
    if at == horizon:
        sums = moved_to(WindowView(aged, background.contributions), at, version)
        aged = replace(aged, sums=sums)
    view = WindowView(aged, background.contributions)
    facts = facts_at(view, version, Buyer(receipt.member_id, receipt.card_category), at, programme.is_suspended(at))
    evaluation = evaluate(version, receipt.basket, facts)
    terms = programme.terms_at(horizon)
    if terms is not None:
        period = risen(view, terms, at, evaluation.qualifying, receipt.purchase_id)
        if period is not None:
            changes = (*changes, Change(period, tier_at(aged.history, horizon), receipt.decision_id))
            if at >= horizon and period.reason == REACHED and terms.tiers.applies_from == "this_purchase":
                facts = replace(facts, tier=period.tier)
                evaluation = evaluate(version, receipt.basket, facts)
        aged = with_tier(aged, terms, at, evaluation.qualifying, period)
    counted = _counted(aged, receipt, evaluation, background.contributions, programme.in_force(horizon) or version)
    standing = standing_of(counted, background, at)
    return _decided(counted, receipt, version, Judged(facts, evaluation, changes, standing))


def _counted(
    participant: Participant,
    receipt: Receipt,
    evaluation: Evaluation,
    contributions: Contributions,
    version: ProgrammeVersion,
) -> Participant:
    """The participant with the purchase in its counters and sums."""
    at = receipt.basket.at
    last = participant.last_purchase_at
    contribution = Contribution(at, Measures(evaluation.qualifying, evaluation.spend, 1))
    span, sums = with_contribution(participant, contributions, contribution, version)
    return replace(
        participant,
        decisions=participant.decisions + 1,
        last_purchase_at=at if last is None or at > last else last,
        span=span,
        counters=counters_with(participant.counters, counted_in(evaluation)),
        sums=sums,
    )


def _decided(participant: Participant, receipt: Receipt, version: ProgrammeVersion, judged: Judged) -> Decided:
    facts, evaluation, changes, standing = judged
    at = receipt.basket.at
    cause = Cause("purchase", receipt.purchase_id, receipt.basket.store)
    redeemed = _redemptions(receipt, version, cause)
    accrued = accruals(receipt.decision_id, at, cause, version, judged)
    asked = asks(receipt.decision_id, at, cause, version, evaluation)
    others = for_others(receipt.decision_id, receipt.member_id, at, version, evaluation)
    told = changes_told(participant, changes, standing)
    silent = standing is not None and not accrued and not told
    noted = (note_of(receipt.decision_id, at, standing),) if silent and standing else ()
    measures = Measures(evaluation.qualifying, evaluation.spend, 1)
    decision = Decision(
        receipt.decision_id, receipt.member_id, participant.decisions, "purchase", receipt.purchase_key,
        receipt.purchase_id, at, at, version.version, evaluation.reason, measures,
        record_of(facts.tier, evaluation, (*redeemed, *asked, *others), changes, standing),
        Inputs(receipt, facts),
    )  # fmt: skip
    return Decided(participant, decision, (*redeemed, *accrued, *asked, *others, *told, *noted), asked_by(asked))


class Buyer(NamedTuple):
    """The member behind what is judged, and the category of the card that was shown."""

    member_id: UUID
    card_category: str


def facts_at(view: WindowView, version: ProgrammeVersion, buyer: Buyer, at: datetime, suspended: bool) -> Facts:
    """What the version may ask about a member and the account at `at`, as it stood before what is judged."""
    participant = view.participant
    profile = participant.profile_at(buyer.member_id, at)
    life = view.at(LIFE, start_of(LIFE, version.zone), at).measures
    counters = participant.counters_of(at.astimezone(zone_of(version.zone)).date())
    last = participant.last_purchase_at
    if last is not None and at < last:
        last = view.contributions.last_before(at)
    return Facts(
        member_id=str(buyer.member_id),
        tier=tier_at(participant.history, at),
        segments=profile.segments,
        card_category=buyer.card_category,
        enrolled_at=participant.enrolled_at,
        birthday=profile.birthday,
        birthday_known_at=profile.birthday_known_at,
        referred_by=profile.referred_by,
        attributes=profile.attributes,
        purchases=life.purchases,
        spend=life.spend,
        last_purchase_at=last,
        spend_in={each: _sum(view, version, each, at).spend for each in version.spend_windows},
        purchases_in={each: _sum(view, version, each, at).purchases for each in version.purchase_windows},
        favourite_category=favourite_of(counters) if version.asks_preference else "",
        counters=counters,
        suspended=suspended,
    )


def _sum(view: WindowView, version: ProgrammeVersion, window: Duration, at: datetime) -> Measures:
    return view.at(str(window), start_of(window, version.zone), at).measures


def _redemptions(receipt: Receipt, version: ProgrammeVersion, cause: Cause) -> tuple[Redeem, ...]:
    if not receipt.points_payments:
        return ()
    currency = paying_currency(version)
    unbacked = version.redeem.unbacked if version.redeem else "to_zero"
    found = []
    for ordinal, payment in enumerate(receipt.points_payments):
        points = points_of(payment, currency)
        if points > 0:
            command_id = command_of("redeem", receipt.decision_id, str(ordinal))
            found.append(
                Redeem(
                    command_id, receipt.basket.at, cause, currency.key, currency.scale, points,
                    payment.hold_id, payment.redemption_id, unbacked,
                )
            )  # fmt: skip
    return tuple(found)


def paying_currency(version: ProgrammeVersion) -> Currency:
    """The currency with which purchases are paid."""
    return version.currency(version.redeem.currency) if version.redeem else version.currencies[0]


def points_of(payment: PointsPayment, currency: Currency) -> int:
    """The points of a payment in the smallest unit; a part of a unit, which no books can hold, is left out."""
    if payment.points is not None:
        return payment.points * int(10**currency.scale) // TEN_THOUSANDTHS
    return payment.amount * int(10**currency.scale) // currency.worth if currency.worth else 0


def accruals(
    decision_id: UUID, at: datetime, cause: Cause, version: ProgrammeVersion, judged: Judged
) -> tuple[Accrue, ...]:
    """The accrual of what an evaluation awards at once, if that is anything."""
    awards = tuple(award for award in judged.evaluation.awards if award.points > 0)
    if not awards:
        return ()
    command_id = command_of("accrue", decision_id)
    return (Accrue(command_id, at, decision_id, cause, awards, version.returns.spent, judged.standing),)


def asks(
    decision_id: UUID, at: datetime, cause: Cause, version: ProgrammeVersion, evaluation: Evaluation
) -> tuple[AskBudget, ...]:
    """What an evaluation asks of budgets, each with the accrual that follows once it is granted."""
    found = []
    for ask in evaluation.budget_asks:
        ask_id = ask_of(decision_id, ask.rule, ask.award.partner)
        # By the time it is granted the account may stand elsewhere: where it stands is left to others to tell.
        accrual = Accrue(
            command_of("accrue", ask_id), at, decision_id, cause, (ask.award,), version.returns.spent, standing=None
        )
        found.append(AskBudget(ask_id, at, ask.rule, ask.campaign, ask.total, ask.partial, ask.increments, accrual))
    return tuple(found)


def for_others(
    decision_id: UUID, member_id: UUID, at: datetime, version: ProgrammeVersion, evaluation: Evaluation
) -> tuple[AddressAward, ...]:
    """What an evaluation brings to others; each is decided in the account of the one who receives."""
    found = []
    for other in evaluation.for_others:
        key = derive("award", decision_id, other.rule, other.recipient)
        found.append(
            AddressAward(
                key, at, at, key, member_id, other.recipient, other.rule, other.award, version.version, decision_id
            )
        )
    return tuple(found)


def asked_by(commands: Iterable[AskBudget]) -> tuple[Asked, ...]:
    """The same as the account keeps it."""
    return tuple(
        Asked(each.command_id, each.rule, each.award.partner, each.award.currency, each.award.points, each.increments)
        for each in commands
    )


def counted_in(evaluation: Evaluation) -> Mapping[str, int]:
    """What an evaluation counts, as if every budget granted all that is asked of it: what it does not is given back."""
    if not evaluation.budget_asks:
        return evaluation.increments
    counted = dict(evaluation.increments)
    for ask in evaluation.budget_asks:
        for key, count in ask.increments.items():
            counted[key] = counted.get(key, 0) + count
    return counted


def _not_in_force(participant: Participant, receipt: Receipt) -> Decided:
    at = receipt.basket.at
    number = participant.decisions + 1
    facts = Facts(member_id=str(receipt.member_id), card_category=receipt.card_category)
    decision = Decision(
        receipt.decision_id, receipt.member_id, number, "purchase", receipt.purchase_key, receipt.purchase_id, at, at,
        None, NO_VERSION, Measures(0, 0, 0), {}, Inputs(receipt, facts),
    )  # fmt: skip
    return Decided(replace(participant, decisions=number), decision)
