"""Caps: what a purchase, a day, a campaign may bring, and what was counted for the next time."""

from collections.abc import Mapping

import pytest

from services.rules.domain.evaluation import Basket, Cut, Evaluation, Facts, evaluate
from services.rules.domain.programme import ProgrammeVersion
from services.rules.domain.rounding import apportioned
from tests.unit.rules.evaluation.shop import HEAD, TWO_DECIMALS, basket, counted, line, local, programme

EIGHT_PERCENT = TWO_DECIMALS + "earn: [{rule: cashback, give: 8 %}]\n"


def decisions(version: ProgrammeVersion, baskets: list[Basket]) -> tuple[list[Evaluation], Mapping[str, int]]:
    """Evaluations of one member's purchases in the order in which they are decided, and the counters after them."""
    counters: Mapping[str, int] = {}
    found = []
    for bought in baskets:
        evaluation = evaluate(version, bought, Facts(counters=counters))
        counters = counted(counters, evaluation)
        found.append(evaluation)
    return found, counters


def test_E9_a_purchase_brings_at_most_so_many_points() -> None:
    """80 becomes 50; the cut is shared over the lines by largest remainder."""
    version = programme(EIGHT_PERCENT + "caps: {purchase: 50 points}\n")
    found = evaluate(version, basket("333.00", "333.00", "334.00"), Facts())
    [award] = found.awards
    assert award.points == 50_00
    assert award.lines == ((1, 16_65), (2, 16_65), (3, 16_70))
    assert found.cuts == (Cut("capped_per_purchase", "points", 30_00),)
    assert found.explanation["cuts"] == [{"code": "capped_per_purchase", "currency": "points", "points": 30_00}]


def test_E10_a_member_earns_so_many_times_a_day() -> None:
    """Four purchases before midnight and one at it: the fourth earns nothing, the fifth is of another day."""
    times = ("23:50", "23:55", "23:58", "23:59:59")
    at = [local(f"2026-03-05 {time}") for time in times] + [local("2026-03-06 00:00:00")]
    found, _ = decisions(
        programme(EIGHT_PERCENT + "caps: {day: 3 times}\n"), [basket("100.00", at=each) for each in at]
    )
    assert [evaluation.points("points") for evaluation in found] == [8_00, 8_00, 8_00, 0, 8_00]
    assert [evaluation.reason for evaluation in found] == [None, None, None, "capped_per_day", None]
    assert found[3].cuts == (Cut("capped_per_day", "points", 8_00),)


def test_E10b_caps_are_given_in_the_order_of_decisions() -> None:
    """The purchase of 23:50 is decided last, and earns nothing: three of its day were given already."""
    times = ("23:55", "23:58", "23:59:59", "23:50")
    at = [local(f"2026-03-05 {time}") for time in times]
    found, _ = decisions(
        programme(EIGHT_PERCENT + "caps: {day: 3 times}\n"), [basket("100.00", at=each) for each in at]
    )
    assert [evaluation.points("points") for evaluation in found] == [8_00, 8_00, 8_00, 0]


def test_E10_what_earns_nothing_is_no_time() -> None:
    """A basket that comes to nothing leaves the day's times alone."""
    version = programme(EIGHT_PERCENT + "caps: {day: 1 time}\n")
    found, counters = decisions(version, [basket("0.01"), basket("100.00")])
    assert ([evaluation.points("points") for evaluation in found], dict(counters)) == (
        [0, 8_00],
        {"*:times:day:2026-03-05": 1},
    )


@pytest.mark.parametrize("period", ["day", "week", "month", "year", "member"])
def test_E9_points_of_a_period_are_counted_up_to_the_cap(period: str) -> None:
    """Two purchases of 80 under a cap of 100: the second brings what is left."""
    version = programme(EIGHT_PERCENT + f"caps: {{{period}: 100 points}}\n")
    found, _ = decisions(version, [basket("1000.00"), basket("1000.00"), basket("1000.00")])
    assert [evaluation.points("points") for evaluation in found] == [80_00, 20_00, 0]
    assert [cut.code for cut in found[2].cuts] == [f"capped_per_{period}"]


def test_E9_the_tightest_of_several_caps_cuts() -> None:
    """Of a cap on the purchase and one on the month the lower one is named."""
    version = programme(EIGHT_PERCENT + "caps: {purchase: 50 points, month: [60 points, 2 times]}\n")
    found, counters = decisions(version, [basket("1000.00"), basket("1000.00"), basket("1000.00")])
    assert [evaluation.points("points") for evaluation in found] == [50_00, 10_00, 0]
    assert [[cut.code for cut in evaluation.cuts] for evaluation in found] == [
        ["capped_per_purchase"],
        ["capped_per_month"],
        ["capped_per_month"],
    ]
    assert dict(counters) == {"*:points:month:2026-03": 60_00, "*:times:month:2026-03": 2}


def test_E9_a_cap_of_a_rule_cuts_that_rule_alone() -> None:
    """The bonus of a category is bounded; the cashback beside it is not, and multipliers multiply what was given."""
    version = programme(
        TWO_DECIMALS
        + """
earn:
  - {rule: cashback, give: 5 %}
  - {rule: tea, lines: "line.category == 'tea'", give: 50 %, cap: {purchase: 20 points}}
  - {rule: double, give: x2}
"""
    )
    found = evaluate(version, basket(line(1, "100.00", "tea"), line(2, "100.00", "coffee")), Facts())
    assert found.awards[0].rules == (("cashback", 10_00), ("tea", 20_00), ("double", 30_00))
    assert found.cuts == (Cut("capped_per_purchase", "points", 30_00, "tea"),)


