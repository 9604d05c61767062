"""What points may pay, and what a quote takes off the price before anything is earned."""

import pytest

from services.rules.domain.evaluation import Discount, Facts, evaluate, quote
from services.rules.domain.programme import Redeem
from services.rules.domain.redeemable import Redeemable, redeemable, redemption_fault, within_balance
from tests.unit.rules.evaluation.shop import FIVE_PERCENT, HEAD, TWO_DECIMALS, basket, line, local, programme

LIMITS = "redeem: {share_of_bill: 30 %, step: 10 points, at_least: 100 points}\n"
GOLD = """
tiers: {levels: [{tier: gold, from: 1000}]}
earn:
  - {rule: price, give: {gold: 15 % off}}
  - {rule: cashback, give: 5 %}
"""


@pytest.mark.parametrize(
    ("points", "fault"),
    [
        (300, None),
        (310, "exceeds_share_of_bill"),
        (295, "not_a_multiple"),
        (90, "below_minimum"),
        (95, "below_minimum"),
    ],
)
def test_L10_minimum_step_and_share_in_this_order(points: int, fault: str | None) -> None:
    """At most 30 % of 1000, in tens, at least 100."""
    version = programme(TWO_DECIMALS + LIMITS)
    terms = version.redeem
    assert isinstance(terms, Redeem)
    assert redemption_fault(terms, version.currencies[0], points * 100, 1000_0000) == fault


def test_L10b_the_share_is_of_money() -> None:
    """30 % of 1000 is 3000 points worth 0.10 each."""
    text = HEAD + "currencies: {points: {scale: 0, worth: 0.10}}\nredeem: {share_of_bill: 30 %}\n"
    assert redeemable(programme(text), basket("1000.00"), Facts()) == Redeemable("points", 1000_0000, 1000_0000, 3000)


def test_L10c_excluded_lines_are_not_paid_with_points() -> None:
    """1000 of which 650 are excluded: 30 % of 350 is 105, so 100 in whole tens."""
    text = TWO_DECIMALS + LIMITS + "exclude: {redeem: \"line.category == 'tobacco'\"}\n"
    found = redeemable(programme(text), basket(line(1, "350.00"), line(2, "650.00", "tobacco")), Facts())
    assert found == Redeemable("points", 1000_0000, 350_0000, 100_00)


@pytest.mark.parametrize(("bill", "most"), [("333.33", 0), ("333.34", 100_00)])
def test_L10d_what_is_below_the_minimum_is_nothing(bill: str, most: int) -> None:
    """30 % of 333.33 is 99.999."""
    found = redeemable(programme(TWO_DECIMALS + LIMITS), basket(bill), Facts())
    assert found is not None
    assert found.most == most


@pytest.mark.parametrize(("available", "spendable"), [(105_50, 100_00), (99_99, 0), (500_00, 300_00)])
def test_L10_the_balance_bounds_it_too(available: int, spendable: int) -> None:
    """What the bill allows and the balance covers, in whole steps and not below the minimum."""
    version = programme(TWO_DECIMALS + LIMITS)
    found = redeemable(version, basket("1000.00"), Facts())
    assert found is not None
    assert version.redeem is not None
    assert within_balance(version.redeem, found, available) == spendable


def test_E1b_the_bill_of_a_receipt_net_of_points_is_what_it_was() -> None:
    """A line of 800 after 200 in points is a bill of 1000."""
    found = redeemable(programme(TWO_DECIMALS), basket(line(1, "800.00", points_paid="200.00")), Facts())
    assert found == Redeemable("points", 1000_0000, 1000_0000, 1000_00)


def test_E24_a_quote_takes_the_discount_off_and_earns_on_what_is_paid() -> None:
    """15 % off 200.00: 30.00; 170.00 are paid and earn 8.50; a member without the level pays and earns in full."""
    version = programme(TWO_DECIMALS + GOLD)
    priced, found = quote(version, basket("200.00"), Facts(tier="gold"))
    assert (priced.total, found.points("points")) == (170_0000, 8_50)
    assert found.discounts == (Discount("price", 30_0000, ((1, 30_0000),)),)
    _, nobody = quote(version, basket("200.00"), Facts())
    assert (nobody.discounts, nobody.points("points")) == ((), 10_00)


def test_E24_the_award_equals_the_quote() -> None:
    """The purchase that is made as quoted, its discount in its amounts already, earns what the quote said."""
    version = programme(TWO_DECIMALS + GOLD)
    priced, found = quote(version, basket("33.33", "66.67", "0.01"), Facts(tier="gold"))
    bought = evaluate(version, priced, Facts(tier="gold"))
    assert (bought.awards, bought.explanation) == (found.awards, found.explanation)


def test_E24_discounts_add_and_never_pay_the_customer() -> None:
    """Two discounts of 60 % leave nothing to pay, and not less than nothing."""
    text = TWO_DECIMALS + "earn: [{rule: a, give: 60 % off}, {rule: b, give: 60 % off}]\n"
    priced, found = quote(programme(text), basket("10.00"), Facts())
    assert (priced.total, [discount.amount for discount in found.discounts]) == (0, [6_0000, 4_0000])


def test_E24_a_discount_is_whole_coins_shared_by_largest_remainder() -> None:
    """10 % of three lines of 0.33 is 0.099: ten hundredths, on lines 1 to 3 in turn."""
    text = TWO_DECIMALS + "earn: [{rule: a, give: 10 % off, from: 2026-03-01}]\n"
    _, found = quote(programme(text), basket("0.33", "0.33", "0.33"), Facts())
    assert found.discounts == (Discount("a", 1000, ((1, 400), (2, 300), (3, 300))),)
    _, early = quote(programme(text), basket("0.33", at=local("2026-02-28 23:59")), Facts())
    assert early.discounts == ()


def test_E24_while_suspended_nothing_is_offered() -> None:
    """A programme that stands still gives no discount either."""
    version = programme(TWO_DECIMALS + GOLD)
    priced, found = quote(version, basket("200.00"), Facts(tier="gold", suspended=True))
    assert (priced.total, found.discounts, found.reason) == (200_0000, (), "programme_suspended")


def test_E24_a_purchase_gets_no_discount_twice() -> None:
    """What a till sends has its discounts in it: evaluating it offers none."""
    found = evaluate(programme(FIVE_PERCENT + "  - {rule: a, give: 10 % off}\n"), basket("10.00"), Facts())
    assert (found.discounts, found.points("points")) == ((), 50)


def test_E24_a_discount_is_of_the_price_however_it_is_paid() -> None:
    """Points that pay a part do not make the discount smaller; what is earned is of the money that is left."""
    version = programme(TWO_DECIMALS + "earn: [{rule: price, give: 15 % off}, {rule: cashback, give: 5 %}]\n")
    priced, found = quote(version, basket("200.00", paid={"points": "70.00"}), Facts())
    assert (priced.total, found.points("points")) == (170_0000, 5_00)


def test_L10c_what_a_partner_sells_may_be_excluded_by_its_store() -> None:
    """The partner of the store is on every line before exclusions are asked."""
    text = TWO_DECIMALS + "partners: {cinema: {stores: [screen-1]}}\nexclude: {redeem: \"line.partner == 'cinema'\"}\n"
    found = [redeemable(programme(text), basket("10.00", store=store), Facts()) for store in ("screen-1", "kiosk")]
    assert [each and each.redeemable for each in found] == [0, 10_0000]
