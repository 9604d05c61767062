"""Whose purchase it is: cards, audiences, birthdays, first purchases, activities, and others who receive."""

from dataclasses import replace
from datetime import date

import pytest

from services.rules.domain.evaluation import Cut, Facts, Occasion, evaluate
from services.rules.domain.received import Received, received
from tests.unit.rules.evaluation.shop import (
    FIVE_PERCENT,
    NOON,
    TWO_DECIMALS,
    basket,
    counted,
    earns,
    line,
    local,
    points,
    programme,
)

WELCOME = (
    TWO_DECIMALS
    + """
on_enrolment: 100 points
earn:
  - {rule: first, when: "member.purchases == 0", once_per: member, give: 150 points}
"""
)
BIRTHDAY = (
    TWO_DECIMALS
    + """
tiers: {levels: [{tier: bronze, from: 100}, {tier: silver, from: 500}, {tier: gold, from: 1000}]}
earn:
  - rule: birthday
    birthday: {before: 3 days, after: 3 days, on_file: 7 days}
    give: {bronze: 200 points, silver: 400 points, gold: 600 points}
"""
)
FILED = local("2026-01-01 09:00")


def celebrates(born: str, tier: str = "bronze", filed: str = "2020-01-01 09:00", **more: object) -> Facts:
    """A member with a birthday on file."""
    return Facts(tier=tier, birthday=date.fromisoformat(born), birthday_known_at=local(filed), **more)  # type: ignore[arg-type]


def test_E2_starting_bonuses_come_with_enrolment_and_count_at_once() -> None:
    """300 on enrolment, before any purchase."""
    version = programme(TWO_DECIMALS + "on_enrolment: 300 points\n")
    found = evaluate(version, Occasion("enrolment", NOON), Facts())
    [award] = found.awards
    assert (award.points, award.activates_at, award.rules, award.lines) == (
        300_00,
        None,
        (("on_enrolment", 300_00),),
        (),
    )
    again = evaluate(version, Occasion("enrolment", NOON), Facts(counters=found.increments))
    assert (again.awards, again.explanation) == ((), {"not_fired": {"already_given": ["on_enrolment"]}})


def test_E3_only_named_card_categories_earn() -> None:
    """A staff card earns nothing and is told why; where none is named every card earns."""
    named = FIVE_PERCENT + "card_categories: [gold, silver]\n"
    staff = earns(named, basket("100.00"), Facts(card_category="staff"))
    assert (staff.awards, staff.reason, staff.explanation, staff.qualifying) == (
        (),
        "card_category_not_eligible",
        {"reason": "card_category_not_eligible"},
        0,
    )
    assert points(named, basket("100.00"), Facts(card_category="gold")) == 5_00
    assert points(FIVE_PERCENT, basket("100.00"), Facts(card_category="staff")) == 5_00


def test_E3b_the_category_is_that_of_the_card_shown() -> None:
    """A member with a staff and a gold card earns by the gold one only."""
    named = FIVE_PERCENT + "card_categories: [gold, silver]\n"
    by_card = {card: points(named, basket("100.00"), Facts(card_category=card)) for card in ("staff", "gold")}
    assert by_card == {"staff": 0, "gold": 5_00}


def test_E3_a_rule_can_name_card_categories_too() -> None:
    """Other rules still give."""
    text = FIVE_PERCENT + "  - {rule: extra, card_categories: gold, give: 1 %}\n"
    found = earns(text, basket("100.00"), Facts(card_category="silver"))
    assert (found.points("points"), found.explanation["not_fired"]) == (
        5_00,
        {"card_category_not_eligible": ["extra"]},
    )


