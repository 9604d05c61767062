"""Holds: points set aside for a purchase that is not finished, and purchases that name them."""

from datetime import timedelta
from typing import Any

import pytest

from services.ledger.domain.refusals import Refusal
from tests.unit.ledger.books import (
    Books,
    accrue,
    capture,
    guarded,
    hold,
    on,
    pay,
    redeem,
    release,
    restore,
    undo,
)

MINUTE = timedelta(minutes=1)
PLACED = on("2026-01-15 12:00")
TIMED_OUT = on("2026-01-15 12:15")


def held(points: int = 80, **lot: Any) -> Books:
    """A hold of 80 from a lot of 100, for a quarter of an hour."""
    return Books().given(accrue("A", 100, **lot), hold("h", points))


def refusal_of(books: Books) -> Refusal | None:
    """Why the last command was refused."""
    assert books.outcome is not None
    return books.outcome.refusal


def test_L6_a_partial_capture_releases_the_rest_in_one_step() -> None:
    """Hold 80, capture 50: 50 redeemed, 30 back."""
    books = held()
    assert books.has() == {"issued": 100, "available": 20, "held": 80}
    assert books.when(capture("c", "h", 50)) == [("hold.captured", "A 50 held > redeemed", "A 30 held > available")]
    assert books.has() == {"issued": 100, "available": 50, "redeemed": 50}


def test_L6_the_rest_stays_on_hold_where_the_till_asks_for_it() -> None:
    """A second capture takes from what was kept."""
    books = held()
    assert books.when(capture("c", "h", 50, keep=True)) == [("hold.captured", "A 50 held > redeemed")]
    assert books.has() == {"issued": 100, "available": 20, "held": 30, "redeemed": 50}
    assert books.refuses(capture("too much", "h", 31))[0] == "exceeds_hold"
    assert books.when(capture("d", "h")) == [("hold.captured", "A 30 held > redeemed")]
    assert books.refuses(release("r", "h"))[0] == "hold_captured"


def test_L6_a_hold_spans_lots_and_gives_back_to_each() -> None:
    """The soonest-expiring lot is set aside, and spent, first."""
    books = Books().given(
        accrue("A", 50, expires_at=on("2026-06-01")), accrue("B", 50, expires_at=on("2026-05-01")), hold("h", 80)
    )
    assert books.when(capture("c", "h", 60)) == [
        ("hold.captured", "B 50 held > redeemed", "A 10 held > redeemed", "A 20 held > available")
    ]


def test_L7_more_than_is_held_cannot_be_captured() -> None:
    """81 of 80: refused, nothing changes."""
    assert held().refuses(capture("c", "h", 81)) == ("exceeds_hold", {"requested": "81", "held": "80"})


def test_L7_a_released_hold_cannot_be_captured() -> None:
    """What went back is not there any more."""
    books = held().given(release("r", "h"))
    assert books.refuses(capture("c", "h", 80)) == ("hold_released", {})
    assert books.when(release("again", "h")) == []


def test_L7_a_hold_that_timed_out_cannot_be_captured() -> None:
    """At the very instant, whether or not a sweeper ran: the time-out is written, the capture refused."""
    books = held().at(TIMED_OUT)
    assert books.when(capture("c", "h", 80)) == [("hold.timed-out", "A 80 held > available")]
    assert refusal_of(books) == Refusal(
        "hold_expired", "The hold has timed out.", {"expired_at": "2026-01-15T12:15:00+00:00"}
    )
    assert books.has() == {"issued": 100, "available": 100}


def test_L7_a_capture_with_the_same_amount_changes_nothing() -> None:
    """Already so; with another amount it is refused."""
    books = held().given(capture("c", "h", 50))
    assert books.when(capture("again", "h", 50)) == []
    assert refusal_of(books) is None
    assert books.refuses(capture("other", "h", 49)) == ("hold_captured", {"captured": "50"})


@pytest.mark.parametrize("points", [0, -1])
def test_L7_nothing_and_less_cannot_be_captured(points: int) -> None:
    """A capture of zero is a release, and says so."""
    assert held().refuses(capture("c", "h", points))[0] == "not_positive"


def test_L7_a_hold_that_nobody_placed() -> None:
    """Neither captured nor released."""
    books = held()
    assert books.refuses(capture("c", "other", 1))[0] == "hold_unknown"
    assert books.refuses(release("r", "other"))[0] == "hold_unknown"


def test_L7b_a_purchase_made_in_time_captures_its_hold_however_late_it_arrives() -> None:
    """The hold timed out meanwhile, its points are still there."""
    books = held().at(TIMED_OUT + MINUTE)
    assert books.when(pay("p", 80, hold="h", occurred=PLACED + MINUTE)) == [
        ("hold.timed-out", "A 80 held > available"),
        ("points.redeemed", "A 80 available > redeemed"),
    ]
    assert books.has() == {"issued": 100, "available": 20, "redeemed": 80}
    assert books.refuses(capture("c", "h", 79))[0] == "hold_captured"


