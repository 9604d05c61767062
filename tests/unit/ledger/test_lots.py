"""Lots: which points are spent first, when they start and cease to count."""

from tests.unit.ledger.books import DAY, Books, accrue, adjust, grant, on, redeem


def three_lots() -> Books:
    """L1: A 100 until 1 March, B 50 until 1 February, C 70 for ever."""
    return Books().given(
        accrue("A", 100, expires_at=on("2026-03-01")),
        accrue("B", 50, expires_at=on("2026-02-01")),
        accrue("C", 70),
    )


def test_L1_the_soonest_expiring_points_are_spent_first() -> None:
    """A member loses as little as possible to expiry."""
    books = three_lots()
    assert books.when(redeem("r", 120)) == [
        ("points.redeemed", "B 50 available > redeemed", "A 70 available > redeemed")
    ]
    assert books.lots() == {"A": {"available": 30}, "C": {"available": 70}}
    assert books.passes(on("2026-03-01")) == [("points.expired", "A 30 available > expired")]
    assert books.has() == {"issued": 220, "available": 70, "redeemed": 120, "expired": 30}


def test_points_that_never_expire_are_spent_last_and_of_these_the_oldest_first() -> None:
    """Of lots with one date, the one earned first is spent first, also if it came later."""
    books = Books().given(
        accrue("never", 10),
        accrue("later", 10, expires_at=on("2026-05-01")),
        accrue("late but older", 10, expires_at=on("2026-05-01"), occurred=on("2026-01-01")),
    )
    assert books.when(redeem("r", 25)) == [
        (
            "points.redeemed",
            "late but older 10 available > redeemed",
            "later 10 available > redeemed",
            "never 5 available > redeemed",
        )
    ]


def test_L2_points_do_not_count_at_the_instant_at_which_they_expire() -> None:
    """The clock of the command decides, not whether a sweeper ran."""
    books = Books().given(accrue("A", 100, expires_at=on("2026-02-01")))
    books.at(on("2026-02-01"))
    assert books.when(redeem("r", 1)) == [("points.expired", "A 100 available > expired")]
    assert books.outcome is not None
    assert books.outcome.refusal is not None
    assert books.outcome.refusal.code == "insufficient_points"
    assert books.has() == {"issued": 100, "expired": 100}


def test_L2_points_count_until_the_last_instant_before() -> None:
    """The last second belongs to the member."""
    books = Books().given(accrue("A", 100, expires_at=on("2026-02-01")))
    books.at(on("2026-01-31 23:59:59"))
    assert books.when(redeem("r", 100)) == [("points.redeemed", "A 100 available > redeemed")]


def test_L3_pending_points_cannot_be_spent_before_their_instant() -> None:
    """Fourteen days are counted to the second; the refusal says what is pending."""
    books = Books().at(on("2026-03-01 18:00"))
    books.given(accrue("A", 40, occurred=on("2026-03-01 18:00"), activates_at=on("2026-03-15 18:00")))
    books.at(on("2026-03-15 17:59:59"))
    assert books.refuses(redeem("early", 40)) == (
        "insufficient_points",
        {"requested": "40", "available": "0", "pending": "40"},
    )
    books.at(on("2026-03-15 18:00:00"))
    assert books.when(redeem("in time", 40)) == [
        ("points.activated", "A 40 pending > available"),
        ("points.redeemed", "A 40 available > redeemed"),
    ]


def test_L3_activation_at_the_end_of_the_day() -> None:
    """An award that names midnight activates at midnight."""
    books = Books().at(on("2026-03-01 18:00"))
    books.given(accrue("A", 40, activates_at=on("2026-03-16")))
    assert books.passes(on("2026-03-15 23:59:59")) == []
    assert books.passes(on("2026-03-16")) == [("points.activated", "A 40 pending > available")]


def test_L4_a_lot_is_valid_through_the_day_before_its_instant() -> None:
    """Earned 29 February 2028 for twelve months to the end of the month: the whole of 28 February 2029."""
    books = Books().at(on("2028-02-29 10:00"))
    books.given(accrue("A", 40, expires_at=on("2029-03-01")))
    assert books.passes(on("2029-02-28 23:59:59")) == []
    assert books.passes(on("2029-03-01")) == [("points.expired", "A 40 available > expired")]


def test_L5_each_expiry_instant_is_an_event_of_its_own() -> None:
    """Midnights of Warsaw around the change of clocks are 23 hours apart, and each lot expires at its own."""
    books = Books().given(
        accrue("A", 40, expires_at=on("2026-03-28 23:00")), accrue("B", 10, expires_at=on("2026-03-29 22:00"))
    )
    assert books.passes(on("2026-04-15")) == [
        ("points.expired", "A 40 available > expired"),
        ("points.expired", "B 10 available > expired"),
    ]
    assert books.outcome is not None
    assert [each.event.effective_at for each in books.outcome.recorded] == [
        on("2026-03-28 23:00"),
        on("2026-03-29 22:00"),
    ]


