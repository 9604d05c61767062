"""Transfers and merges: points in transit, answers, what comes late for an account that was taken up."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

from contracts.shards import SHARDS
from services.ledger.verify.plan import Plan
from services.ledger.verify.report import Report
from services.ledger.verify.run import verify_shards
from tests.integration.ledger.conftest import (
    NOW,
    POINTS,
    Api,
    Books,
    Member,
    accrual,
    award,
    cloud_event,
    days,
    reversal,
)

Verify = Callable[[], Awaitable[Report]]
EMPTY = {"pending": "0.00", "available": "0.00", "held": "0.00", "debt": "0.00"}


async def test_A4_points_go_to_another_member_with_their_dates(books: Books, api: Api, database: str) -> None:
    """The soonest-expiring lots move with their dates; the sixth transfer of 100 in a month is refused."""
    await books.publish(transfer_month=500_00)
    sender, receiver = Member(), Member()
    await books.take(
        accrual(sender, "later", 1000_00, expires_at=NOW + days(90)),
        accrual(sender, "sooner", 50_00, expires_at=NOW + days(30)),
        accrual(receiver, "own", 1_00),
    )
    body = {"to_account_id": str(receiver.account), "currency": POINTS, "points": "100.00"}
    first = await api.post(f"/accounts/{sender.account}/transfers", body, "k")
    assert (first.status_code, first.json()["points"]) == (201, "100.00")
    account = (await api.get(f"/accounts/{sender.account}")).json()
    assert (account["balances"][POINTS]["available"], account["balances"][POINTS]["in_transit"]) == ("950.00", "100.00")
    assert await books.deliver() == 2
    assert (await api.post(f"/accounts/{sender.account}/transfers", body, "k")).json() == first.json()
    account = (await api.get(f"/accounts/{sender.account}")).json()
    assert (account["balances"][POINTS]["available"], account["balances"][POINTS]["in_transit"]) == ("950.00", "0.00")
    lots = (await api.get(f"/accounts/{receiver.account}/lots")).json()["items"]
    assert [(lot["points"], lot["expires_at"]) for lot in lots] == [
        ("1.00", None),
        ("50.00", (NOW + days(30)).isoformat()),
        ("50.00", (NOW + days(90)).isoformat()),
    ]
    codes = [(await api.post(f"/accounts/{sender.account}/transfers", body)).status_code for _ in range(5)]
    assert codes == [201, 201, 201, 201, 409]
    await books.deliver()
    assert (await api.balance(receiver))["available"] == "501.00"
    report = await verify_shards(database, range(SHARDS), Plan())
    assert report.differences == []


async def test_A4_points_that_cannot_be_taken_up_come_back(books: Books, api: Api, database: str) -> None:
    """Both sides or neither: a receiver that was closed meanwhile sends them back to their lots."""
    sender, receiver = Member(), Member()
    await books.take(accrual(sender, "p1", 100_00), accrual(receiver, "own", 1_00))
    body = {"to_account_id": str(receiver.account), "currency": POINTS, "points": "30.00"}
    assert (await api.post(f"/accounts/{sender.account}/transfers", body)).status_code == 201
    assert (await api.post(f"/accounts/{receiver.account}/close", {"reason": "wish"})).status_code == 201
    assert await books.deliver() == 2
    assert (await api.balance(sender))["available"] == "100.00"
    assert (await books.kinds(sender))[-1] == "transfer.returned"
    unknown = body | {"to_account_id": str(uuid4())}
    assert (await api.post(f"/accounts/{sender.account}/transfers", unknown)).json()["code"] == "account_unknown"
    own = body | {"to_account_id": str(sender.account)}
    assert (await api.post(f"/accounts/{sender.account}/transfers", own)).json()["code"] == "same_account"
    assert (await verify_shards(database, range(SHARDS), Plan())).differences == []


async def test_A2_one_account_takes_up_another_for_ever(books: Books, api: Api, database: str) -> None:
    """300 and 120 become 420 with their dates; an open hold is captured where it was placed; late events go over."""
    survivor, other = Member(), Member()
    await books.take(
        accrual(survivor, "s", 300_00, expires_at=NOW + days(60)),
        accrual(other, "o", 120_00, expires_at=NOW + days(30)),
    )
    hold = await api.post(
        f"/accounts/{other.account}/holds", {"currency": POINTS, "points": "20.00", "time_out_s": 900}
    )
    merge = award(
        "bonus.accounts.merge.v1", survivor, "merge", NOW, from_account_id=str(other.account),
        from_member_id=str(other.member_id),
    )  # fmt: skip
    assert [each.kind for each in await books.take(merge, merge)] == ["applied", "duplicate"]
    await books.deliver()
    assert (await api.balance(survivor))["available"] == "400.00"
    gone = (await api.get(f"/accounts/{other.account}")).json()
    assert (gone["status"], gone["merged_into"]) == ("merged", str(survivor.account))
    assert gone["balances"][POINTS]["held"] == "20.00"
    path = f"/accounts/{other.account}/holds/{hold.json()['hold_id']}/capture"
    assert (await api.post(path, {"points": "15.00"})).status_code == 201
    await books.deliver()
    assert (await api.balance(survivor))["available"] == "405.00"
    assert await api.balance(other) == EMPTY
    await books.take(accrual(other, "late", 7_00))
    await books.take(reversal(other, "o", 20_00))
    redeem = {"key": "k", "account_id": str(other.account), "programme": "grocer", "currency": POINTS, "points": "2.00"}
    await books.take(cloud_event("bonus.points.redeem.v1", redeem))
    await books.deliver()
    assert (await api.balance(survivor))["available"] == "390.00"
    refused = await api.redeem(other, "1.00")
    assert (refused.status_code, refused.json()["code"], refused.json()["merged_into"]) == (
        409, "account_merged", str(survivor.account),
    )  # fmt: skip
    for each in (survivor, other):
        assert (await api.get(f"/accounts/{each.account}/statement")).json()["items"]
    assert (await verify_shards(database, range(SHARDS), Plan())).differences == []


async def test_A2_two_accounts_cannot_take_up_each_other(books: Books, api: Api, database: str) -> None:
    """Merging A into B and B into A at once: one wins, and nothing is lost."""
    one, two = Member(), Member()
    await books.take(accrual(one, "1", 300_00), accrual(two, "2", 120_00))
    merges = [
        award(
            "bonus.accounts.merge.v1", survivor, "merge", NOW, from_account_id=str(gone.account),
            from_member_id=str(gone.member_id),
        )
        for survivor, gone in ((one, two), (two, one))
    ]  # fmt: skip
    await books.take(*merges)
    await books.deliver()
    accounts = [(await api.get(f"/accounts/{each.account}")).json() for each in (one, two)]
    assert sorted(account["status"] for account in accounts) == ["merged", "open"]
    assert sorted(account["balances"][POINTS]["available"] for account in accounts) == ["0.00", "420.00"]
    assert (await verify_shards(database, range(SHARDS), Plan())).differences == []
