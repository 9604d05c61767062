"""Members over HTTP, on a real database: cards, households, claims, erasure."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx

from contracts import ids
from contracts.catalogue import MODELS
from tests.integration.rules.identify.http import post

Make = Callable[..., dict[str, Any]]


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


async def test_A2_what_a_merged_member_buys_goes_to_the_account_that_took_it_up(
    api: httpx.AsyncClient, desk: Any, purchase: Make, told: Make
) -> None:
    """Asked of the ledger; once it has happened the identifiers follow, of others in the household too."""
    anna, boris, carol = (ids.derive("member", name) for name in ("anna", "boris", "carol"))
    account = {each: str(ids.account_of("default", "grocer", each)) for each in (anna, boris, carol)}
    for number, member_id in enumerate((anna, boris, carol)):
        body = {"programme": "grocer", "identifiers": [{"type": "card", "value": f"7{number}"}]}
        await api.put(f"/v1/members/{member_id}", json=body)
    await desk.carry()
    desk.clock[0] += timedelta(hours=1)
    await api.put(f"/v1/households/{account[boris]}/members/{carol}")
    merge = {"programme": "grocer", "merged_member_id": str(boris)}
    for _ in range(2):
        asked = await post(api, f"/v1/members/{anna}/merge", merge, "k1")
        assert (asked.status_code, asked.json()["merged_account_id"]) == (202, account[boris])
    commands = await desk.published("bonus.accounts.merge.v1")
    assert len({each["id"] for each in commands}) == 1
    MODELS[commands[0]["type"]].model_validate(commands[0])
    said = {"account_id": account[anna], "member_id": str(anna), "from_account_id": account[boris]}
    assert {name: commands[0]["data"][name] for name in said} == said
    merged = told(
        "bonus.account.merged.v1",
        "merged",
        {
            "account_id": account[boris], "programme": "grocer", "version": 3, "command_id": str(ids.derive("merge")),
            "occurred_at": "2026-03-20T14:00:00Z", "effective_at": "2026-03-20T14:00:00Z",
            "details": {"into_account_id": account[anna]},
        },
    )  # fmt: skip
    for _ in range(2):
        await desk.hear(merged)
        await desk.carry()
    desk.clock[0] += timedelta(hours=2)
    for number in range(3):
        await desk.send(purchase(f"before {number}", f"card:7{number}", at="2026-03-20T13:30:00Z"))
        await desk.send(purchase(f"after {number}", f"card:7{number}", at="2026-03-20T14:30:00Z"))
    receipts = await desk.published("bonus.receipt.identified.v1")
    holders = {each["data"]["purchase"]["purchase_id"]: each["data"]["holder"] for each in receipts}
    assert {name: (holder["account_id"], holder["member_id"]) for name, holder in holders.items()} == {
        "before 0": (account[anna], str(anna)), "after 0": (account[anna], str(anna)),
        "before 1": (account[boris], str(boris)), "after 1": (account[anna], str(anna)),
        "before 2": (account[boris], str(carol)), "after 2": (account[anna], str(carol)),
    }  # fmt: skip
    again = await post(api, f"/v1/members/{anna}/merge", {"programme": "grocer", "merged_member_id": str(carol)}, "k2")
    assert (again.status_code, again.json()["code"]) == (409, "same_account")
