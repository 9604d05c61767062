"""Redemptions and holds over HTTP: what they take, what is refused, what is given back."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest

from tests.integration.ledger.conftest import (
    ALL_SCOPES,
    NOW,
    POINTS,
    Api,
    Books,
    Member,
    accrual,
    cloud_event,
    days,
    token,
)


async def test_L1_redemption_takes_the_soonest_expiring_first(books: Books, api: Api, member: Member) -> None:
    """Lots A 100 (1 March), B 50 (1 February), C 70 (never): 120 take B and 70 of A."""
    march, february = NOW + days(60), NOW + days(30)
    await books.take(
        accrual(member, "A", 100_00, expires_at=march),
        accrual(member, "B", 50_00, expires_at=february),
        accrual(member, "C", 70_00),
    )
    answer = await api.redeem(member, "120.00")
    assert (answer.status_code, answer.json()["points"]) == (201, "120.00")
    lots = (await api.get(f"/accounts/{member.account}/lots", params={"state": "all"})).json()["items"]
    assert [(lot["available"], lot["redeemed"]) for lot in lots] == [
        ("30.00", "70.00"),
        ("0.00", "50.00"),
        ("70.00", "0.00"),
    ]
    account = (await api.get(f"/accounts/{member.account}")).json()
    assert account["balances"][POINTS]["next_expiry"] == {"at": march.isoformat(), "points": "30.00"}
    books.clock.now = march
    assert (await api.balance(member))["available"] == "70.00"
    reversals = f"/accounts/{member.account}/redemptions/{answer.json()['redemption_id']}/reversals"
    books.clock.now = NOW + days(1)
    assert (await api.post(reversals, {"points": "50.00"})).json()["balances"][POINTS]["available"] == "150.00"
    refused = await api.post(reversals, {"points": "80.00"})
    assert (refused.status_code, refused.json()["code"], refused.json()["remaining"]) == (
        409, "exceeds_redemption", "70.00",
    )  # fmt: skip
    lots = (await api.get(f"/accounts/{member.account}/lots", params={"state": "all"})).json()["items"]
    assert [lot["available"] for lot in lots] == ["80.00", "0.00", "70.00"]


async def test_L2_L3_validity_goes_by_the_clock_not_by_the_sweeper(books: Books, api: Api, member: Member) -> None:
    """Points count from the very instant of activation to just before the instant of expiry."""
    await books.take(accrual(member, "p1", 10_00, activates_at=NOW + days(14), expires_at=NOW + days(30)))
    early = await api.redeem(member, "1.00")
    assert (early.status_code, early.json()["code"]) == (409, "insufficient_points")
    assert (early.json()["available"], early.json()["pending"]) == ("0.00", "10.00")
    books.clock.now = NOW + days(14)
    assert (await api.redeem(member, "1.00")).status_code == 201
    books.clock.now = NOW + days(30)
    late = await api.redeem(member, "1.00")
    assert (late.status_code, late.json()["code"], late.json()["available"]) == (409, "insufficient_points", "0.00")


async def test_L9_two_hundred_at_once_take_exactly_what_is_there(books: Books, api: Api, member: Member) -> None:
    """200 redemptions of 1 from 50 connections on a balance of 100: 100 accepted, 100 refused, each repeatable."""
    await books.take(accrual(member, "p1", 100_00))
    keys = [str(uuid4()) for _ in range(200)]
    gate = asyncio.Semaphore(50)

    async def redeem(key: str) -> tuple[int, dict[str, object]]:
        async with gate:
            answer = await api.redeem(member, "1.00", key)
            return answer.status_code, answer.json()

    answers = await asyncio.gather(*map(redeem, keys))
    assert Counter(status for status, _ in answers) == {201: 100, 409: 100}
    assert {body["code"] for status, body in answers if status == 409} == {"insufficient_points"}
    assert (await api.balance(member))["available"] == "0.00"
    assert await asyncio.gather(*map(redeem, keys)) == answers
    assert await books.pool.fetchval("select count(*) from redemption") == 100


async def test_the_same_key_with_another_body_is_a_conflict(books: Books, api: Api, member: Member) -> None:
    """The first stands; both facts are in the answer; the same key of another caller is another key."""
    await books.take(accrual(member, "p1", 100_00))
    first = await api.redeem(member, "1.00", "k")
    assert (await api.redeem(member, "1.00", "k")).json() == first.json()
    other = await api.redeem(member, "2.00", "k")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert (other.json()["first"]["points"], other.json()["second"]["points"]) == (1_0000, 2_0000)
    assert (await api.balance(member))["available"] == "99.00"
    path = f"/accounts/{member.account}/redemptions"
    elsewhere = await api.post(path, {"currency": POINTS, "points": "2.00"}, "k", headers=token(subject="till-4"))
    assert elsewhere.status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"currency": POINTS, "points": "-1.00"}, 422, "not_positive", None),
        ({"currency": POINTS, "points": "0"}, 422, "not_positive", None),
        ({"currency": POINTS, "points": "1.001"}, 422, "too_many_decimals", None),
        ({"currency": POINTS, "points": "9999999999999"}, 422, "amount_too_large", "$.points"),
        ({"currency": POINTS, "points": 1}, 422, "decimal_string", "$.points"),
        ({"currency": "miles", "points": "1.00"}, 422, "unknown_currency", None),
        ({"points": "1.00"}, 422, "missing", "$.currency"),
        ({"currency": POINTS, "points": "1.00", "amount": "1"}, 422, "unknown_field", "$.amount"),
        ([], 422, None, None),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_its_code(  # noqa: PLR0913, PLR0917  # the case's columns
    books: Books, api: Api, member: Member, body: object, status: int, code: str | None, field: str | None
) -> None:
    """Each wrong body has a stable code and names its field; nothing is booked."""
    await books.take(accrual(member, "p1", 100_00))
    answer = await api.post(f"/accounts/{member.account}/redemptions", body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    if code is not None:
        assert (answer.json()["code"], answer.json().get("field")) == (code, field)
    assert (await api.balance(member))["available"] == "100.00"


async def test_keys_accounts_and_scopes(books: Books, api: Api, member: Member) -> None:
    """No key, a key too long, an account that is not there or another tenant's, a caller who may not."""
    await books.take(accrual(member, "p1", 100_00))
    path, body = f"/v1/accounts/{member.account}/redemptions", {"currency": POINTS, "points": "1.00"}
    assert (await api.client.post(path, json=body)).json()["code"] == "idempotency_key_missing"
    assert (await api.redeem(member, "1.00", "k" * 201)).json()["code"] == "idempotency_key_too_long"
    unknown = await api.redeem(Member(), "1.00")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "account_unknown")
    foreign = token(tenant="other")
    assert (await api.post(path.removeprefix("/v1"), body, headers=foreign)).json()["code"] == "account_unknown"
    assert (await api.get(f"/accounts/{member.account}", headers=foreign)).status_code == 404
    reader = token(scopes=["ledger:read"])
    assert (await api.post(path.removeprefix("/v1"), body, headers=reader)).json()["code"] == "scope_missing"
    assert (await api.client.get(path, headers={"Authorization": ""})).status_code in {401, 405}
    assert set(ALL_SCOPES) > {"ledger:read"}


