"""Returns: what is left of a basket is priced as the basket was, and the difference is taken back.

Priced by the version, facts and counters recorded with the purchase's decision, so a return never gives anything and
never takes more than was awarded. A purchase that turns out to belong to another account loses all it earned, and one
whose referrer turns out to be the member oneself what it earned by that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from contracts.ids import command_of, derive
from services.rules.domain.budgets import Asked, asks_left
from services.rules.domain.commands import AddressAward, Cause, Command, Restore, Reverse, Standing
from services.rules.domain.evaluation import Evaluation, evaluate
from services.rules.domain.facts import ONESELF
from services.rules.domain.moments import later, zone_of
from services.rules.domain.participant import (
    Background,
    Decided,
    Decision,
    DecisionKind,
    Participant,
    WindowView,
    counters_with,
    with_contribution,
)
from services.rules.domain.programme import ProgrammeVersion
from services.rules.domain.purchases import for_others, paying_currency
from services.rules.domain.records import Record, tiers_data
from services.rules.domain.remainders import (
    Bought,
    GoodsReturned,
    Left,
    points_back,
    referring_oneself,
    remaining_basket,
)
from services.rules.domain.standing import (
    Change,
    age,
    changes_told,
    highest_since,
    note_of,
    standing_of,
    with_tier,
)
from services.rules.domain.sums import NOTHING, Contribution, Measures
from services.rules.domain.tiers import after_return, is_undone, reached_anyway, tier_at, with_periods

REFERRAL: Final = "referral"
NOTHING_LEFT: Final = Evaluation(awards=(), qualifying=0, increments={}, explanation={})


class Taking(NamedTuple):
    """What is taken back and given back. `remaining` is (line, quantity, amount) for the record, personal."""

    kind: DecisionKind
    decision_id: UUID
    key: UUID
    id: str
    at: datetime
    version: int | None
    left: Left
    evaluation: Evaluation = NOTHING_LEFT
    taken: Mapping[str, int] = {}
    given_back: tuple[int, ...] = ()
    remaining: tuple[tuple[int, int, int], ...] = ()
    asks: tuple[tuple[Asked, int], ...] = ()
    """What was asked of budgets as it is now, each with what is reversed of it."""
    others: tuple[AddressAward, ...] = ()
    """What others had by the purchase, as it is now."""

    @property
    def is_full(self) -> bool:
        """Whether nothing is left of the purchase."""
        return not any(self.left.measures)


def take_back(participant: Participant, goods: GoodsReturned, bought: Bought, background: Background) -> Decided:
    """Decide on a return."""
    remaining = tuple((line, *left) for line, left in goods.remaining.items())
    taking = Taking(
        "return", goods.decision_id, goods.return_key, goods.return_id, goods.at, bought.version, bought.left,
        remaining=remaining,
    )  # fmt: skip
    version = background.programme.version(bought.version) if bought.version is not None else None
    if version is not None and any(bought.left.measures):
        taking = _priced(taking, goods, bought, version)
    return _settled(participant, taking, bought, background)


class Conflict(NamedTuple):
    """The purchase came under another identifier first: it is somebody else's."""

    decision_id: UUID
    key: UUID
    at: datetime


def take_back_conflict(participant: Participant, conflict: Conflict, bought: Bought, background: Background) -> Decided:
    """Take back all that a purchase earned which belongs to another account. What was paid with points stays spent."""
    before = bought.left
    taken = {currency: points - before.taken.get(currency, 0) for currency, points in bought.awarded.items()}
    gone = Left(before.payments, before.points_back, bought.awarded, NOTHING)
    version = background.programme.version(bought.version) if bought.version is not None else None
    others = _others_now(conflict.decision_id, conflict.at, bought, version, NOTHING_LEFT) if version else ()
    taking = Taking(
        "conflict", conflict.decision_id, conflict.key, bought.inputs.receipt.purchase_id, conflict.at, bought.version,
        gone, taken=taken, asks=asks_left(bought.asks, {}), others=others,
    )  # fmt: skip
    return _settled(participant, taking, bought, background)


class SelfReferral(NamedTuple):
    """Who was named as the referrer of a purchase's member turned out to be the same account."""

    decision_id: UUID
    key: UUID
    at: datetime