def test_L5_lots_of_one_instant_expire_in_one_event() -> None:
    """A month's lots that end together are told together."""
    end = on("2026-04-01")
    books = Books().given(accrue("A", 40, expires_at=end), accrue("B", 10, expires_at=end))
    assert books.passes(end) == [("points.expired", "A 40 available > expired", "B 10 available > expired")]


def test_a_late_purchase_goes_through_all_its_dates_at_once() -> None:
    """Activation and expiry that lie in the past count at their dates, and are known from the booking."""
    books = Books().at(on("2026-06-01"))
    assert books.when(
        accrue("A", 40, occurred=on("2026-01-01"), activates_at=on("2026-01-15"), expires_at=on("2026-05-01"))
    ) == [
        ("account.opened",),
        ("points.accrued", "A 40 issued > pending"),
        ("points.activated", "A 40 pending > available"),
        ("points.expired", "A 40 available > expired"),
    ]
    assert books.outcome is not None
    assert [(each.event.effective_at, each.event.known_at) for each in books.outcome.recorded] == [
        (on("2026-01-01"), on("2026-06-01")),
        (on("2026-01-01"), on("2026-06-01")),
        (on("2026-01-15"), on("2026-06-01")),
        (on("2026-05-01"), on("2026-06-01")),
    ]


def test_a_late_sweeper_changes_no_past_answer() -> None:
    """What was booked in time is known from its own instant, however late it is found."""
    books = Books().given(accrue("A", 40, activates_at=on("2026-02-01"), expires_at=on("2026-03-01")))
    books.passes(on("2026-05-01"))
    assert books.outcome is not None
    assert [(each.event.effective_at, each.event.known_at) for each in books.outcome.recorded] == [
        (on("2026-02-01"), on("2026-02-01")),
        (on("2026-03-01"), on("2026-03-01")),
    ]


def test_points_that_expire_before_they_activate_expire_while_pending() -> None:
    """A date is a date: pending points do not outlive it."""
    books = Books().given(accrue("A", 40, activates_at=on("2026-03-15"), expires_at=on("2026-03-01")))
    assert books.passes(on("2026-04-01")) == [("points.expired", "A 40 pending > expired")]


def test_an_accrual_of_several_currencies_opens_a_lot_for_each() -> None:
    """Points and stamps are kept apart, each in its own scale; a grant of zero opens nothing."""
    books = Books()
    both = accrue("A", grants=[grant(40), grant(0), grant(3, currency="stamp")])
    assert books.when(both) == [
        ("account.opened",),
        ("points.accrued", "A 40 issued > available", "A.2 3 issued > available"),
    ]
    assert (books.has(), books.has(currency="stamp")) == (
        {"issued": 40, "available": 40},
        {"issued": 3, "available": 3},
    )


def test_an_accrual_in_another_scale_is_refused() -> None:
    """A currency does not change its decimals, neither over time nor within one award."""
    books = Books().given(accrue("A", 40))
    assert books.refuses(accrue("B", grants=[grant(40, scale=2)])) == (
        "scale_differs",
        {"currency": "points", "scale": "0", "given": "2"},
    )
    mixed = accrue("C", grants=[grant(1, currency="stamp"), grant(1, currency="stamp", scale=2)])
    assert books.refuses(mixed)[0] == "scale_differs"


def test_more_points_than_the_books_can_carry_are_refused() -> None:
    """Sums stay below 2^62, so that every column holds them."""
    books = Books().given(accrue("A", 2**61))
    assert books.refuses(accrue("B", 2**61 + 1)) == ("amount_too_large", {"most": str(2**62)})
    assert books.refuses(adjust("C", 2**61 + 1))[0] == "amount_too_large"
    assert books.refuses(redeem("D", 2**62 + 1))[0] == "amount_too_large"
    books.given(accrue("E", 2**61))
    assert books.has() == {"issued": 2**62, "available": 2**62}


def test_a_thousand_lots_of_one_instant_expire_in_parts() -> None:
    """An event carries at most 500 movements; more become numbered parts under one cause."""
    end = on("2026-04-01")
    books = Books()
    for number in range(24):
        books.given(accrue(f"A{number}", grants=[grant(1, expires_at=end)] * 50))
    books.passes(end + DAY)
    assert books.outcome is not None
    events = [each.event for each in books.outcome.recorded]
    assert [(event.part, len(event.movements)) for event in events] == [(0, 500), (1, 500), (2, 200)]
    assert len({event.command_id for event in events}) == 1
    assert books.has() == {"issued": 1200, "expired": 1200}
