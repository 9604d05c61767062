"""Purchases, returns, activities and members over HTTP, on a real database."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest

from contracts import ids
from services.rules.api import application
from services.rules.api.outcomes import Outcome, Points
from services.rules.api.state import Parts
from services.rules.identify.queries import Queries
from services.rules.settings import RulesSettings
from services.runtime import tokens

Make = Callable[..., dict[str, Any]]
CALLER = "till-3"
DECISION = ids.derive("decision")


class Decided:
    """Decisions as the decide worker would have taken them: 5 % of each purchase that is asked for, once `on`."""

    def __init__(self) -> None:
        self.on = False

    async def of_purchases(  # noqa: D102
        self, pool: object, wanted: Sequence[tuple[UUID, UUID]]
    ) -> Mapping[UUID, Outcome]:
        del pool
        points = (Points("points", 2, 4_000, 20_000),)
        outcome = Outcome(DECISION, "booked", points, None, {"rules": ["cashback"]})
        return {key: outcome for _, key in wanted} if self.on else {}


@pytest.fixture
def decided() -> Decided:
    return Decided()


@pytest.fixture
async def api(desk: Any, decided: Decided) -> AsyncIterator[httpx.AsyncClient]:
    """The API of rules on the desk's database, with a token that may read and write."""
    settings = RulesSettings()
    parts = Parts(
        desk.identify,
        desk.index,
        desk.pool,
        Queries(desk.pool, desk.pseudonyms, desk.vault),
        decided,
        desk.vault,
        lambda: desk.clock[0],
    )
    app = application(settings, parts)
    private, app.state.token_key = tokens.new_key_pair()
    app.state.clock = lambda: desk.clock[0]
    token = tokens.issue(
        private,
        subject=CALLER,
        tenant="default",
        scopes=("rules:read", "rules:write"),
        now=desk.clock[0],
        lifetime_s=30 * 24 * 3600,
    )
    headers = {"authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://rules", headers=headers) as client:
        yield client


async def post(api: httpx.AsyncClient, path: str, body: Any, key: str) -> httpx.Response:
    return await api.post(path, json=body, headers={"Idempotency-Key": key})


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


async def test_A1_a_member_gets_a_new_card_and_loses_the_old_one(
    api: httpx.AsyncClient, desk: Any, purchase: Make
) -> None:
    """Enrolled by PUT; the lost card blocked at noon, a new one put on: its purchases count for the same account."""
    member_id = ids.derive("member", "anna")
    body = {
        "programme": "grocer",
        "identifiers": [{"type": "card", "value": "770001234567"}],
        "enrolled_at": "2026-03-01T10:00:00Z",
    }
    enrolled = await api.put(f"/v1/members/{member_id}", json=body)
    account_id = str(ids.account_of("default", "grocer", member_id))
    assert (enrolled.status_code, enrolled.json()) == (
        200, {"member_id": str(member_id), "programme": "grocer", "account_id": account_id},
    )  # fmt: skip
    await desk.carry()
    change = {
        "programme": "grocer",
        "identifier": {"type": "card", "value": "88"},
        "since": "2026-03-10T12:00:00Z",
        "blocks": {"identifier": {"type": "card", "value": "770001234567"}, "since": "2026-03-10T12:00:00Z"},
    }
    path = f"/v1/members/{member_id}/identifiers"
    for _ in range(2):
        made = await post(api, path, change, "k1")
        assert (made.status_code, made.json()) == (201, {"member_id": str(member_id), "account_id": account_id})
    by_old = purchase("1", "card:770001234567", at="2026-03-10T12:00:00Z")
    by_old_before = purchase("2", "card:770001234567", at="2026-03-10T11:00:00Z")
    by_new = purchase("3", "card:88", at="2026-03-11T12:00:00Z")
    kinds = [(each.kind, each.code) for each in await desk.send(by_old, by_old_before, by_new)]
    assert kinds == [("refused", "identifier_blocked"), ("applied", None), ("applied", None)]
    member = (await api.get(f"/v1/members/{member_id}")).json()
    assert member["accounts"] == [
        {"programme": "grocer", "account_id": account_id, "since": "2026-03-01T10:00:00+00:00"}
    ]
    assert {(each["type"], each["value"], each["blocked_since"]) for each in member["identifiers"]} == {
        ("member", str(member_id), None),
        ("card", "770001234567", "2026-03-10T12:00:00+00:00"),
        ("card", "88", None),
    }
    [found] = (await api.get("/v1/members?identifier=card:88")).json()["members"]
    assert (found["member_id"], found["account_id"], found["identifier"]) == (str(member_id), account_id, "card:••••")


