"""Returns in the books: debts, points that come back, points that lapsed meanwhile."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.runtime.shard import Verdict
from tests.integration.ledger.conftest import NOW, POINTS, Api, Books, Event, Member, accrual, days, given_back, paid
from tests.integration.ledger.conftest import reversal as taken_back

JUNE_1 = datetime(2026, 6, 1, tzinfo=UTC)
JUNE_10 = datetime(2026, 6, 10, 12, tzinfo=UTC)
JUNE_17 = datetime(2026, 6, 17, 12, tzinfo=UTC)
JULY_1 = datetime(2026, 7, 1, tzinfo=UTC)
WEEK_S = 7 * 86_400


def balance(**points: str) -> dict[str, str]:
    """A balance in which all that is not named is nothing."""
    return {"pending": "0.00", "available": "0.00", "held": "0.00", "debt": "0.00"} | points


async def lots(api: Api, member: Member) -> list[dict[str, Any]]:
    """All lots, oldest first."""
    items: list[dict[str, Any]] = (await api.get(f"/accounts/{member.account}/lots", params={"state": "all"})).json()[
        "items"
    ]
    return items


@pytest.mark.parametrize(("policy", "left"), [("pending_only", "110.00"), ("to_zero", "70.00"), ("negative", "70.00")])
async def test_R4b_other_lots_stand_in_for_what_was_spent(
    books: Books, api: Api, member: Member, policy: str, left: str
) -> None:
    """Earned 40, spent 30, another active lot of 100, everything returned."""
    await books.take(accrual(member, "p1", 40_00, expires_at=NOW + days(9)))
    assert (await api.redeem(member, "30.00")).status_code == 201
    await books.take(accrual(member, "other", 100_00), taken_back(member, "p1", 40_00, policy))
    assert await api.balance(member) == balance(available=left)


async def test_R5b_a_pending_accrual_settles_a_debt_when_it_activates(books: Books, api: Api, member: Member) -> None:
    """Debt 30, then 50 that activate in 14 days: debt 30 and pending 50; then available 20; returned: debt 30."""
    await books.take(accrual(member, "p1", 30_00))
    await api.redeem(member, "30.00")
    await books.take(taken_back(member, "p1", 30_00, "negative"))
    await books.take(accrual(member, "p2", 50_00, activates_at=NOW + days(14)))
    assert await api.balance(member) == balance(pending="50.00", debt="30.00")
    books.clock.now = NOW + days(14)
    assert await api.balance(member) == balance(available="20.00")
    assert await books.sweep(member) == 1
    assert await api.balance(member) == balance(available="20.00")
    await books.take(taken_back(member, "p2", 50_00, "negative"))
    assert await api.balance(member) == balance(debt="30.00")


async def bought_with_two_lots(books: Books, member: Member) -> Event:
    """60 paid from X (40, until 1 June 00:00) and Y (20, until 1 July); gives the purchase."""
    purchase = paid(member, "bought", 60_00)
    await books.take(
        accrual(member, "X", 40_00, expires_at=JUNE_1), accrual(member, "Y", 20_00, expires_at=JULY_1), purchase
    )
    return purchase


async def test_R6_points_past_their_date_come_back_with_the_grace(books: Books, api: Api, member: Member) -> None:
    """Wholly returned on 10 June 12:00 with a grace of 7 days: 20 into Y, 40 with expiry 17 June 12:00."""
    purchase = await bought_with_two_lots(books, member)
    books.clock.now = JUNE_10
    back = given_back(member, "return", purchase, 60_00, at=JUNE_10, restore_for_s=WEEK_S)
    assert await books.take(back, back) == [Verdict("applied"), Verdict("duplicate")]
    assert [(lot["available"], lot["expires_at"]) for lot in await lots(api, member)] == [
        ("40.00", JUNE_17.isoformat()),
        ("20.00", JULY_1.isoformat()),
    ]
    books.clock.now = JUNE_17
    assert await api.balance(member) == balance(available="20.00")


async def test_R6_without_a_grace_they_come_back_and_expire_at_once(books: Books, api: Api, member: Member) -> None:
    """Both are shown in the statement."""
    purchase = await bought_with_two_lots(books, member)
    books.clock.now = JUNE_10
    await books.take(given_back(member, "return", purchase, 60_00, at=JUNE_10))
    assert await api.balance(member) == balance(available="20.00")
    lines = (await api.get(f"/accounts/{member.account}/statement")).json()["items"]
    assert [(line["type"], line["changes"]) for line in lines[:2]] == [
        ("bonus.points.expired.v1", {"available": "-40.00", "expired": "40.00"}),
        ("bonus.points.restored.v1", {"available": "60.00", "redeemed": "-60.00"}),
    ]


async def test_R7_a_partial_refund_fills_the_latest_expiring_lot_first(books: Books, api: Api, member: Member) -> None:
    """Points worth 30 are refunded: 20 into Y, 10 of X."""
    purchase = await bought_with_two_lots(books, member)
    await books.take(given_back(member, "return", purchase, 30_00, at=NOW))
    assert [lot["available"] for lot in await lots(api, member)] == ["10.00", "20.00"]


async def test_R10_points_that_expired_count_as_taken(books: Books, api: Api, member: Member) -> None:
    """Earned 40, all of it expired, then returned: nothing to take, no debt, `already_expired`."""
    await books.take(accrual(member, "p1", 40_00, expires_at=NOW + days(10)))
    books.clock.now = NOW + days(11)
    assert await books.take(taken_back(member, "p1", 40_00, "negative")) == [Verdict("applied")]
    assert await api.balance(member) == balance()
    last = (await books.events(member))[-1]
    assert (last["type"], last["data"]["details"]["reason"]) == ("bonus.points.reversed.v1", "already_expired")


async def test_R10b_only_what_was_spent_becomes_debt(books: Books, api: Api, member: Member) -> None:
    """Earned 40, 30 spent, 10 expired, returned under `negative`: debt 30."""
    await books.take(accrual(member, "p1", 40_00, expires_at=NOW + days(10)))
    await api.redeem(member, "30.00")
    books.clock.now = NOW + days(11)
    await books.take(taken_back(member, "p1", 40_00, "negative"))
    assert await api.balance(member) == balance(debt="30.00")


async def test_R11_what_was_paid_with_points_comes_back_as_points(books: Books, api: Api, member: Member) -> None:
    """60 points paid, 3.00 earned; half returned: 30 back and 1.50 taken, or named as card only: 0 and 3.00."""
    other = Member()
    for who in (member, other):
        purchase = paid(who, "bought", 60_00)
        await books.take(accrual(who, "before", 60_00), purchase, accrual(who, "bought", 3_00))
        if who is member:
            await books.take(given_back(who, "half", purchase, 30_00, at=NOW), taken_back(who, "bought", 1_50))
        else:
            await books.take(taken_back(who, "bought", 3_00))
    assert await api.balance(member) == balance(available="31.50")
    assert await api.balance(other) == balance()


async def test_R12_points_of_equal_lines_come_back_in_parts(books: Books, api: Api, member: Member) -> None:
    """50 points paid on three lines come back as 17, 16, 17; there is no fourth part."""
    purchase = paid(member, "bought", 50_00)
    await books.take(accrual(member, "before", 50_00), purchase)
    seen = []
    for number, points in enumerate((17_00, 16_00, 17_00)):
        await books.take(given_back(member, f"return {number}", purchase, points, at=NOW))
        seen.append((await api.balance(member))["available"])
    assert seen == ["17.00", "33.00", "50.00"]
    fourth = await books.take(given_back(member, "return 4", purchase, 1_00, at=NOW))
    assert [(each.kind, each.code) for each in fourth] == [("refused", "nothing_to_restore")]


async def test_R8_points_given_back_before_they_were_spent_wait(books: Books, api: Api, member: Member) -> None:
    """The return of a purchase that comes later is applied with it: the balance is as if in order."""
    purchase = paid(member, "bought", 30_00)
    await books.take(accrual(member, "before", 40_00))
    assert await books.take(given_back(member, "return", purchase, 30_00, at=NOW)) == [Verdict("waiting")]
    assert await books.take(purchase) == [Verdict("applied")]
    account = (await api.get(f"/accounts/{member.account}")).json()["balances"][POINTS]
    assert (account["available"], account["redeemed"]) == ("40.00", "0.00")
