"""Every route that changes something refuses what cannot be meant, each mistake under a code of its own."""

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest

from contracts.documents import DIRECTORY
from services.ledger.verify.plan import Plan
from services.ledger.verify.run import verify_shards
from tests.integration.ledger.conftest import POINTS, Api, Books, Member, accrual, token


@dataclass(frozen=True)
class Route:
    """A route below an account, a body that it takes, and whether the amount in it may be below zero."""

    path: str
    body: dict[str, Any]
    signed: bool = False

    @property
    def has_points(self) -> bool:
        """Whether it takes an amount."""
        return "points" in self.body

    @property
    def has_currency(self) -> bool:
        """Whether it takes a currency."""
        return "currency" in self.body


async def routes(books: Books, api: Api, member: Member) -> dict[str, Route]:
    """All of them, on an account that has a hold, a redemption and somebody to send points to."""
    other = Member()
    await books.take(accrual(member, "p1", 1_000_00), accrual(other, "own", 1_00))
    amount = {"currency": POINTS, "points": "1.00"}
    hold = (await api.post(f"/accounts/{member.account}/holds", amount)).json()["hold_id"]
    second = (await api.post(f"/accounts/{member.account}/holds", amount)).json()["hold_id"]
    redemption = (await api.redeem(member, "1.00")).json()["redemption_id"]
    reason = {"reason": "check"}
    return {
        "redemptions": Route("redemptions", amount),
        "reversals": Route(f"redemptions/{redemption}/reversals", {"points": "0.01"}),
        "holds": Route("holds", amount),
        "capture": Route(f"holds/{hold}/capture", {"points": "0.01", "partial": "keep"}),
        "release": Route(f"holds/{second}/release", {}),
        "transfers": Route("transfers", amount | {"to_account_id": str(other.account)}),
        "adjustments": Route("adjustments", amount | reason, signed=True),
        "freeze": Route("freeze", reason),
        "unfreeze": Route("unfreeze", reason),
        "close": Route("close", reason),
    }


NAMES = (
    "redemptions", "reversals", "holds", "capture", "release", "transfers", "adjustments", "freeze", "unfreeze",
    "close",
)  # fmt: skip


async def test_every_route_that_changes_something_is_here(books: Books, api: Api, member: Member) -> None:
    """The routes below are those of the published document: a new one has to be added."""
    every = await routes(books, api, member)
    assert set(every) == set(NAMES)
    document = orjson.loads((DIRECTORY / "openapi" / "ledger.json").read_bytes())
    writing = {path for path, methods in document["paths"].items() if set(methods) - {"get"}}
    ids = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\{[a-z_]+\}")
    here = {f"/v1/accounts/{member.account}/{route.path}" for route in every.values()}
    assert {ids.sub("*", path) for path in here} == {ids.sub("*", path) for path in writing}


@pytest.mark.parametrize("name", NAMES)
async def test_each_mistake_has_its_code(books: Books, api: Api, member: Member, name: str) -> None:
    """Amounts, currencies, accounts, keys and bodies; nothing is booked by any of them."""
    every = await routes(books, api, member)
    route = every[name]
    path = f"/accounts/{member.account}/{route.path}"
    before = (await api.get(f"/accounts/{member.account}")).json()
    amounts = {"0": "not_positive", "1.001": "too_many_decimals", "1.00001": "too_many_decimals",
               "4611686018427387905": "amount_too_large", "1,00": "decimal_string"}  # fmt: skip
    if not route.signed:
        amounts["-1.00"] = "not_positive"
    for points, code in amounts.items() if route.has_points else ():
        refused = await api.post(path, route.body | {"points": points})
        assert (refused.status_code, refused.json()["code"]) == (422, code), points
    for money in ("bill", "redeemable") if name in {"redemptions", "holds"} else ():
        for amount, code in (("-0.01", "bill_negative"), ("1.00001", "too_many_decimals"), ("x", "decimal_string")):
            refused = await api.post(path, route.body | {money: amount})
            assert (refused.status_code, refused.json()["code"]) == (422, code), (money, amount)
    if route.has_currency:
        refused = await api.post(path, route.body | {"currency": "miles"})
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_currency")
    unknown = await api.post(f"/accounts/{uuid4()}/{route.path}", route.body)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "account_unknown")
    nobody = await api.post(f"/accounts/nobody/{route.path}", route.body)
    assert (nobody.status_code, nobody.json()["code"]) == (422, "not_a_uuid")
    for key, code in ((None, "idempotency_key_missing"), ("", "idempotency_key_missing"),
                      ("k" * 201, "idempotency_key_too_long")):  # fmt: skip
        headers = {} if key is None else {"Idempotency-Key": key}
        refused = await api.client.post(f"/v1{path}", json=route.body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (400, code)
    for body, code in (({"nonsense": 1}, "unknown_field"), ([], "not_an_object"), ("x", "not_an_object")):
        refused = await api.post(path, route.body | body if isinstance(body, dict) else body)
        assert (refused.status_code, refused.json()["code"]) == (422, code)
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    text = await api.client.post(f"/v1{path}", content=b"{", headers=headers)
    assert (text.status_code, text.json()["code"]) == (400, "not_json")
    long = json.dumps(route.body | {"reference": "x" * books.settings.http_body_max_bytes}).encode()
    large = await api.client.post(f"/v1{path}", content=long, headers=headers)
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
    reader = await api.post(path, route.body, headers=token(scopes=["ledger:read"]))
    assert (reader.status_code, reader.json()["code"]) == (403, "scope_missing")
    assert (await api.get(f"/accounts/{member.account}")).json() == before


@pytest.mark.parametrize("name", NAMES)
async def test_a_key_answers_the_same_for_ever(books: Books, api: Api, member: Member, name: str) -> None:
    """An answer that was lost is given again, whatever happened since; the same key with another body is a conflict."""
    every = await routes(books, api, member)
    route = every[name]
    if name == "close":
        # An account cannot end while points are on hold.
        await api.post(f"/accounts/{member.account}/{every['capture'].path}", {})
        await api.post(f"/accounts/{member.account}/{every['release'].path}", {})
    path = f"/accounts/{member.account}/{route.path}"
    first = await api.post(path, route.body, "key")
    assert first.status_code == 201, first.text
    await books.take(accrual(member, "later", 5_00))
    books.clock.now = books.clock.now.replace(year=2036)
    again = await api.post(path, route.body, "key")
    assert (again.status_code, again.json()) == (201, first.json())
    if route.body:
        other = {"points": "0.02"} if route.has_points else {"reason": "other"}
        conflict = await api.post(path, route.body | other, "key")
        assert (conflict.status_code, conflict.json()["code"]) == (409, "idempotency_key_reused")
        assert set(conflict.json()) >= {"first", "second"}


async def test_the_books_keep_no_answers_beside_their_verdicts(
    books: Books, api: Api, member: Member, database: str, superuser: asyncpg.Connection
) -> None:
    """An answer is kept with its verdict; one put into the runtime's table of keys is named by verification."""
    await books.take(accrual(member, "p1", 10_00))
    assert (await api.redeem(member, "1.00", "key")).status_code == 201
    assert await superuser.fetchval("select count(*) from idempotency_key") == 0
    assert (await verify_shards(database, [member.shard], Plan())).differences == []
    await superuser.execute(
        "insert into idempotency_key (shard, scope, key, fingerprint, status, answer, recorded_at)"
        " values ($1, 'default till-3 redemptions', 'key', 'f', 201, '{}', now())",
        member.shard,
    )
    report = await verify_shards(database, [member.shard], Plan())
    assert report.counts == {"unexpected idempotency_key": 1}
