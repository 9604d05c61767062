"""D3: what cannot be read or is wrong is told with its reason, and those behind it go on."""

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.topics import PURCHASES
from deploy.local.settings import PROJECT
from tests.e2e import till
from tests.e2e.shop import NOON, Balance, Member, checked, key, now, programme, shop_with_member
from tests.e2e.system import System
from tests.e2e.till import Fields, Outgoing, line

BASE = "rule: base, give: 5 %"


def purchase_of(anna: Member, name: str, *lines: str | Fields, **changes: object) -> Fields:
    """The data of a purchase, with some of its fields as they should not be."""
    data = till.purchase_data(anna.shop.programme, name, anna.card, NOON, lines or ["10.00"], currency="PLN")
    return data | changes


def wrong(anna: Member) -> dict[str, tuple[Fields, str, str]]:
    """Purchases that decode and are wrong, by name: the data, the code that is told, and the field."""

    def one(name: str, *lines: str | Fields, **changes: object) -> Fields:
        return purchase_of(anna, name, *lines, **changes)

    paid = [till.paid_by_card("10.00")]
    points = [till.by_points("9223372036854775808")]
    return {
        "endless": (
            one("endless", line(1, "10.00") | {"amount": "1e400"}), "decimal_string", "$.data.lines[0].amount"
        ),
        "number": (
            one("number", line(1, "10.00") | {"amount": 10.0}), "decimal_string", "$.data.lines[0].amount"
        ),
        "points": (one("points", payments=points), "amount_too_large", "$.data.payments[0].amount"),
        "sum": (one("sum", payments=[till.paid_by_card("11.00")]), "does_not_add_up", "$.data.payments"),
        "quantity": (
            one("quantity", line(1, "10.00", quantity="-1")), "negative_quantity", "$.data.lines[0].quantity"
        ),
        "zone": (one("zone", purchased_at="2025-03-05T12:00:00"), "time_without_zone", "$.data.purchased_at"),
        "future": (
            one("future", purchased_at=(now() + timedelta(minutes=11)).isoformat()),
            "time_in_future", "$.data.purchased_at",
        ),
        "euros": (one("euros", currency="EUR"), "wrong_currency", "$.data.currency"),
        "programme": (one("programme", programme="d3-nowhere"), "unknown_programme", "$.data.programme"),
        "id": (one("id", purchase_id="x" * 10_000), "too_long", "$.data.purchase_id"),
        "missing": (
            {name: value for name, value in one("missing").items() if name != "lines"}, "missing", "$.data.lines"
        ),
        "repeated": (
            one("repeated", line(1, "5.00"), line(1, "5.00"), payments=paid), "line_repeated", "$.data.lines"
        ),
    }  # fmt: skip


def strange(anna: Member) -> dict[str, Fields]:
    """Purchases that look odd and are right; together they come to 130.00."""
    negative = [line(1, "60.00"), line(2, "-10.00", "deposit")]
    rounded = [till.paid_by_card("40.02"), {"type": "rounding", "amount": "-0.02"}]
    return {
        "zero-quantity": purchase_of(anna, "zero-quantity", line(1, "40.00", quantity="0")),
        "zero-amount": purchase_of(anna, "zero-amount", line(1, "0.00")),
        "negative-amount": purchase_of(anna, "negative-amount", *negative),
        "rounding": purchase_of(anna, "rounding", line(1, "40.00"), payments=rounded),
    }


def unreadable() -> dict[str, tuple[bytes, str]]:
    """Bytes that are no message, by name, and the code under which each is set aside."""
    data: Fields = {"purchase_id": "d3"}
    event = till.event("bonus.purchase.completed.v1", data, now(), "d3-unreadable")
    return {
        "text": (b"this is not JSON", "not_json"),
        "number": (event.replace(b'"d3"', b"1e400"), "not_json"),
        "list": (b"[]", "not_a_cloud_event"),
        "type": (till.event("bonus.purchase.invented.v1", data, now()), "unknown_type"),
        "envelope": (till.event("bonus.purchase.completed.v1", data, now(), "x" * 10_000), "not_a_cloud_event"),
        "topic": (till.event("bonus.points.accrue.v1", data, now()), "wrong_topic"),
        "large": (till.event("bonus.purchase.completed.v1", {"padding": "x" * 2_000_000}, now()), "too_large"),
    }