async def test_members_are_refused_what_others_hold(api: httpx.AsyncClient, desk: Any) -> None:
    """Each refusal with a code of its own."""
    anna, boris = ids.derive("member", "anna"), ids.derive("member", "boris")
    card = {"type": "card", "value": "77"}
    body = {"programme": "grocer", "identifiers": [card]}
    assert (await api.put(f"/v1/members/{anna}", json=body)).status_code == 200
    await desk.carry()
    taken = await api.put(f"/v1/members/{boris}", json=body)
    assert (taken.status_code, taken.json()["code"], taken.json()["field"]) == (
        409, "identifier_taken", "$.identifiers[0]",
    )  # fmt: skip
    unknown = await post(api, f"/v1/members/{boris}/identifiers", {"programme": "grocer", "identifier": card}, "k1")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "member_unknown")
    assert (await api.put(f"/v1/members/{boris}", json={"programme": "grocer"})).status_code == 200
    await desk.carry()
    path = f"/v1/members/{boris}/identifiers"
    refused = [
        await post(api, path, {"programme": "grocer", "identifier": card}, "k2"),
        await post(api, path, {"programme": "grocer", "blocks": {"identifier": card}}, "k3"),
        await post(api, path, {"programme": "stickers", "identifier": card}, "k4"),
        await post(api, path, {"programme": "grocer"}, "k5"),
    ]
    assert [(each.status_code, each.json()["code"]) for each in refused] == [
        (409, "identifier_taken"), (409, "identifier_not_held"), (409, "not_in_programme"), (422, "missing"),
    ]  # fmt: skip


async def test_what_is_new_about_a_member_goes_on_as_facts(api: httpx.AsyncClient, desk: Any) -> None:
    """A second PUT enrols nobody twice; facts are known from the moment they were told."""
    member_id = ids.derive("member", "anna")
    await api.put(f"/v1/members/{member_id}", json={"programme": "grocer"})
    desk.clock[0] += timedelta(days=1)
    again = {"programme": "grocer", "birthday": "1990-02-28", "identifiers": [{"type": "phone", "value": "600"}]}
    assert (await api.put(f"/v1/members/{member_id}", json=again)).status_code == 200
    assert len(await desk.published("bonus.participant.enrolled.v1")) == 1
    [facts] = await desk.published("bonus.facts.identified.v1")
    assert facts["data"]["facts"]["birthday"] == "1990-02-28"
    assert facts["data"]["facts"]["known_at"] == "2026-03-21T12:00:00+00:00"
    wrong = await api.put(f"/v1/members/{member_id}", json={"programme": "grocer", "birthday": "soon"})
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["field"]) == (422, "not_a_day", "$.birthday")


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


async def test_A3_a_household_shares_an_account_and_the_balance_stays_when_one_leaves(
    api: httpx.AsyncClient, desk: Any, purchase: Make
) -> None:
    """Two join the account of a third; one leaves, and what that one buys next goes to an account of its own."""
    names = ("anna", "boris", "carol")
    members = {name: ids.derive("member", name) for name in names}
    own = {name: str(ids.account_of("default", "grocer", member_id)) for name, member_id in members.items()}
    for number, name in enumerate(names):
        body = {
            "programme": "grocer",
            "identifiers": [{"type": "card", "value": f"7{number}"}],
            "enrolled_at": "2026-03-01T10:00:00Z",
        }
        await api.put(f"/v1/members/{members[name]}", json=body)
    await desk.carry()
    household = f"/v1/households/{own['anna']}/members"
    for name in ("boris", "carol", "carol"):
        joined = await api.put(f"{household}/{members[name]}")
        assert (joined.status_code, joined.json()["account_id"]) == (200, own["anna"])
    desk.clock[0] += timedelta(days=1)
    shared = [purchase(name, f"card:7{number}", at="2026-03-20T13:00:00Z") for number, name in enumerate(names)]
    before = purchase("before", "card:72", at="2026-03-20T11:00:00Z")
    await desk.send(*shared, before)
    left = await api.delete(f"{household}/{members['carol']}")
    assert (left.status_code, left.json()["account_id"]) == (200, own["carol"])
    desk.clock[0] += timedelta(days=1)
    await desk.send(purchase("after", "card:72", at="2026-03-21T13:00:00Z"))
    receipts = await desk.published("bonus.receipt.identified.v1")
    accounts = {each["data"]["purchase"]["purchase_id"]: each["data"]["holder"]["account_id"] for each in receipts}
    assert accounts == dict.fromkeys(names, own["anna"]) | {"before": own["carol"], "after": own["carol"]}
    enrolled = await desk.published("bonus.participant.enrolled.v1")
    assert sorted(each["data"]["holder"]["account_id"] for each in enrolled) == sorted([*own.values(), own["carol"]])
    refused = [
        await api.delete(f"{household}/{members['anna']}"),
        await api.put(f"{household}/{ids.derive('member', 'nobody')}"),
        await api.put(f"/v1/households/{ids.derive('account')}/members/{members['anna']}"),
    ]
    assert [(each.status_code, each.json()["code"]) for each in refused] == [
        (409, "owns_the_account"), (409, "not_in_programme"), (404, "account_unknown"),
    ]  # fmt: skip


