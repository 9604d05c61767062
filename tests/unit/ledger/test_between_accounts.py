"""Transfers and merges: points on both sides or on neither, and an account that goes into another for ever."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from contracts.awards import Inactivity
from services.ledger.domain.commands import Freeze
from tests.unit.ledger.books import (
    ANNA,
    BARTEK,
    DAY,
    NOW,
    Books,
    accrue,
    capture,
    guarded,
    hold,
    merge,
    named,
    on,
    pay,
    redeem,
    restore,
    reverse,
    send,
    undo,
)

LOWER, HIGHER = sorted((ANNA, BARTEK))


def two_members(**guards: Any) -> Books:
    """Anna has 600 in two lots, Bartek an open account."""
    return Books(guarded(**guards)).given(
        accrue("A", 200, expires_at=on("2026-06-01")),
        accrue("B", 400, expires_at=on("2026-05-01")),
        accrue("C", 10, account_id=BARTEK),
    )


def test_A4_a_transfer_moves_the_soonest_expiring_lots_with_their_dates() -> None:
    """450 leave Anna's lots; Bartek gets two lots with the same dates; nothing stays in transit."""
    books = two_members()
    assert books.when(send("s", 450)) == [
        ("transfer.sent", "B 400 available > in_transit", "A 50 available > in_transit")
    ]
    assert books.has() == {"issued": 600, "available": 150, "in_transit": 450}
    books.deliver()
    assert books.has() == {"issued": 600, "available": 150, "transferred_out": 450}
    assert books.has(BARTEK) == {"issued": 10, "transferred_in": 450, "available": 460}
    assert {lot.expires_at: lot.available for lot in books.account(BARTEK).lots.values()} == {
        None: 10,
        on("2026-05-01"): 400,
        on("2026-06-01"): 50,
    }


def test_A4_the_month_has_a_limit() -> None:
    """Five times 100 of 500; the sixth is refused; February counts anew."""
    books = two_members(transfer_month=500)
    books.given(*(send(f"s{number}", 100) for number in range(5)))
    assert books.refuses(send("sixth", 100)) == ("exceeds_monthly_transfers", {"per_month": "500", "sent": "500"})
    books.at(on("2026-02-01")).given(send("sixth", 100))


def test_A4_what_the_other_side_refuses_comes_back() -> None:
    """To an account that nobody opened: back into its lots, and the month is free again."""
    books = two_members(transfer_month=100)
    books.given(send("s", 100, to=UUID(int=1)))
    assert books.has() == {"issued": 600, "available": 500, "in_transit": 100}
    books.deliver()
    assert books.has() == {"issued": 600, "available": 600}
    books.given(send("again", 100))


def test_A4_points_that_come_back_past_their_date_expire() -> None:
    """The way there and back was longer than they lived."""
    books = two_members().given(send("s", 400, to=UUID(int=1)))
    books.at(on("2026-05-02")).deliver()
    assert books.has() == {"issued": 600, "available": 200, "expired": 400}
    assert [each.event.effective_at for each in books.history[ANNA][-2:]] == [on("2026-05-02"), on("2026-05-02")]


def test_A4_points_that_lapse_on_the_way_expire_on_arrival() -> None:
    """A date is a date, wherever the points are."""
    books = two_members().given(send("s", 400))
    books.at(on("2026-05-02")).deliver()
    assert books.has(BARTEK) == {"issued": 10, "transferred_in": 400, "available": 10, "expired": 400}
    assert [each.event.effective_at for each in books.history[BARTEK][-2:]] == [on("2026-05-02"), on("2026-05-02")]


def test_A4_refusals_of_a_transfer() -> None:
    """To oneself, of more than there is, of nothing."""
    books = two_members()
    assert books.refuses(send("s", 10, to=ANNA)) == ("same_account", {})
    assert books.refuses(send("s", 601))[0] == "insufficient_points"
    assert books.refuses(send("s", 0))[0] == "not_positive"
    assert books.refuses(send("s", 1), guarded(suspended=True))[0] == "programme_suspended"


def test_A4_a_transfer_settles_the_receivers_debt() -> None:
    """Points that become available pay what is owed."""
    books = two_members().given(pay("p", 60, unbacked="negative").model_copy(update={"account_id": BARTEK}))
    assert books.has(BARTEK) == {"issued": 10, "redeemed": 60, "debt": 50}
    books.given(send("s", 80)).deliver()
    assert books.has(BARTEK) == {"issued": 10, "redeemed": 60, "transferred_in": 80, "available": 30}


def test_A4_messages_delivered_twice_change_nothing() -> None:
    """Neither the points nor the answers count again."""
    books = two_members().given(send("s", 100))
    arriving = list(books.messages)
    books.deliver()
    after = dict(books.accounts)
    for message in arriving:
        assert books.when(message.command) == []
    books.messages.clear()
    assert {key: replace(each, decided_commands=frozenset()) for key, each in books.accounts.items()} == {
        key: replace(each, decided_commands=frozenset()) for key, each in after.items()
    }