def test_L7b_shares_that_expired_meanwhile_are_revived() -> None:
    """Held 80 until a quarter past, the lot ended at ten past; the purchase was made at five past."""
    books = held(expires_at=PLACED + 10 * MINUTE).at(TIMED_OUT + MINUTE)
    assert books.when(pay("p", 80, hold="h", occurred=PLACED + 5 * MINUTE)) == [
        ("points.expired", "A 20 available > expired"),
        ("hold.timed-out", "A 80 held > available"),
        ("points.expired", "A 80 available > expired"),
        ("points.redeemed", "A 80 expired > redeemed"),
    ]
    assert books.has() == {"issued": 100, "expired": 20, "redeemed": 80}


def test_L7b_then_from_other_lots_and_the_rest_follows_the_policy() -> None:
    """Its own points were spent meanwhile: others step in, and what is missing then is unbacked."""
    books = held().at(TIMED_OUT)
    books.given(redeem("spent", 90), accrue("B", 30))
    assert books.when(pay("p", 80, hold="h", occurred=PLACED, unbacked="negative")) == [
        ("points.redeemed", "A 10 available > redeemed", "B 30 available > redeemed"),
        ("points.redeemed", "- 40 debt > redeemed"),
    ]
    assert books.has() == {"issued": 130, "redeemed": 170, "debt": 40}


def test_L7b_a_purchase_made_after_the_time_out_is_unbacked() -> None:
    """With the policy `refuse` nothing is taken; with the others, what there is."""
    books = held().at(TIMED_OUT).given(redeem("spent", 70))
    late = TIMED_OUT
    assert books.refuses(pay("refused", 80, hold="h", occurred=late, unbacked="refuse")) == (
        "unbacked_points",
        {"unbacked": "80"},
    )
    assert books.when(pay("p", 80, hold="h", occurred=late)) == [("points.redeemed", "A 30 available > redeemed")]
    assert books.has() == {"issued": 100, "redeemed": 100}
    assert books.account().redemptions[pay("p", 1).command_id].unbacked == 50


def test_L7b_a_purchase_with_an_open_hold_captures_it_and_releases_the_rest() -> None:
    """What the purchase did not need goes back."""
    books = held()
    assert books.when(pay("p", 50, hold="h")) == [("hold.captured", "A 50 held > redeemed", "A 30 held > available")]
    assert books.when(pay("p", 50, hold="h")) == []


def test_L7b_captured_by_the_till_already_with_the_same_amount() -> None:
    """Nothing moves; the purchase is matched with the till's redemption."""
    books = held().given(capture("c", "h", 50))
    assert books.when(pay("p", 50, hold="h")) == [("redemption.matched",)]
    assert books.has() == {"issued": 100, "available": 50, "redeemed": 50}


def test_L7b_captured_by_the_till_already_with_another_amount() -> None:
    """The difference follows the policy; a second purchase cannot claim the same capture."""
    books = held().given(capture("c", "h", 50))
    assert books.when(pay("p", 60, hold="h")) == [
        ("redemption.matched",),
        ("points.redeemed", "A 10 available > redeemed"),
    ]
    assert books.when(pay("q", 50, hold="h")) == [("points.redeemed", "A 40 available > redeemed")]
    assert books.has() == {"issued": 100, "redeemed": 100}


def test_L7b_what_one_purchase_was_paid_with_backs_no_other() -> None:
    """A hold that a purchase captured, in time or late, and a purchase's own redemption, are spent."""
    books = held(40).given(pay("p", 40, hold="h"))
    assert books.refuses(pay("q", 40, hold="h", unbacked="refuse"))[0] == "unbacked_points"
    assert books.refuses(pay("q", 40, redemption="p", unbacked="refuse"))[0] == "unbacked_points"
    late = held(40).at(TIMED_OUT).given(pay("p", 40, hold="h", occurred=PLACED))
    assert late.refuses(pay("q", 40, hold="h", occurred=PLACED, unbacked="refuse"))[0] == "unbacked_points"


def test_L7b_more_than_the_hold_goes_to_the_policy() -> None:
    """A purchase of 90 with a hold of 80: the ten are unbacked."""
    books = held()
    assert books.when(pay("p", 90, hold="h", unbacked="negative")) == [
        ("hold.captured", "A 80 held > redeemed"),
        ("points.redeemed", "A 10 available > redeemed"),
    ]
    refusing = held()
    assert refusing.when(pay("p", 90, hold="h", unbacked="refuse")) == [
        ("hold.captured", "A 80 held > redeemed"),
        ("points.redeemed",),
    ]
    assert refusing.account().redemptions[pay("p", 1).command_id].unbacked == 10


