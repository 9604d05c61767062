"""What changes from one version to another: nothing of the file changes without a word."""

from functools import lru_cache

import pytest

from services.rules.programme_file import compile_programme
from services.rules.programmes.differences import Change, differences, in_words
from services.runtime.http.languages import LANGUAGES

FILE = """
programme: club
name: {pl: Klub, en: Club}
zone: Europe/Warsaw
money: PLN
base: gross
counts_points_paid: no
currencies:
  points: {scale: 2, worth: 1.00, rounding: half_up, round_by: basket, activates: 14 days, expires: {after: 6 months}}
  stamps: {scale: 0, worth: 0, expires: {inactive: 12 months}}
inactivity_notice: 30 days
on_enrolment: 300 points
card_categories: [gold, silver]
segments: {loyal: "member.purchases > 5"}
partners: {cinema: {give: 2 %, stores: [screen-1]}}
exclude: {earn: "line.category == 'tobacco'", redeem: "line.category == 'wine'", payments: gift-card}
tiers:
  {by: spend, window: 12 months, applies_from: next_purchase, keep_for: 12 months, grace: 30 days, then: one_step,
   on_return: reassess, of: account, levels: [{tier: bronze, from: 100}]}
earn:
  - {rule: level, give: {bronze: 5 %}, priority: 1}
  - {rule: big, when: "purchase.total >= 500", give: 100 points, cap: {month: 1 time}, budget: {total: 1000 points}}
  - {rule: dairy, lines: "line.category == 'dairy'", give: x2, best_of: best, from: 2026-01-01, until: 2026-02-01}
  - {rule: bread, lines: "line.category == 'bread'", give: x3, best_of: best, stop: yes}
  - {rule: gift, give: 5 points, birthday: {before: 3 days, after: 3 days, on_file: 7 days}, expires: 30 days}
  - {rule: some, give: 1 %, audience: loyal, holdout: 10 %, card_categories: gold}
  - {rule: friend, give: 7 points, once_per: member, to: member.referred_by}
  - {rule: review, event: activity.review, give: 9 points, once_per: activity.product}
caps: {purchase: 500 points, day: 3 times}
redeem: {share_of_bill: 30 %, step: 10 points, at_least: 100 points, day: 2 times, hold: 15 minutes,
         confirm_above: 500 points, unbacked: negative}
returns: {spent: negative, restore_for: 7 days, frees_once: no}
members: {unknown_card: keep 30 days}
transfer: {month: 500 points}
debt: refuse
cashier: "level {member.tier}"
slip: thanks
words: {tobacco: {en: tobacco goods}}
"""

RULES = "level, big, dairy, bread, gift, some, friend"

compiled = lru_cache(compile_programme)

