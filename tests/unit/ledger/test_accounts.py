"""Accounts as a whole: adjustments, freezing, closing, erasing, tiers, two-time figures."""

from datetime import datetime
from uuid import UUID

import pytest

from contracts.awards import AccountOpening, CurrencyScale, Standing, TierAssignment
from services.ledger.domain.account import Tier
from services.ledger.domain.account_events import TierChanged
from services.ledger.domain.commands import Close, Erase, Freeze, Unfreeze
from tests.unit.ledger.books import (
    ANNA,
    MEMBER,
    NOW,
    Books,
    accrue,
    adjust,
    capture,
    guarded,
    hold,
    named,
    on,
    pay,
    redeem,
    release,
    restore,
    reverse,
    send,
    undo,
)


def freeze(label: str = "f", reason: str = "suspicion", operator: str = "ewa") -> Freeze:
    return Freeze(command_id=named(label), account_id=ANNA, occurred_at=NOW, reason=reason, operator=operator)


def unfreeze(label: str = "u") -> Unfreeze:
    return Unfreeze(command_id=named(label), account_id=ANNA, occurred_at=NOW, reason="cleared", operator="ewa")


def close(label: str = "x") -> Close:
    return Close(command_id=named(label), account_id=ANNA, occurred_at=NOW, reason="asked for", operator="ewa")


def erase() -> Erase:
    return Erase(command_id=named("erase"), account_id=ANNA, occurred_at=NOW)


def test_L14_an_adjustment_below_zero_is_refused() -> None:
    """-500 on a balance of 300."""
    books = Books().given(accrue("A", 300))
    assert books.refuses(adjust("j", -500)) == (
        "insufficient_points",
        {"requested": "500", "available": "300", "pending": "0"},
    )


def test_L14_an_adjustment_into_debt_has_to_be_allowed() -> None:
    """By the command, or by the programme."""
    books = Books().given(accrue("A", 300))
    assert books.when(adjust("j", -500, allow_debt=True)) == [
        ("points.adjusted", "A 300 available > adjusted", "- 200 debt > adjusted")
    ]
    assert books.has() == {"issued": 300, "adjusted": -500, "debt": 200}
    other = Books(guarded(debt_allowed=True)).given(accrue("A", 300))
    assert other.when(adjust("j", -301))[0][2:] == ("- 1 debt > adjusted",)


def test_L14_operator_and_reason_are_required() -> None:
    """Somebody answers for it."""
    books = Books().given(accrue("A", 300))
    assert books.refuses(adjust("j", 5, reason=" ")) == ("reason_required", {})
    assert books.refuses(adjust("j", 5, operator="")) == ("operator_required", {})
    assert books.refuses(adjust("j", 0)) == ("not_positive", {})


def test_an_adjustment_opens_a_lot_and_settles_a_debt() -> None:
    """Points put in are available at once and may have a date; one in the past is refused."""
    books = Books().given(accrue("A", 30), redeem("spent", 30), reverse("r", "A", 30))
    assert books.when(adjust("j", 50, expires_at=on("2026-03-01"))) == [
        ("points.adjusted", "j 50 adjusted > available"),
        ("debt.settled", "j 30 available > debt"),
    ]
    assert books.passes(on("2026-03-01")) == [("points.expired", "j 20 available > expired")]
    assert books.refuses(adjust("k", 1, expires_at=on("2026-03-01")))[0] == "expires_in_the_past"


def test_an_adjustment_in_a_currency_of_the_programme_that_the_account_has_not_seen() -> None:
    """It gets the programme's decimals; a currency that nobody knows is refused."""
    books = Books(guarded(scale=2)).given(
        AccountOpening(command_id=named("open"), account_id=ANNA, member_id=MEMBER, programme="grocer", occurred_at=NOW)
    )
    books.given(adjust("j", 5))
    assert books.account().balances["points"].scale == 2
    assert books.refuses(adjust("k", 5, currency="miles"))[0] == "unknown_currency"