def take_back_self_referral(
    participant: Participant, found: SelfReferral, bought: Bought, background: Background
) -> Decided | None:
    """Take back what a purchase earned by a referrer who is the member oneself; None: nothing is left to take.

    What is left of the basket is judged again with nobody as the referrer. No goods came back.
    """
    version = background.programme.version(bought.version) if bought.version is not None else None
    known_already = bought.inputs.facts.referred_by in ("", ONESELF)
    if version is None or known_already or not any(bought.left.measures):
        return None
    truly = replace(bought, inputs=referring_oneself(bought.inputs))
    receipt = bought.inputs.receipt
    goods = GoodsReturned(found.decision_id, found.key, receipt.purchase_id, found.at, bought.remaining, refunds=())
    taking = Taking(
        "self_referral", found.decision_id, found.key, receipt.purchase_id, found.at, bought.version, bought.left,
        remaining=tuple((line, *left) for line, left in bought.remaining.items()),
    )  # fmt: skip
    # Others had nothing by it: what was addressed to the referrer came here, and was refused.
    taking = _priced(taking, goods, replace(truly, gave_others=False), version)
    return _settled(participant, taking, truly, background)


def _priced(taking: Taking, goods: GoodsReturned, bought: Bought, version: ProgrammeVersion) -> Taking:
    basket = remaining_basket(bought, goods, version)
    before = bought.left
    evaluation = evaluate(version, basket, bought.inputs.facts) if basket.lines else NOTHING_LEFT
    taken = {}
    for currency, awarded in bought.awarded.items():
        open_ = awarded - before.taken.get(currency, 0)
        taken[currency] = min(max(open_ - evaluation.points(currency), 0), open_)
    back = points_back(bought, basket, goods, version)
    purchases = min(before.measures.purchases, len(basket.lines))
    left = Left(
        payments=tuple(payment.amount for payment in basket.payments),
        points_back=back,
        taken={currency: before.taken.get(currency, 0) + points for currency, points in taken.items()},
        measures=Measures(evaluation.qualifying, evaluation.spend, purchases),
    )
    given_back = tuple(now - then for now, then in zip(back, before.points_back, strict=True))
    rest = {(ask.rule, ask.award.partner): ask.award.points for ask in evaluation.budget_asks}
    asks = asks_left(bought.asks, rest)
    others = _others_now(taking.decision_id, taking.at, bought, version, evaluation)
    return taking._replace(
        left=left, evaluation=evaluation, taken=taken, given_back=given_back, asks=asks, others=others
    )


def _others_now(
    decision_id: UUID, at: datetime, bought: Bought, version: ProgrammeVersion, evaluation: Evaluation
) -> tuple[AddressAward, ...]:
    """What others had by the purchase, with the points that the rest of the basket brings them.

    Who they are is not in the record of the purchase: judged again as it was, it says so.
    """
    if not bought.gave_others:
        return ()
    receipt = bought.inputs.receipt
    rest = {(each.rule, each.recipient): each.award.points for each in evaluation.for_others}
    judged = evaluate(version, receipt.basket, bought.inputs.facts)
    before = for_others(receipt.decision_id, receipt.member_id, receipt.basket.at, version, judged)
    return tuple(
        replace(
            each,
            command_id=derive("award", decision_id, each.award_key),
            changed_at=at,
            award=replace(each.award, points=min(rest.get((each.rule, each.recipient), 0), each.award.points)),
        )
        for each in before
    )


def _settled(participant: Participant, taking: Taking, bought: Bought, background: Background) -> Decided:
    """The decision, what it sends to the books, and the participant with what no longer counts."""
    receipt = bought.inputs.receipt
    change = taking.left.measures.minus(bought.left.measures)
    version = background.programme.version(taking.version) if taking.version is not None else None
    aged, changes = age(participant, background, taking.at)
    participant = replace(aged, decisions=aged.decisions + 1)
    if version is not None and version.returns.frees_once and taking.is_full:
        for counted in (bought.counted, *(ask.increments for ask in bought.asks if ask.granted != 0)):
            given_once = {key: count for key, count in counted.items() if ":once:" in key}
            participant = replace(participant, counters=counters_with(participant.counters, given_once, -1))
    participant, fallen = _with_less(participant, taking, change, receipt.basket.at, background)
    changes = (*changes, *fallen)
    standing = standing_of(participant, background, taking.at)
    kind = REFERRAL if taking.kind == "self_referral" else taking.kind
    cause = Cause(kind, taking.id, receipt.basket.store)
    restored = _restored(taking, cause, receipt.decision_id, version)
    reversed_ = _reversed(taking, cause, receipt.decision_id, version, standing)
    told = changes_told(participant, changes, standing)
    silent = change.qualifying and standing is not None and not told and not reversed_
    noted = (note_of(taking.decision_id, taking.at, standing),) if silent and standing else ()
    decision = Decision(
        taking.decision_id, receipt.member_id, participant.decisions, taking.kind, taking.key, taking.id, taking.at,
        receipt.basket.at, taking.version, None, change,
        _record(taking, restored, version) | tiers_data(changes, standing), taking.remaining, receipt.decision_id,
    )  # fmt: skip
    commands: tuple[Command, ...] = (*restored, *reversed_, *taking.others, *told, *noted)
    return Decided(participant, decision, commands, [ask for ask, _ in taking.asks])