def test_a_purchase_that_names_a_redemption_is_matched_with_it() -> None:
    """Redeemed over HTTP first, then told by the receipt: once is enough."""
    books = Books().given(accrue("A", 100), redeem("r", 60))
    assert books.when(pay("p", 60, redemption="r")) == [("redemption.matched",)]
    assert books.when(restore("back", "p", 60)) == [("points.restored", "A 60 redeemed > available")]


def test_a_redemption_that_was_undone_backs_nothing() -> None:
    """Only what is still redeemed counts."""
    books = Books().given(accrue("A", 100), redeem("r", 60), undo("u", "r", 50))
    assert books.when(pay("p", 60, redemption="r")) == [
        ("redemption.matched",),
        ("points.redeemed", "A 50 available > redeemed"),
    ]


def test_unbacked_points_follow_the_programme() -> None:
    """Down to zero, into debt, or refused."""
    to_zero = Books().given(accrue("A", 20))
    assert to_zero.when(pay("p", 50)) == [("points.redeemed", "A 20 available > redeemed")]
    negative = Books().given(accrue("A", 20))
    assert negative.when(pay("p", 50, unbacked="negative")) == [
        ("points.redeemed", "A 20 available > redeemed", "- 30 debt > redeemed")
    ]
    refuse = Books().given(accrue("A", 20))
    assert refuse.refuses(pay("p", 50, unbacked="refuse"))[0] == "unbacked_points"


def test_a_purchase_paid_with_points_on_an_account_that_has_none() -> None:
    """It opens the account; the debt is in the purchase's currency and scale."""
    books = Books()
    assert books.when(pay("p", 50, unbacked="negative")) == [
        ("account.opened",),
        ("points.redeemed", "- 50 debt > redeemed"),
    ]
    assert books.has() == {"redeemed": 50, "debt": 50}


def test_L8_a_held_lot_that_passes_its_date_is_captured() -> None:
    """A hold shelters its lots from expiry."""
    books = held(expires_at=PLACED + 5 * MINUTE).at(PLACED + 6 * MINUTE)
    assert books.when(capture("c", "h", 50)) == [
        ("points.expired", "A 20 available > expired"),
        ("hold.captured", "A 50 held > redeemed", "A 30 held > available"),
        ("points.expired", "A 30 available > expired"),
    ]


def test_L8_released_points_past_their_date_expire_at_once() -> None:
    """A hold shelters its lots only as long as it lives."""
    books = held(expires_at=PLACED + 5 * MINUTE).at(PLACED + 6 * MINUTE)
    assert books.when(release("r", "h")) == [
        ("points.expired", "A 20 available > expired"),
        ("hold.released", "A 80 held > available"),
        ("points.expired", "A 80 available > expired"),
    ]
    assert books.has() == {"issued": 100, "expired": 100}
    assert books.outcome is not None
    assert [each.event.effective_at for each in books.outcome.recorded] == [
        PLACED + 5 * MINUTE,
        PLACED + 6 * MINUTE,
        PLACED + 6 * MINUTE,
    ]


def test_L8_a_time_out_found_late_lets_each_lot_go_at_its_own_date() -> None:
    """Past its date at the time-out: with the time-out; later: at its date."""
    books = Books().given(
        accrue("A", 40, expires_at=PLACED + 5 * MINUTE), accrue("B", 40, expires_at=PLACED + 60 * MINUTE), hold("h", 80)
    )
    assert books.passes(on("2026-02-01")) == [
        ("hold.timed-out", "A 40 held > available", "B 40 held > available"),
        ("points.expired", "A 40 available > expired"),
        ("points.expired", "B 40 available > expired"),
    ]
    assert books.outcome is not None
    assert [each.event.effective_at for each in books.outcome.recorded] == [
        TIMED_OUT,
        TIMED_OUT,
        PLACED + 60 * MINUTE,
    ]


def test_many_holds_on_one_account_time_out_each_at_its_own_instant() -> None:
    """The balance shows what is held; each hold ends by itself."""
    books = Books().given(accrue("A", 100), hold("h", 30, time_out_s=60), hold("g", 30, time_out_s=120))
    assert books.has() == {"issued": 100, "available": 40, "held": 60}
    assert books.passes(PLACED + MINUTE) == [("hold.timed-out", "A 30 held > available")]
    assert books.passes(PLACED + 2 * MINUTE) == [("hold.timed-out", "A 30 held > available")]


def test_a_hold_lasts_as_long_as_the_programme_says_and_no_longer_than_a_year() -> None:
    """Without a word of the till, the programme's time; beyond a year it is refused."""
    books = Books(guarded(hold_s=60)).given(accrue("A", 100), hold("h", 30))
    assert [each.expires_at for each in books.account().holds.values()] == [PLACED + MINUTE]
    assert books.refuses(hold("g", 30, time_out_s=367 * 24 * 3600)) == (
        "time_out_too_long",
        {"most_s": "31622400"},
    )


def test_a_hold_placed_twice_is_one_hold() -> None:
    """The same command again changes nothing."""
    books = held()
    assert books.when(hold("h", 80)) == []
