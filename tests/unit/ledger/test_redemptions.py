"""Redemptions over HTTP or Kafka: what the programme limits, and how they are undone."""

from typing import Any

import pytest

from services.ledger.domain.commands import Confirmation
from tests.unit.ledger.books import (
    DAY,
    NOW,
    Books,
    accrue,
    capture,
    guarded,
    hold,
    named,
    on,
    pay,
    redeem,
    release,
    undo,
)

MONEY = 10_000


def shop(**limits: Any) -> Books:
    """L10: at most 30 % of the bill, multiples of 10, at least 100; 5,000 points available."""
    guards = guarded(**{"share_of_bill": (3, 10), "step": 10, "at_least": 100, **limits})
    return Books(guards).given(accrue("A", 5_000))


def test_L9_points_are_never_overdrawn() -> None:
    """200 redemptions of 1 against 100 points: exactly 100 accepted."""
    books = Books().given(accrue("A", 100))
    for number in range(200):
        books.when(redeem(f"r{number}", 1))
    assert books.has() == {"issued": 100, "redeemed": 100}
    assert books.refuses(redeem("one more", 1)) == (
        "insufficient_points",
        {"requested": "1", "available": "0", "pending": "0"},
    )


def test_L9_each_redemption_counts_once() -> None:
    """The same command again changes nothing."""
    books = Books().given(accrue("A", 100), redeem("r", 60))
    assert books.when(redeem("r", 60)) == []
    assert books.has() == {"issued": 100, "available": 40, "redeemed": 60}


@pytest.mark.parametrize(
    ("points", "code"),
    [
        (300, None),
        (310, "exceeds_share_of_bill"),
        (295, "not_a_multiple"),
        (90, "below_minimum"),
        (95, "below_minimum"),
    ],
)
def test_L10_limits_are_asked_in_the_order_minimum_step_share(points: int, code: str | None) -> None:
    """A bill of 1000."""
    books = shop()
    command = redeem("r", points, bill=1_000 * MONEY)
    if code is None:
        assert books.when(command) == [("points.redeemed", f"A {points} available > redeemed")]
    else:
        assert books.refuses(command)[0] == code


def test_L10_the_refusal_says_how_much_would_do() -> None:
    """310 of 1000 at 30 %."""
    assert shop().refuses(redeem("r", 310, bill=1_000 * MONEY)) == (
        "exceeds_share_of_bill",
        {"redeemable": "1000.00", "share": "3/10", "at_most": "300"},
    )


def test_L10_a_hold_is_limited_as_a_redemption_is() -> None:
    """Setting aside is spending."""
    assert shop().refuses(hold("h", 310, bill=1_000 * MONEY))[0] == "exceeds_share_of_bill"
    assert shop().when(hold("h", 300, bill=1_000 * MONEY)) == [("hold.placed", "A 300 available > held")]


def test_L10_without_a_bill_a_share_of_it_cannot_be_checked() -> None:
    """A limit that one may leave out would be none."""
    assert shop().refuses(redeem("r", 300)) == ("bill_required", {})


def test_L10_where_points_may_pay_all_of_a_bill_none_need_be_named() -> None:
    """A share of everything limits nothing but a bill that is named."""
    books = shop(share_of_bill=(1, 1))
    assert books.when(redeem("r", 300)) == [("points.redeemed", "A 300 available > redeemed")]
    assert books.refuses(redeem("more", 310, bill=300 * MONEY))[0] == "exceeds_share_of_bill"


def test_L10b_a_share_is_of_money_and_points_have_their_worth() -> None:
    """Worth 0.10: 3000 points are 300.00."""
    books = shop(worth=1_000)
    assert books.refuses(redeem("r", 3_010, bill=1_000 * MONEY))[0] == "exceeds_share_of_bill"
    assert books.when(redeem("s", 3_000, bill=1_000 * MONEY)) == [("points.redeemed", "A 3000 available > redeemed")]


def test_L10c_the_share_is_of_what_may_be_paid_with_points() -> None:
    """Of a bill of 1000 only 350 is redeemable: 105 at most, so 110 is refused and 100 accepted."""
    books = shop()
    assert books.refuses(redeem("r", 110, bill=1_000 * MONEY, redeemable=350 * MONEY)) == (
        "exceeds_share_of_bill",
        {"redeemable": "350.00", "share": "3/10", "at_most": "105"},
    )
    assert books.when(redeem("s", 100, bill=1_000 * MONEY, redeemable=350 * MONEY)) == [
        ("points.redeemed", "A 100 available > redeemed")
    ]


