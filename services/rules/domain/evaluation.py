"""The evaluation: what a basket, or something else that a member did, earns under one version of a programme.

A pure function, exact to the end: the same one serves live decisions, quotes, dry runs, rehearsals, and what is left
of a basket after a return. Rules give, what they give is summed, caps cut it, and it is rounded once.
"""

from collections.abc import Sequence
from dataclasses import replace

from services.rules.domain.answers import Answers
from services.rules.domain.bases import Payment
from services.rules.domain.basket import Basket, BasketLine, BasketPayment, Occasion
from services.rules.domain.booking import book, with_programme_counts
from services.rules.domain.caps import ProgrammeCaps
from services.rules.domain.discounts import discounts_of, paid_at_most
from services.rules.domain.earning import earned
from services.rules.domain.exclusions import counted_lines, with_partners
from services.rules.domain.explanation import closed, explanation_of
from services.rules.domain.facts import Facts
from services.rules.domain.gifts import CountedLines
from services.rules.domain.outcome import (
    Award,
    AwardToOther,
    BudgetAsk,
    ConditionFailure,
    Cut,
    Discount,
    Evaluation,
)
from services.rules.domain.plan import Plan, plan_of
from services.rules.domain.preference import spent_by_category
from services.rules.domain.programme import ProgrammeVersion
from services.rules.domain.qualifying import qualifying_of, spend_of
from services.rules.domain.settlement import pots_of, settle
from services.rules.domain.situation import Situation

__all__ = [
    "Award",
    "AwardToOther",
    "Basket",
    "BasketLine",
    "BasketPayment",
    "BudgetAsk",
    "ConditionFailure",
    "Cut",
    "Discount",
    "Evaluation",
    "Facts",
    "Occasion",
    "evaluate",
    "offered",
    "qualifying_spend",
    "quote",
    "segments_of",
]

_ONE_UNSEEN_LINE = CountedLines([(0, BasketLine(line=0))], Payment(None, None), shown=False)


def evaluate(programme: ProgrammeVersion, subject: Basket | Occasion, facts: Facts) -> Evaluation:
    """What `subject` earns. Total over valid programmes: it never raises for what a member or a till did."""
    situation = Situation.of(programme, subject, facts)
    plan = plan_of(programme)
    if isinstance(subject, Occasion):
        return _of_occasion(situation, plan, subject)
    return _of_basket(situation, plan, subject)


def offered(programme: ProgrammeVersion, basket: Basket, facts: Facts) -> tuple[Basket, tuple[Discount, ...]]:
    """The basket less the discounts that the programme offers, and those discounts.

    What is taken off the lines is taken off what pays for them too.
    """
    running = plan_of(programme).discounts.at(basket.at)
    situation = Situation.of(programme, basket, facts)
    if not running.running or _closed(situation):
        return basket, ()
    counted, _ = _counted(situation, basket)
    discounts = discounts_of(running, counted, _answers(situation, counted, ()))
    taken_off: dict[int, int] = {}
    for number, money in (share for discount in discounts for share in discount.lines):
        taken_off[number] = taken_off.get(number, 0) + money
    lines = tuple([replace(line, amount=line.amount - taken_off.get(line.line, 0)) for line in basket.lines])
    priced = replace(basket, lines=lines)
    return replace(priced, payments=paid_at_most(basket.payments, priced.total)), discounts


def quote(programme: ProgrammeVersion, basket: Basket, facts: Facts) -> tuple[Basket, Evaluation]:
    """The basket less the discounts that the programme offers, and what it earns when that is what is paid."""
    priced, discounts = offered(programme, basket, facts)
    return priced, replace(evaluate(programme, priced, facts), discounts=discounts)


def segments_of(programme: ProgrammeVersion, basket: Basket, facts: Facts) -> Sequence[str]:
    """The segments that the member is in when the basket is judged: those that were set and those found, sorted."""
    if not programme.segments:
        return sorted(facts.segments)
    situation = Situation.of(programme, basket, facts)
    counted, failures = _counted(situation, basket)
    _answers(situation, counted, failures)
    return situation.segments


