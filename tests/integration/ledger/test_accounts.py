"""Accounts as a whole: frozen, closed, erased, shared, corrected by hand; how far the shards have come."""

from typing import Any

from contracts.shards import SHARDS
from services.ledger.verify.plan import Plan
from services.ledger.verify.run import verify_shards
from tests.integration.ledger.conftest import NOW, POINTS, Api, Books, Member, accrual, cloud_event, days, token


async def test_A5_a_frozen_account_earns_but_does_not_redeem(books: Books, api: Api, member: Member) -> None:
    """Redemptions, holds and transfers are refused, accruals recorded, an open hold captured; unfrozen: as before."""
    await books.take(accrual(member, "p1", 100_00))
    path, amount = f"/accounts/{member.account}", {"currency": POINTS, "points": "10.00"}
    hold = (await api.post(f"{path}/holds", amount | {"time_out_s": 900})).json()
    assert (await api.post(f"{path}/freeze", {"reason": "fraud-3"})).status_code == 201
    assert (await api.get(path)).json()["status"] == "frozen"
    other = Member()
    await books.take(accrual(other, "own", 1_00))
    for where, body in (
        ("redemptions", amount),
        ("holds", amount),
        ("transfers", amount | {"to_account_id": str(other.account)}),
    ):
        refused = await api.post(f"{path}/{where}", body)
        assert (refused.status_code, refused.json()["code"]) == (409, "account_frozen"), where
    await books.take(accrual(member, "p2", 5_00))
    assert (await api.post(f"{path}/holds/{hold['hold_id']}/capture", {})).status_code == 201
    assert (await api.balance(member))["available"] == "95.00"
    assert (await api.post(f"{path}/unfreeze", {"reason": "cleared"})).status_code == 201
    assert (await api.redeem(member, "95.00")).status_code == 201
    frozen = next(event for event in await books.events(member) if event["type"] == "bonus.account.frozen.v1")
    assert (frozen["data"]["details"]["reason"], frozen["data"]["details"]["operator"]) == ("fraud-3", "till-3")


async def test_L14_a_manual_adjustment_says_who_and_why(books: Books, api: Api, member: Member) -> None:
    """−500 on a balance of 300 only with `allow_debt`; operator and reason are required and shown."""
    await books.take(accrual(member, "p1", 300_00))
    path = f"/accounts/{member.account}/adjustments"
    body: dict[str, Any] = {"currency": POINTS, "points": "-500.00", "reason": "correction"}
    refused = await api.post(path, body)
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_points")
    nameless = await api.post(path, {name: value for name, value in body.items() if name != "reason"})
    assert (nameless.status_code, nameless.json()["code"], nameless.json()["field"]) == (422, "missing", "$.reason")
    till = await api.post(path, body, headers=token(scopes=["ledger:read", "ledger:write"]))
    assert (till.status_code, till.json()["code"]) == (403, "scope_missing")
    done = await api.post(path, body | {"allow_debt": True}, headers=token(subject="ewa"))
    assert done.json()["balances"][POINTS] == {
        "pending": "0.00", "available": "0.00", "held": "0.00", "debt": "200.00",
    }  # fmt: skip
    line = (await api.get(f"/accounts/{member.account}/statement")).json()["items"][0]
    assert line["why"] == {"reason": "correction", "operator": "ewa"}
    assert "Reason: correction, operator: ewa" in line["text"]
    more = body | {"points": "250.00", "expires_at": (NOW + days(9)).isoformat()}
    assert (await api.post(path, more)).json()["balances"][POINTS]["available"] == "50.00"
    late = await api.post(path, more | {"expires_at": (NOW - days(9)).isoformat()})
    assert late.json()["code"] == "expires_in_the_past"


async def test_A6_an_erased_member_leaves_figures_and_no_lines(
    books: Books, api: Api, member: Member, database: str
) -> None:
    """Every query of the account answers `member_erased`, so does every command; totals and proof are as before."""
    await books.take(accrual(member, "p1", 100_00), accrual(Member(), "other", 7_00))
    await api.redeem(member, "30.00")
    before = (await api.get("/programmes/grocer/liability")).json()["currencies"]
    erased = {
        "account_id": str(member.account), "member_id": str(member.member_id), "programme": member.programme,
        "effective_at": NOW.isoformat(),
    }  # fmt: skip
    message = cloud_event("bonus.member.erased.v1", erased)
    assert [each.kind for each in await books.take(message, message)] == ["applied", "duplicate"]
    path = f"/accounts/{member.account}"
    reads = [
        await api.get(f"/accounts?member={member.member_id}&programme={member.programme}"),
        await api.get(path), await api.get(path, params={"as_of": NOW.isoformat()}), await api.get(f"{path}/lots"),
        await api.get(f"{path}/statement"), await api.get(f"{path}/statement", headers={"Accept": "text/csv"}),
        await api.get(f"{path}/statement", headers={"Accept": "application/x-ndjson"}),
        await api.get(f"{path}/events"), await api.redeem(member, "1.00"),
    ]  # fmt: skip
    assert [(each.status_code, each.json()["code"]) for each in reads] == [(410, "member_erased")] * len(reads)
    assert [each.code for each in await books.take(accrual(member, "late", 5_00))] == ["member_erased"]
    assert (await api.get("/programmes/grocer/liability")).json()["currencies"] == before
    assert (await verify_shards(database, range(SHARDS), Plan())).differences == []


