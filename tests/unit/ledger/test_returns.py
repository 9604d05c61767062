"""Returns: awards taken back under their terms, points spent on returned goods given back.

Rules say how much; the books how.
"""

from datetime import timedelta

import pytest

from contracts.awards import SpentPolicy
from tests.unit.ledger.books import (
    DAY,
    Books,
    accrue,
    capture,
    hold,
    named,
    on,
    pay,
    redeem,
    release,
    restore,
    reverse,
    undo,
)


def told_of(books: Books) -> object:
    """The last event as it was recorded."""
    assert books.outcome is not None
    return books.outcome.recorded[-1].event


def test_R1_the_parts_of_a_return_add_up_to_the_award() -> None:
    """40 earned: 20 back, then 20 back, and not a point more."""
    books = Books().given(accrue("A", 40))
    assert books.when(reverse("first", "A", 20)) == [("points.reversed", "A 20 available > reversed")]
    assert books.when(reverse("second", "A", 20)) == [("points.reversed", "A 20 available > reversed")]
    assert books.refuses(reverse("third", "A", 1)) == ("already_reversed", {})
    assert books.has() == {"issued": 40, "reversed": 40}


def test_R2_small_parts_take_what_rules_say() -> None:
    """0.50 earned in hundredths: 0.17, 0.16, 0.17 go back."""
    books = Books().given(accrue("A", 50))
    for label, points in (("first", 17), ("second", 16), ("third", 17)):
        assert books.when(reverse(label, "A", points)) == [("points.reversed", f"A {points} available > reversed")]
    assert books.has() == {"issued": 50, "reversed": 50}


def test_R3_a_lost_threshold_takes_more_than_the_line_earned() -> None:
    """127.50 earned, the basket falls below its threshold: 105.00 go back, 22.50 stay."""
    books = Books().given(accrue("A", 12_750))
    books.given(reverse("r", "A", 10_500))
    assert books.has() == {"issued": 12_750, "reversed": 10_500, "available": 2_250}


@pytest.mark.parametrize(
    ("policy", "after"),
    [
        ("pending_only", {"issued": 40, "redeemed": 30, "available": 10}),
        ("to_zero", {"issued": 40, "redeemed": 30, "reversed": 10}),
        ("negative", {"issued": 40, "redeemed": 30, "reversed": 40, "debt": 30}),
    ],
)
def test_R4_spent_points_follow_the_terms_of_the_award(policy: SpentPolicy, after: dict[str, int]) -> None:
    """Earned 40, spent 30, all returned: nothing, what is there, or debt."""
    books = Books().given(accrue("A", 40), redeem("spent", 30))
    books.given(reverse("r", "A", 40, policy))
    assert books.has() == after


@pytest.mark.parametrize(("policy", "available"), [("pending_only", 110), ("to_zero", 70), ("negative", 70)])
def test_R4b_other_lots_stand_in_for_what_was_spent(policy: SpentPolicy, available: int) -> None:
    """The same with another 100: they make up for the 30 that were spent."""
    books = Books().given(accrue("A", 40), redeem("spent", 30), accrue("B", 100))
    books.given(reverse("r", "A", 40, policy))
    assert books.has()["available"] == available
    assert "debt" not in books.has()


def test_R4_pending_points_are_taken_first_and_held_ones_not_at_all() -> None:
    """Own pending, own available, then others; what is on hold for a till stays there."""
    books = Books().given(
        accrue("held", 30, expires_at=on("2026-02-01")),
        hold("h", 30),
        accrue("other", 20, expires_at=on("2026-03-01")),
        accrue("A", 40, activates_at=on("2026-02-15")),
    )
    assert books.when(reverse("r", "A", 40, "to_zero")) == [("points.reversed", "A 40 pending > reversed")]
    assert books.has() == {"issued": 90, "reversed": 40, "available": 20, "held": 30}


def test_R4_held_points_of_the_accrual_itself_become_debt_instead() -> None:
    """Earned 40 and all of it on hold: the return leaves the hold alone and asks for the points later."""
    books = Books().given(accrue("A", 40), hold("h", 40))
    assert books.when(reverse("r", "A", 40)) == [("points.reversed", "- 40 debt > reversed")]
    assert books.when(release("free", "h")) == [
        ("hold.released", "A 40 held > available"),
        ("debt.settled", "A 40 available > debt"),
    ]
    assert books.has() == {"issued": 40, "reversed": 40}


