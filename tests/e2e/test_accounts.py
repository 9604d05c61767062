"""A and E17: cards, merges, households, erasure and cards that nobody holds, from the till to the balance."""

import json
from datetime import timedelta
from typing import Any

from tests.e2e.shop import NOON, Member, Shop, checked, key, now, open_shop, programme, shop_with_member
from tests.e2e.system import System
from tests.e2e.test_bad_messages import deadletters

BASE = "rule: base, give: 10 %"


async def by_card(shop: Shop, card: str, purchase_id: str, at: Any, amount: str) -> None:
    """Somebody buys under a card of this number, whoever holds it."""
    stranger = shop.member(card)
    await stranger.buy(purchase_id, at, amount)


async def available(member: Member) -> str:
    """What the account has; nothing where it never had anything."""
    balance = (await member.account())["balances"].get("points")
    return balance["available"] if balance else "0.00"


async def test_A1_a_lost_card_is_blocked_from_noon_on(system: System) -> None:
    """The new card counts, the old one does not after noon; what it bought before noon counts when it comes late."""
    shop, anna = await shop_with_member(system, programme("a1", BASE))
    await anna.buy("a1-1", NOON - timedelta(hours=2), "100.00")
    await system.settle()
    rules = system.http("rules")
    body = {
        "programme": "a1",
        "identifier": {"type": "card", "value": shop.member("new").card},
        "since": NOON.isoformat(),
        "blocks": {"identifier": {"type": "card", "value": anna.card}, "since": NOON.isoformat(), "reason": "lost"},
    }
    checked(await rules.post(f"/v1/members/{anna.member_id}/identifiers", json=body, headers=key()))
    await system.settle()
    assert await available(anna) == "10.00"
    await by_card(shop, "new", "a1-2", NOON + timedelta(hours=1), "200.00")
    await anna.buy("a1-3", NOON + timedelta(hours=1), "400.00")
    await anna.buy("a1-4", NOON - timedelta(hours=1), "800.00")
    await system.settle()
    assert await available(anna) == "110.00"
    assert (await shop.verdict("a1-3"))["code"] == "identifier_blocked"


async def test_A2_of_two_accounts_one_is_left(system: System) -> None:
    """300 and 120 are 420 on one; later events for the other go there; both at once: one wins, one is refused."""
    shop, anna = await shop_with_member(system, programme("a2", BASE))
    olga = await shop.enrol("olga")
    await anna.buy("a2-1", NOON, "3000.00")
    await olga.buy("a2-2", NOON, "1200.00")
    await system.settle()
    rules = system.http("rules")
    for survivor, merged in ((anna, olga), (olga, anna)):
        body = {"programme": "a2", "merged_member_id": str(merged.member_id)}
        checked(await rules.post(f"/v1/members/{survivor.member_id}/merge", json=body, headers=key()))
    await system.settle()
    held = {member.card: await available(member) for member in (anna, olga)}
    assert sorted(held.values()) == ["0.00", "420.00"]
    survivor = anna if held[anna.card] == "420.00" else olga
    await anna.buy("a2-3", now(), "10.00")
    await olga.buy("a2-4", now(), "20.00")
    await system.settle()
    assert await available(survivor) == "423.00"


async def test_A3_a_household_keeps_the_balance_when_one_leaves(system: System) -> None:
    """Three share an account; whoever leaves buys for an own account again, and takes nothing along."""
    shop, anna = await shop_with_member(system, programme("a3", BASE))
    olga, jan = await shop.enrol("olga"), await shop.enrol("jan")
    await system.settle()
    rules = system.http("rules")
    for member in (olga, jan):
        checked(await rules.put(f"/v1/households/{anna.account_id}/members/{member.member_id}"))
    await system.settle()
    for number, member in enumerate((anna, olga, jan)):
        await member.buy(f"a3-{number}", now(), "100.00")
    await system.settle()
    assert await available(anna) == "30.00"
    checked(await rules.delete(f"/v1/households/{anna.account_id}/members/{jan.member_id}"))
    await system.settle()
    await jan.buy("a3-own", now(), "50.00")
    await system.settle()
    assert [await available(member) for member in (anna, olga, jan)] == ["30.00", "0.00", "5.00"]