async def test_L6_L7_a_hold_is_captured_in_part_and_never_twice(books: Books, api: Api, member: Member) -> None:
    """Hold 80, capture 50: 50 redeemed and 30 released at once; what is over is refused by name."""
    await books.take(accrual(member, "p1", 100_00))
    holds = f"/accounts/{member.account}/holds"
    body = {"currency": POINTS, "points": "80.00", "time_out_s": 900}
    placed = (await api.post(holds, body)).json()
    assert placed["balances"][POINTS] == {"pending": "0.00", "available": "20.00", "held": "80.00", "debt": "0.00"}
    over = await api.post(f"{holds}/{placed['hold_id']}/capture", {"points": "80.01"})
    assert (over.status_code, over.json()["code"]) == (409, "exceeds_hold")
    captured = await api.post(f"{holds}/{placed['hold_id']}/capture", {"points": "50.00"})
    assert (captured.status_code, captured.json()["points"]) == (201, "50.00")
    assert await api.balance(member) == {"pending": "0.00", "available": "50.00", "held": "0.00", "debt": "0.00"}
    again = await api.post(f"{holds}/{placed['hold_id']}/capture", {"points": "10.00"})
    assert (again.status_code, again.json()["code"]) == (409, "hold_captured")
    other = (await api.post(holds, body | {"points": "10.00"})).json()
    assert (await api.post(f"{holds}/{other['hold_id']}/release", None)).status_code == 201
    late = await api.post(f"{holds}/{other['hold_id']}/capture", {})
    assert (late.status_code, late.json()["code"]) == (409, "hold_released")
    third = (await api.post(holds, body | {"points": "10.00"})).json()
    books.clock.now = NOW + days(1)
    timed_out = await api.post(f"{holds}/{third['hold_id']}/capture", {})
    assert (timed_out.status_code, timed_out.json()["code"]) == (409, "hold_expired")
    assert (await api.balance(member))["available"] == "50.00"
    unknown = await api.post(f"{holds}/{uuid4()}/capture", {})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "hold_unknown")


