"""Tiers: reached by what was bought, kept for their time, lost after the grace; each change with its reason."""

from dataclasses import replace

from services.rules.domain.participant import PublishedProgramme
from services.rules.domain.programme import Currency, Duration, Level, Tiers
from services.rules.domain.standing import looks_at
from services.rules.domain.tiers import GIVEN, KEPT, LOWERED, RENEWED, RETURNED, TierPeriod
from tests.unit.rules.participant.members import (
    BY_LEVEL,
    START,
    THREE_LEVELS,
    Member,
    earned,
    local,
    member_of,
    money,
    percent,
    programme_of,
    taken,
    tier_changes,
)

LEVELS = programme_of(BY_LEVEL, tiers=THREE_LEVELS)


def levels(**terms: object) -> Member:
    """A member of the three levels, with other terms."""
    return member_of(programme_of(BY_LEVEL, tiers=replace(THREE_LEVELS, **terms)))  # type: ignore[arg-type]


def gold_since_may() -> Member:
    """A member who reached gold on 10 May 2026 and bought little after."""
    member = member_of(LEVELS)
    member.buys(local("2026-05-10 18:00"), 1000.00)
    member.buys(local("2026-08-01 12:00"), 400.00)
    return member


def test_T1_a_level_is_reached_exactly_and_counts_from_the_next_purchase() -> None:
    """90.00, then 10.00: bronze from the hundredth zloty on, and neither of the two earns by it."""
    member = member_of(LEVELS)
    first, second = member.buys(local("2026-03-01 10:00"), 90.00), member.buys(local("2026-03-02 10:00"), 10.00)
    assert (tier_changes(first), earned(first)) == ([], 0)
    assert (tier_changes(second), earned(second)) == ([(None, "bronze", "tier_reached", "p2")], 0)
    assert earned(member.buys(local("2026-03-02 10:00"), 10.00)) == 50


def test_T1_with_this_purchase_the_one_that_reaches_it_earns() -> None:
    """`applies_from: this_purchase`: the second earns 0.50."""
    member = levels(applies_from="this_purchase")
    assert earned(member.buys(local("2026-03-01 10:00"), 90.00)) == 0
    assert earned(member.buys(local("2026-03-02 10:00"), 10.00)) == 50


def test_T2_one_purchase_may_pass_a_level() -> None:
    """600.00 by a new member: silver at once, in one step, 0.00 by level; the next 100 earns 10.00."""
    member = member_of(LEVELS)
    first = member.buys(local("2026-03-01 10:00"), 600.00)
    assert tier_changes(first) == [(None, "silver", "tier_reached", "p1")]
    assert earned(first) == 0
    assert earned(member.buys(local("2026-03-02 10:00"), 100.00)) == 1000


def test_T3_gold_lasts_to_the_end_of_the_grace_and_then_falls_one_step() -> None:
    """Gold and 15 % until 9 June 2027 00:00; then silver, kept to 9 June 2028."""
    member = gold_since_may()
    assert earned(member.buys(local("2027-06-08 23:59"), 100.00)) == 1500
    after = member.buys(local("2027-06-09 00:00"), 100.00)
    assert earned(after) == 1000
    assert tier_changes(after) == [("gold", "silver", LOWERED, "")]
    assert member.participant.history[-1].since == local("2027-06-09 00:00")
    assert member.participant.history[-1].until == local("2028-06-09 00:00")


def test_T3_the_fall_comes_by_itself() -> None:
    """Nobody has to buy anything: it falls on its day, however late that is noticed, and again a year later."""
    member = gold_since_may()
    assert looks_at(member.participant, member.programme, local("2027-01-01 00:00")) == local("2027-05-10 00:00")
    assert member.waits(local("2027-06-08 23:59")) == ()
    assert looks_at(member.participant, member.programme, local("2027-06-08 23:59")) == local("2027-06-09 00:00")
    assert member.waits(local("2029-01-01 00:00")) == (
        ("silver", local("2027-06-09 00:00"), local("2028-06-09 00:00"), LOWERED),
        ("bronze", local("2028-07-09 00:00"), local("2029-07-09 00:00"), LOWERED),
    )


