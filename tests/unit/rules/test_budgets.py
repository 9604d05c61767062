"""Budgets: what a campaign grants, and what an account makes of it, whatever comes first."""

from dataclasses import replace
from datetime import date

import pytest

from contracts.ids import derive
from services.rules.domain.budgets import Asked, asks_left, campaign_of, given_back, grant, still_counted

ASK = Asked(
    derive("ask", "one"), "gift", "", "points", 150,
    {"gift:points:month:2026-03": 150, "gift:times:day:2026-03-05": 1, "gift:once:member:": 1},
)  # fmt: skip


@pytest.mark.parametrize(
    ("partial", "asked", "granted"),
    [(True, [150, 80, 10], [100, 0, 0]), (False, [150, 80, 30, 20], [0, 80, 0, 20])],
)
def test_E11_the_last_of_a_budget_is_given_as_the_programme_says(
    partial: bool, asked: list[int], granted: list[int]
) -> None:
    """Of 1000 are 900 spent: 150 gets the rest, or is refused and the next that fits is paid."""
    spent, given = 900, []
    for points in asked:
        given.append(grant(asked=points, total=1000, granted_before=spent, partial=partial))
        spent += given[-1]
    assert given == granted


def test_a_budget_that_was_made_smaller_grants_nothing_more() -> None:
    """What was granted under a larger budget stays; it makes none that is below zero."""
    assert grant(asked=10, total=500, granted_before=900, partial=True) == 0


def test_what_is_not_granted_gives_its_caps_back() -> None:
    """Of a part the points that are missing; a time was used. Of nothing all of it."""
    assert given_back(ASK, 100) == {"gift:points:month:2026-03": 50}
    assert given_back(ASK, 0) == dict(ASK.increments)
    assert still_counted(replace(ASK, granted=100)) == {
        "gift:points:month:2026-03": 100, "gift:times:day:2026-03-05": 1, "gift:once:member:": 1,
    }  # fmt: skip


@pytest.mark.parametrize("granted_first", [True, False])
def test_a_return_before_the_answer_ends_like_one_after_it(granted_first: bool) -> None:
    """Granted 100 of 150, then half comes back: of what was granted, what the rest is not worth goes back."""
    ask = replace(ASK, granted=100) if granted_first else ASK
    [(left, taken)] = asks_left([ask], {("gift", ""): 75})
    left = left if granted_first else replace(left, granted=100)
    taken += left.due_back
    assert (taken, replace(left, taken=taken).due_back) == (25, 0)
    [(gone, rest)] = asks_left([replace(left, taken=taken)], {})
    assert (rest, gone.due_back) == (75, 0)


def test_a_rest_that_would_ask_for_more_takes_and_gives_nothing() -> None:
    """A cheaper line is gone and a better rule is left: nothing is reversed, and later nothing is given."""
    [(left, taken)] = asks_left([replace(ASK, granted=100)], {("gift", ""): 400})
    assert (left.remains, taken) == (150, 0)


def test_campaigns_of_one_rule_are_told_apart_by_the_day_they_begin() -> None:
    """Black Friday of next year has a budget of its own; names stay within what a code may be."""
    assert campaign_of("gift", None) == "gift"
    assert campaign_of("gift", date(2026, 11, 27)) == "gift.2026-11-27"
    long_names = {campaign_of("r" * 64, date(2026, 11, day)) for day in (27, 28)}
    assert [len(name) for name in long_names] == [32, 32]
