"""Awards into the books: lots, balances, dedupe, due transitions, reversals that come first."""

from datetime import datetime
from typing import Any

import pytest

from services.runtime.shard import Verdict
from tests.integration.ledger.conftest import NOW, POINTS, Api, Books, Member, accrual, award, days, reversal


async def test_an_accrual_opens_the_account_with_a_lot(books: Books, api: Api, member: Member) -> None:
    """The first award makes an account that can be asked for at once."""
    assert await books.take(accrual(member, "p1", 40_00, expires_at=NOW + days(90))) == [Verdict("applied")]
    answer = await api.get(f"/accounts/{member.account}")
    assert answer.status_code == 200
    assert answer.json() == {
        "account_id": str(member.account),
        "programme": "grocer",
        "member_id": str(member.member_id),
        "status": "open",
        "merged_into": None,
        "version": 2,
        "balances": {
            "points": {
                "scale": 2, "pending": "0.00", "available": "40.00", "held": "0.00", "in_transit": "0.00",
                "debt": "0.00", "issued": "40.00", "adjusted": "0.00", "transferred_in": "0.00",
                "transferred_out": "0.00", "redeemed": "0.00", "expired": "0.00", "reversed": "0.00",
                "next_expiry": {"at": "2026-06-03T12:00:00+00:00", "points": "40.00"},
                "expires": [{"month": "2026-06", "points": "40.00"}],
            }
        },
        "tier": None,
    }  # fmt: skip


async def test_D1_the_same_event_ten_times_is_one_award(books: Books, api: Api, member: Member) -> None:
    """However often and under whatever event ids a command comes, in one batch or in many, it is booked once."""
    sent = [accrual(member, "p1", 40_00) for _ in range(5)]
    assert await books.take(*sent, *sent) == [Verdict("applied"), *[Verdict("duplicate")] * 9]
    assert await books.take(*sent) == [Verdict("duplicate")] * 5
    assert (await api.balance(member))["available"] == "40.00"
    assert await books.kinds(member) == ["account.opened", "points.accrued"]


async def test_back_dated_points_activate_and_expire_at_their_instants(books: Books, api: Api, member: Member) -> None:
    """What is due already is written in the accrual's own transaction, effective when it was due."""
    at = NOW - days(300)
    await books.take(accrual(member, "p1", 10_00, at=at, activates_at=at + days(14), expires_at=at + days(180)))
    events = await books.events(member)
    assert [(each["type"], each["data"]["effective_at"], each["data"]["version"]) for each in events] == [
        ("bonus.account.opened.v1", at.isoformat(), 1),
        ("bonus.points.accrued.v1", at.isoformat(), 2),
        ("bonus.points.activated.v1", (at + days(14)).isoformat(), 3),
        ("bonus.points.expired.v1", (at + days(180)).isoformat(), 4),
    ]
    assert await api.balance(member) == {"pending": "0.00", "available": "0.00", "held": "0.00", "debt": "0.00"}


async def test_reads_count_what_is_due_and_the_sweeper_writes_it(books: Books, api: Api, member: Member) -> None:
    """A balance never depends on whether the sweeper ran; nor does its entity tag."""
    await books.take(accrual(member, "p1", 10_00, activates_at=NOW + days(14), expires_at=NOW + days(180)))
    path = f"/accounts/{member.account}"
    first = await api.get(path)
    assert first.json()["balances"][POINTS]["pending"] == "10.00"
    assert (await api.get(path, headers={"If-None-Match": first.headers["etag"]})).status_code == 304
    books.clock.now = NOW + days(14)
    second = await api.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert second.status_code == 200
    assert await books.kinds(member) == ["account.opened", "points.accrued"]
    assert await books.sweep(member) == 1
    assert await books.kinds(member) == ["account.opened", "points.accrued", "points.activated"]
    third = await api.get(path)
    assert third.json() == second.json()
    assert third.headers["etag"] == second.headers["etag"] != first.headers["etag"]
    assert await books.sweep(member) == 0
    books.clock.now = NOW + days(180)
    assert await books.sweep(member) == 1
    assert await books.sweep(member) == 0
    assert (await api.balance(member))["available"] == "0.00"


async def test_two_sweepers_and_a_standstill_do_everything_once(books: Books, member: Member) -> None:
    """Due transitions have ids of their own: however late they are found, and by however many, each stands once."""
    lots = [
        accrual(member, f"p{number}", 1_00, activates_at=NOW + days(number), expires_at=NOW + days(30 + number))
        for number in range(1, 21)
    ]
    await books.take(*lots)
    books.clock.now = NOW + days(400)
    assert await books.sweep(member) + await books.sweep(member) == 1
    kinds = await books.kinds(member)
    assert (kinds.count("points.activated"), kinds.count("points.expired")) == (20, 20)
    instants = [event["data"]["effective_at"] for event in await books.events(member)]
    assert instants[2:] != sorted(instants[2:])[::-1]
    assert instants[22:] == sorted(instants[22:])


