"""Percentages, points paid, rounding: what the plain rules of a shop come to."""

from fractions import Fraction

import orjson
import pytest

from services.rules.domain.evaluation import Facts, evaluate
from tests.unit.rules.evaluation.shop import (
    FIVE_PERCENT,
    HEAD,
    TWO_DECIMALS,
    basket,
    earns,
    line,
    points,
    programme,
)

COUNTED = "counts_points_paid: yes\n"
TOBACCO_AND_GIFTS = """
exclude:
  earn: "line.category in ['tobacco', 'gift-card']"
"""
NOT_REDEEMED_EITHER = TOBACCO_AND_GIFTS + "  redeem: \"line.category in ['tobacco', 'gift-card']\"\n"
MIXED = (line(1, "350.00", "groceries"), line(2, "150.00", "tobacco"), line(3, "500.00", "gift-card"))


@pytest.mark.parametrize(("said", "earned"), [(COUNTED, 50_00), ("", 40_00)])
def test_E1_the_part_paid_with_points_earns_only_where_told(said: str, earned: int) -> None:
    """1000 with 200 in points, at 5 %: on all of it, or on the 800 of real money; not is the default."""
    bought = basket("1000.00", paid={"points": "200.00", "card": "800.00"})
    assert points(FIVE_PERCENT + said, bought) == earned


@pytest.mark.parametrize(("said", "earned"), [(COUNTED, 50_00), ("", 40_00)])
def test_E1b_lines_net_of_points_earn_the_same(said: str, earned: int) -> None:
    """A till that takes points off its lines says how much; the bill is what it was before."""
    bought = basket(line(1, "800.00", points_paid="200.00"), paid={"points": "200.00", "card": "800.00"})
    assert (points(FIVE_PERCENT + said, bought), bought.total) == (earned, 1000_0000)


@pytest.mark.parametrize(("rounding", "earned"), [("half_up", 51), ("half_even", 50), ("floor", 50)])
def test_E4_a_half_is_rounded_as_the_currency_says(rounding: str, earned: int) -> None:
    """5 % of 10.10 is 0.505."""
    text = HEAD + f"currencies: {{points: {{scale: 2, rounding: {rounding}}}}}\nearn: [{{rule: cashback, give: 5 %}}]\n"
    assert points(text, basket("10.10")) == earned


def test_E4b_a_percentage_is_of_money_and_points_have_their_worth() -> None:
    """5 % of 100.00 is 5.00, and that is 50 points worth 0.10 each."""
    text = HEAD + "currencies: {points: {scale: 0, worth: 0.10}}\nearn: [{rule: cashback, give: 5 %}]\n"
    assert points(text, basket("100.00")) == 50


def test_E5_rounding_by_basket_shares_by_largest_remainder() -> None:
    """Two lines of 10.10 come to 1.01, and the cent that is left goes to the lower line number."""
    [award] = earns(FIVE_PERCENT, basket("10.10", "10.10")).awards
    assert (award.points, award.lines, award.rules) == (101, ((1, 51), (2, 50)), (("cashback", 101),))


def test_E5_rounding_by_line_rounds_each() -> None:
    """The same lines, each rounded on its own, come to 1.02."""
    text = HEAD + "currencies: {points: {scale: 2, round_by: line}}\nearn: [{rule: cashback, give: 5 %}]\n"
    [award] = earns(text, basket("10.10", "10.10")).awards
    assert (award.points, award.lines) == (102, ((1, 51), (2, 51)))


@pytest.mark.parametrize(("bought", "earned"), [(("99.99",), 9), (("5.00", "5.00"), 1), (("9.99",), 0)])
def test_E6_one_point_for_every_full_ten_of_the_basket(bought: tuple[str, ...], earned: int) -> None:
    """The basket is what is counted, not its lines."""
    text = HEAD + "currencies: {points: {rounding: floor}}\nearn: [{rule: tens, give: 1 point per 10.00}]\n"
    assert points(text, basket(*bought)) == earned


def test_E6_per_amount_of_each_line_where_lines_are_rounded() -> None:
    """With round_by: line the line is what is counted."""
    text = HEAD + "currencies: {points: {round_by: line}}\nearn: [{rule: tens, give: 1 point per 10.00}]\n"
    assert points(text, basket("19.00", "15.00", "6.00")) == 2


