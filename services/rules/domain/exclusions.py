"""Exclusions: which lines may earn, and on which points may be spent."""

from collections.abc import Sequence
from dataclasses import replace

from services.rules.domain.answers import Answers
from services.rules.domain.bases import payment_of
from services.rules.domain.basket import Basket
from services.rules.domain.gifts import CountedLines
from services.rules.domain.outcome import ConditionFailure
from services.rules.domain.programme import Condition
from services.rules.domain.situation import Situation

EXCLUDE_EARN = "exclude.earn"
EXCLUDE_REDEEM = "exclude.redeem"


def with_partners(basket: Basket, partner: str) -> Basket:
    """The basket with its partner on every line that names none."""
    if not partner or all(line.partner for line in basket.lines):
        return basket
    return replace(
        basket, lines=tuple([line if line.partner else replace(line, partner=partner) for line in basket.lines])
    )


def counted_lines(situation: Situation, basket: Basket) -> tuple[CountedLines, tuple[ConditionFailure, ...]]:
    """The lines that may earn. Where an exclusion cannot be told, the line is left out: a fault must not pay."""
    programme = situation.programme
    asked = Answers(situation, basket.lines)
    excluded = _excluded(programme.exclude_earn, EXCLUDE_EARN, asked)
    redeemable = None
    if programme.exclude_redeem is not None and any(payment.type == "points" for payment in basket.payments):
        not_redeemable = _excluded(programme.exclude_redeem, EXCLUDE_REDEEM, asked)
        redeemable = [index not in not_redeemable for index in range(len(basket.lines))]
    payment = payment_of(basket, redeemable, programme.exclude_payments)
    lines = [
        (index, line)
        for index, line in enumerate(basket.lines)
        if index not in excluded and (line.amount or line.quantity or line.points_paid)
    ]
    numbers = [basket.lines[index].line for index in sorted(excluded)]
    return CountedLines(lines, payment, numbers), tuple(asked.failures)


def redeemable_lines(situation: Situation, basket: Basket) -> Sequence[int]:
    """The indices of the lines on which points may be spent."""
    excluded = _excluded(situation.programme.exclude_redeem, EXCLUDE_REDEEM, Answers(situation, basket.lines))
    return [index for index in range(len(basket.lines)) if index not in excluded]


def _excluded(condition: Condition | None, owner: str, asked: Answers) -> frozenset[int]:
    if condition is None:
        return frozenset()
    held, failed = asked.on_lines(condition, owner)
    return frozenset(held).union(failed)