def test_T3_reassess_falls_to_what_is_still_reached() -> None:
    """400 in the window: bronze."""
    member = levels(then="reassess")
    member.buys(local("2026-05-10 18:00"), 1000.00)
    member.buys(local("2026-08-01 12:00"), 400.00)
    assert member.waits(local("2027-06-09 00:00")) == (
        ("bronze", local("2027-06-09 00:00"), local("2028-06-09 00:00"), LOWERED),
    )


def test_T3_keep_keeps() -> None:
    """Gold stays gold, for another period."""
    member = levels(then="keep")
    member.buys(local("2026-05-10 18:00"), 1000.00)
    assert member.waits(local("2027-06-09 00:00")) == (
        ("gold", local("2026-05-10 00:00"), local("2028-06-09 00:00"), KEPT),
    )


def test_T3_reaching_it_in_the_grace_renews_it() -> None:
    """Gold stays, since the same day, for twelve months from the day in the grace."""
    member = gold_since_may()
    renewed = member.buys(local("2027-05-20 09:00"), 600.00)
    assert tier_changes(renewed) == [("gold", "gold", RENEWED, "p3")]
    assert member.participant.history[-1].since == local("2026-05-10 00:00")
    assert member.participant.history[-1].until == local("2028-05-20 00:00")


def test_T3_a_period_that_ends_with_enough_spend_is_renewed_from_its_end() -> None:
    """1000 within the last twelve months on 10 May 2027: no grace is needed."""
    member = gold_since_may()
    member.buys(local("2026-12-01 12:00"), 700.00)
    assert member.waits(local("2027-05-10 00:00")) == (
        ("gold", local("2026-05-10 00:00"), local("2028-05-10 00:00"), RENEWED),
    )


def test_T4_a_return_that_undoes_a_level_reassesses() -> None:
    """1010 becomes 990 the day after: silver, naming the return; what was earned as gold stays."""
    member = member_of(LEVELS)
    member.buys(local("2026-05-10 18:00"), 990.00, 20.00)
    as_gold = member.buys(local("2026-05-10 19:00"), 10.00)
    assert earned(as_gold) == 150
    decided = member.returns(local("2026-05-11 18:00"), "p2", {1: (0, 0)})
    assert taken(decided) == 150
    assert tier_changes(decided) == []
    decided = member.returns(local("2026-05-11 19:00"), "p1", {2: (0, 0)})
    assert tier_changes(decided) == [("gold", "silver", RETURNED, decided.decision.cause_id)]
    assert taken(decided) == 0
    assert member.participant.history[-1].until == local("2027-05-11 00:00")


def test_T4_keep_keeps_to_the_end_of_the_period() -> None:
    """`on_return: keep`: gold stays."""
    member = levels(on_return="keep")
    member.buys(local("2026-05-10 18:00"), 990.00, 20.00)
    assert tier_changes(member.returns(local("2026-05-11 18:00"), "p1", {2: (0, 0)})) == []
    assert member.tier == "gold"


def test_T4_a_return_falls_back_to_the_tier_that_would_still_run() -> None:
    """Silver since March, gold in May by one purchase that comes back: silver to next March, as if it had not been."""
    member = member_of(LEVELS)
    member.buys(local("2026-03-01 12:00"), 500.00)
    member.buys(local("2026-05-10 12:00"), 600.00)
    decided = member.returns(local("2026-05-11 12:00"), "p2", {1: (0, 0)})
    assert tier_changes(decided) == [("gold", "silver", RETURNED, decided.decision.cause_id)]
    assert member.participant.history[-1].since == local("2026-03-01 00:00")
    assert member.participant.history[-1].until == local("2027-03-01 00:00")