def test_R5_a_debt_is_settled_by_the_next_accrual() -> None:
    """Debt 30, then 50 at once: 20 remain in one lot, and the statement shows the 30."""
    books = Books().given(accrue("A", 30), redeem("spent", 30), reverse("r", "A", 30))
    assert books.when(accrue("B", 50)) == [
        ("points.accrued", "B 50 issued > available"),
        ("debt.settled", "B 30 available > debt"),
    ]
    assert books.lots() == {"B": {"available": 20}}
    assert books.has() == {"issued": 80, "redeemed": 30, "reversed": 30, "available": 20}


def test_R5b_a_pending_accrual_settles_a_debt_when_it_activates() -> None:
    """Debt 30 beside 50 pending; on activation 20 are left; returned, the debt is back."""
    books = Books().given(accrue("A", 30), redeem("spent", 30), reverse("r", "A", 30))
    books.given(accrue("B", 50, activates_at=on("2026-01-29 12:00")))
    assert books.has() == {"issued": 80, "redeemed": 30, "reversed": 30, "pending": 50, "debt": 30}
    assert books.passes(on("2026-01-29 12:00")) == [
        ("points.activated", "B 50 pending > available"),
        ("debt.settled", "B 30 available > debt"),
    ]
    assert books.has() == {"issued": 80, "redeemed": 30, "reversed": 30, "available": 20}
    assert books.when(reverse("back", "B", 50)) == [
        ("points.reversed", "B 20 available > reversed", "- 30 debt > reversed")
    ]
    assert books.has() == {"issued": 80, "redeemed": 30, "reversed": 80, "debt": 30}


def test_R5b_a_settlement_found_late_counts_from_when_it_was_owed() -> None:
    """The sweeper is late: the debt is settled at the instant of activation, not when somebody looked."""
    books = Books().given(accrue("A", 30), redeem("spent", 30), reverse("r", "A", 30))
    books.given(accrue("B", 50, activates_at=on("2026-01-29 12:00")))
    books.passes(on("2026-03-01"))
    assert books.outcome is not None
    assert [each.event.effective_at for each in books.outcome.recorded] == [on("2026-01-29 12:00")] * 2


def test_R5b_a_late_purchase_settles_a_debt_no_earlier_than_it_was_owed() -> None:
    """Active since January, booked in March: it pays a debt of February from February on, not before."""
    books = Books().at(on("2026-02-10")).given(accrue("A", 30), redeem("spent", 30), reverse("r", "A", 30))
    books.at(on("2026-03-01"))
    books.when(accrue("B", 50, occurred=on("2026-01-01"), activates_at=on("2026-01-15")))
    assert books.outcome is not None
    assert [(each.event.type, each.event.effective_at, each.event.known_at) for each in books.outcome.recorded[1:]] == [
        ("bonus.points.activated.v1", on("2026-01-15"), on("2026-03-01")),
        ("bonus.debt.settled.v1", on("2026-02-10"), on("2026-03-01")),
    ]


def bought_with_two_lots() -> Books:
    """R6: 60 paid from X (40, until 1 June) and Y (20, until 1 July); it is 10 June 12:00."""
    books = Books().given(accrue("X", 40, expires_at=on("2026-06-01")), accrue("Y", 20, expires_at=on("2026-07-01")))
    return books.given(pay("p", 60)).at(on("2026-06-10 12:00"))


def test_R6_points_past_their_date_come_back_with_the_grace() -> None:
    """20 into Y, 40 back with seven days from the return."""
    books = bought_with_two_lots()
    back = restore("r", "p", 60, occurred=on("2026-06-10 12:00"), restore_for=7 * DAY)
    assert books.when(back) == [("points.restored", "Y 20 redeemed > available", "X 40 redeemed > available")]
    assert [(lot.expires_at, lot.available) for lot in books.account().lots.values()] == [
        (on("2026-06-17 12:00"), 40),
        (on("2026-07-01"), 20),
    ]
    assert books.passes(on("2026-06-17 12:00")) == [("points.expired", "X 40 available > expired")]


