"""What counts for tiers, and what a return takes back: both by evaluating, nothing else."""

import pytest

from services.rules.domain.evaluation import Basket, Facts, evaluate, qualifying_spend
from services.rules.domain.reversal import reversal_due, reversals_due
from tests.unit.rules.evaluation.shop import FIVE_PERCENT, TWO_DECIMALS, basket, counted, earns, line, points, programme

TIERS = "tiers: {levels: [{tier: bronze, from: 100}, {tier: silver, from: 500}, {tier: gold, from: 1000}]}\n"
BY_LEVEL = TWO_DECIMALS + TIERS + "earn: [{rule: level, give: {bronze: 5 %, silver: 10 %, gold: 15 %}}]\n"


def test_T0_points_paid_and_excluded_lines_do_not_qualify() -> None:
    """The basket of E7: 350 of groceries less 70 in points, whatever the earning base is."""
    text = (
        FIVE_PERCENT
        + "exclude: {earn: \"line.category in ['tobacco', 'gift-card']\"}\ncounts_points_paid: yes\n"
        + TIERS
    )
    bought = basket(
        line(1, "350.00", "groceries"),
        line(2, "150.00", "tobacco"),
        line(3, "500.00", "gift-card"),
        paid={"points": "200.00", "card": "800.00"},
    )
    version = programme(text)
    found = evaluate(version, bought, Facts())
    assert (found.qualifying, found.spend, qualifying_spend(version, bought, Facts())) == (280_0000, 280_0000, 280_0000)


def test_T1_below_the_first_level_nothing_is_earned_by_level() -> None:
    """90.00 and 10.00 qualify whole; without a tier they earn nothing, as Bronze the second earns 0.50."""
    found = [earns(BY_LEVEL, basket(amount)) for amount in ("90.00", "10.00")]
    assert [(each.qualifying, each.points("points")) for each in found] == [(90_0000, 0), (10_0000, 0)]
    assert points(BY_LEVEL, basket("10.00"), Facts(tier="bronze")) == 50


def test_T2_a_level_pays_from_the_purchase_that_has_it() -> None:
    """600.00 by a new member earns nothing by level; the next 100 as Silver earn 10.00."""
    first = earns(BY_LEVEL, basket("600.00"))
    assert (first.qualifying, first.points("points")) == (600_0000, 0)
    assert points(BY_LEVEL, basket("100.00"), Facts(tier="silver")) == 10_00


@pytest.mark.parametrize(("by", "qualifying"), [("spend", 100_0000), ("visits", 1), ("points", 5_00)])
def test_T0_tiers_may_count_visits_or_points(by: str, qualifying: int) -> None:
    """What qualifies is in the unit that the tiers count; the spend is told all the same."""
    text = FIVE_PERCENT + TIERS.replace("{levels", f"{{by: {by}, levels")
    found = earns(text, basket("100.00"))
    assert (found.qualifying, found.spend) == (qualifying, 100_0000)


def returns(text: str, bought: Basket, rests: list[Basket], facts: Facts | None = None) -> list[int]:
    """What each return takes back: the rest of the basket is judged by the same version, facts and counters."""
    version, known = programme(text), facts or Facts()
    original = evaluate(version, bought, known)
    before: dict[str, int] = {}
    taken = []
    for rest in rests:
        due = reversals_due(original, evaluate(version, rest, known), before)
        before = {currency: before.get(currency, 0) + due.get(currency, 0) for currency in {**before, **due}}
        taken.append(due.get("points", 0))
    return taken


def test_R1_lines_come_back_one_after_the_other() -> None:
    """100, 200 doubled, 300 earn 5, 20, 15: line 2 takes 20, the others 20, and never more than 40."""
    text = FIVE_PERCENT + "  - {rule: double, lines: \"line.category == 'tea'\", give: x2}\n"
    lines = line(1, "100.00"), line(2, "200.00", "tea"), line(3, "300.00")
    assert earns(text, basket(*lines)).awards[0].lines == ((1, 5_00), (2, 20_00), (3, 15_00))
    assert returns(text, basket(*lines), [basket(lines[0], lines[2]), basket()]) == [20_00, 20_00]