async def test_A3_a_household_shares_one_account(books: Books, api: Api) -> None:
    """Three members book on one account; what the leaver buys next goes to its own, and the balance stays."""
    household = Member()
    members = [Member() for _ in range(3)]
    for number, each in enumerate(members):
        event = accrual(household, f"p{number}", 10_00)
        event["data"]["member_id"] = str(each.member_id)
        await books.take(event)
    assert (await api.balance(household))["available"] == "30.00"
    await books.take(accrual(members[0], "own", 4_00))
    assert [(await api.balance(each))["available"] for each in (household, members[0])] == ["30.00", "4.00"]
    items = (await api.get(f"/accounts?member={members[0].member_id}&programme=grocer")).json()["items"]
    assert [each["account_id"] for each in items] == [str(members[0].account)]


async def test_closing_lapses_what_is_left(books: Books, api: Api, member: Member) -> None:
    """Not while points are on hold; afterwards nothing is earned or spent, and the history stays readable."""
    await books.take(accrual(member, "p1", 100_00, activates_at=NOW + days(1)), accrual(member, "p2", 50_00))
    path = f"/accounts/{member.account}"
    hold = (await api.post(f"{path}/holds", {"currency": POINTS, "points": "10.00"})).json()
    assert (await api.post(f"{path}/close", {"reason": "wish"})).json()["code"] == "hold_open"
    assert (await api.post(f"{path}/holds/{hold['hold_id']}/release", None)).status_code == 201
    assert (await api.post(f"{path}/close", {"reason": "wish"})).status_code == 201
    account = (await api.get(path)).json()
    assert (account["status"], account["balances"][POINTS]["expired"]) == ("closed", "150.00")
    assert (await api.redeem(member, "1.00")).json()["code"] == "account_closed"
    assert [each.code for each in await books.take(accrual(member, "p3", 1_00))] == ["account_closed"]
    assert len((await api.get(f"{path}/statement")).json()["items"]) == 5


async def test_several_currencies_of_one_programme_stand_beside_each_other(
    books: Books, api: Api, member: Member
) -> None:
    """Points with two decimals, stamps with none: each has its own balance, decimals and expiry by month."""
    stamp = accrual(member, "stamp", 9, currency="stamps", expires_at=NOW + days(40))
    stamp["data"]["grants"][0]["scale"] = 0
    await books.take(
        stamp,
        accrual(member, "p1", 40_00, expires_at=NOW + days(40)),
        accrual(member, "p2", 2_00, expires_at=NOW + days(41), activates_at=NOW + days(1)),
        accrual(member, "p3", 1_00, expires_at=NOW + days(80)),
    )
    balances = (await api.get(f"/accounts/{member.account}")).json()["balances"]
    assert {name: (each["scale"], each["available"], each["pending"]) for name, each in balances.items()} == {
        "points": (2, "41.00", "2.00"),
        "stamps": (0, "9", "0"),
    }
    assert balances["points"]["expires"] == [
        {"month": "2026-04", "points": "42.00"},
        {"month": "2026-05", "points": "1.00"},
    ]
    assert balances["points"]["next_expiry"] == {"at": (NOW + days(40)).isoformat(), "points": "40.00"}
    assert balances["stamps"]["next_expiry"] == {"at": (NOW + days(40)).isoformat(), "points": "9"}
    spent = await api.post(f"/accounts/{member.account}/redemptions", {"currency": "stamps", "points": "4"})
    assert spent.json()["balances"]["stamps"]["available"] == "5"
    half = await api.post(f"/accounts/{member.account}/redemptions", {"currency": "stamps", "points": "0.5"})
    assert (half.status_code, half.json()["code"]) == (422, "too_many_decimals")


async def test_every_shard_says_how_far_it_has_come(books: Books, api: Api, member: Member) -> None:
    """Head and hash of each shard, and how much of it was published."""
    await books.take(accrual(member, "p1", 40_00))
    items = (await api.get("/shards")).json()["items"]
    by_shard = {each["shard"]: each for each in items}
    row = await books.pool.fetchrow("select head, hash from shard where shard = $1", member.shard)
    assert (by_shard[member.shard]["head"], by_shard[member.shard]["hash"]) == (row["head"], row["hash"].hex())
    assert by_shard[member.shard]["published"] == 0