def test_L10c_more_than_the_bill_is_not_redeemable() -> None:
    """A till that quotes more than the bill gets the bill's share."""
    assert shop().refuses(redeem("r", 310, bill=1_000 * MONEY, redeemable=2_000 * MONEY))[0] == "exceeds_share_of_bill"


def test_L10d_shares_are_exact() -> None:
    """30 % of 333.33 is 99.999: nothing; of 333.34: 100."""
    books = shop()
    assert books.refuses(redeem("r", 100, bill=3_333_300))[0] == "exceeds_share_of_bill"
    assert books.when(redeem("s", 100, bill=3_333_400)) == [("points.redeemed", "A 100 available > redeemed")]


def test_L10d_shares_are_exact_to_the_ten_thousandth() -> None:
    """A point worth 0.0001 and a third of the bill: 10 points of 0.0030, not of 0.0029."""
    books = Books(guarded(worth=1, share_of_bill=(1, 3))).given(accrue("A", 100))
    assert books.refuses(redeem("r", 10, bill=29))[1]["at_most"] == "9"
    assert books.when(redeem("s", 10, bill=30)) == [("points.redeemed", "A 10 available > redeemed")]


def test_L10_with_decimals_points_are_compared_in_money() -> None:
    """Scale 2: 300.00 points of 1000.00, not 300.01."""
    books = Books(guarded(scale=2, share_of_bill=(3, 10))).given(
        accrue("A", grants=[accrue("x", 50_000).grants[0].model_copy(update={"scale": 2})])
    )
    assert books.refuses(redeem("r", 30_001, bill=1_000 * MONEY))[1]["at_most"] == "300.00"
    assert books.when(redeem("s", 30_000, bill=1_000 * MONEY)) == [("points.redeemed", "A 30000 available > redeemed")]


def test_an_amount_that_the_member_has_to_confirm() -> None:
    """Above the threshold only with the member's word for this very amount, and once."""
    books = Books(guarded(confirm_above=500)).given(accrue("A", 1_000))
    assert books.refuses(redeem("r", 501)) == ("confirmation_required", {"above": "500"})
    word = Confirmation(named("word"), 501 * MONEY)
    assert books.refuses(redeem("o", 502, confirmation=word)) == ("confirmation_differs", {})
    assert books.refuses(redeem("i", 501, confirmation=Confirmation(problem="confirmation_expired")))[0] == (
        "confirmation_expired"
    )
    assert books.when(redeem("s", 501, confirmation=word)) == [("points.redeemed", "A 501 available > redeemed")]
    assert set(books.account().redemptions) == {named("word")}
    assert books.refuses(redeem("u", 501, confirmation=word)) == ("confirmation_used", {})
    assert books.refuses(hold("h", 501, confirmation=word)) == ("confirmation_used", {})
    assert books.when(redeem("t", 499)) == [("points.redeemed", "A 499 available > redeemed")]


@pytest.mark.parametrize("points", [0, -5])
def test_zero_and_negative_points_are_refused(points: int) -> None:
    """Nothing is not a redemption, and less than nothing is not one either."""
    books = Books().given(accrue("A", 100))
    assert books.refuses(redeem("r", points)) == ("not_positive", {})
    assert books.refuses(hold("h", points)) == ("not_positive", {})


def test_an_unknown_currency_and_an_unknown_account_are_refused() -> None:
    """Each by its own name."""
    books = Books().given(accrue("A", 100))
    assert books.refuses(redeem("r", 1, currency="miles")) == ("unknown_currency", {"currency": "miles"})
    assert Books().refuses(redeem("r", 1))[0] == "account_unknown"


def test_L11_two_redemptions_a_day() -> None:
    """The third is refused until one is undone; the next day counts anew, in the programme's zone."""
    books = Books(guarded(per_day=2, zone="Europe/Warsaw")).given(accrue("A", 100), redeem("r", 10), redeem("s", 10))
    assert books.refuses(redeem("t", 10)) == ("too_many_redemptions", {"per_day": "2"})
    books.given(undo("u", "r"), redeem("t", 10))
    assert books.refuses(redeem("v", 10))[0] == "too_many_redemptions"
    books.at(on("2026-01-15 22:59:59"))
    assert books.refuses(redeem("v", 10))[0] == "too_many_redemptions"
    books.at(on("2026-01-15 23:00")).given(redeem("v", 10))