def test_R2_pieces_come_back_one_by_one() -> None:
    """0.50 for 10.00; the rest is worth 0.33, 0.17, 0: 0.17, 0.16, 0.17 are taken."""
    rests = [basket("6.67"), basket("3.34"), basket()]
    assert returns(FIVE_PERCENT, basket("10.00"), rests) == [17, 16, 17]


def test_R3_a_return_can_cost_the_extra_of_a_large_basket() -> None:
    """550 earned 27.50 and 100; 450 would have earned 22.50: 105.00 come back."""
    text = FIVE_PERCENT + "  - {rule: large, when: 'purchase.total >= 500', give: 100 points}\n"
    assert points(text, basket("450.00", "100.00")) == 127_50
    assert returns(text, basket("450.00", "100.00"), [basket("450.00")]) == [105_00]


def test_R3_what_was_capped_is_judged_by_the_counters_of_the_purchase() -> None:
    """A day's cap left 10 for this purchase; the half that is left would still have earned those 10."""
    text = FIVE_PERCENT + "caps: {day: 30 points}\n"
    facts = Facts(counters={"*:points:day:2026-03-05": 20_00})
    assert returns(text, basket("300.00", "300.00"), [basket("300.00"), basket()], facts) == [0, 10_00]


def test_E5_the_lines_shown_are_not_what_a_return_takes() -> None:
    """Line 1, shown with 0.51, takes 0.50 when it comes back, as 0.51 remains due; then line 2 takes 0.51."""
    lines = line(1, "10.10"), line(2, "10.10")
    assert returns(FIVE_PERCENT, basket(*lines), [basket(lines[1]), basket()]) == [50, 51]


def test_E8b_a_doubled_line_comes_back_as_it_was_earned() -> None:
    """Two lines of 5.05 doubled: 1.01 in all; one comes back, 0.51 remains due."""
    text = TWO_DECIMALS + "earn: [{rule: cashback, give: 5 %}, {rule: double, give: x2}]\n"
    assert returns(text, basket("5.05", "5.05"), [basket("5.05"), basket()]) == [50, 51]


def test_R11_what_points_paid_comes_back_with_what_they_paid_for() -> None:
    """120 paid half by points earned 3.00; half returned pro rata leaves 30 of money; refunded to the card, none."""
    bought = basket("120.00", paid={"points": "60.00", "card": "60.00"})
    pro_rata = basket("60.00", paid={"points": "30.00", "card": "30.00"})
    by_card = basket("60.00", paid={"points": "60.00"})
    assert (returns(FIVE_PERCENT, bought, [pro_rata]), returns(FIVE_PERCENT, bought, [by_card])) == ([1_50], [3_00])


@pytest.mark.parametrize(
    ("original", "remaining", "before", "due"),
    [(40, 20, 0, 20), (40, 20, 20, 0), (40, 20, 30, 0), (40, 60, 0, 0), (40, 0, 20, 20), (0, 0, 0, 0)],
)
def test_R1_never_more_than_awarded_and_never_below_nothing(
    original: int, remaining: int, before: int, due: int
) -> None:
    """Whatever was reversed before, and even where the rest would earn more than the whole."""
    assert reversal_due(original, remaining, before) == due


def test_R3_counters_of_the_first_purchase_do_not_change_for_its_return() -> None:
    """Evaluated again with the counters it had, a purchase earns what it earned, once and capped rules included."""
    text = FIVE_PERCENT + "  - {rule: first, once_per: member, give: 100 points}\ncaps: {day: 1 time}\n"
    version = programme(text)
    found = evaluate(version, basket("100.00"), Facts())
    assert counted({}, found) == {"first:once:member:": 1, "*:times:day:2026-03-05": 1}
    assert evaluate(version, basket("100.00"), Facts()) == found
