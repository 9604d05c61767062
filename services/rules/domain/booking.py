"""Booking: settled pots as awards for the buyer and for others, as asks of a budget, and what to count for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.rules.domain.budgets import campaign_of
from services.rules.domain.caps import programme_increments, rule_increments
from services.rules.domain.counting import counts_points
from services.rules.domain.eligibility import LINE_SELLER
from services.rules.domain.gifts import CountedLines
from services.rules.domain.outcome import Award, AwardToOther, BudgetAsk
from services.rules.domain.plan import plan_of
from services.rules.domain.programme import Rule
from services.rules.domain.settlement import LotTerms, Settled, awards_of
from services.rules.domain.situation import Situation, situation_reader


@dataclass(frozen=True, slots=True)
class Booked:
    """Awards, and the increments of the rules behind them; each ask has its own."""

    awards: tuple[Award, ...]
    others: tuple[AwardToOther, ...]
    asks: tuple[BudgetAsk, ...]
    increments: Mapping[str, int]


def book(pots: Sequence[Settled], counted: CountedLines, situation: Situation) -> Booked:
    """What becomes of each pot that came to something."""
    terms = LotTerms(situation.subject.at, plan_of(situation.programme).zone)
    awards: list[Award] = []
    others: list[AwardToOther] = []
    asks: list[BudgetAsk] = []
    increments: dict[str, int] = {}
    for settled in pots:
        if not settled.points:
            continue
        rule = settled.pot.alone.rule if settled.pot.alone else None
        numbers, owners = _lines(rule, counted, situation)
        owned = awards_of(settled, terms, numbers, owners)
        counts = rule_increments(settled, situation)
        if rule is not None and rule.to:
            others += [AwardToOther(rule.key, owner, award) for owner, award in owned if owner]
        elif rule is not None and rule.budget is not None:
            asks += _asks(rule, [award for _, award in owned], counts)
            continue
        else:
            awards += [award for _, award in owned]
        increments |= counts
    return Booked(tuple(awards), tuple(others), tuple(asks), increments)


def _lines(rule: Rule | None, counted: CountedLines, situation: Situation) -> tuple[list[int], list[str]]:
    """The numbers of the lines to show, and whose each is: its partner's, or its seller's, or one person's."""
    numbers = [line.line for _, line in counted.lines] if counted.shown else []
    if rule is not None and rule.to == LINE_SELLER:
        return numbers, [line.seller for _, line in counted.lines]
    if rule is not None and rule.to:
        return numbers, [str(situation_reader(rule.to)(situation))]
    return numbers, [line.partner for _, line in counted.lines]


def _asks(rule: Rule, awards: Sequence[Award], counts: Mapping[str, int]) -> list[BudgetAsk]:
    """One ask for each award of a budgeted rule; each carries its own points to be counted, the first the times."""
    if rule.budget is None:
        return []
    total, partial = rule.budget.total, rule.budget.last == "partial"
    campaign = campaign_of(rule.key, rule.starts_at.date() if rule.starts_at else None)
    asks = []
    for index, award in enumerate(awards):
        own = {key: award.points if counts_points(key) else count for key, count in counts.items()}
        increments = own if index == 0 else {key: count for key, count in own.items() if counts_points(key)}
        asks.append(BudgetAsk(rule.key, campaign, award, total, partial, increments))
    return asks


def with_programme_counts(booked: Booked, situation: Situation) -> Booked:
    """The same with what to count for the programme's caps; a purchase is one time, however many awards it brings."""
    if not situation.programme.caps:
        return booked
    counted = {**booked.increments, **programme_increments(booked.awards, situation, first=True)}
    first = not booked.awards
    asks = []
    for ask in booked.asks:
        counts = programme_increments([ask.award], situation, first=first)
        asks.append(replace(ask, increments={**ask.increments, **counts}))
        first = False
    return replace(booked, increments=counted, asks=tuple(asks))