async def test_L8_a_hold_shelters_its_lots_from_expiry(books: Books, api: Api, member: Member) -> None:
    """A held lot passes its date: the release is followed at once by the expiry of those points."""
    await books.take(accrual(member, "p1", 80_00, expires_at=NOW + days(1)))
    holds = f"/accounts/{member.account}/holds"
    hold = (await api.post(holds, {"currency": POINTS, "points": "80.00", "time_out_s": 86400 * 5})).json()
    books.clock.now = NOW + days(2)
    assert (await api.balance(member))["held"] == "80.00"
    await api.post(f"{holds}/{hold['hold_id']}/release", None)
    assert (await books.kinds(member))[-2:] == ["hold.released", "points.expired"]
    assert await api.balance(member) == {"pending": "0.00", "available": "0.00", "held": "0.00", "debt": "0.00"}


async def test_L10_the_programme_limits_redemptions(books: Books, api: Api, member: Member) -> None:
    """At most 30 % of the bill, multiples of 10, at least 100: in the order minimum, step, share."""
    await books.publish(redemption={"currency": POINTS, "share_of_bill": [3, 10], "step": 10_00, "at_least": 100_00})
    await books.take(accrual(member, "p1", 1000_00))
    bill = {"bill": "1000.00", "redeemable": "1000.00"}
    assert (await api.redeem(member, "300.00", **bill)).status_code == 201
    codes = [(await api.redeem(member, points, **bill)).json()["code"] for points in ("310.00", "295.00", "90.00")]
    assert codes == ["exceeds_share_of_bill", "not_a_multiple", "below_minimum"]


async def test_commands_over_kafka_have_the_same_verdicts(books: Books, api: Api, member: Member) -> None:
    """A till that prefers Kafka is told by events what HTTP would have answered; its key works the same way."""
    await books.take(accrual(member, "p1", 100_00))
    common = {"account_id": str(member.account), "programme": member.programme}

    def redeem(key: str, points: str, currency: str = POINTS) -> dict[str, object]:
        return cloud_event("bonus.points.redeem.v1", common | {"key": key, "currency": currency, "points": points})

    verdicts = await books.take(
        redeem("a", "60.00"), redeem("a", "60.00"), redeem("a", "61.00"), redeem("b", "60.00"), redeem("c", "0.001"),
        redeem("d", "1.00", "miles"),
    )  # fmt: skip
    assert [(each.kind, each.code) for each in verdicts] == [
        ("applied", None),
        ("duplicate", None),
        ("conflict", "idempotency_key_reused"),
        ("refused", "insufficient_points"),
        ("refused", "too_many_decimals"),
        ("refused", "unknown_currency"),
    ]
    assert (await api.balance(member))["available"] == "40.00"
    rejected = [event for event in await books.events(member) if event["type"] == "bonus.command.rejected.v1"]
    assert [event["data"]["details"]["asked"]["key"] for event in rejected] == ["b", "c", "d"]
    hold = cloud_event("bonus.hold.place.v1", common | {"key": "h", "currency": POINTS, "points": "30.00"})
    placed = (await books.take(hold))[0]
    capture = cloud_event(
        "bonus.hold.capture.v1", common | {"key": "i", "hold_id": placed.answer["hold_id"], "points": "20.00"}
    )
    assert (await books.take(capture))[0].kind == "applied"
    assert await api.balance(member) == {"pending": "0.00", "available": "20.00", "held": "0.00", "debt": "0.00"}
