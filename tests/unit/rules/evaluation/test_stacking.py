"""How rules count together: they add, the best of a group counts, the earlier may stop the later."""

import pytest

from services.rules.domain.evaluation import Facts
from tests.unit.rules.evaluation.shop import HEAD, TWO_DECIMALS, basket, earns, line, local, points

BEST_OF = (
    TWO_DECIMALS
    + """
earn:
  - {rule: cashback, give: 5 %}
  - {rule: dairy, best_of: multiplier, lines: "line.category == 'dairy'", give: x5}
  - {rule: black-friday, best_of: multiplier, from: 2026-11-27, until: 2026-11-29, give: x3}
"""
)
BLACK_FRIDAY = local("2026-11-27 10:00")


def test_E8_the_best_multiplier_counts_line_by_line() -> None:
    """5 % gives 10.00; x5 adds 20.00 on dairy and beats x3, which adds 10.00 on the rest."""
    found = earns(BEST_OF, basket(line(1, "100.00", "dairy"), line(2, "100.00", "other"), at=BLACK_FRIDAY))
    [award] = found.awards
    assert award.points == 40_00
    assert award.rules == (("cashback", 10_00), ("dairy", 20_00), ("black-friday", 10_00))
    assert found.explanation["lost"] == [{"rule": "black-friday", "to": "dairy", "lines": [1]}]
    assert found.explanation["lines"] == [
        [1, 100_0000, {"cashback": 5_00, "dairy": 20_00}],
        [2, 100_0000, {"cashback": 5_00, "black-friday": 10_00}],
    ]


@pytest.mark.parametrize(
    ("at", "earned"),
    [
        ("2026-11-26 23:59:59", 5_00),
        ("2026-11-27 00:00:00", 15_00),
        ("2026-11-29 23:59:59", 15_00),
        ("2026-11-30 00:00:00", 5_00),
    ],
)
def test_E8_a_bare_date_as_until_is_the_last_day_whole(at: str, earned: int) -> None:
    """Black Friday runs from its first midnight to the end of its last day, in the programme's zone."""
    assert points(BEST_OF, basket("100.00", at=local(at))) == earned


def test_E8_out_of_its_window_a_rule_says_so() -> None:
    """The explanation names the rules that do not run."""
    found = earns(BEST_OF, basket(line(1, "100.00", "other")))
    assert found.explanation["not_fired"] == {"not_in_window": ["black-friday"], "no_lines": ["dairy"]}


def test_E8b_exact_fractions_are_multiplied_before_rounding() -> None:
    """0.505 twice is 1.01; rounding first would make 1.02."""
    text = TWO_DECIMALS + "earn: [{rule: cashback, give: 5 %}, {rule: double, give: x2}]\n"
    assert points(text, basket("10.10")) == 101


def test_multipliers_outside_a_group_add() -> None:
    """x2 and x3 make x4."""
    text = TWO_DECIMALS + "earn: [{rule: cashback, give: 5 %}, {rule: a, give: x2}, {rule: b, give: x3}]\n"
    assert points(text, basket("100.00")) == 20_00


def test_multipliers_leave_whole_amounts_alone() -> None:
    """x2 doubles percentages and points per amount, not the 100 points of a big basket."""
    text = (
        HEAD
        + """
currencies: {points: {scale: 2}}
earn:
  - {rule: cashback, give: 5 %}
  - {rule: tens, give: 1 point per 10.00}
  - {rule: extra, give: 100 points}
  - {rule: pieces, give: 10 points per unit}
  - {rule: double, give: x2}
"""
    )
    [award] = earns(text, basket("99.00")).awards
    assert dict(award.rules) == {"cashback": 4_95, "tens": 9_00, "extra": 100_00, "pieces": 10_00, "double": 13_95}


def test_a_tie_goes_to_the_first_in_the_file() -> None:
    """Of two equal multipliers the first counts, and the second is told to whom it lost."""
    text = (
        TWO_DECIMALS
        + """
earn:
  - {rule: cashback, give: 5 %}
  - {rule: first, best_of: m, give: x2}
  - {rule: second, best_of: m, give: x2}
"""
    )
    found = earns(text, basket("100.00"))
    assert found.awards[0].rules == (("cashback", 5_00), ("first", 5_00))
    assert found.explanation["lost"] == [{"rule": "second", "to": "first", "lines": [1]}]