async def test_A6_an_erased_member_is_unreadable_and_the_books_stay(system: System) -> None:
    """Inputs of decisions and what was set aside are gone for ever; the balance and the decision's outcome are not."""
    shop, anna = await shop_with_member(system, programme("a6", BASE))
    await anna.buy("a6", NOON, "100.00")
    torn = anna.purchase("a6-torn", NOON, "55.55").value[:-1]
    place = await system.send_bytes("bonus.purchases.v1", f"card:{anna.card}", torn)
    await system.settle()
    told = await shop.verdict("a6")
    [letter] = [each for each in await system.dead_letters() if (each["partition"], each["kafka_offset"]) == place]
    assert anna.card.encode() not in letter["body"] + letter["key"]
    letter_id = str(letter["dead_letter_id"])
    assert json.loads(await deadletters(system, "show", letter_id, "--json"))["body"] == torn.decode()
    rules = system.http("rules")
    assert (await rules.delete(f"/v1/members/{anna.member_id}", headers=key())).status_code == 204
    await system.settle()
    assert json.loads(await deadletters(system, "show", letter_id, "--json"))["body"] is None
    decision = checked(await rules.get(f"/v1/decisions/{told['decision_id']}"))
    assert (decision["inputs"], decision["inputs_erased"], decision["explanation"]["awards"][0]["points"]) == (
        None, True, "10.00",
    )  # fmt: skip
    gone = await rules.get(f"/v1/members/{anna.member_id}")
    assert (gone.status_code, gone.json()["code"]) == (410, "member_erased")
    asked = await system.http("ledger").get(f"/v1/accounts/{anna.account_id}")
    assert (asked.status_code, asked.json()["code"]) == (410, "member_erased")
    held = await system.connection.fetchval(
        "select available from ledger.balance where account_id = $1", anna.account_id
    )
    assert (decision["status"], held) == ("booked", 10_00)


async def test_E17_a_purchase_by_an_unknown_card_waits_for_its_member(system: System) -> None:
    """Enrolled within 30 days it is awarded by the rules of its own time; enrolled later: `claim_window_passed`."""
    shop = await open_shop(system, programme("e17", BASE, more="members: {unknown_card: keep 30 days}\n"))
    await shop.publish(programme("e17", "rule: base, give: 20 %", more="members: {unknown_card: keep 30 days}\n"))
    bought = now() - timedelta(days=20)
    await by_card(shop, "anna", "e17-1", bought, "100.00")
    await by_card(shop, "olga", "e17-2", bought - timedelta(days=30), "100.00")
    await system.settle()
    waiting = await shop.verdict("e17-1")
    assert (waiting["status"], waiting["code"]) == ("waiting", "unknown_member")
    anna, olga = await shop.enrol("anna", now()), await shop.enrol("olga", now())
    await system.settle()
    assert [await available(member) for member in (anna, olga)] == ["10.00", "0.00"]
    assert (await shop.verdict("e17-2"))["code"] == "claim_window_passed"


async def test_E17_a_member_is_made_on_sight_where_the_programme_says_so(system: System) -> None:
    """Two purchases by a card that nobody holds come together: one member, who has the points of both."""
    shop = await open_shop(system, programme("e17-sight", BASE, more="members: {unknown_card: enrol}\n"))
    stranger = shop.member("stranger")
    await system.send(stranger.purchase("e17-a", NOON, "100.00"), stranger.purchase("e17-b", NOON, "100.00"))
    await system.settle()
    told = [await shop.verdict(name) for name in ("e17-a", "e17-b")]
    assert len({each["account_id"] for each in told}) == 1
    account = checked(await system.http("ledger").get(f"/v1/accounts/{told[0]['account_id']}"))
    assert account["balances"]["points"]["available"] == "20.00"