async def test_D3_what_is_wrong_is_told_and_the_partition_goes_on(system: System) -> None:
    """Every kind of bad message under one card, a good purchase after each: all good ones count, nothing else does."""
    shop, anna = await shop_with_member(system, programme("d3", BASE))
    bad, odd, torn = wrong(anna), strange(anna), unreadable()
    good = 0
    places: dict[str, tuple[int, int]] = {}
    for name, (value, _) in torn.items():
        places[name] = await system.send_bytes(PURCHASES.name, f"card:{anna.card}", value)
        await anna.buy(f"after-torn-{name}", NOON, "10.00")
        good += 1
    for name, (data, _, _) in bad.items():
        message = till.event("bonus.purchase.completed.v1", data, now(), f"d3-{name}")
        await system.send(Outgoing(PURCHASES.name, f"card:{anna.card}", message))
        await anna.buy(f"after-{name}", NOON, "10.00")
        good += 1
    await system.send(*(till.purchase(data, now()) for data in odd.values()))
    await system.settle()
    assert await anna.balance() == Balance(available=f"{good * 0.5 + 6.5:.2f}")
    assert len(await anna.events()) == 1 + good + 3  # opened; a basket of 0.00 earns nothing
    assert await told(system) == {name: (code, field) for name, (_, code, field) in bad.items()}
    assert await set_aside(system, places) == {name: code for name, (_, code) in torn.items()}
    listed = {each["event_id"]: each["code"] for each in await shop.refusals()}
    assert listed == {f"d3-{name}": code for name, (_, code, _) in bad.items() if name != "programme"}


async def told(system: System) -> dict[str, tuple[str, str]]:
    """What was answered to the messages of this file, by name; each with words for a person."""
    found = {}
    for event in await system.published("bonus.verdicts.v1"):
        data = event["data"]
        if data["event_id"].startswith("d3-"):
            assert len(data["refusal"]["message"].split()) > 2
            found[data["event_id"].removeprefix("d3-")] = (data["refusal"]["code"], data["refusal"]["field"])
    return found


async def set_aside(system: System, places: dict[str, tuple[int, int]]) -> dict[str, str]:
    """The codes of what was set aside at these places, by name; each was told on the topic of dead letters."""
    letters = {(each["partition"], each["kafka_offset"]): each for each in await system.dead_letters()}
    references = {
        event["data"]["dead_letter_id"]: event["data"] for event in await system.published(PURCHASES.dead_letters)
    }
    found = {}
    for name, place in places.items():
        letter = letters[place]
        reference = references[str(letter["dead_letter_id"])]
        assert (reference["partition"], reference["offset"], reference["code"]) == (*place, letter["code"])
        assert len(reference["message"].split()) > 2
        found[name] = letter["code"]
    return found


async def test_D3_over_http_a_problem_names_code_and_field(system: System) -> None:
    """Whoever sends over HTTP hears at once what is wrong, where, and in the same words."""
    _, anna = await shop_with_member(system, programme("d3-http", BASE))
    await system.settle()
    rules = system.http("rules")
    heard = {}
    for name, (data, _, _) in wrong(anna).items():
        answer = await rules.post("/v1/purchases", json=data, headers=key())
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert len(problem["detail"].split()) > 2
        heard[name] = (answer.status_code, problem["code"], problem["field"])
    assert heard == {
        name: (httpx.codes.UNPROCESSABLE_ENTITY, code, field.replace("$.data", "$"))
        for name, (_, code, field) in wrong(anna).items()
    }
    for data in strange(anna).values():
        checked(await rules.post("/v1/purchases", json=data, headers=key()))
    await system.settle()
    assert await anna.balance() == Balance(available="6.50")