def test_E12_welcome_and_first_purchase_are_given_once() -> None:
    """Two first purchases decided one after the other: the second finds that the first was rewarded."""
    version = programme(WELCOME)
    enrolled = evaluate(version, Occasion("enrolment", NOON), Facts())
    counters = counted({}, enrolled)
    first = evaluate(version, basket("1.00"), Facts(counters=counters))
    counters = counted(counters, first)
    second = evaluate(version, basket("1.00"), Facts(counters=counters))
    awarded = [evaluation.points("points") for evaluation in (enrolled, first, second)]
    assert (awarded, second.explanation["not_fired"]) == ([100_00, 150_00, 0], {"already_given": ["first"]})


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        ("2026-06-06", "not_near_birthday"),
        ("2026-06-07", None),
        ("2026-06-10", None),
        ("2026-06-13", None),
        ("2026-06-14", "not_near_birthday"),
    ],
)
def test_E13_a_birthday_counts_three_days_before_and_after(day: str, reason: str | None) -> None:
    """Born on 10 June: from the 7th to the 13th, whole days."""
    found = earns(BIRTHDAY, basket("1.00", at=local(f"{day} 00:00")), celebrates("1990-06-10"))
    assert found.points("points") == (0 if reason else 200_00)
    assert found.explanation.get("not_fired") == ({reason: ["birthday"]} if reason else None)


@pytest.mark.parametrize(("tier", "given"), [("bronze", 200_00), ("silver", 400_00), ("gold", 600_00), (None, 0)])
def test_E13_the_gift_is_by_tier(tier: str | None, given: int) -> None:
    """200, 400, 600, and nothing without a level."""
    facts = Facts(tier=tier, birthday=date(1990, 3, 5), birthday_known_at=FILED)
    assert points(BIRTHDAY, basket("1.00"), facts) == given


@pytest.mark.parametrize(("filed", "given"), [("2026-02-26 18:00", 200_00), ("2026-02-27 09:00", 0)])
def test_E13_the_date_must_be_on_file_seven_days(filed: str, given: int) -> None:
    """Filed seven days before the purchase of 5 March it counts, six days before it does not."""
    found = earns(BIRTHDAY, basket("1.00"), celebrates("1990-03-05", filed=filed))
    assert found.points("points") == given
    assert ("not_fired" in found.explanation) is (given == 0)
    if not given:
        assert found.explanation["not_fired"] == {"birthday_too_fresh": ["birthday"]}


def test_E13_once_per_birthday() -> None:
    """The second purchase in the window earns nothing by it."""
    facts = celebrates("1990-03-05")
    first = earns(BIRTHDAY, basket("1.00"), facts)
    assert dict(first.increments) == {"birthday:once:birthday:2026": 1}
    second = earns(BIRTHDAY, basket("1.00"), celebrates("1990-03-05", counters=first.increments))
    assert (second.awards, second.explanation["not_fired"]) == ((), {"already_given": ["birthday"]})


@pytest.mark.parametrize(("day", "given"), [("2027-02-25", 1), ("2027-03-03", 1), ("2027-03-04", 0), ("2028-03-03", 1)])
def test_E13_born_on_29_february(day: str, given: int) -> None:
    """The birthday is 28 February in common years, and 29 February in leap years."""
    assert points(BIRTHDAY, basket("1.00", at=local(f"{day} 12:00")), celebrates("1992-02-29")) == given * 200_00


def test_E13_born_on_1_january_is_one_birthday_across_the_year() -> None:
    """30 December 2026 and 2 January 2027 pay once, for the birthday of 2027."""
    before = earns(BIRTHDAY, basket("1.00", at=local("2026-12-30 12:00")), celebrates("1990-01-01"))
    after = earns(
        BIRTHDAY,
        basket("1.00", at=local("2027-01-02 12:00")),
        celebrates("1990-01-01", counters=before.increments),
    )
    assert (before.points("points"), after.points("points")) == (200_00, 0)


def test_E13_a_date_changed_within_the_year_pays_no_second_time() -> None:
    """Paid in March, moved to September: the year's birthday was had."""
    first = earns(BIRTHDAY, basket("1.00"), celebrates("1990-03-05"))
    changed = celebrates("1990-09-05", filed="2026-04-01 09:00", counters=first.increments)
    assert points(BIRTHDAY, basket("1.00", at=local("2026-09-05 12:00")), changed) == 0