def test_E9_a_rule_is_given_so_many_times_a_month() -> None:
    """A whole amount once a month: the second basket is told why not, and the next month gives again."""
    version = programme(
        TWO_DECIMALS + "earn: [{rule: big, when: 'purchase.total >= 500', give: 100 points, cap: {month: 1 time}}]\n"
    )
    days = ("2026-03-05 12:00", "2026-03-31 23:59:59", "2026-04-01 00:00")
    found, _ = decisions(version, [basket("500.00", at=local(day)) for day in days])
    assert [evaluation.points("points") for evaluation in found] == [100_00, 0, 100_00]
    assert found[1].explanation["not_fired"] == {"capped_per_month": ["big"]}


def test_E9_a_campaign_counts_from_its_first_day() -> None:
    """A cap of a campaign holds through it, and begins anew when the campaign is run again under the same key."""
    text = TWO_DECIMALS + (
        "earn: [{rule: spring, from: 2026-03-01, until: 2026-04-30, give: 100 points, cap: {campaign: 1 time}}]\n"
    )
    first, counters = decisions(programme(text), [basket("1.00"), basket("1.00", at=local("2026-04-30 23:59"))])
    again = evaluate(
        programme(text.replace("2026-", "2027-")),
        basket("1.00", at=local("2027-03-01 00:00")),
        Facts(counters=counters),
    )
    assert [evaluation.points("points") for evaluation in [*first, again]] == [100_00, 0, 100_00]


def test_E9_a_household_shares_a_cap_unless_it_is_per_member() -> None:
    """Each member of a household has a cap of his own where the file says so."""
    shared = TWO_DECIMALS + "earn: [{rule: visit, give: 10 points, cap: {day: 1 time}}]\n"
    own = shared.replace("{day: 1 time}", "{day: 1 time, per: member}")
    for text, second in ((shared, 0), (own, 10_00)):
        version = programme(text)
        anna = evaluate(version, basket("1.00"), Facts(member_id="anna"))
        ben = evaluate(version, basket("1.00"), Facts(member_id="ben", counters=anna.increments))
        assert (anna.points("points"), ben.points("points")) == (10_00, second)


def test_E11_a_budgeted_rule_asks_and_is_rounded_alone() -> None:
    """What a budget must grant is not awarded yet; it carries its own counts, to be given back if it is refused."""
    version = programme(
        TWO_DECIMALS
        + """
earn:
  - {rule: cashback, give: 5 %}
  - {rule: campaign, give: 1 %, budget: {total: 1000 points, last: all_or_nothing}, cap: {month: 5 times}}
caps: {month: 100 points}
"""
    )
    found = evaluate(version, basket("10.50"), Facts())
    [ask] = found.budget_asks
    assert [award.points for award in found.awards] == [53]
    assert (ask.rule, ask.award.points, ask.award.rules, ask.total, ask.partial) == (
        "campaign",
        11,
        (("campaign", 11),),
        1000_00,
        False,
    )
    assert dict(found.increments) == {"*:points:month:2026-03": 53}
    assert dict(ask.increments) == {"campaign:times:month:2026-03": 1, "*:points:month:2026-03": 11}


def test_E11_a_budgeted_rule_takes_what_the_purchase_cap_leaves() -> None:
    """The programme's cap bounds both together; the rules that need no budget come first."""
    version = programme(
        TWO_DECIMALS
        + """
earn:
  - {rule: campaign, give: 40 points, budget: {total: 1000 points}}
  - {rule: cashback, give: 5 %}
caps: {purchase: 60 points}
"""
    )
    found = evaluate(version, basket("1000.00"), Facts())
    assert (found.points("points"), [ask.award.points for ask in found.budget_asks]) == (50_00, [10_00])


def test_E9_a_cap_holds_where_lines_are_rounded_one_by_one() -> None:
    """Three lines of 16.67 round to 17 each, and 51 is more than the cap: its 50 are shared by largest remainder."""
    text = (
        HEAD
        + """
currencies: {points: {scale: 0, round_by: line}}
earn: [{rule: all, give: 100 %}]
caps: {purchase: 50 points}
"""
    )
    [award] = evaluate(programme(text), basket("16.67", "16.67", "16.67"), Facts()).awards
    assert (award.points, award.lines) == (50, ((1, 17), (2, 17), (3, 16)))


def test_E5_the_largest_remainder_comes_first_then_the_earlier_line() -> None:
    """Of 0.3 and 0.7 the one that is left goes to the second; of equal ones to the first."""
    shares = [apportioned(1, weights, 10) for weights in ([3, 7], [5, 5], [2, 4, 4])]
    assert shares == [[0, 1], [1, 0], [0, 1, 0]]


def test_E9_a_whole_amount_is_shared_over_lines_that_are_rounded_alone() -> None:
    """100 for the basket stays 100, however its lines are rounded."""
    text = (
        HEAD
        + """
currencies: {points: {scale: 0, round_by: line}}
earn: [{rule: extra, give: 100 points}, {rule: back, give: 50 %}]
"""
    )
    [award] = evaluate(programme(text), basket("1.00", "1.00", "1.00"), Facts()).awards
    assert (award.points, award.lines) == (103, ((1, 35), (2, 34), (3, 34)))