def qualifying_spend(programme: ProgrammeVersion, basket: Basket, facts: Facts) -> int:
    """What the basket adds to the member's spend, before it is decided: for tiers that count with this purchase."""
    counted, _ = _counted(Situation.of(programme, basket, facts), basket)
    return spend_of(counted)


def _closed(situation: Situation) -> str | None:
    """Why nothing at all is earned, whatever the rules say."""
    programme, facts = situation.programme, situation.facts
    if facts.suspended:
        return "programme_suspended"
    # A birthday or an activity may come without a card; a card that was shown must be one that earns.
    shown = facts.card_category or isinstance(situation.subject, Basket)
    if programme.card_categories and shown and facts.card_category not in programme.card_categories:
        return "card_category_not_eligible"
    return None


def _of_basket(situation: Situation, plan: Plan, basket: Basket) -> Evaluation:
    counted, failures = _counted(situation, basket)
    spend = spend_of(counted)
    reason = _closed(situation)
    if reason:
        return Evaluation((), 0, {}, closed(reason), spend=spend, reason=reason)
    answers = _answers(situation, counted, failures)
    found = earned(plan.earning.at(basket.at), counted, answers)
    caps = ProgrammeCaps.of(situation)
    pots = [caps.settle(pot) for pot in pots_of(found.gifts)]
    booked = with_programme_counts(book(pots, counted, situation), situation)
    cuts = (*found.cuts, *caps.cuts)
    increments = booked.increments
    if situation.programme.asks_preference:
        increments = {**increments, **spent_by_category(counted, situation.facts.counters)}
    return Evaluation(
        awards=booked.awards,
        qualifying=qualifying_of(situation.programme.tiers, spend, booked.awards, bought=bool(counted.lines)),
        spend=spend,
        increments=increments,
        explanation=explanation_of(found, pots, counted, answers, cuts),
        budget_asks=booked.asks,
        for_others=booked.others,
        cuts=cuts,
        failures=tuple(answers.failures),
        reason=caps.spent,
    )


def _of_occasion(situation: Situation, plan: Plan, occasion: Occasion) -> Evaluation:
    reason = _closed(situation)
    calendar = plan.occasions.get(occasion.event)
    if reason or calendar is None:
        return Evaluation((), 0, {}, closed(reason) if reason else {}, reason=reason)
    answers = _answers(situation, _ONE_UNSEEN_LINE, ())
    found = earned(calendar.at(occasion.at), _ONE_UNSEEN_LINE, answers)
    # The programme's own caps are on purchases; what a member does otherwise is capped rule by rule.
    pots = [settle(pot, None) for pot in pots_of(found.gifts)]
    booked = book(pots, _ONE_UNSEEN_LINE, situation)
    return Evaluation(
        awards=booked.awards,
        qualifying=0,
        increments=booked.increments,
        explanation=explanation_of(found, pots, _ONE_UNSEEN_LINE, answers, found.cuts),
        budget_asks=booked.asks,
        for_others=booked.others,
        cuts=tuple(found.cuts),
        failures=tuple(answers.failures),
    )


def _counted(situation: Situation, basket: Basket) -> tuple[CountedLines, tuple[ConditionFailure, ...]]:
    return counted_lines(situation, with_partners(basket, situation.partner))


def _answers(situation: Situation, counted: CountedLines, failures: Sequence[ConditionFailure]) -> Answers:
    """Answers about the lines that count, once the programme's own segments are known."""
    answers = Answers(situation, [line for _, line in counted.lines], list(failures))
    found = [
        segment.key
        for segment in situation.programme.segments
        if answers.holds(segment.condition, f"segments.{segment.key}")
    ]
    if found:
        situation.segments = sorted({*situation.segments, *found})
    return answers