def test_E13_a_percentage_around_a_birthday_is_for_every_purchase() -> None:
    """Double points in the birthday week are not used up by the first basket."""
    text = FIVE_PERCENT + "  - {rule: week, birthday: {after: 6 days}, give: x2}\n"
    assert earns(text, basket("100.00"), celebrates("1990-03-05")).increments == {}


def test_E14_both_sides_are_rewarded_by_the_friends_first_large_purchase() -> None:
    """The friend's award is hers, the referrer's is addressed to him; 49.99 pays nothing; after 30 days nothing."""
    text = (
        TWO_DECIMALS
        + """
earn:
  - {rule: friend, when: "purchase.total >= 50 && member.days_enrolled <= 30 && member.referred_by != ''",
     once_per: member, give: 100 points}
  - {rule: thanks, when: "purchase.total >= 50 && member.days_enrolled <= 30 && member.referred_by != ''",
     once_per: member, to: member.referred_by, give: 100 points, cap: {month: 10 times}}
"""
    )
    facts = Facts(referred_by="card:1", enrolled_at=local("2026-03-01 18:00"))
    found = earns(text, basket("50.00", at=local("2026-03-31 23:59:59")), facts)
    [other] = found.for_others
    assert (found.points("points"), other.rule, other.recipient, other.award.points) == (
        100_00,
        "thanks",
        "card:1",
        100_00,
    )
    assert dict(found.increments) == {"friend:once:member:": 1, "thanks:once:member:": 1}
    for bought in (basket("49.99"), basket("50.00", at=local("2026-04-01 00:00:00"))):
        nothing = earns(text, bought, facts)
        assert (nothing.awards, nothing.for_others) == ((), ())
    assert earns(text, basket("50.00"), Facts(enrolled_at=NOON)).explanation["not_fired"] == {
        "condition_false": ["friend"],
        "no_recipient": ["thanks"],
    }


def test_E14_the_recipients_caps_are_his_own() -> None:
    """The eleventh friend of a month pays only the friend: the referrer's counter is full."""
    version = programme(
        TWO_DECIMALS + "earn: [{rule: thanks, to: member.referred_by, give: 100 points, cap: {month: 10 times}}]\n"
    )
    [other] = evaluate(version, basket("50.00"), Facts(referred_by="card:1")).for_others
    [rule] = version.rules
    tenth = received(version, rule, other.award, Facts(counters={"thanks:times:month:2026-03": 9}), NOON)
    eleventh = received(version, rule, other.award, Facts(counters={"thanks:times:month:2026-03": 10}), NOON)
    assert (tenth.award, dict(tenth.increments)) == (other.award, {"thanks:times:month:2026-03": 1})
    assert (eleventh.award, eleventh.cut and eleventh.cut.code, eleventh.increments) == (None, "capped_per_month", {})


def test_E14_the_buyers_own_counters_do_not_bound_what_the_referrer_receives() -> None:
    """Who was thanked ten times himself still thanks the one who brought him; what is counted is the recipient's."""
    version = programme(
        TWO_DECIMALS + "earn: [{rule: thanks, to: member.referred_by, give: 100 points, cap: {month: 150 points}}]\n"
    )
    found = evaluate(
        version, basket("50.00"), Facts(referred_by="card:1", counters={"thanks:points:month:2026-03": 150_00})
    )
    [other], [rule] = found.for_others, version.rules
    first = received(version, rule, other.award, Facts(counters={"thanks:points:month:2026-03": 50_00}), NOON)
    second = received(version, rule, other.award, Facts(counters={"thanks:points:month:2026-03": 100_00}), NOON)
    assert (found.increments, first) == ({}, Received(other.award, None, {"thanks:points:month:2026-03": 100_00}))
    assert second == Received(
        replace(other.award, points=50_00, rules=(("thanks", 50_00),), lines=()),
        Cut("capped_per_month", "points", 50_00, "thanks"),
        {"thanks:points:month:2026-03": 50_00},
    )