def test_T4_a_return_changes_no_tier_that_was_reached_again_later() -> None:
    """Silver in May by what comes back, in July without it as well, though by now the window holds less: it stays.

    When what it was reached by in July comes back as well, it is lost.
    """
    member = member_of(LEVELS)
    member.buys(local("2026-01-10 12:00"), 50.00)
    member.buys(local("2026-05-10 12:00"), 440.00, 10.00)
    member.buys(local("2026-06-10 12:00"), 5.00)
    member.buys(local("2026-07-10 12:00"), 8.00)
    assert member.tier == "silver"
    until = member.participant.history[-1].until
    assert tier_changes(member.returns(local("2027-01-12 12:00"), "p2", {2: (0, 0)})) == []
    assert (member.tier, member.participant.history[-1].until) == ("silver", until)
    decided = member.returns(local("2027-01-13 12:00"), "p4", {1: (0, 0)})
    assert tier_changes(decided) == [("silver", "bronze", RETURNED, decided.decision.cause_id)]


def test_T4_a_return_of_something_else_changes_no_tier() -> None:
    """What the tier was not reached by may come back: the tier lasts to the end of its period."""
    member = gold_since_may()
    assert tier_changes(member.returns(local("2027-05-01 12:00"), "p2", {1: (0, 0)})) == []
    assert member.tier == "gold"


def test_T5b_a_late_purchase_lifts_from_the_latest_on_and_is_priced_by_its_own_time() -> None:
    """460, three of 10 as bronze, then a late 50: silver from the latest; the late one earns 2.50, the three stay."""
    member = member_of(LEVELS)
    member.buys(local("2026-03-01 12:00"), 460.00)
    three = [member.buys(local(f"2026-04-0{day} 12:00"), 10.00) for day in (1, 2, 3)]
    late = member.buys(local("2026-03-15 12:00"), 50.00)
    assert [earned(one) for one in three] == [50, 50, 50]
    assert earned(late) == 250
    assert tier_changes(late) == [("bronze", "silver", "tier_reached", "p5")]
    assert member.participant.history[-1].effective_at == local("2026-04-03 12:00")
    assert earned(member.buys(local("2026-04-02 18:00"), 10.00)) == 50
    assert earned(member.buys(local("2026-04-03 12:00"), 10.00)) == 100


def test_T5_a_late_purchase_before_a_turn_of_the_year_still_lifts() -> None:
    """By calendar year: 490 in December, a late 20 of December found in January reaches silver as it would have."""
    member = levels(window=None, calendar_year=True)
    member.buys(local("2026-12-10 12:00"), 490.00)
    member.buys(local("2027-01-03 12:00"), 10.00)
    late = member.buys(local("2026-12-30 12:00"), 20.00)
    assert tier_changes(late) == [("bronze", "silver", "tier_reached", "p3")]


def test_T5_a_late_purchase_lifts_only_to_what_it_makes_the_difference_for() -> None:
    """Gold long ago and lost since: a late purchase of the time when it was gold does not bring gold back."""
    member = gold_since_may()
    member.waits(local("2028-01-01 00:00"))
    member.buys(local("2028-01-02 12:00"), 10.00)
    assert tier_changes(member.buys(local("2026-06-01 12:00"), 10.00)) == []
    assert member.tier == "silver"


def test_T5_a_late_purchase_may_renew_a_tier_within_its_grace() -> None:
    """In the grace, a purchase comes that was made before the end of the period: gold is renewed."""
    member = gold_since_may()
    member.buys(local("2027-05-20 12:00"), 10.00)
    late = member.buys(local("2027-05-01 12:00"), 595.00)
    assert tier_changes(late) == [("gold", "gold", RENEWED, "p4")]


def test_T6_the_standing_says_what_is_missing() -> None:
    """Tier, since, until, what counts, and how far the next one is."""
    member = member_of(LEVELS)
    standing = member.buys(local("2026-03-01 10:00"), 460.00).decision.facts["standing"]
    assert standing == {
        "tier": "bronze", "since": local("2026-03-01 00:00"), "until": local("2027-03-01 00:00"),
        "qualifying": money(460), "next_tier": "silver", "missing": money(40),
    }  # fmt: skip


