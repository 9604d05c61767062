"""Purchases, returns and activities over HTTP, on a real database."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.integration.rules.identify.http import Decided, post

Make = Callable[..., dict[str, Any]]


async def test_a_purchase_is_taken_in_and_its_status_followed(
    api: httpx.AsyncClient, desk: Any, decided: Decided, enrolment: Make, purchase: Make
) -> None:
    """202 with an address; the same request again gets the same answer; S2's line once it is decided."""
    await desk.send(enrolment("card:770001234567"))
    bought = purchase("krakow-12/3/000451", "card:770001234567", total="1000.00", colour="blue")["data"]
    first = await post(api, "/v1/purchases", bought, "k1")
    again = await post(api, "/v1/purchases", dict(reversed(bought.items())), "k1")
    place = "/v1/purchases/krakow-12%2F3%2F000451?programme=grocer"
    said = {"purchase_id": "krakow-12/3/000451", "programme": "grocer", "status": "identified", "code": None}
    for answered in (first, again):
        assert (answered.status_code, answered.headers["location"], answered.json()) == (202, place, said)
    [receipt] = await desk.published("bonus.receipt.identified.v1")
    assert receipt["data"]["purchase"] == bought
    waiting = (await api.get(place)).json()
    assert (waiting["status"], waiting["explanation"], waiting["account_id"]) == (
        "identified", None, receipt["data"]["holder"]["account_id"],
    )  # fmt: skip
    decided.on = True
    found = (await api.get(place)).json()
    line = {
        "purchase_id": "krakow-12/3/000451",
        "purchased_at": "2026-03-05T16:04:11+00:00",
        "card": "card:••••4567",
        "store": "krakow-12",
        "amount": "1000.00",
        "currency": "PLN",
        "status": "booked",
        "code": None,
        "redeemed": {"points": "200.00"},
        "accrued": {"points": "40.00"},
    }
    assert {name: found[name] for name in line} == line
    assert found["explanation"] == {"rules": ["cashback"]}
    listed = (await api.get("/v1/purchases?programme=grocer")).json()
    assert listed == {"purchases": [line], "next_cursor": None}


async def test_a_whole_event_is_taken_in_too(
    api: httpx.AsyncClient, enrolment: Make, desk: Any, purchase: Make
) -> None:
    """What comes over HTTP and again over Kafka is one purchase."""
    await desk.send(enrolment("card:77"))
    event = purchase("1")
    assert (await post(api, "/v1/purchases", event, "k1")).status_code == 202
    assert [each.kind for each in await desk.send(event)] == ["duplicate"]
    foreign = await post(api, "/v1/purchases", event | {"tenant": "other"}, "k2")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "tenant_foreign")


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"payments": []}, 422, "does_not_add_up", "$.payments"),
        ({"lines": [{"line": 1, "amount": "x"}]}, 422, "decimal_string", "$.lines[0].amount"),
        ({"currency": "EUR"}, 422, "wrong_currency", "$.currency"),
        ({"purchased_at": "2026-03-20T12:10:01Z"}, 422, "time_in_future", "$.purchased_at"),
        ({"programme": "nowhere"}, 422, "unknown_programme", "$.programme"),
    ],
)
async def test_D3_what_is_wrong_is_a_problem_with_code_and_field(  # noqa: PLR0913, PLR0917 - what is compared
    api: httpx.AsyncClient, purchase: Make, change: dict[str, Any], status: int, code: str, field: str
) -> None:
    """In problem+json, the same every time, with the field where the caller wrote it."""
    bought = purchase("1")["data"] | change
    for _ in range(2):
        refused = await post(api, "/v1/purchases", bought, "k1")
        assert refused.headers["content-type"] == "application/problem+json"
        assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (status, code, field)


async def test_D2_a_conflict_is_409_with_both_facts_and_stands_on_the_list(
    api: httpx.AsyncClient, desk: Any, enrolment: Make, purchase: Make
) -> None:
    """Over HTTP as over Kafka; the operators' list pages through what was refused."""
    await desk.send(enrolment("card:77"))
    await post(api, "/v1/purchases", purchase("1")["data"], "k1")
    conflict = await post(api, "/v1/purchases", purchase("1", total="99.00")["data"], "k2")
    assert (conflict.status_code, conflict.json()["code"]) == (409, "conflict")
    assert [conflict.json()[which]["total"] for which in ("first", "second")] == ["10.00", "99.00"]
    found = (await api.get("/v1/purchases/1?programme=grocer")).json()
    assert found["status"] == "identified"
    assert [each["second"]["total"] for each in found["conflicts"]] == ["99.00"]
    await post(api, "/v1/purchases", purchase("2", currency="EUR")["data"], "k3")
    codes, cursor = [], ""
    while cursor is not None:
        page = (await api.get(f"/v1/refusals?limit=1&programme=grocer{cursor and f'&cursor={cursor}'}")).json()
        codes += [each["code"] for each in page["refusals"]]
        cursor = page["next_cursor"]
    assert codes == ["wrong_currency", "conflict"]
    assert len((await api.get("/v1/refusals?code=conflict")).json()["refusals"]) == 1
    rejected = (await api.get("/v1/purchases/2?programme=grocer")).json()
    assert (rejected["status"], rejected["code"], rejected["field"]) == (
        "rejected",
        "wrong_currency",
        "$.data.currency",
    )


