"""Segments from a member's own purchases: how often, how much, what, and for how long no more."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.rules.domain.bases import Payment
from services.rules.domain.gifts import CountedLines
from services.rules.domain.preference import CATEGORIES_MAX, favourite_of, spent_by_category
from services.rules.programme_file import compile_programme
from tests.unit.rules.evaluation.shop import basket, line
from tests.unit.rules.participant.members import earned, local, member_of

SEGMENTS = """
programme: club
zone: Europe/Warsaw
money: PLN
currencies: {points: {scale: 2}}
segments:
  new: "member.purchases < 2"
  regular: "member.purchases_in('60 days') >= 2"
  loyal: "member.spend_in('12 months') >= 500"
  leaving: "member.purchases >= 2 && member.days_since_purchase > 60"
  bakery: "member.favourite_category == 'bread'"
earn:
  - {rule: new, audience: new, give: 1 points}
  - {rule: regular, audience: regular, give: 10 points}
  - {rule: loyal, audience: loyal, give: 100 points}
  - {rule: leaving, audience: leaving, give: 1000 points}
  - {rule: bakery, audience: bakery, give: 10000 points}
"""


def test_members_are_told_by_frequency_amount_lapse_and_preference() -> None:
    """Each purchase is judged by what was bought before it: new, regular, loyal, leaving, and what they like."""
    version = replace(compile_programme(SEGMENTS), version=1, starts_at=datetime(2026, 1, 1, tzinfo=UTC))
    member = member_of(version)
    bought = [
        ("2026-02-01 12:00", {"milk": 100.0, "bread": 20.0}), ("2026-02-10 12:00", {"bread": 200.0}),
        ("2026-02-20 12:00", {"bread": 10.0, "milk": 300.0}), ("2026-03-01 12:00", {"milk": 5.0}),
        ("2026-06-01 12:00", {"milk": 5.0}),
    ]  # fmt: skip
    points = [earned(member.buys(local(at), *said.values(), categories=list(said))) // 100 for at, said in bought]
    assert points == [1, 1, 10 + 10000, 10 + 100, 100 + 1000]


def test_nothing_is_counted_for_a_programme_that_does_not_ask() -> None:
    """Counters cost: they are kept only where a condition reads them."""
    version = compile_programme(SEGMENTS.replace("favourite_category == 'bread'", "id == 'x'"))
    member = member_of(replace(version, version=1, starts_at=datetime(2026, 1, 1, tzinfo=UTC)))
    member.buys(local("2026-02-01 12:00"), 5.0, categories=["milk"])
    assert member.participant.counters == {}


@pytest.mark.parametrize(
    ("counters", "favourite"),
    [
        ({}, ""),
        ({"*:spent:member:milk": 5, "*:spent:member:bread": 7, "*:points:day:2026-01-01": 99}, "bread"),
        ({"*:spent:member:milk": 5, "*:spent:member:bread": 5}, "bread"),
        ({"*:spent:member:a:b": 1}, "a:b"),
    ],
)
def test_the_favourite_is_what_most_was_spent_on(counters: dict[str, int], favourite: str) -> None:
    """A tie goes to the first in the alphabet; other counters are no categories."""
    assert favourite_of(counters) == favourite


def test_categories_are_bounded() -> None:
    """A till that invents categories does not fill an account."""
    counters = {f"*:spent:member:{number}": 1 for number in range(CATEGORIES_MAX - 1)}
    lines = [line(1, "5.00", "x"), line(2, "6.00", "y"), line(3, "7.00", "0"), line(4, "8.00"), line(5, "-9.00", "x")]
    found = spent_by_category(CountedLines(list(enumerate(basket(*lines).lines)), Payment(None, None)), counters)
    assert found == {"*:spent:member:0": 70_000}