def two_accounts_of_one_person() -> Books:
    """A2: Anna has 300 in two lots, one pending; Bartek's account has 120."""
    return Books().given(
        accrue("A", 200, expires_at=on("2026-06-01")),
        accrue("B", 100, activates_at=on("2026-03-01"), expires_at=on("2026-09-01")),
        accrue("C", 120, account_id=BARTEK, expires_at=on("2026-07-01")),
    )


def merged() -> Books:
    """Anna's account goes into Bartek's."""
    books = two_accounts_of_one_person().given(merge("m", BARTEK, ANNA))
    books.deliver()
    return books


def test_A2_everything_goes_to_the_survivor_with_its_dates() -> None:
    """420 on one account, lots keep their dates, the books of both add up."""
    books = merged()
    assert books.has() == {"issued": 300, "transferred_out": 300}
    assert books.has(BARTEK) == {"issued": 120, "transferred_in": 300, "available": 320, "pending": 100}
    assert books.passes(on("2026-10-01"), BARTEK) == [
        ("points.activated", "B' 100 pending > available"),
        ("points.expired", "A' 200 available > expired"),
        ("points.expired", "C 120 available > expired"),
        ("points.expired", "B' 100 available > expired"),
    ]
    assert (books.account().status, books.account().merged_into) == ("merged", BARTEK)
    assert books.account(BARTEK).merging_from == frozenset()


def test_A2_the_survivor_agrees_first_and_is_not_merged_meanwhile() -> None:
    """Until the other has given itself up, or refused, the survivor stays."""
    books = two_accounts_of_one_person()
    assert books.when(merge("m", BARTEK, ANNA)) == [("merge.accepted",)]
    assert books.when(merge("m", BARTEK, ANNA)) == []
    third = UUID(int=3)
    books.given(accrue("D", 1, account_id=third), merge("n", third, BARTEK))
    _, into_third = books.messages[:2]
    books.when(into_third.command)
    assert books.outcome is not None
    assert books.outcome.refusal is not None
    assert books.outcome.refusal.code == "merge_in_progress"


def test_A2_two_that_would_take_up_each_other_one_wins() -> None:
    """Both agree at once: the lower account id survives, the other merge is abandoned."""
    for first, second in ((LOWER, HIGHER), (HIGHER, LOWER)):
        books = two_accounts_of_one_person().given(merge("m", first, second), merge("n", second, first))
        books.deliver()
        assert books.account(HIGHER).merged_into == LOWER
        assert books.account(LOWER).status == "open"
        assert books.account(LOWER).merging_from == books.account(HIGHER).merging_from == frozenset()
        assert books.has(LOWER)["available"] + books.has(LOWER)["pending"] == 420


def test_A2_later_events_for_the_old_account_go_to_the_new() -> None:
    """For ever: accruals, redemptions, adjustments, unknown returns."""
    books = merged()
    for command in (accrue("D", 30), redeem("r", 10), reverse("early", "E", 5)):
        assert books.when(command) == []
        assert books.outcome is not None
        assert books.outcome.redirect == BARTEK
    books.deliver()
    assert books.has(BARTEK) == {
        "issued": 150,
        "transferred_in": 300,
        "available": 340,
        "pending": 100,
        "redeemed": 10,
    }
    assert books.outcome is not None
    assert books.outcome.waiting == named("E")


def test_A2_open_holds_are_captured_where_they_were_placed() -> None:
    """What they release goes on to the survivor."""
    books = two_accounts_of_one_person().given(hold("h", 80), merge("m", BARTEK, ANNA))
    books.deliver()
    assert books.has() == {"issued": 300, "held": 80, "transferred_out": 220}
    assert books.when(capture("c", "h", 50)) == [
        ("hold.captured", "A 50 held > redeemed", "A 30 held > available"),
        ("transfer.sent", "A 30 available > in_transit"),
    ]
    books.deliver()
    assert books.has() == {"issued": 300, "redeemed": 50, "transferred_out": 250}
    assert books.has(BARTEK)["transferred_in"] == 250


def test_A2_a_hold_that_times_out_after_the_merge_sends_its_points_on() -> None:
    """Time releases them as a till would."""
    books = two_accounts_of_one_person().given(hold("h", 80), merge("m", BARTEK, ANNA))
    books.deliver()
    assert books.passes(NOW + DAY) == [
        ("hold.timed-out", "A 80 held > available"),
        ("transfer.sent", "A 80 available > in_transit"),
    ]
    books.deliver()
    assert books.has() == {"issued": 300, "transferred_out": 300}


def test_A2_debt_goes_along() -> None:
    """The survivor owes it, and pays from what it has."""
    books = Books().given(
        accrue("A", 50), redeem("r", 50), reverse("back", "A", 50), accrue("C", 120, account_id=BARTEK)
    )
    books.given(merge("m", BARTEK, ANNA)).deliver()
    assert books.has() == {"issued": 50, "transferred_in": 50, "redeemed": 50, "reversed": 50}
    assert books.has(BARTEK) == {"issued": 120, "transferred_out": 50, "available": 70}