def test_E20_an_activity_is_rewarded_once_for_each_product_and_three_times_a_month() -> None:
    """The same product twice, and a fourth in the month, earn nothing, each with its reason."""
    version = programme(
        TWO_DECIMALS
        + """
earn:
  - {rule: review, event: activity.review, once_per: activity.product, give: 20 points, cap: {month: 3 times}}
"""
    )
    counters: dict[str, int] = {}
    told = []
    for product in ("a", "a", "b", "c", "d"):
        found = evaluate(version, Occasion("activity.review", NOON, product), Facts(counters=counters))
        counters = counted(counters, found)
        told.append(found.explanation.get("not_fired", found.points("points")))
    assert told == [20_00, {"already_given": ["review"]}, 20_00, 20_00, {"capped_per_month": ["review"]}]


def test_E20_other_activities_and_attributes_are_told_apart() -> None:
    """An activity that no rule names earns nothing; a condition reads its attributes."""
    version = programme(
        TWO_DECIMALS
        + "earn: [{rule: survey, event: activity.survey, when: 'activity.attributes.answers >= 5', give: 20 points}]\n"
    )
    asked = [
        evaluate(version, Occasion(event, NOON, "", {"answers": answers}), Facts()).points("points")
        for event, answers in (("activity.survey", 5), ("activity.survey", 4), ("activity.review", 9))
    ]
    assert asked == [20_00, 0, 0]


def test_E22_each_partner_has_its_own_rate_and_its_own_lot() -> None:
    """A basket with lines of two partners opens two lots, which settlement can tell apart."""
    text = (
        TWO_DECIMALS
        + """
partners:
  cinema: {give: 2 %, stores: [screen-1, screen-2]}
  shoes: {give: 10 %}
"""
    )
    found = earns(text, basket(line(1, "100.00", partner="shoes"), line(2, "50.00"), store="screen-2"))
    assert [(award.partner, award.points, award.rules, award.lines) for award in found.awards] == [
        ("shoes", 10_00, (("partner-shoes", 10_00),), ((1, 10_00),)),
        ("cinema", 1_00, (("partner-cinema", 1_00),), ((2, 1_00),)),
    ]


def test_E22_what_partners_earn_adds_up_to_what_the_basket_earns() -> None:
    """A rule for all partners rounds the basket once; the shares of partners add up to it."""
    found = earns(FIVE_PERCENT, basket(line(1, "10.10", partner="a"), line(2, "10.10", partner="b")))
    assert [(award.partner, award.points) for award in found.awards] == [("a", 51), ("b", 50)]


def test_E21_a_line_can_reward_its_seller() -> None:
    """Three units of a brand: 30 for who sold them, nothing for the buyer; a line without a seller rewards nobody."""
    text = (
        TWO_DECIMALS + "earn: [{rule: push, lines: \"line.brand == 'X'\", give: 10 points per unit, to: line.seller}]\n"
    )
    bought = basket(
        line(1, "30.00", brand="X", quantity="2", seller="eva"),
        line(2, "10.00", brand="X", quantity="1", seller="eva"),
        line(3, "10.00", brand="X", quantity="1"),
    )
    found = earns(text, bought)
    assert (found.awards, [(other.recipient, other.award.points) for other in found.for_others]) == (
        (),
        [("eva", 30_00)],
    )


def test_S1_while_suspended_nothing_is_earned() -> None:
    """The reason is said, and nothing counts for tiers."""
    found = earns(FIVE_PERCENT, basket("100.00"), Facts(suspended=True))
    assert (found.awards, found.reason, found.qualifying, found.spend) == ((), "programme_suspended", 0, 100_0000)


