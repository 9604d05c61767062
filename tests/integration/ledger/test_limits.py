"""What a programme says about spending: shares of the bill, redemptions a day, confirmations; what nobody may send."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.confirmations import Confirmation
from services.ledger.confirmations import Confirmations
from services.ledger.processor import LOG_COLUMNS, LedgerProcessor
from services.runtime import tokens
from services.runtime.writer import ShardWriter
from tests.integration.ledger.conftest import NOW, POINTS, Api, Books, Member, accrual, cloud_event, days

LIMITS = {"currency": POINTS, "share_of_bill": [3, 10], "step": 10_00, "at_least": 100_00}
PRIVATE, PUBLIC = tokens.new_encoded_key_pair()
TILL = "till-3"


async def test_L10b_a_share_is_of_money_and_points_have_their_worth(books: Books, api: Api, member: Member) -> None:
    """Worth 0.10: 30 % of a bill of 1000 are 3000 points."""
    await books.publish(redemption=LIMITS, currencies=[{"currency": POINTS, "scale": 2, "worth": "0.10"}])
    await books.take(accrual(member, "p1", 10_000_00))
    bill = {"bill": "1000.00", "redeemable": "1000.00"}
    over = (await api.redeem(member, "3010.00", **bill)).json()
    assert (over["code"], over["at_most"]) == ("exceeds_share_of_bill", "3000.00")
    assert (await api.redeem(member, "3000.00", **bill)).status_code == 201


async def test_L10c_the_share_is_of_what_may_be_paid_with_points(books: Books, api: Api, member: Member) -> None:
    """A bill of 1000 of which 650 are excluded: 30 % of 350 are 105, so 110 are refused."""
    await books.publish(redemption=LIMITS)
    await books.take(accrual(member, "p1", 10_000_00))
    bill = {"bill": "1000.00", "redeemable": "350.00"}
    over = (await api.redeem(member, "110.00", **bill)).json()
    assert (over["code"], over["redeemable"], over["at_most"]) == ("exceeds_share_of_bill", "350.00", "105.00")
    assert (await api.redeem(member, "100.00", **bill)).status_code == 201


async def test_L10d_shares_are_exact(books: Books, api: Api, member: Member) -> None:
    """Of 333.33 nothing may be redeemed, of 333.34 a hundred; a hold is limited as a redemption is."""
    await books.publish(redemption=LIMITS)
    await books.take(accrual(member, "p1", 10_000_00))
    assert (await api.redeem(member, "100.00", bill="333.33")).json()["code"] == "exceeds_share_of_bill"
    assert (await api.redeem(member, "100.00", bill="333.34")).status_code == 201
    body = {"currency": POINTS, "points": "100.00", "bill": "333.33"}
    held = await api.post(f"/accounts/{member.account}/holds", body)
    assert (held.status_code, held.json()["code"]) == (422, "exceeds_share_of_bill")
    assert (await api.redeem(member, "100.00")).json()["code"] == "bill_required"


async def test_L11_two_redemptions_a_day(books: Books, api: Api, member: Member) -> None:
    """The third is refused; a reversed one no longer counts; tomorrow, in the programme's zone, there are two more."""
    await books.publish(redemption={"currency": POINTS, "per_day": 2})
    await books.take(accrual(member, "p1", 100_00))
    first, _ = [await api.redeem(member, "1.00") for _ in range(2)]
    third = await api.redeem(member, "1.00")
    assert (third.status_code, third.json()["code"], third.json()["per_day"]) == (409, "too_many_redemptions", "2")
    path = f"/accounts/{member.account}/redemptions/{first.json()['redemption_id']}/reversals"
    assert (await api.post(path, {})).status_code == 201
    assert [(await api.redeem(member, "1.00")).status_code for _ in range(2)] == [201, 409]
    books.clock.now = NOW.replace(hour=22, minute=59)
    assert (await api.redeem(member, "1.00")).status_code == 409
    books.clock.now += timedelta(minutes=1)
    assert (await api.redeem(member, "1.00")).status_code == 201


async def test_L12_a_redemption_undone_in_parts(books: Books, api: Api, member: Member) -> None:
    """Of 120 from two lots 50 come back, the latest-expiring first; then what is left, and no more."""
    await books.take(accrual(member, "A", 100_00, expires_at=NOW + days(60)), accrual(member, "B", 70_00))
    redeemed = (await api.redeem(member, "120.00")).json()
    path = f"/accounts/{member.account}/redemptions/{redeemed['redemption_id']}/reversals"
    assert (await api.post(path, {"points": "50.00"})).json()["points"] == "50.00"
    lots = (await api.get(f"/accounts/{member.account}/lots", params={"state": "all"})).json()["items"]
    assert [lot["available"] for lot in lots] == ["30.00", "70.00"]
    over = await api.post(path, {"points": "80.00"})
    assert (over.status_code, over.json()["code"], over.json()["remaining"]) == (409, "exceeds_redemption", "70.00")
    assert (await api.post(path, {})).json()["points"] == "70.00"
    assert (await api.balance(member))["available"] == "170.00"


