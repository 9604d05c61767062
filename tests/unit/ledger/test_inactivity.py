"""Points that lapse when a member neither earns nor spends for long (L13)."""

from datetime import datetime

import pytest

from contracts.awards import Inactivity
from services.ledger.domain.events import ExpiryAnnounced
from services.ledger.domain.inactivity import deadlines
from tests.unit.ledger.books import Books, accrue, adjust, capture, hold, on, pay, redeem, release, reverse, undo

YEAR = Inactivity(months=12, notice_days=30, zone="UTC")


def quiet_since_may() -> Books:
    """Earned 10 May 2026, all points lapse after 12 months with no accrual or redemption."""
    books = Books().at(on("2026-05-10 15:00"))
    return books.given(accrue("A", 100, occurred=on("2026-05-10 15:00"), inactivity=YEAR))


def test_L13_points_lapse_after_a_year_of_silence() -> None:
    """Notice 10 April 2027, once; expiry 11 May 2027 00:00."""
    books = quiet_since_may()
    assert books.passes(on("2027-04-09 23:59:59")) == []
    assert books.passes(on("2027-04-10")) == [("expiry.announced",)]
    assert books.outcome is not None
    announced = books.outcome.recorded[0].event
    assert isinstance(announced, ExpiryAnnounced)
    assert (announced.points, announced.lapses_at) == (100, on("2027-05-11"))
    assert books.passes(on("2027-05-10 23:59:59")) == []
    assert books.passes(on("2027-05-11")) == [("points.expired", "A 100 available > expired")]
    assert books.passes(on("2028-01-01")) == []
    assert books.has() == {"issued": 100, "expired": 100}


def test_L13_an_accrual_moves_both_dates() -> None:
    """Another purchase on 1 April 2027: notice and expiry a year later."""
    books = quiet_since_may().at(on("2027-04-01 09:00"))
    books.given(accrue("B", 10, occurred=on("2027-04-01 09:00"), inactivity=YEAR))
    assert books.passes(on("2028-03-01")) == []
    assert books.passes(on("2028-04-02")) == [
        ("expiry.announced",),
        ("points.expired", "A 100 available > expired", "B 10 available > expired"),
    ]
    assert books.outcome is not None
    assert [each.event.effective_at for each in books.outcome.recorded] == [on("2028-03-02"), on("2028-04-02")]


def test_L13_a_redemption_moves_both_dates() -> None:
    """Spent at once, by a hold, or by a purchase: the member is there."""
    for spending in (
        [redeem("r", 10)],
        [hold("h", 10), capture("c", "h")],
        [pay("p", 10)],
    ):
        books = quiet_since_may().at(on("2027-05-10 12:00"))
        books.given(*spending)
        assert books.passes(on("2028-05-10 23:59:59"))[-1] == ("expiry.announced",)
        assert books.passes(on("2028-05-11"))[-1] == ("points.expired", "A 90 available > expired")


def test_L13_after_the_notice_activity_asks_for_a_new_one() -> None:
    """Each silence is announced for itself."""
    books = quiet_since_may()
    books.passes(on("2027-04-20"))
    books.given(redeem("r", 1))
    assert books.passes(on("2028-03-21")) == [("expiry.announced",)]


def test_L13_nothing_else_counts_as_activity() -> None:
    """Neither an operator's adjustment, nor a hold that comes to nothing, nor points given back."""
    books = quiet_since_may().given(redeem("r", 10)).at(on("2027-05-10 12:00"))
    books.given(adjust("j", 5), hold("h", 10), release("x", "h"), undo("u", "r"))
    assert books.passes(on("2027-05-11")) == [
        ("points.expired", "A 100 available > expired", "j 5 available > expired")
    ]


def test_L13_an_older_purchase_that_arrives_late_moves_nothing_back() -> None:
    """Activity is the latest there was."""
    books = quiet_since_may().given(accrue("B", 10, occurred=on("2026-03-01"), inactivity=YEAR))
    assert books.passes(on("2027-05-10 23:59:59")) == [("expiry.announced",)]