def test_segments_are_found_from_facts_or_set_from_outside() -> None:
    """A campaign for a segment of the file, one for a segment that was set, and one for members by id."""
    text = (
        TWO_DECIMALS
        + """
segments:
  loyal: "member.spend_in('90 days') >= 500 && member.purchases_in('90 days') >= 3"
earn:
  - {rule: loyal, audience: loyal, give: 1 %}
  - {rule: vip, audience: [vip, press], give: 2 %}
  - {rule: named, audience: {members: [anna]}, give: 4 %}
  - {rule: said, when: "'loyal' in member.segments", give: 8 %}
"""
    )
    version = programme(text)
    [spend_window], [purchase_window] = version.spend_windows, version.purchase_windows
    loyal = Facts(spend_in={spend_window: 500_0000}, purchases_in={purchase_window: 3})
    found = [
        evaluate(version, basket("100.00"), facts).points("points")
        for facts in (Facts(), loyal, Facts(segments=frozenset({"press"})), Facts(member_id="anna"))
    ]
    assert found == [0, 9_00, 2_00, 4_00]


def test_a_holdout_keeps_the_same_share_of_members_out() -> None:
    """About a tenth of members is kept out, always the same ones, and told so in the explanation."""
    version = programme(TWO_DECIMALS + "earn: [{rule: campaign, give: 5 %, holdout: 10 %}]\n")
    found = [evaluate(version, basket("1.00"), Facts(member_id=f"member-{n}")) for n in range(1000)]
    out = [n for n, evaluation in enumerate(found) if not evaluation.awards]
    assert 70 < len(out) < 130
    assert found[out[0]].explanation == {"not_fired": {"held_out": ["campaign"]}, "lines": [[1, 1_0000, {}]]}
    assert evaluate(version, basket("9.00"), Facts(member_id=f"member-{out[0]}")).awards == ()


def test_a_condition_that_fails_awards_nothing_and_is_noted() -> None:
    """An attribute that is not there, a division by what is zero: the rule gives nothing, the others do."""
    text = (
        FIVE_PERCENT
        + """
  - {rule: broken, when: "100 / member.purchases > 1", give: 100 points}
  - {rule: organic, lines: "line.attributes.organic == true", give: x2}
"""
    )
    found = earns(text, basket(line(1, "50.00", attributes={"organic": True}), line(2, "50.00")))
    assert found.points("points") == 5_00
    assert found.explanation["not_fired"] == {"condition_failed": ["broken", "organic"]}
    assert [failure.rule for failure in found.failures] == ["broken", "organic"]
    assert found.explanation["failed"] == [
        {"rule": failure.rule, "message": failure.message} for failure in found.failures
    ]


def test_an_exclusion_that_fails_excludes() -> None:
    """A fault must not pay: the line that cannot be judged earns nothing, and the fault is noted."""
    text = FIVE_PERCENT + 'exclude: {earn: "line.attributes.age >= 18"}\n'
    found = earns(text, basket(line(1, "50.00", attributes={"age": 3}), line(2, "50.00")))
    assert (found.points("points"), [failure.rule for failure in found.failures]) == (2_50, ["exclude.earn"])


def test_E20_conditions_read_the_calendar_of_the_zone() -> None:
    """Late on a Friday in Warsaw is still Friday, whatever it is in UTC."""
    text = (
        FIVE_PERCENT + "  - {rule: friday, when: \"purchase.weekday == 'friday' && purchase.hour >= 22\", give: x2}\n"
    )
    by_time = {at: points(text, basket("100.00", at=local(at))) for at in ("2026-03-06 23:30", "2026-03-07 00:30")}
    assert by_time == {"2026-03-06 23:30": 10_00, "2026-03-07 00:30": 5_00}


def test_E3_what_comes_without_a_card_is_not_refused_for_its_card() -> None:
    """A birthday shows no card; an enrolment by a staff card does."""
    version = programme(TWO_DECIMALS + "card_categories: [gold]\non_enrolment: 100 points\n")
    found = [
        evaluate(version, Occasion("enrolment", NOON), Facts(card_category=category)).points("points")
        for category in ("", "gold", "staff")
    ]
    assert found == [100_00, 100_00, 0]