async def test_S1_while_a_programme_is_suspended_nothing_is_spent(books: Books, api: Api, member: Member) -> None:
    """Redemptions are refused, an open hold is captured, expiry goes on."""
    await books.publish(transfer_month=500_00)
    await books.take(accrual(member, "p1", 50_00), accrual(member, "p2", 7_00, expires_at=NOW + days(1)))
    body = {"currency": POINTS, "points": "10.00", "time_out_s": 864_000}
    hold = (await api.post(f"/accounts/{member.account}/holds", body)).json()
    await suspend(books)
    assert (await api.redeem(member, "1.00")).json()["code"] == "programme_suspended"
    assert (await api.post(f"/accounts/{member.account}/holds", body)).json()["code"] == "programme_suspended"
    assert (await api.post(f"/accounts/{member.account}/holds/{hold['hold_id']}/capture", {})).status_code == 201
    books.clock.now = NOW + days(1)
    assert (await api.balance(member))["available"] == "47.00"


async def suspend(books: Books) -> None:
    """Publish the programme again, suspended from now on."""
    state = books.programmes.state("default", "grocer")
    assert state is not None
    suspended = state.model_dump(mode="json") | {"revision": 2, "suspensions": [{"starts_at": NOW.isoformat()}]}
    await books.publish_state(suspended)


def confirmation(member: Member, points: str, **claims: Any) -> str:
    """A token as the notifier signs it, good for a minute."""
    now_s = int(NOW.timestamp())
    said = Confirmation(
        jti=uuid4(), iat=now_s, exp=now_s + 60, tenant="default", account_id=member.account, programme="grocer",
        currency=POINTS, points=points, till=TILL,
    ).model_dump(mode="json")  # fmt: skip
    return tokens.sign(tokens.private_key_of(PRIVATE), said | claims)


@pytest.fixture
def confirming(books: Books, api: Api) -> Api:
    """An API that knows the key with which confirmations are signed."""
    confirmations = Confirmations(PUBLIC)
    processor = LedgerProcessor(books.programmes, confirmations)
    books.writer = ShardWriter(
        books.pool, processor, settings=books.settings, clock=books.clock, log_columns=LOG_COLUMNS
    )
    transport: Any = api.client._transport  # the one way to the application behind the client
    transport.app.state.parts.writer = books.writer
    transport.app.state.parts.confirmations = confirmations
    return api


async def test_a_large_redemption_asks_for_the_members_confirmation(
    books: Books, confirming: Api, member: Member
) -> None:
    """Above the programme's limit only with a token for this account, amount and till; each token serves once."""
    api = confirming
    await books.publish(redemption={"currency": POINTS, "confirm_above": 50_00})
    await books.take(accrual(member, "p1", 1_000_00))
    assert (await api.redeem(member, "50.00")).status_code == 201
    asked = await api.redeem(member, "60.00")
    assert (asked.status_code, asked.json()["code"], asked.json()["above"]) == (409, "confirmation_required", "50.00")
    good = confirmation(member, "60.00")
    wrong = {
        "confirmation_differs": confirmation(member, "61.00"),
        "confirmation_expired": confirmation(member, "60.00", exp=int(NOW.timestamp())),
        "confirmation_invalid": confirmation(member, "60.00", till="till-4"),
    }
    for code, token in wrong.items():
        refused = await api.redeem(member, "60.00", confirmation=token)
        assert (refused.status_code, refused.json()["code"]) == (422, code)
    for claims in ({"account_id": str(uuid4())}, {"aud": "bonus"}, {"currency": "miles"}, {"tenant": "other"}):
        refused = await api.redeem(member, "60.00", confirmation=confirmation(member, "60.00", **claims))
        assert refused.json()["code"] == "confirmation_invalid"
    assert (await api.redeem(member, "60.00", confirmation="no token")).json()["code"] == "confirmation_invalid"
    first = await api.redeem(member, "60.00", "key", confirmation=good)
    assert (first.status_code, first.json()["points"]) == (201, "60.00")
    books.clock.now = NOW + days(1)
    assert (await api.redeem(member, "60.00", "key", confirmation=good)).json() == first.json()
    books.clock.now = NOW
    body = {"currency": POINTS, "points": "60.00", "confirmation": good}
    used = await api.post(f"/accounts/{member.account}/holds", body)
    assert (used.status_code, used.json()["code"]) == (409, "confirmation_used")
    held = await api.post(
        f"/accounts/{member.account}/holds", body | {"confirmation": confirmation(member, "60.00", till=TILL)}
    )
    assert UUID(held.json()["hold_id"])
    capture = await api.post(f"/accounts/{member.account}/holds/{held.json()['hold_id']}/capture", {})
    assert capture.status_code == 201
    rows = await books.pool.fetch("select request from movement where request::text like '%confirmation%'")
    assert not [row for row in rows if "eyJ" in row["request"]], "the log holds no token"


async def test_a_confirmation_comes_over_kafka_too(books: Books, confirming: Api, member: Member) -> None:
    """There the till is the event's source."""
    await books.publish(redemption={"currency": POINTS, "confirm_above": 50_00})
    await books.take(accrual(member, "p1", 1_000_00))
    common = {
        "account_id": str(member.account), "programme": member.programme, "currency": POINTS, "points": "60.00",
    }  # fmt: skip
    given: list[dict[str, str]] = [
        {"key": "none"},
        {"key": "other", "confirmation": confirmation(member, "60.00")},
        {"key": "own", "confirmation": confirmation(member, "60.00", till="urn:test")},
    ]
    verdicts = await books.take(*(cloud_event("bonus.points.redeem.v1", common | each) for each in given))
    assert [each.code for each in verdicts] == ["confirmation_required", "confirmation_invalid", None]
    assert (await confirming.balance(member))["available"] == "940.00"