def test_opening_an_account_makes_it_askable_before_it_has_earned() -> None:
    """Its currencies are known; opening it again changes nothing."""
    books = Books()
    command = AccountOpening(
        command_id=named("open"), account_id=ANNA, member_id=MEMBER, programme="grocer", occurred_at=NOW,
        currencies=(CurrencyScale(currency="points", scale=0),),
    )  # fmt: skip
    assert books.when(command) == [("account.opened",)]
    assert (books.account().status, books.has()) == ("open", {})
    assert books.when(command) == []


def test_A5_a_frozen_account_earns_but_does_not_redeem() -> None:
    """Redemptions, holds and transfers are refused, accruals recorded; unfrozen, all is as before."""
    books = Books().given(accrue("A", 100), hold("h", 40), freeze())
    for command in (redeem("r", 1), hold("g", 1), send("s", 1)):
        assert books.refuses(command) == ("account_frozen", {})
    assert books.when(accrue("B", 10)) == [("points.accrued", "B 10 issued > available")]
    assert books.when(freeze("again")) == []
    books.given(unfreeze())
    assert books.when(redeem("r", 1)) == [("points.redeemed", "A 1 available > redeemed")]
    assert books.when(unfreeze("again")) == []


def test_A5_what_was_on_hold_before_the_freeze_may_be_captured() -> None:
    """A hold is a promise that was given; what goes beyond it is refused."""
    books = Books().given(accrue("A", 100), hold("h", 40), hold("g", 20), freeze())
    assert books.when(capture("c", "h")) == [("hold.captured", "A 40 held > redeemed")]
    assert books.when(pay("p", 30, hold="g", unbacked="negative")) == [
        ("hold.captured", "A 20 held > redeemed"),
        ("points.redeemed",),
    ]
    assert books.refuses(pay("q", 30, unbacked="negative")) == ("account_frozen", {})


def test_freezing_needs_a_reason_and_an_operator() -> None:
    """As everything that an operator does."""
    books = Books().given(accrue("A", 100))
    assert books.refuses(freeze(reason=""))[0] == "reason_required"
    assert books.refuses(freeze(operator=" "))[0] == "operator_required"


def test_a_closed_account_lapses_and_takes_nothing_new() -> None:
    """What is pending or available expires; later awards and redemptions are refused."""
    books = Books().given(accrue("A", 100), accrue("B", 10, activates_at=on("2026-02-01")), redeem("r", 30))
    assert books.when(close()) == [
        ("points.expired", "B 10 pending > expired", "A 70 available > expired"),
        ("account.closed",),
    ]
    assert books.has() == {"issued": 110, "redeemed": 30, "expired": 80}
    for command in (accrue("C", 1), redeem("s", 1), adjust("j", 1), send("t", 1), undo("u", "r"), restore("v", "r", 1)):
        assert books.refuses(command)[0] == "account_closed"
    assert books.refuses(freeze())[0] == "account_closed"
    assert books.when(close("again")) == []


def test_a_return_on_a_closed_account_follows_its_terms() -> None:
    """The books go on saying what is owed."""
    books = Books().given(accrue("A", 40), redeem("r", 40), close())
    assert books.when(reverse("back", "A", 40)) == [("points.reversed", "- 40 debt > reversed")]


def test_an_account_with_open_holds_or_points_in_transit_is_not_closed() -> None:
    """First they end."""
    books = Books().given(accrue("A", 100), hold("h", 40))
    assert books.refuses(close()) == ("hold_open", {"held": "40"})
    books.given(release("r", "h"), send("s", 10))
    assert books.refuses(close()) == ("transfer_open", {"in_transit": "10"})


def test_A6_erasure_leaves_the_figures_and_refuses_what_is_new() -> None:
    """Totals stay, expiry goes on."""
    books = Books().given(accrue("A", 100, expires_at=on("2026-02-01")))
    assert books.when(erase()) == [("account.erased",)]
    assert books.has() == {"issued": 100, "available": 100}
    for command in (accrue("B", 1), redeem("r", 1), adjust("j", 1), send("s", 1), pay("p", 1)):
        assert books.refuses(command) == ("member_erased", {})
    assert books.when(erase()) == []
    assert books.passes(on("2026-02-01")) == [("points.expired", "A 100 available > expired")]