def test_R6_without_a_grace_they_come_back_and_expire_at_once() -> None:
    """Both are shown."""
    books = bought_with_two_lots()
    assert books.when(restore("r", "p", 60)) == [
        ("points.restored", "Y 20 redeemed > available", "X 40 redeemed > available"),
        ("points.expired", "X 40 available > expired"),
    ]
    assert books.has() == {"issued": 60, "available": 20, "expired": 40}
    assert books.outcome is not None
    assert [each.event.effective_at for each in books.outcome.recorded] == [on("2026-06-10 12:00")] * 2


def test_R6_a_grace_that_is_over_when_the_return_arrives_saves_nothing() -> None:
    """The grace counts from the return, so that arriving late changes nothing."""
    books = bought_with_two_lots()
    late = restore("r", "p", 60, occurred=on("2026-06-02"), restore_for=7 * DAY)
    assert books.when(late)[1:] == [("points.expired", "X 40 available > expired")]


def test_R7_a_partial_refund_fills_the_latest_expiring_lot_first() -> None:
    """Points worth 30: 20 into Y, 10 of X."""
    books = bought_with_two_lots().at(on("2026-05-01"))
    assert books.when(restore("r", "p", 30)) == [
        ("points.restored", "Y 20 redeemed > available", "X 10 redeemed > available")
    ]


def test_R8_a_reversal_before_its_accrual_waits_for_it() -> None:
    """Nothing happens until the purchase comes; then the balances are as if in order."""
    books = Books()
    early = reverse("r", "A", 20)
    assert books.when(early) == []
    assert books.outcome is not None
    assert books.outcome.waiting == named("A")
    books.given(accrue("A", 40), early)
    assert books.has() == {"issued": 40, "reversed": 20, "available": 20}


def test_R8_points_given_back_before_they_were_spent_wait_too() -> None:
    """The restoration names its redemption and waits for it."""
    books = Books().given(accrue("A", 40))
    assert books.when(restore("r", "p", 30)) == []
    assert books.outcome is not None
    assert books.outcome.waiting == named("p")
    books.given(pay("p", 30), restore("r", "p", 30))
    assert books.has() == {"issued": 40, "available": 40}


def test_R8_a_reversal_of_a_refused_accrual_does_not_wait_for_ever() -> None:
    """The accrual came and opened nothing: there is nothing to take."""
    books = Books().given(accrue("A", 40))
    assert books.refuses(accrue("B", grants=[accrue("x", 1).grants[0].model_copy(update={"scale": 2})]))
    assert books.refuses(reverse("r", "B", 40)) == ("nothing_to_reverse", {})


def test_R9_more_than_was_awarded_is_never_taken() -> None:
    """Rules refuse such returns; the books would take the award and stop."""
    books = Books().given(accrue("A", 40), accrue("B", 100))
    assert books.when(reverse("r", "A", 70)) == [("points.reversed", "A 40 available > reversed")]


def test_R10_points_that_expired_count_as_taken() -> None:
    """Earned 40, all expired: nothing to take, no debt, and the event says so."""
    books = Books().given(accrue("A", 40, expires_at=on("2026-02-01"))).at(on("2026-03-01"))
    assert books.when(reverse("r", "A", 40)) == [
        ("points.expired", "A 40 available > expired"),
        ("points.reversed",),
    ]
    assert getattr(told_of(books), "reason", None) == "already_expired"
    assert books.has() == {"issued": 40, "expired": 40}
    assert books.refuses(reverse("again", "A", 40))[0] == "already_reversed"


def test_R10b_only_what_was_spent_becomes_debt() -> None:
    """Earned 40, 30 spent, 10 expired: debt 30."""
    books = Books().given(accrue("A", 40, expires_at=on("2026-02-01")), redeem("spent", 30)).at(on("2026-03-01"))
    books.given(reverse("r", "A", 40))
    assert books.has() == {"issued": 40, "redeemed": 30, "expired": 10, "reversed": 30, "debt": 30}


def test_R10b_in_two_parts_the_expired_points_count_once() -> None:
    """The first 10 fall on what expired, the next 30 become debt."""
    books = Books().given(accrue("A", 40, expires_at=on("2026-02-01")), redeem("spent", 30)).at(on("2026-03-01"))
    books.given(reverse("first", "A", 10), reverse("second", "A", 30))
    assert books.has() == {"issued": 40, "redeemed": 30, "expired": 10, "reversed": 30, "debt": 30}