def test_T7_a_tier_given_by_hand_lasts_to_its_date_and_is_then_reassessed() -> None:
    """Gold until 1 September, whatever is bought; then what the sum reaches, without grace."""
    member = member_of(LEVELS)
    member.buys(local("2026-03-01 10:00"), 120.00)
    given = TierPeriod("gold", local("2026-04-01 00:00"), local("2026-04-01 00:00"), local("2026-09-01 00:00"), GIVEN)
    member.participant = replace(member.participant, history=(*member.participant.history, given))
    assert earned(member.buys(local("2026-08-31 23:59"), 10.00)) == 150
    assert member.waits(local("2026-09-01 00:00")) == (
        ("bronze", local("2026-09-01 00:00"), local("2027-09-01 00:00"), LOWERED),
    )


def test_the_lowest_level_may_need_nothing() -> None:
    """A level from 0 is everybody's from the day of joining."""
    terms = replace(THREE_LEVELS, levels=(Level("basic", 0), *THREE_LEVELS.levels))
    member = member_of(programme_of(BY_LEVEL, tiers=terms))
    assert tier_changes(member.enrolled) == [(None, "basic", "tier_reached", str(member.participant.member_id))]


def test_tiers_by_visits_and_by_points() -> None:
    """Levels may be reached by visits or by points: each counts in its own unit."""
    twice = Tiers((Level("regular", 2),), by="visits", window=Duration(30, "days"))
    member = member_of(programme_of(percent(5), tiers=twice))
    member.buys(local("2026-03-01 10:00"), 1.00)
    assert tier_changes(member.buys(local("2026-03-05 10:00"), 1.00)) == [(None, "regular", "tier_reached", "p2")]
    by_points = Tiers((Level("star", 500),), by="points", currency="points", window=Duration(30, "days"))
    member = member_of(programme_of(percent(5), tiers=by_points))
    assert tier_changes(member.buys(local("2026-03-01 10:00"), 100.00)) == [(None, "star", "tier_reached", "p1")]


def test_a_later_version_with_other_levels_counts_from_its_start() -> None:
    """The version in force at the purchase decides: lower levels lift with the next purchase, not before."""
    easier = replace(THREE_LEVELS, levels=(Level("bronze", money(10)), Level("silver", money(50))))
    second = programme_of(BY_LEVEL, tiers=easier, version=2, starts_at=local("2026-04-01 00:00"))
    member = member_of(LEVELS, second)
    assert tier_changes(member.buys(local("2026-03-31 23:59"), 60.00)) == []
    assert tier_changes(member.buys(local("2026-04-01 00:00"), 1.00)) == [(None, "silver", "tier_reached", "p2")]


def test_another_window_is_summed_from_what_was_recorded() -> None:
    """A version that looks back 30 days instead of twelve months finds the purchases of those days."""
    shorter = replace(THREE_LEVELS, window=Duration(30, "days"))
    second = programme_of(BY_LEVEL, tiers=shorter, version=2, starts_at=local("2026-04-01 00:00"))
    member = Member(PublishedProgramme("club", (LEVELS, second)), START)
    member.buys(local("2026-02-01 12:00"), 90.00)
    member.buys(local("2026-03-20 12:00"), 5.00)
    standing = member.buys(local("2026-04-01 12:00"), 4.00).decision.facts["standing"]
    assert isinstance(standing, dict)
    assert standing["qualifying"] == money(9)


def test_currencies_do_not_matter_to_spend() -> None:
    """Spend counts money even where points have no worth."""
    member = member_of(programme_of(tiers=THREE_LEVELS, currencies=(Currency("stamp", worth=0),)))
    assert tier_changes(member.buys(local("2026-03-01 12:00"), 100.00)) == [(None, "bronze", "tier_reached", "p1")]