FOR_MEMBERS = [
    ("zone: Europe/Warsaw", "zone: Europe/Kyiv"), ("money: PLN", "money: EUR"), ("base: gross", "base: net"),
    ("counts_points_paid: no", "counts_points_paid: yes"), ("worth: 1.00", "worth: 0.50"),
    ("half_up", "floor"), ("round_by: basket", "round_by: line"), ("activates: 14 days", "activates: 7 days"),
    ("{after: 6 months}", "{after: 6 months, at: end_of_month}"), ("{inactive: 12 months}", "{inactive: 6 months}"),
    ("inactivity_notice: 30 days", "inactivity_notice: 14 days"), ("on_enrolment: 300", "on_enrolment: 200"),
    ("card_categories: [gold, silver]", "card_categories: [gold]"), ("member.purchases > 5", "member.purchases > 6"),
    ("give: 2 %", "give: 3 %"), ("'tobacco'", "'fuel'"), ("'wine'", "'beer'"),
    ("payments: gift-card", "payments: coin"),
    ("by: spend", "by: visits"), ("window: 12 months", "window: calendar_year"), ("next_purchase", "this_purchase"),
    ("keep_for: 12 months", "keep_for: 6 months"), ("grace: 30 days", "grace: 0 days"), ("one_step", "reassess"),
    ("on_return: reassess", "on_return: keep"), ("from: 100}", "from: 200}"), ("{bronze: 5 %}", "{bronze: 4 %}"),
    ("purchase.total >= 500", "purchase.total > 500"), ("100 points, cap", "90 points, cap"),
    ("month: 1 time}", "year: 1 time}"),
    ("total: 1000 points", "total: 2000 points"), ("'dairy'", "'milk'"), ("give: x2", "give: x4"),
    ("from: 2026-01-01", "from: 2026-01-02"), ("until: 2026-02-01", "until: 2026-02-02"), (", stop: yes", ""),
    ("best_of: best, stop", "best_of: other, stop"), ("before: 3 days", "before: 4 days"),
    ("after: 3 days", "after: 4 days"),
    ("on_file: 7 days", "on_file: 8 days"), ("expires: 30 days", "expires: 31 days"),
    ("holdout: 10 %", "holdout: 11 %"),
    ("holdout: 10 %, card_categories: gold", "holdout: 10 %"), ("once_per: member, to", "to"),
    (", to: member.referred_by", ""), ("activity.review", "activity.survey"), (", once_per: activity.product", ""),
    ("purchase: 500 points", "purchase: 400 points"), ("day: 3 times", "day: 2 times"), ("30 %, step", "50 %, step"),
    ("step: 10 points", "step: 20 points"), ("at_least: 100 points", "at_least: 50 points"),
    ("day: 2 times", "day: 4 times"),
    ("confirm_above: 500", "confirm_above: 400"), ("spent: negative", "spent: to_zero"),
    ("restore_for: 7", "restore_for: 8"),
    ("frees_once: no", "frees_once: yes"), ("keep 30 days", "enrol"), ("month: 500 points", "month: 400 points"),
    ("{en: tobacco goods}", "{en: smokes}"), (", audience: loyal", ""),
]  # fmt: skip
FOR_THE_SHOP = [
    ("{pl: Klub, en: Club}", "{pl: Klub, en: The Club}"), ("screen-1", "screen-2"), (", priority: 1", ""),
    ("{total: 1000 points}", "{total: 1000 points, last: all_or_nothing}"), ("of: account", "of: member"),
    ("hold: 15 minutes", "hold: 20 minutes"), ("unbacked: negative", "unbacked: refuse"),
    ("debt: refuse", "debt: allow"),
    ("level {member.tier}", "{member.tier}"), ("slip: thanks", "slip: thank you"),
    ('segments: {loyal: "member.purchases > 5"}', 'segments: {loyal: "member.purchases > 5", x: "member.spend > 5"}'),
    ("scale: 0", "scale: 1"),
    ("  - {rule: review, event: activity.review, give: 9 points, once_per: activity.product}\n", ""),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), FOR_MEMBERS)
def test_what_members_notice_is_told_to_them(before: str, after: str) -> None:
    """Every word of the file that concerns members changes a sentence of theirs, in every language."""
    assert before in FILE
    for language in LANGUAGES:
        found = differences(compiled(FILE), compiled(FILE.replace(before, after, 1)), language)
        # The word for tobacco is there in English alone.
        assert found.in_file, before
        assert found.for_members or (language != "en" and "smokes" in after), (before, language)


@pytest.mark.parametrize(("before", "after"), FOR_THE_SHOP)
def test_what_members_do_not_notice_is_told_to_the_shop(before: str, after: str) -> None:
    """Nothing of a file changes without a word, and members are not bothered with what is not theirs."""
    assert before in FILE
    found = differences(compiled(FILE), compiled(FILE.replace(before, after, 1)), "pl")
    assert found.in_file, before


def test_nothing_changes_where_nothing_was_changed() -> None:
    """A comment is no change."""
    found = differences(compiled(FILE), compiled(f"# a comment\n{FILE}"), "ru")
    assert (bool(found), list(in_words(found, "ru"))) == (False, ["Ничего не меняется."])


def test_a_change_is_told_with_both_sides() -> None:
    """What it was, what it is, what is new, what is gone; a rule whose sentence changed is not told twice."""
    new = (
        FILE.replace("give: 7 points", "give: 8 points")
        .replace("slip: thanks", "slip: bye")
        .replace("rule: review", "rule: opinion")
    )
    found = differences(compiled(FILE), compiled(new), "en")
    given = "For every purchase: {}\u00a0points for the member who invited you. Once only."
    assert found.for_members == (
        Change("rule:friend", given.format(7), given.format(8)),
        Change("rule:opinion", None, "For a review: 9\u00a0points. Once for each product."),
        Change("rule:review", "For a review: 9\u00a0points. Once for each product.", None),
    )
    assert found.in_file == (
        Change("order", *(f"on_enrolment, partner-cinema, {RULES}, {last}" for last in ("review", "opinion"))),
        Change("rules/friend/give", "7 points", "8 points"),
        Change("rules/opinion/give", None, "9 points"),
        Change("rules/opinion/event", None, "activity.review"),
        Change("rules/opinion/once_per", None, "activity.product"),
        Change("texts/slip", "{text: thanks}", "{text: bye}"),
        Change("rules/review/give", "9 points", None),
        Change("rules/review/event", "activity.review", None),
        Change("rules/review/once_per", "activity.product", None),
    )