def test_of_whole_amounts_the_best_of_the_basket_counts() -> None:
    """Two welcome offers that share a word give the better one, once."""
    text = (
        TWO_DECIMALS
        + """
earn:
  - {rule: small, best_of: gift, give: 50 points}
  - {rule: large, best_of: gift, give: 80 points}
"""
    )
    found = earns(text, basket("10.00", "20.00"))
    assert found.awards[0].rules == (("large", 80_00),)
    assert found.explanation["lost"] == [{"rule": "small", "to": "large", "lines": []}]


def test_a_rule_that_stops_keeps_its_lines_from_later_ones() -> None:
    """Clearance earns 1 % and nothing else; other lines are not concerned."""
    text = (
        TWO_DECIMALS
        + """
earn:
  - {rule: clearance, lines: "line.category == 'clearance'", give: 1 %, stop: yes}
  - {rule: cashback, give: 5 %}
  - {rule: double, give: x2}
"""
    )
    [award] = earns(text, basket(line(1, "100.00", "clearance"), line(2, "100.00", "other"))).awards
    assert dict(award.lines) == {1: 1_00, 2: 10_00}
    stopped = earns(text, basket(line(1, "100.00", "clearance"))).explanation
    assert stopped["not_fired"] == {"stopped": ["cashback", "double"]}
    assert stopped["stopped_by"] == {"cashback": "clearance", "double": "clearance"}


def test_priority_comes_before_the_order_of_the_file() -> None:
    """A rule of higher priority that stops is heard first, wherever it stands."""
    text = (
        TWO_DECIMALS
        + """
earn:
  - {rule: cashback, give: 5 %}
  - {rule: staff, when: "member.card_category == 'staff'", give: 20 %, priority: 10, stop: yes}
"""
    )
    assert points(text, basket("100.00"), Facts(card_category="staff")) == 20_00
    assert points(text, basket("100.00")) == 5_00


def test_several_currencies_each_have_their_own_award() -> None:
    """Cashback in money beside points: two lots, each rounded in its own scale."""
    text = (
        HEAD
        + """
currencies:
  points: {scale: 0}
  cash: {scale: 2, expires: {after: 1 year}}
earn:
  - {rule: level, give: 5 %}
  - {rule: back, give: 2 % cash}
  - {rule: double, give: x2 cash}
"""
    )
    found = earns(text, basket("10.10"))
    assert [(award.currency, award.points) for award in found.awards] == [("points", 1), ("cash", 40)]


def test_a_rate_for_each_tier_and_none_below() -> None:
    """5, 10, 15 % by level; who has no level earns nothing by it, and is told why."""
    text = (
        TWO_DECIMALS
        + """
tiers: {levels: [{tier: bronze, from: 100}, {tier: silver, from: 500}, {tier: gold, from: 1000}]}
earn:
  - {rule: level, give: {bronze: 5 %, silver: 10 %, gold: 15 %}}
"""
    )
    rates = {tier: points(text, basket("100.00"), Facts(tier=tier)) for tier in (None, "bronze", "silver", "gold")}
    assert rates == {None: 0, "bronze": 5_00, "silver": 10_00, "gold": 15_00}
    assert earns(text, basket("100.00")).explanation["not_fired"] == {"no_rate_for_tier": ["level"]}


@pytest.mark.parametrize(
    ("condition", "earned"),
    [("purchase.total >= 100", 5_00), ("purchase.total > 100", 0), ("true", 5_00), ("line.amount >= 60", 3_00)],
)
def test_a_condition_on_lines_may_read_the_purchase_or_nothing(condition: str, earned: int) -> None:
    """What is the same for every line holds on all of them or on none."""
    text = TWO_DECIMALS + f'earn: [{{rule: cashback, lines: "{condition}", give: 5 %}}]\n'
    assert points(text, basket("60.00", "40.00")) == earned


def test_multipliers_leave_alone_what_others_receive() -> None:
    """The seller's share is the seller's: the buyer's double is of what the buyer earns."""
    text = (
        TWO_DECIMALS
        + """
earn:
  - {rule: cashback, give: 5 %}
  - {rule: seller, give: 1 %, to: line.seller}
  - {rule: double, give: x2}
"""
    )
    found = earns(text, basket(line(1, "100.00", seller="eva")))
    assert (found.points("points"), found.for_others[0].award.points) == (10_00, 1_00)