async def test_R8_a_reversal_before_its_accrual_waits_for_it(books: Books, api: Api, member: Member) -> None:
    """A return that overtakes its purchase is applied when the purchase comes, as if in order."""
    early = reversal(member, "p1", 15_00)
    assert await books.take(early) == [Verdict("waiting")]
    assert await books.take(early) == [Verdict("duplicate")]
    assert await books.take(accrual(member, "p1", 40_00)) == [Verdict("applied")]
    assert (await api.balance(member))["available"] == "25.00"
    assert await books.take(early) == [Verdict("duplicate")]
    assert await books.pool.fetchval("select count(*) from waiting") == 0
    other = Member()
    assert await books.take(reversal(other, "p1", 15_00), accrual(other, "p1", 40_00)) == [
        Verdict("waiting"),
        Verdict("applied"),
    ]
    assert (await api.balance(other))["available"] == "25.00"
    transactions = await books.pool.fetch("select distinct recorded_at, xmin::text from movement")
    assert len(transactions) == 2, "a batch that is tried again by halves was not decided at once"


@pytest.mark.parametrize(
    ("policy", "balance"),
    [
        ("pending_only", {"available": "10.00", "debt": "0.00"}),
        ("to_zero", {"available": "0.00", "debt": "0.00"}),
        ("negative", {"available": "0.00", "debt": "30.00"}),
    ],
)
async def test_R4_points_spent_before_they_are_taken_back(
    books: Books, api: Api, member: Member, policy: str, balance: dict[str, str]
) -> None:
    """Earned 40, spent 30, all returned: the terms of the award say what is taken."""
    await books.take(accrual(member, "p1", 40_00))
    assert (await api.redeem(member, "30.00")).status_code == 201
    assert await books.take(reversal(member, "p1", 40_00, policy)) == [Verdict("applied")]
    assert await api.balance(member) == {"pending": "0.00", "held": "0.00", **balance}


async def test_R5_a_debt_is_settled_by_the_next_accrual(books: Books, api: Api, member: Member) -> None:
    """Debt 30, then 50 active at once: 20 are left, and the statement shows the 30."""
    await books.take(accrual(member, "p1", 30_00))
    await api.redeem(member, "30.00")
    await books.take(reversal(member, "p1", 30_00, "negative"))
    assert (await api.balance(member))["debt"] == "30.00"
    await books.take(accrual(member, "p2", 50_00))
    assert await api.balance(member) == {"pending": "0.00", "available": "20.00", "held": "0.00", "debt": "0.00"}
    lots = (await api.get(f"/accounts/{member.account}/lots")).json()["items"]
    assert [(lot["available"], lot["withdrawn"]) for lot in lots] == [("20.00", "30.00")]
    lines = (await api.get(f"/accounts/{member.account}/statement")).json()["items"]
    assert (lines[0]["type"], lines[0]["changes"]) == (
        "bonus.debt.settled.v1",
        {"available": "-30.00", "debt": "-30.00"},
    )


async def test_a_refused_award_is_told_once(books: Books, member: Member) -> None:
    """A currency that suddenly has other decimals: the verdict is kept and published, the account stays as it was."""
    await books.take(accrual(member, "p1", 40_00))
    wrong: dict[str, Any] = accrual(member, "p2", 40_00)
    wrong["data"]["grants"][0]["scale"] = 0
    refused = await books.take(wrong)
    assert (refused[0].kind, refused[0].code) == ("refused", "scale_differs")
    assert [(each.kind, each.code) for each in await books.take(wrong)] == [("duplicate", "scale_differs")]
    last = (await books.events(member))[-1]
    assert (last["type"], last["data"]["version"], last["data"]["refusal"]["code"]) == (
        "bonus.command.rejected.v1", 2, "scale_differs",
    )  # fmt: skip
    assert last["data"]["command_id"] == wrong["data"]["command_id"]


async def test_a_tier_is_shown_with_its_standing(books: Books, api: Api, member: Member) -> None:
    """What rules decided of a tier stands on the account, with the way to the next."""
    standing = {
        "tier": "silver",
        "since": NOW.isoformat(),
        "qualifying": 600_0000,
        "next_tier": "gold",
        "missing": 400_0000,
    }
    change = award(
        "bonus.tier.change.v1", member, "p1", NOW, tier="silver", previous=None, since=NOW.isoformat(),
        until=datetime(2027, 4, 4).astimezone(NOW.tzinfo).isoformat(), reason="reached", cause="p1", standing=standing,
    )  # fmt: skip
    assert await books.take(change) == [Verdict("applied")]
    assert (await api.get(f"/accounts/{member.account}")).json()["tier"] == {
        "tier": "silver", "since": "2026-03-05T12:00:00+00:00", "until": "2027-04-04T00:00:00+00:00",
        "qualifying": "600.00", "next_tier": "gold", "missing": "400.00",
    }  # fmt: skip