def _with_less(
    participant: Participant, taking: Taking, change: Measures, counts_at: datetime, background: Background
) -> tuple[Participant, tuple[Change, ...]]:
    """The participant with what no longer counts, and the tier it falls to, if that is what it was reached by."""
    at = max(taking.at, participant.horizon or taking.at)
    version, terms = background.programme.in_force(at), background.programme.terms_at(at)
    if version is None or not any(change):
        return participant, ()
    contribution = Contribution(counts_at, change)
    span, sums = with_contribution(participant, background.contributions, contribution, version)
    participant = replace(participant, span=span, sums=sums)
    if terms is None:
        return participant, ()
    participant = with_tier(participant, terms, counts_at, change.qualifying, None)
    history = participant.history
    if not is_undone(terms, history):
        return participant, ()
    view = WindowView(participant, background.contributions)
    highest = highest_since(view, terms, reread_from(participant, counts_at) or at, at)
    kept = reached_anyway(terms, history, highest)
    if kept is not None:
        return replace(participant, history=kept), ()
    period = after_return(terms, history, highest, at, taking.id)
    fallen = Change(period, tier_at(history, at), taking.decision_id)
    return replace(participant, history=with_periods(history, (period,))), (fallen,)


def reread_from(participant: Participant, counts_at: datetime) -> datetime | None:
    """From when on contributions must be read before a purchase of `counts_at` is taken back; None: it needs none.

    What a tier was reached by comes back: then it matters whether it would have been reached later without it.
    """
    period = participant.history[-1] if participant.history else None
    reached_at = period.reached_at if period else None
    return reached_at if reached_at is not None and counts_at <= reached_at else None


def _reversed(
    taking: Taking, cause: Cause, decision_id: UUID, version: ProgrammeVersion | None, standing: Standing | None
) -> tuple[Reverse, ...]:
    if version is None:
        return ()
    of_awards = [
        (command_of("reverse", taking.decision_id, currency), command_of("accrue", decision_id), currency, points)
        for currency, points in taking.taken.items()
    ]
    of_asks = [
        (command_of("reverse", taking.decision_id, str(ask.ask_id)), ask.accrual_id, ask.currency, points)
        for ask, points in taking.asks
    ]
    return tuple(
        Reverse(
            command_id, taking.at, taking.decision_id, accrual_id, cause, currency, points, version.returns.spent,
            standing,
        )
        for command_id, accrual_id, currency, points in (*of_awards, *of_asks)
        if points > 0
    )  # fmt: skip


def _restored(taking: Taking, cause: Cause, decision_id: UUID, version: ProgrammeVersion | None) -> tuple[Restore, ...]:
    if version is None or not any(taking.given_back):
        return ()
    grace_s = 0
    if version.returns.restore_for is not None:
        grace = later(taking.at, version.returns.restore_for, zone_of(version.zone)) - taking.at
        grace_s = int(grace.total_seconds())
    return tuple(
        Restore(
            command_of("restore", taking.decision_id, str(ordinal)), taking.at,
            command_of("redeem", decision_id, str(ordinal)), cause, paying_currency(version).key, points, grace_s,
        )
        for ordinal, points in enumerate(taking.given_back)
        if points > 0
    )  # fmt: skip


def _record(taking: Taking, restored: Sequence[Restore], version: ProgrammeVersion | None) -> Record:
    left = taking.left
    record: Record = {
        "scales": {currency.key: currency.scale for currency in version.currencies} if version else {},
        "taken": {currency: points for currency, points in taking.taken.items() if points},
        "taken_of_asks": [
            {"ask_id": ask.ask_id, "rule": ask.rule, "currency": ask.currency, "points": points}
            for ask, points in taking.asks
            if points
        ],
        "restored": [
            {"command_id": each.command_id, "currency": each.currency, "points": each.points} for each in restored
        ],
        "evaluation": taking.evaluation.explanation,
        "left": {
            "payments": left.payments,
            "points_back": left.points_back,
            "taken": dict(left.taken),
            "measures": tuple(left.measures),
        }
        | ({"oneself": True} if taking.kind == "self_referral" else {}),
    }
    return {key: value for key, value in record.items() if value}