def test_L13_a_purchase_that_arrives_after_its_own_silence_counts_from_its_booking() -> None:
    """Bought in January 2026, booked in June 2027: the member has a year from June, and nothing else is taken."""
    books = (
        Books()
        .at(on("2027-06-01 10:00"))
        .given(accrue("old", 5), accrue("A", 100, occurred=on("2026-01-10"), inactivity=YEAR))
    )
    assert books.passes(on("2028-06-01 23:59:59")) == [("expiry.announced",)]
    assert books.passes(on("2028-06-02")) == [
        ("points.expired", "old 5 available > expired", "A 100 available > expired")
    ]


def test_L13_held_points_lapse_when_they_are_released() -> None:
    """What is on hold at the lapse is sheltered, and expires on release."""
    books = quiet_since_may().at(on("2027-05-10 23:55")).given(hold("h", 40))
    assert books.passes(on("2027-05-11")) == [("points.expired", "A 60 available > expired")]
    assert books.when(release("r", "h")) == [
        ("hold.released", "A 40 held > available"),
        ("points.expired", "A 40 available > expired"),
    ]


def test_L13_found_late_notice_and_lapse_count_at_their_dates() -> None:
    """A sweeper after a standstill writes what it would have written in time."""
    books = quiet_since_may()
    assert books.passes(on("2027-09-01")) == [
        ("expiry.announced",),
        ("points.expired", "A 100 available > expired"),
    ]
    assert books.outcome is not None
    assert [each.event.effective_at for each in books.outcome.recorded] == [on("2027-04-10"), on("2027-05-11")]


def test_L13_a_hold_that_timed_out_before_shelters_nothing_however_late_both_are_found() -> None:
    """A sweeper after a standstill writes the very events that one in time would have written."""
    instants = [on("2027-05-01 00:00"), on("2027-05-11"), on("2027-06-01")]
    told = []
    for passed in (instants, instants[-1:]):
        books = quiet_since_may().at(on("2027-04-20")).given(accrue("B", 7, occurred=on("2026-05-09")), hold("h", 40))
        events = []
        for instant in passed:
            books.passes(instant)
            assert books.outcome is not None
            events += [each.event for each in books.outcome.recorded]
        told.append(events)
    assert told[0] == told[1]
    assert [event.type for event in told[0]] == ["bonus.hold.timed-out.v1", "bonus.points.expired.v1"]
    assert [event.lots for event in told[0]] == [(), ()]


def test_L13_what_paid_a_debt_is_not_announced() -> None:
    """Notice and settlement found in one run: the notice names what is left."""
    books = quiet_since_may().given(
        accrue("B", 50, activates_at=on("2027-04-01"), occurred=on("2026-05-10 15:00")),
        redeem("r", 100), reverse("back", "A", 30, "negative"),
    )  # fmt: skip
    books.passes(on("2027-04-30"))
    assert books.outcome is not None
    announced = [each.event for each in books.outcome.recorded if isinstance(each.event, ExpiryAnnounced)]
    assert [each.points for each in announced] == [20]


@pytest.mark.parametrize(
    ("terms", "active", "lapses", "notice"),
    [
        (Inactivity(months=1, zone="UTC"), on("2026-01-31 10:00"), on("2026-03-01"), None),
        (Inactivity(days=90, zone="UTC"), on("2026-01-01"), on("2026-04-02"), None),
        (
            Inactivity(months=12, notice_days=30, zone="Europe/Warsaw"),
            on("2026-05-10 22:30"),
            on("2027-05-11 22:00"),
            on("2027-04-10 22:00"),
        ),
        (Inactivity(months=6, zone="Europe/Warsaw"), on("2025-12-10 12:00"), on("2026-06-10 22:00"), None),
    ],
)
def test_the_last_day_counts_whole_in_the_programmes_zone(
    terms: Inactivity, active: datetime, lapses: datetime, notice: datetime | None
) -> None:
    """Months clamp, and midnights follow the clocks of the zone."""
    assert deadlines(terms, active) == (lapses, notice)