def test_R11_half_of_a_mixed_payment_gives_back_half_of_its_points() -> None:
    """60 points paid, 3.00 earned: 30 back and 1.50 taken, as rules say; or 0 back and 3.00 taken."""
    books = Books().given(accrue("A", 6_000), pay("p", 6_000), accrue("B", 300))
    books.given(restore("half", "p", 3_000), reverse("taken", "B", 150))
    assert books.has() == {"issued": 6_300, "redeemed": 3_000, "reversed": 150, "available": 3_150}
    card_only = Books().given(accrue("A", 6_000), pay("p", 6_000), accrue("B", 300), reverse("taken", "B", 300))
    assert card_only.has() == {"issued": 6_300, "redeemed": 6_000, "reversed": 300}


def test_R12_points_of_equal_lines_come_back_in_whole_points() -> None:
    """17, 16, 17 of 50, and no 51st."""
    books = Books().given(accrue("A", 50), pay("p", 50))
    for label, points in (("first", 17), ("second", 16), ("third", 17)):
        assert books.when(restore(label, "p", points)) == [("points.restored", f"A {points} redeemed > available")]
    assert books.refuses(restore("fourth", "p", 1)) == ("nothing_to_restore", {})


def test_points_that_went_into_debt_come_back_off_the_debt() -> None:
    """50 paid, 20 backed, 30 into debt; returned, the debt goes first and then the lot is refilled."""
    books = Books().given(accrue("A", 20), pay("p", 50, unbacked="negative"))
    assert books.has() == {"issued": 20, "redeemed": 50, "debt": 30}
    assert books.when(restore("some", "p", 40)) == [
        ("points.restored", "- 30 redeemed > debt", "A 10 redeemed > available")
    ]
    assert books.has() == {"issued": 20, "redeemed": 10, "available": 10}


def test_a_settled_debt_comes_back_as_points() -> None:
    """The debt was paid from later points: what is given back opens a lot of its own."""
    books = Books().given(accrue("A", 20), pay("p", 50, unbacked="negative"), accrue("B", 100))
    assert books.has() == {"issued": 120, "redeemed": 50, "available": 70}
    assert books.when(restore("r", "p", 50)) == [
        (
            "points.restored",
            "- 30 redeemed > adjusted",
            "r 30 adjusted > available",
            "A 20 redeemed > available",
        )
    ]
    assert books.has() == {"issued": 120, "available": 120}


def test_restored_points_settle_a_debt() -> None:
    """Whatever becomes available pays what is owed."""
    books = Books().given(accrue("A", 40), redeem("spent", 40), reverse("r", "A", 25))
    assert books.when(undo("u", "spent", 40)) == [
        ("points.restored", "A 40 redeemed > available"),
        ("debt.settled", "A 25 available > debt"),
    ]


def test_a_capture_that_a_purchase_claimed_comes_back_with_it() -> None:
    """The till captured, the purchase matched it: returning the purchase restores the till's redemption."""
    books = Books().given(accrue("A", 80), hold("h", 80), capture("c", "h", 50), pay("p", 50, hold="h"))
    assert books.when(restore("r", "p", 30)) == [("points.restored", "A 30 redeemed > available")]
    assert books.refuses(undo("u", "c", 21))[1]["remaining"] == "20"


def test_a_reversal_over_several_lots_of_one_accrual_counts_each_once() -> None:
    """An award of two lots is taken back soonest-expiring first, in whole."""
    lots = [
        accrue("x", 30, expires_at=on("2026-05-01")).grants[0],
        accrue("x", 10, expires_at=on("2026-03-01")).grants[0],
    ]
    books = Books().given(accrue("A", grants=lots))
    assert books.when(reverse("first", "A", 15)) == [
        ("points.reversed", "A.1 10 available > reversed", "A 5 available > reversed")
    ]
    assert books.when(reverse("second", "A", 99)) == [("points.reversed", "A 25 available > reversed")]
    assert books.has() == {"issued": 40, "reversed": 40}


def test_a_long_grace_is_bounded() -> None:
    """A grace of thousands of years is as good as for ever, and breaks no arithmetic."""
    books = bought_with_two_lots()
    books.given(restore("r", "p", 60, occurred=on("2026-06-10"), restore_for=timedelta(days=900_000)))
    assert books.has() == {"issued": 60, "available": 60}