def test_the_account_of_an_erased_member_can_be_closed_and_no_more() -> None:
    """What is owed to nobody any more lapses when an operator says so."""
    books = Books().given(accrue("A", 100), erase())
    assert books.refuses(freeze()) == ("member_erased", {})
    assert books.when(close()) == [("points.expired", "A 100 available > expired"), ("account.closed",)]


def test_A7_a_late_purchase_changes_the_past_only_for_those_who_know_it() -> None:
    """40.00 on 1 March; a purchase of 28 February arrives on 3 March: as of 1 March 40.00 then, 50.00 today."""
    books = Books().at(on("2026-03-01 09:00")).given(accrue("A", 4_000, occurred=on("2026-03-01 09:00")))
    books.at(on("2026-03-03 10:00")).given(accrue("B", 1_000, occurred=on("2026-02-28 17:00")))

    def available(as_of: datetime, known_at: datetime) -> int:
        return sum(
            points if target == "available" else -points
            for each in books.history[ANNA]
            if each.event.effective_at <= as_of and each.event.known_at <= known_at
            for _, _, source, target, points in each.event.movements
            if "available" in (source, target)
        )

    first = on("2026-03-01 23:59")
    assert (available(first, first), available(first, on("2026-03-04"))) == (4_000, 5_000)


def tier(label: str, name: str | None, since: datetime = NOW, qualifying: int = 100) -> TierAssignment:
    """What rules decided."""
    return TierAssignment(
        command_id=named(label), account_id=ANNA, member_id=MEMBER, programme="grocer", occurred_at=NOW, tier=name,
        previous=None, since=since, reason="qualified", cause="purchase 1",
        standing=Standing(tier=name, qualifying=qualifying),
    )  # fmt: skip


def test_T6_the_tier_is_recorded_with_its_reason_and_progress() -> None:
    """The first award of a tier opens the account; the same again changes nothing."""
    books = Books()
    assert books.when(tier("t", "silver")) == [("account.opened",), ("tier.changed",)]
    assert books.outcome is not None
    changed = books.outcome.recorded[-1].event
    assert isinstance(changed, TierChanged)
    assert (changed.tier, changed.previous, changed.reason, changed.cause) == (
        "silver",
        None,
        "qualified",
        "purchase 1",
    )
    assert books.account().tier == Tier("silver", NOW, None)
    assert books.when(tier("again", "silver")) == []
    assert books.when(tier("progress", "silver", qualifying=150)) == [("standing.noted",)]
    assert books.when(tier("up", "gold", since=on("2026-01-16"))) == [("tier.changed",)]


def test_a_tier_counts_from_the_day_that_rules_name() -> None:
    """Recorded later, it holds since then; one that begins tomorrow is known today."""
    books = Books().given(tier("t", "silver", since=on("2026-01-10")), tier("u", "gold", since=on("2026-01-20")))
    assert [each.event.effective_at for each in books.history[ANNA][1:]] == [on("2026-01-10"), NOW]


def test_a_member_without_a_tier_is_below_the_first() -> None:
    """Progress is noted before any tier is reached."""
    books = Books().given(accrue("A", 1))
    assert books.when(tier("t", None, qualifying=40)) == [("standing.noted",)]
    assert books.account().standing == Standing(tier=None, qualifying=40)


def test_an_accrual_carries_the_standing_that_it_leads_to() -> None:
    """One message tells points and progress."""
    books = Books().given(accrue("A", 40, standing=Standing(tier="bronze", qualifying=280)))
    assert books.account().standing == Standing(tier="bronze", qualifying=280)


@pytest.mark.parametrize("account_id", [ANNA, UUID(int=7)])
def test_an_account_remembers_who_it_is(account_id: UUID) -> None:
    """The opening event alone tells tenant, programme and member."""
    books = Books()
    books.given(accrue("A", 1, account_id=account_id))
    account = books.account(account_id)
    assert (account.tenant, account.programme, account.member_id) == ("default", "grocer", MEMBER)
