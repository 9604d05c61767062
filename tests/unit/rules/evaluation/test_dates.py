"""When points begin to count and when they lapse: on the calendar of the programme's zone, across clock changes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.rules.domain.evaluation import Facts, evaluate
from services.rules.domain.moments import later, zone_of
from services.rules.domain.programme import Duration, in_force
from tests.unit.rules.evaluation.shop import FIVE_PERCENT, HEAD, TWO_DECIMALS, basket, earns, local, programme


def dates(terms: str, at: str) -> tuple[datetime | None, datetime | None]:
    """When the points of a purchase begin to count and when they lapse."""
    text = HEAD + f"currencies: {{points: {{scale: 2, {terms}}}}}\nearn: [{{rule: cashback, give: 5 %}}]\n"
    [award] = earns(text, basket("100.00", at=local(at))).awards
    return award.activates_at, award.expires_at


@pytest.mark.parametrize(
    ("terms", "begins"),
    [
        ("scale: 2", None),
        ("activates: 14 days", "2026-03-15 18:00"),
        ("activates: {after: 14 days, at: end_of_day}", "2026-03-16 00:00"),
        ("activates: {at: end_of_month}", "2026-04-01 00:00"),
        ("activates: {day: 05-01}", "2026-05-01 00:00"),
        ("activates: {day: 2027-01-01}", "2027-01-01 00:00"),
        ("activates: {day: 2026-01-01}", None),
        ("activates: 90 minutes", "2026-03-01 19:30"),
        ("activates: 0 days", None),
    ],
)
def test_L3_points_begin_to_count_when_the_currency_says(terms: str, begins: str | None) -> None:
    """Earned on 1 March at 18:00: to the second after days, at midnight where a day's end is named."""
    written = terms if terms != "scale: 2" else "worth: 1"
    found, _ = dates(written, "2026-03-01 18:00")
    assert found == (local(begins) if begins else None)


@pytest.mark.parametrize(
    ("terms", "at", "ends"),
    [
        ("expires: never", "2026-03-01 18:00", None),
        ("expires: {inactive: 12 months}", "2026-03-01 18:00", None),
        ("expires: 6 months", "2026-03-01 18:00", "2026-09-02 00:00"),
        ("expires: {after: 12 months, at: end_of_month}", "2028-02-29 12:00", "2029-03-01 00:00"),
        ("expires: {after: 1 month}", "2026-01-31 23:59:59", "2026-03-01 00:00"),
        ("expires: {at: end_of_week}", "2026-03-04 10:00", "2026-03-09 00:00"),
        ("expires: {at: end_of_quarter}", "2026-03-31 23:59", "2026-04-01 00:00"),
        ("expires: {after: 1 year, at: end_of_year}", "2026-03-01 18:00", "2028-01-01 00:00"),
        ("expires: {day: 12-31}", "2026-12-31 23:59", "2027-01-01 00:00"),
        ("expires: {after: 1 day, day: 12-31}", "2026-12-31 23:59", "2028-01-01 00:00"),
        ("expires: {day: 02-29}", "2026-01-10 10:00", "2026-03-01 00:00"),
        ("expires: {day: 2027-12-31}", "2026-01-10 10:00", "2028-01-01 00:00"),
        ("expires: 48 hours", "2026-03-01 18:00", "2026-03-03 18:00"),
        ("expires: {after: 48 hours, at: end_of_day}", "2026-03-01 18:00", "2026-03-04 00:00"),
    ],
)
def test_L4_the_last_day_counts_whole(terms: str, at: str, ends: str | None) -> None:
    """Counted from the purchase; what lapses after days lapses at the midnight that ends the last of them."""
    _, found = dates(terms, at)
    assert found == (local(ends) if ends else None)


@pytest.mark.parametrize(
    ("bought", "ends"),
    [("2026-03-21 12:00", "2026-03-28T23:00+00:00"), ("2026-03-22 12:00", "2026-03-29T22:00+00:00")],
)
def test_L5_midnight_is_that_of_the_zone_across_the_clock_change(bought: str, ends: str) -> None:
    """The clocks go forward on 29 March 2026: its midnight is 23:00 UTC, the next one 22:00 UTC."""
    _, found = dates("expires: 7 days", bought)
    assert found == datetime.fromisoformat(ends)


def test_L3_days_later_is_the_same_time_of_day_across_the_clock_change() -> None:
    """Fourteen days over the change are an hour shorter; a time that is skipped moves on by that hour."""
    assert dates("activates: 14 days", "2026-03-20 18:00")[0] == local("2026-04-03 18:00")
    assert dates("activates: 1 day", "2026-03-28 02:30")[0] == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_L3_windows_look_back_on_the_same_calendar() -> None:
    """Three months before 31 May is the last of February."""
    assert later(local("2026-05-31 12:00"), Duration(-3, "months"), zone_of("Europe/Warsaw")) == local(
        "2026-02-28 12:00"
    )


def test_L4_a_rule_may_have_dates_of_its_own() -> None:
    """Express points: the campaign's share stands in a lot of its own, rounded alone, that lapses in a week."""
    text = (
        HEAD
        + """
currencies: {points: {scale: 2, activates: 14 days, expires: 1 year}}
earn:
  - {rule: cashback, give: 5 %}
  - {rule: express, give: 10 %, activates: at_once, expires: 7 days}
"""
    )
    found = earns(text, basket("100.00"))
    assert [(award.rule, award.points, award.expires_at) for award in found.awards] == [
        (None, 5_00, local("2027-03-06 00:00")),
        ("express", 10_00, local("2026-03-13 00:00")),
    ]
    assert [award.activates_at for award in found.awards] == [local("2026-03-19 12:00"), None]


def test_E16_the_version_in_force_at_the_purchase_judges_it() -> None:
    """5 % until 1 March 00:00, 10 % from then; one second before midnight is the old version's, whenever it arrives."""
    old = replace(programme(FIVE_PERCENT), version=1, starts_at=local("2026-01-01 00:00"))
    new = replace(
        programme(TWO_DECIMALS + "earn: [{rule: cashback, give: 10 %}]\n"),
        version=2,
        starts_at=local("2026-03-01 00:00"),
    )
    judged = []
    for at in ("2025-12-31 23:59:59", "2026-02-28 23:59:59", "2026-03-01 00:00:00"):
        version = in_force([new, old], local(at))
        judged.append(
            version and (version.version, evaluate(version, basket("100.00", at=local(at)), Facts()).points("points"))
        )
    assert judged == [None, (1, 5_00), (2, 10_00)]