def test_A2_a_return_of_what_was_earned_before_the_merge() -> None:
    """The old account knows the award, the new one has the points: own lot first, then others, then debt."""
    books = Books().given(accrue("A", 100), redeem("r", 30), accrue("C", 20, account_id=BARTEK))
    books.given(merge("m", BARTEK, ANNA)).deliver()
    books.given(reverse("back", "A", 100)).deliver()
    assert books.has() == {"issued": 100, "redeemed": 30, "transferred_out": 70}
    assert books.has(BARTEK) == {"issued": 20, "transferred_in": 70, "reversed": 100, "debt": 10}
    assert books.refuses(reverse("again", "A", 1))[0] == "already_reversed"


def test_A2_points_spent_before_the_merge_come_back_to_the_survivor() -> None:
    """The redemption is undone where it was made, and the points sent on."""
    books = Books().given(accrue("A", 100, expires_at=on("2026-06-01")), pay("p", 60))
    books.given(accrue("C", 20, account_id=BARTEK), merge("m", BARTEK, ANNA)).deliver()
    books.given(restore("back", "p", 60)).deliver()
    assert books.has() == {"issued": 100, "transferred_out": 100}
    assert books.has(BARTEK) == {"issued": 20, "transferred_in": 100, "available": 120}
    assert books.refuses(undo("u", "p", 1))[0] == "exceeds_redemption"


def test_A2_a_purchase_that_names_a_hold_of_before_takes_the_rest_from_the_survivor() -> None:
    """50 on hold here, 70 said: 20 more from there; the return gives back both."""
    books = Books().given(accrue("A", 50), hold("h", 50), accrue("C", 120, account_id=BARTEK))
    books.given(merge("m", BARTEK, ANNA)).deliver()
    assert books.when(pay("p", 70, hold="h")) == [
        ("hold.captured", "A 50 held > redeemed"),
        ("redemption.forwarded",),
    ]
    books.deliver()
    assert books.has(BARTEK) == {"issued": 120, "available": 100, "redeemed": 20}
    books.given(restore("back", "p", 70)).deliver()
    assert books.has() == {"issued": 50, "transferred_out": 50}
    assert books.has(BARTEK) == {"issued": 120, "transferred_in": 50, "available": 170}


def test_A2_an_account_that_refuses_to_be_taken_up() -> None:
    """Frozen: the survivor is told, and may be merged itself again."""
    books = two_accounts_of_one_person().given(
        Freeze(command_id=named("f"), account_id=ANNA, occurred_at=NOW, reason="suspicion", operator="ewa"),
        merge("m", BARTEK, ANNA),
    )
    books.deliver()
    assert books.account().status == "frozen"
    assert books.account(BARTEK).merging_from == frozenset()


def test_A2_an_account_that_has_nothing_yet_is_redirected_all_the_same() -> None:
    """Its first purchase comes late, and goes to the survivor."""
    books = two_accounts_of_one_person().given(merge("n", BARTEK, UUID(int=9)))
    books.deliver()
    assert books.account(BARTEK).merging_from == frozenset()
    books.when(accrue("late", 5, account_id=UUID(int=9)))
    books.deliver()
    assert books.has(BARTEK) == {"issued": 125, "available": 125}


def test_A2_merging_again_what_was_merged_ends_at_once() -> None:
    """Already so: the survivor does not wait for ever."""
    books = merged().given(merge("again", BARTEK, ANNA))
    books.deliver()
    assert books.account(BARTEK).merging_from == frozenset()
    assert books.refuses(merge("self", BARTEK, BARTEK))[0] == "same_account"


def test_A2_inactivity_goes_along() -> None:
    """The survivor's points lapse after the later of both members' last activity."""
    year = Inactivity(months=12, zone="UTC")
    books = Books().given(accrue("A", 50, inactivity=year), accrue("C", 20, account_id=BARTEK))
    books.given(merge("m", BARTEK, ANNA)).deliver()
    assert books.passes(on("2027-01-15 23:59:59"), BARTEK) == []
    assert books.passes(on("2027-01-16"), BARTEK) == [
        ("points.expired", "C 20 available > expired", "A' 50 available > expired")
    ]
    assert books.passes(on("2028-01-01")) == []


def test_A2_a_large_account_goes_in_parts() -> None:
    """1,200 lots: three messages, each answered."""
    books = Books().given(accrue("C", 1, account_id=BARTEK))
    for number in range(24):
        books.given(accrue(f"A{number}", grants=accrue("x", 1).grants * 50))
    books.given(merge("m", BARTEK, ANNA)).deliver()
    assert books.has() == {"issued": 1_200, "transferred_out": 1_200}
    assert books.has(BARTEK)["available"] == 1_201
    assert books.account().transits == {}