def test_E7_points_paid_are_spread_over_all_lines() -> None:
    """200 of 1000 paid with points is 70 on the groceries of 350: the base is 280."""
    bought = basket(*MIXED, paid={"points": "200.00", "card": "800.00"})
    found = earns(FIVE_PERCENT + TOBACCO_AND_GIFTS, bought)
    assert found.points("points") == 14_00
    assert found.explanation["lines"] == [[1, 280_0000, {"cashback": 14_00}]]
    assert (found.explanation["excluded"], found.explanation["paid_with_points"]) == ([2, 3], 200_0000)


def test_E7b_points_cannot_have_paid_for_what_is_not_redeemable() -> None:
    """All 200 paid for groceries: the base is 150."""
    bought = basket(*MIXED, paid={"points": "200.00", "card": "800.00"})
    assert points(FIVE_PERCENT + NOT_REDEEMED_EITHER, bought) == 7_50


def test_E7b_what_exceeds_the_redeemable_lines_is_spread_over_the_others() -> None:
    """400 in points on groceries of 350: 350 there, and 50 on what earns nothing anyway."""
    bought = basket(*MIXED, paid={"points": "400.00", "card": "600.00"})
    assert points(FIVE_PERCENT + NOT_REDEEMED_EITHER, bought) == 0


def test_E7c_a_payment_that_does_not_count_takes_its_part_of_the_base() -> None:
    """Half paid with a gift card: 5 % of the other half."""
    text = FIVE_PERCENT + "exclude: {payments: gift-card}\n"
    found = earns(text, basket("200.00", paid={"gift-card": "100.00", "card": "100.00"}))
    assert (found.points("points"), found.explanation["paid_otherwise"]) == (5_00, 100_0000)


def test_E7c_payments_that_do_not_count_are_spread_over_what_points_left_to_pay() -> None:
    """100 with 20 in points and 40 by gift card: 40 of real money remain."""
    text = FIVE_PERCENT + "exclude: {payments: gift-card}\n"
    bought = basket("30.00", "70.00", paid={"points": "20.00", "gift-card": "40.00", "card": "40.00"})
    assert points(text, bought) == 2_00


@pytest.mark.parametrize(("base", "earned"), [("gross", 6_15), ("net", 5_00)])
def test_E25_the_base_is_with_tax_or_without(base: str, earned: int) -> None:
    """123.00 with 23 % tax: 100.00 without it."""
    bought = basket(line(1, "123.00", tax="23.00"))
    assert points(FIVE_PERCENT + f"base: {base}\n", bought) == earned


def test_E25_tax_is_taken_off_what_real_money_paid() -> None:
    """123.00 of which half was paid with points: half of the net."""
    bought = basket(line(1, "123.00", tax="23.00"), paid={"points": "61.50", "card": "61.50"})
    assert points(FIVE_PERCENT + "base: net\n", bought) == 2_50


def test_deposits_given_back_take_from_the_basket_but_never_below_nothing() -> None:
    """A bottle deposit is a line below zero; a basket that comes to less than nothing earns nothing."""
    assert points(FIVE_PERCENT, basket("100.00", "-20.00")) == 4_00
    assert earns(FIVE_PERCENT, basket("10.00", "-20.00")).awards == ()


def test_E7_an_empty_basket_earns_nothing() -> None:
    """A basket of nothing, as after a full return, gives no points, whole amounts included."""
    text = TWO_DECIMALS + "earn:\n  - {rule: cashback, give: 5 %}\n  - {rule: visit, give: 10 points}\n"
    found = evaluate(programme(text), basket(line(1, "0.00", quantity="0")), Facts())
    assert (found.awards, found.explanation["not_fired"]) == ((), {"no_lines": ["cashback", "visit"]})


def test_an_explanation_is_plain_data_however_long_its_fractions() -> None:
    """Tax of lines that are net of points makes denominators longer than a number of JSON may be."""
    lines = [line(number, f"{number}7.{number}3", tax=f"{number}.01", points_paid="1.11") for number in range(1, 40)]
    found = earns(FIVE_PERCENT + "base: net\ncounts_points_paid: yes\n", basket(*lines))
    [currency] = orjson.loads(orjson.dumps(found.explanation))["currencies"]
    exact = Fraction(currency["exact"])
    assert exact.denominator > 2**64
    assert currency["points"] == found.points("points") == int(exact + Fraction(1, 2))