async def test_D3_requests_that_are_none_are_refused_by_their_codes(system: System) -> None:
    """Not JSON, too large, without a key, without a token, for another thing under the same key: each has its code."""
    _, anna = await shop_with_member(system, programme("d3-requests", BASE))
    await system.settle()
    rules = system.http("rules")
    first = purchase_of(anna, "d3-requests")
    reused = key()
    checked(await rules.post("/v1/purchases", json=first, headers=reused))
    answers = [
        await rules.post("/v1/purchases", content=b"{", headers=key() | {"Content-Type": "application/json"}),
        await rules.post("/v1/purchases", json={"padding": "x" * 300_000}, headers=key()),
        await rules.post("/v1/purchases", json=first),
        await rules.post("/v1/purchases", json=first, headers={"Idempotency-Key": "x" * 10_000}),
        await rules.post("/v1/purchases", json=first | {"store": "other"}, headers=reused),
        await rules.post("/v1/purchases", json=first | {"store": "other"}, headers=key()),
        await rules.post("/v1/purchases", json=first, headers=key() | {"Authorization": "Bearer none"}),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (400, "not_json"),
        (413, "body_too_large"),
        (400, "idempotency_key_missing"),
        (400, "idempotency_key_too_long"),
        (409, "idempotency_key_reused"),
        (409, "conflict"),
        (401, "token_malformed"),
    ]
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    conflict = answers[-2].json()
    assert [conflict[fact]["store"] for fact in ("first", "second")] == ["krakow-12", "other"]


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"currency": "points", "points": "-1.00"}, 422, "not_positive", None),
        ({"currency": "points", "points": "0.00"}, 422, "not_positive", None),
        ({"currency": "points", "points": "1.001"}, 422, "too_many_decimals", None),
        ({"currency": "points", "points": "9223372036854775808"}, 422, "amount_too_large", "$.points"),
        ({"currency": "points", "points": 1}, 422, "decimal_string", "$.points"),
        ({"currency": "miles", "points": "1.00"}, 422, "unknown_currency", None),
        ({"points": "1.00"}, 422, "missing", "$.currency"),
        ({"currency": "points", "points": "1.00", "bil": "9.00"}, 422, "unknown_field", "$.bil"),
    ],
)
async def test_D3_a_redemption_that_is_wrong_changes_nothing(
    spender: Member, body: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    """Points are spent as they were asked for, or not at all."""
    before = await spender.account()
    place = f"/v1/accounts/{spender.account_id}/redemptions"
    answer = await spender.shop.system.http("ledger").post(place, json=body, headers=key())
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem.get("field")) == (status, code, field)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await spender.account())["balances"] == before["balances"]


@pytest.fixture(scope="module")
async def spender(system: System) -> Member:
    """A member with points."""
    _, anna = await shop_with_member(system, programme("d3-spender", BASE))
    await anna.buy("d3-spender", NOON, "1000.00")
    await system.settle()
    return anna


async def test_D6_a_mended_dead_letter_is_applied_once(system: System, tmp_path: Path) -> None:
    """An operator mends what could not be read and sends it again, twice: it counts once, and says who did it."""
    shop, anna = await shop_with_member(system, programme("d6", BASE))
    good = anna.purchase("d6", NOON, "100.00").value
    place = await system.send_bytes(PURCHASES.name, f"card:{anna.card}", good[:-1])
    await system.settle()
    assert await anna.event_types() == ["account.opened"]
    listed = await deadletters(system, "list", "--topic", PURCHASES.name, "--json")
    [letter] = [each for each in json.loads(listed) if (each["partition"], each["kafka_offset"]) == place]
    mended = tmp_path / "mended.json"
    mended.write_bytes(good)
    for _ in range(2):
        await deadletters(system, "replay", letter["dead_letter_id"], "--body", str(mended), "--by", "olga@example.com")
    await system.settle()
    assert await anna.balance() == Balance(available="5.00")
    assert await anna.event_types() == ["account.opened", "points.accrued"]
    shown = json.loads(await deadletters(system, "show", letter["dead_letter_id"], "--json"))
    assert (shown["state"], shown["replayed_by"], shown["code"]) == ("replayed", "olga@example.com", "not_json")
    assert shown["replayed_at"] is not None
    assert await shop.refusals() == []


async def deadletters(system: System, *arguments: str) -> str:
    """Run `bonus deadletters` as an operator of this system would."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.command", "deadletters", *arguments,
        cwd=PROJECT, env=os.environ | system.processes.environment, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()