def test_L11_a_redemption_undone_in_part_still_counts() -> None:
    """Only what came back in whole frees the day."""
    books = Books(guarded(per_day=1)).given(accrue("A", 100), redeem("r", 10), undo("u", "r", 9))
    assert books.refuses(redeem("s", 10))[0] == "too_many_redemptions"
    books.given(undo("v", "r"), redeem("s", 10))


def test_L11_a_hold_counts_until_it_ends_without_a_capture() -> None:
    """Placed: counts. Released or timed out: does not. Captured: still the one redemption it was."""
    books = Books(guarded(per_day=1)).given(accrue("A", 100), hold("h", 10))
    assert books.refuses(redeem("r", 10))[0] == "too_many_redemptions"
    books.given(release("x", "h"), hold("g", 10))
    assert books.refuses(hold("i", 10))[0] == "too_many_redemptions"
    books.given(capture("c", "g", 5))
    assert books.refuses(redeem("r", 10))[0] == "too_many_redemptions"
    books.given(undo("u", "c"), redeem("r", 10))


def test_L11_a_hold_captured_in_two_steps_is_one_redemption() -> None:
    """Undoing the second step frees nothing, undoing the first does."""
    books = Books(guarded(per_day=1)).given(accrue("A", 100), hold("h", 30))
    books.given(capture("c", "h", 10, keep=True), capture("d", "h"), undo("u", "d"))
    assert books.refuses(redeem("r", 10))[0] == "too_many_redemptions"
    books.given(undo("v", "c"), redeem("r", 10))


def test_L11_a_redemption_of_yesterday_that_is_undone_frees_nothing_today() -> None:
    """Days are counted each for itself."""
    books = Books(guarded(per_day=1)).given(accrue("A", 100), redeem("r", 10)).at(NOW + DAY).given(redeem("s", 10))
    books.given(undo("u", "r"))
    assert books.refuses(redeem("t", 10))[0] == "too_many_redemptions"


def test_L12_a_redemption_undone_in_part_goes_back_to_its_lots() -> None:
    """Of 120 from B (50) and A (70), 50 go back to A, which lives longer; then 80 are refused, for 70 remain."""
    books = Books().given(
        accrue("A", 100, expires_at=on("2026-03-01")),
        accrue("B", 50, expires_at=on("2026-02-01")),
        accrue("C", 70),
        redeem("r", 120),
    )
    assert books.when(undo("u", "r", 50)) == [("points.restored", "A 50 redeemed > available")]
    assert books.refuses(undo("v", "r", 80)) == ("exceeds_redemption", {"requested": "80", "remaining": "70"})
    assert books.when(undo("w", "r")) == [("points.restored", "A 20 redeemed > available", "B 50 redeemed > available")]
    assert books.when(undo("x", "r")) == []
    assert books.has() == {"issued": 220, "available": 220}


def test_L12_an_unknown_redemption_cannot_be_undone() -> None:
    """Nor zero of a known one."""
    books = Books().given(accrue("A", 100), redeem("r", 10))
    assert books.refuses(undo("u", "other"))[0] == "redemption_unknown"
    assert books.refuses(undo("u", "r", 0))[0] == "not_positive"


def test_S1_a_suspended_programme_redeems_nothing_but_captures_what_was_held() -> None:
    """Redemptions, holds and transfers wait; a till that holds points may finish; expiry goes on."""
    books = Books().given(accrue("A", 100, expires_at=on("2026-02-01")), hold("h", 40))
    suspended = guarded(suspended=True)
    assert books.refuses(redeem("r", 10), suspended) == ("programme_suspended", {})
    assert books.refuses(hold("g", 10), suspended) == ("programme_suspended", {})
    assert books.refuses(pay("p", 10, unbacked="negative"), suspended) == ("programme_suspended", {})
    assert books.when(capture("c", "h", 40), suspended) == [("hold.captured", "A 40 held > redeemed")]
    assert books.passes(on("2026-02-01")) == [("points.expired", "A 60 available > expired")]


def test_a_redemption_of_many_lots_comes_in_parts_and_is_undone_in_whole() -> None:
    """1,200 lots of 1: three events, one redemption."""
    books = Books()
    for number in range(24):
        books.given(accrue(f"A{number}", grants=accrue("x", 1).grants * 50))
    books.when(redeem("r", 1_200))
    assert books.outcome is not None
    assert [(each.event.part, len(each.event.movements)) for each in books.outcome.recorded] == [
        (0, 500),
        (1, 500),
        (2, 200),
    ]
    books.given(undo("u", "r", 1_000))
    assert books.has() == {"issued": 1_200, "redeemed": 200, "available": 1_000}
