"""What holds of every evaluation, whatever the programme and the basket."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from services.rules.domain.evaluation import Basket, BasketLine, Facts, evaluate
from services.rules.domain.programme import ProgrammeVersion
from services.rules.domain.reversal import reversal_due
from services.rules.domain.rounding import apportioned, rounded
from tests.properties.rules.evaluation.baskets import baskets, members, programmes

EXAMPLES = settings(max_examples=80, deadline=None)


@EXAMPLES
@given(programmes(), baskets(), members())
def test_shares_add_up_to_the_award(version: ProgrammeVersion, basket: Basket, facts: Facts) -> None:
    """Lines and rules each add up to what is awarded, in the awards and in the explanation; nothing is negative."""
    found = evaluate(version, basket, facts)
    for award in found.awards:
        assert award.points > 0
        assert sum(points for _, points in award.lines) == award.points
        assert sum(points for _, points in award.rules) == award.points
    explained = found.explanation.get("currencies", [])
    assert isinstance(explained, list)
    assert sum(currency["points"] for currency in explained) == sum(award.points for award in found.awards)
    lines = found.explanation.get("lines", [])
    assert isinstance(lines, list)
    by_line = {number: sum(shares.values()) for number, _, shares in lines}
    awarded: dict[int, int] = dict.fromkeys(by_line, 0)
    for number, points in (share for award in found.awards for share in award.lines):
        awarded[number] += points
    # Where a partner's lines come to less than nothing the others bear it, so only the sum is the same.
    assert sum(by_line.values()) == sum(awarded.values())


@EXAMPLES
@given(programmes(), baskets(), members())
def test_the_same_question_has_the_same_answer_to_the_byte(
    version: ProgrammeVersion, basket: Basket, facts: Facts
) -> None:
    """Nothing but the arguments decides, and the explanation is plain data."""
    one, other = evaluate(version, basket, facts), evaluate(replace(version), basket, facts)
    assert one == other
    assert orjson.dumps(one.explanation) == orjson.dumps(other.explanation)


@EXAMPLES
@given(programmes(), baskets(), members(), st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_change_what_is_earned(
    version: ProgrammeVersion, basket: Basket, facts: Facts, random: st.DataObject
) -> None:
    """Only which line shows the point that is left over depends on the order."""
    lines = list(basket.lines)
    random.shuffle(lines)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    one, other = evaluate(version, basket, facts), evaluate(version, replace(basket, lines=tuple(lines)), facts)
    assert one.points("points") == other.points("points")
    assert (one.qualifying, one.spend, one.increments) == (other.qualifying, other.spend, other.increments)


@EXAMPLES
@given(programmes(), baskets(), members())
def test_a_cap_is_never_exceeded(version: ProgrammeVersion, basket: Basket, facts: Facts) -> None:
    """Caps bound what is given after rounding too."""
    found = evaluate(version, basket, facts)
    for cap in version.caps:
        if cap.points is not None:
            assert found.points("points") <= cap.points
    for rule in version.rules:
        for cap in rule.caps:
            given_by_rule = sum(points for award in found.awards for key, points in award.rules if key == rule.key)
            # The share of a rule is rounded with the others; it may show one unit more than its own cap.
            assert given_by_rule <= (cap.points or 0) + 1


@EXAMPLES
@given(programmes(), baskets(least=100), members(), st.data())
def test_returns_take_back_exactly_what_was_awarded(
    version: ProgrammeVersion, basket: Basket, facts: Facts, data: st.DataObject
) -> None:
    """Lines come back one by one, in pieces: nothing is taken twice, and at the end everything was."""
    original = evaluate(version, basket, facts).points("points")
    rest, taken = basket, 0
    for number in data.draw(st.permutations([line.line for line in basket.lines])):
        for part in data.draw(st.sampled_from(((Fraction(0),), (Fraction(1, 3), Fraction(0))))):
            rest = _left(rest, number, part)
            due = reversal_due(original, evaluate(version, rest, facts).points("points"), taken)
            taken += due
            assert due >= 0
            assert taken <= original
    assert taken == original


def _left(basket: Basket, number: int, part: Fraction) -> Basket:
    """The basket with only a part of one line left; payments shrink with it, pro rata."""
    lines = tuple(_part(line, part) if line.line == number else line for line in basket.lines)
    before, after = basket.total, sum(line.amount for line in lines)
    share = Fraction(after, before) if before else Fraction(0)
    payments = tuple(replace(payment, amount=int(payment.amount * share)) for payment in basket.payments)
    return replace(basket, lines=lines, payments=payments)


def _part(line: BasketLine, part: Fraction) -> BasketLine:
    return replace(line, amount=int(line.amount * part), quantity=int(line.quantity * part), tax=None)


@EXAMPLES
@given(st.integers(-10_000, 10_000), st.integers(1, 999))
def test_rounding_is_to_the_nearest_whole(numerator: int, denominator: int) -> None:
    """Half up and half even are never more than a half away, floor never above."""
    exact = Fraction(numerator, denominator)
    assert abs(rounded(numerator, denominator, "half_up") - exact) <= Fraction(1, 2)
    assert rounded(numerator, denominator, "half_even") == round(exact)
    assert rounded(numerator, denominator, "floor") == numerator // denominator


@EXAMPLES
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=12), st.integers(1, 999), st.integers(0, 500))
def test_shares_add_up_and_keep_their_order(weights: list[int], denominator: int, total: int) -> None:
    """Whatever the total, shares add up to it, and a larger weight never has the smaller share."""
    shares = apportioned(total, weights, denominator)
    assert sum(shares) == total
    if sum(weights):
        for (one, share), (other, next_share) in pairwise(sorted(zip(weights, shares, strict=True))):
            assert one == other or share <= next_share