async def test_a_key_used_for_something_else_is_409_with_both_facts(api: httpx.AsyncClient, purchase: Make) -> None:
    """Even where the two would lie in different shards."""
    first = await post(api, "/v1/purchases", purchase("1", "card:1")["data"], "k1")
    assert (first.status_code, first.json()["status"], first.json()["code"]) == (202, "waiting", "unknown_member")
    other = await post(api, "/v1/purchases", purchase("2", "card:2")["data"], "k1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert set(other.json()) >= {"first", "second"}
    missing = await api.post("/v1/purchases", json=purchase("1")["data"])
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_missing")
    unknown = await api.get("/v1/purchases/2?programme=grocer")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "purchase_unknown")


async def test_S2_the_list_pages_from_the_latest_purchase_on(
    api: httpx.AsyncClient, desk: Any, enrolment: Make, purchase: Make
) -> None:
    """Across shards, with waiting ones, two at the same instant; nothing twice, nothing left out."""
    await desk.send(enrolment("card:0"))
    days = [1, 2, 2, 3, 4]
    for number, day in enumerate(days):
        await desk.send(purchase(str(number), f"card:{number}", at=f"2026-03-{day:02d}T10:00:00Z"))
    listed: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = (await api.get(f"/v1/purchases?programme=grocer&limit=2{cursor and f'&cursor={cursor}'}")).json()
        listed += page["purchases"]
        cursor = page["next_cursor"]
    assert [each["purchased_at"][8:10] for each in listed] == ["04", "03", "02", "02", "01"]
    assert {each["purchase_id"] for each in listed} == {"0", "1", "2", "3", "4"}
    assert [each["card"] for each in listed] == [None] * 4 + ["card:••••"]
    wrong = await api.get("/v1/purchases?programme=stickers&cursor=" + quote("abc"))
    assert (wrong.status_code, wrong.json()["code"]) == (400, "cursor_invalid")


async def test_R9_a_return_over_http(
    api: httpx.AsyncClient, desk: Any, enrolment: Make, purchase: Make, goods_back: Make
) -> None:
    """Applied, waiting for its purchase, or refused with the reason; seen with its purchase."""
    early = goods_back("r1", "1", (1, "1", "4.00"))["data"]
    waiting = await post(api, "/v1/returns", early, "k1")
    assert (waiting.status_code, waiting.json()["status"]) == (202, "waiting")
    await desk.send(enrolment("card:77"), purchase("1", lines=[(1, "2", "10.00")]))
    await desk.carry()
    assert (await post(api, "/v1/returns", early, "k1")).json()["status"] == "applied"
    too_much = await post(api, "/v1/returns", goods_back("r2", "1", (1, "2", "6.00"))["data"], "k2")
    assert (too_much.status_code, too_much.json()["code"], too_much.json()["field"]) == (
        422, "returns_more_than_bought", "$.lines[0].quantity",
    )  # fmt: skip
    found = (await api.get("/v1/purchases/1?programme=grocer")).json()
    assert found["returns"] == [
        {"return_id": "r1", "status": "applied", "returned_at": "2026-03-10T10:00:00+00:00", "amount": "4.00"}
    ]


async def test_an_activity_over_http(api: httpx.AsyncClient, desk: Any, enrolment: Make) -> None:
    """Its data alone, or an enrolment as a whole event."""
    joined = await post(api, "/v1/activities", enrolment("card:77"), "k1")
    assert (joined.status_code, joined.json()["status"]) == (202, "identified")
    review = {
        "activity_id": "a1", "programme": "grocer", "name": "review", "occurred_at": "2026-03-10T10:00:00Z",
        "member": {"type": "card", "value": "77"},
    }  # fmt: skip
    done = await post(api, "/v1/activities", review, "k2")
    assert (done.status_code, done.json()["status"], done.json()["account_id"]) == (
        202, "identified", joined.json()["account_id"],
    )  # fmt: skip
    assert len(await desk.published("bonus.activity.identified.v1")) == 1
    other = await post(api, "/v1/activities", review | {"name": "survey"}, "k3")
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    wrong_type = await post(api, "/v1/activities", {"specversion": "1.0", "type": "bonus.points.redeem.v1"}, "k4")
    assert (wrong_type.status_code, wrong_type.json()["code"]) == (422, "unknown_type")


async def test_a_token_without_the_scope_is_refused(api: httpx.AsyncClient) -> None:
    """401 without a token."""
    bare = await api.get("/v1/purchases?programme=grocer", headers={"authorization": ""})
    assert (bare.status_code, bare.json()["code"]) == (401, "token_missing")