async def test_A6_an_erased_member_is_unreadable_for_ever(api: httpx.AsyncClient, desk: Any, purchase: Make) -> None:
    """Identifiers are out of use and unreadable, every service is told, queries answer `member_erased`."""
    member_id = ids.derive("member", "anna")
    body = {"programme": "grocer", "identifiers": [{"type": "card", "value": "77"}], "birthday": "1990-02-28"}
    await api.put(f"/v1/members/{member_id}", json=body)
    await desk.carry()
    await desk.send(purchase("1", at="2026-03-20T11:00:00Z"))
    for _ in range(2):
        assert (await api.delete(f"/v1/members/{member_id}")).status_code == 204
    told = await desk.published("bonus.member.erased.v1")
    assert {each["data"]["account_id"] for each in told} == {str(ids.account_of("default", "grocer", member_id))}
    assert len({each["id"] for each in told}) == 1
    erased = await api.get(f"/v1/members/{member_id}")
    assert (erased.status_code, erased.json()["code"]) == (410, "member_erased")
    assert (await api.put(f"/v1/members/{member_id}", json=body)).status_code == 410
    [found] = (await api.get("/v1/members?identifier=card:77")).json()["members"]
    assert (found["identifier"], found["blocked_since"] is not None) == (None, True)
    [listed] = (await api.get("/v1/purchases?programme=grocer")).json()["purchases"]
    assert (listed["purchase_id"], listed["card"]) == ("1", None)
    [verdict] = await desk.send(purchase("2", at="2026-03-20T12:00:01Z"))
    assert (verdict.kind, verdict.code) == ("refused", "identifier_blocked")
    assert await desk.pool.fetchval("select count(*) from data_key where wrapped is not null") == 0


async def test_a_forgotten_card_is_made_up_for_by_the_receipt(
    api: httpx.AsyncClient, desk: Any, purchase: Make, goods_back: Make, enrolment: Make
) -> None:
    """A purchase that named no member goes to who claims it, with what came back of it meanwhile, return by return."""
    anna, boris = ids.derive("member", "anna"), ids.derive("member", "boris")
    for member_id in (anna, boris):
        await api.put(f"/v1/members/{member_id}", json={"programme": "grocer"})
    bought = purchase("k/1", None, lines=[(1, "3", "10.00")])
    await desk.send(bought)
    await desk.carry()
    returns = [goods_back(f"r{number}", "k/1", (1, "1", "3.00"), note="torn") for number in range(2)]
    await desk.send(*returns)
    assert await desk.published("bonus.return.indexed.v1") == []
    claim = {"programme": "grocer", "purchase_id": "k/1"}
    account_id = str(ids.account_of("default", "grocer", anna))
    for _ in range(2):
        claimed = await post(api, f"/v1/members/{anna}/claims", claim, "k1")
        assert (claimed.status_code, claimed.json()["account_id"]) == (202, account_id)
    await desk.carry()
    await desk.send(goods_back("r2", "k/1", (1, "1", "4.00")))
    [receipt] = await desk.published("bonus.receipt.identified.v1")
    assert (receipt["data"]["purchase"], receipt["data"]["holder"]["account_id"]) == (bought["data"], account_id)
    told = [each["data"] for each in await desk.published("bonus.return.indexed.v1")]
    assert [each["remaining"][0]["quantity"] for each in told] == ["2", "1", "0"]
    assert [each["returned"] for each in told[:2]] == [each["data"] for each in returns]
    assert {each["holder"]["account_id"] for each in told} == {account_id}
    assert (await api.get(claimed.headers["location"])).json()["account_id"] == account_id
    assert await desk.pool.fetchval("select count(*) from kept") == 0
    await desk.send(enrolment("card:77"), purchase("k/2"), purchase("old", None, at="2026-01-01T10:00:00Z"))
    refused = [
        await post(api, f"/v1/members/{boris}/claims", claim, "k2"),
        await post(api, f"/v1/members/{boris}/claims", claim | {"purchase_id": "k/2"}, "k3"),
        await post(api, f"/v1/members/{boris}/claims", claim | {"purchase_id": "none"}, "k4"),
        await post(api, f"/v1/members/{boris}/claims", claim | {"purchase_id": "old"}, "k5"),
    ]
    assert [(each.status_code, each.json()["code"]) for each in refused] == [
        (409, "not_claimable"), (404, "purchase_unknown"), (404, "purchase_unknown"), (422, "claim_window_passed"),
    ]  # fmt: skip
