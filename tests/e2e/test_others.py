"""E14: what a friend's purchase brings to the one who sent the friend, from Kafka to both balances."""

from datetime import datetime, timedelta
from typing import Any

from tests.e2e.shop import WARSAW, Balance, Member, Shop, checked, key, now, open_shop, programme
from tests.e2e.system import System

JOINED = datetime(2026, 3, 1, 18, tzinfo=WARSAW)
FRIENDS = "purchase.total >= 50 && member.days_enrolled <= 30 && member.referred_by != ''"
NONE = Balance("0", "0", "0", "0")
HUNDRED = Balance("0", "100", "0", "0")


def salon(name: str, most: int = 10) -> str:
    """Both sides are rewarded for the friend's first purchase; the referrer so many times a month at most."""
    return programme(
        name,
        f'rule: friend, when: "{FRIENDS}", once_per: member, give: 100 points',
        f'rule: thanks, when: "{FRIENDS}", once_per: member, to: member.referred_by, give: 100 points, '
        f"cap: {{month: {most} times}}",
        scale=0,
    )


async def friend_of(shop: Shop, referrer: Member, name: str) -> Member:
    """Somebody joins and names who told them."""
    return await shop.enrol(name, JOINED, referred_by={"type": "card", "value": referrer.card})


async def decision_of(shop: Shop, decision_id: str) -> dict[str, Any]:
    """A decision as data."""
    found: dict[str, Any] = checked(await shop.system.http("rules").get(f"/v1/decisions/{decision_id}"))
    return found


async def balances(*members: Member) -> list[str]:
    """What each has available; nothing where the account never had anything."""
    found = [(await member.account())["balances"].get("points") for member in members]
    return [balance["available"] if balance else "0" for balance in found]


async def test_E14_a_friend_rewards_both_sides_once(system: System) -> None:
    """49.99 pays nothing, then 50.00 pays both, and nothing after it; the last second of the 30 days still counts."""
    shop = await open_shop(system, salon("e14"))
    anna = await shop.enrol("anna")
    olga, jan, piotr = [await friend_of(shop, anna, name) for name in ("olga", "jan", "piotr")]
    await system.settle()
    await olga.buy("e14-1", JOINED + timedelta(days=2), "49.99")
    await system.settle()
    assert await balances(anna, olga) == ["0", "0"]
    await olga.buy("e14-2", JOINED + timedelta(days=3), "50.00")
    await olga.buy("e14-3", JOINED + timedelta(days=4), "50.00")
    await system.settle()
    assert await balances(anna, olga) == ["100", "100"]
    await jan.buy("e14-4", datetime(2026, 3, 31, 23, 59, 59, tzinfo=WARSAW), "50.00")
    await piotr.buy("e14-5", datetime(2026, 4, 1, tzinfo=WARSAW), "50.00")
    await system.settle()
    assert await balances(anna, olga, jan, piotr) == ["200", "100", "100", "0"]


async def test_E14_the_caps_are_of_the_one_who_receives(system: System) -> None:
    """The third friend of a month, where two are rewarded, pays only the friend; the referrer can be told why."""
    shop = await open_shop(system, salon("e14-cap", most=2))
    anna = await shop.enrol("anna")
    friends = [await friend_of(shop, anna, f"f{number}") for number in range(3)]
    await system.settle()
    for friend in friends:
        await friend.buy(f"cap-{friend.card}", JOINED + timedelta(days=1), "50.00")
        await system.settle()
    assert await balances(anna, *friends) == ["200", "100", "100", "100"]
    rows = await system.connection.fetch(
        "select decision_id, reason from rules.decision where account_id = $1 and kind = 'referral' order by number",
        anna.account_id,
    )
    assert [row["reason"] for row in rows] == [None, None, "capped_per_month"]
    told = await decision_of(shop, str(rows[2]["decision_id"]))
    assert told["explanation"]["cuts"] == [
        {"code": "capped_per_month", "currency": "points", "points": "100", "rule": "thanks"}
    ]


async def test_E14_who_refers_oneself_gets_nothing(system: System) -> None:
    """By the card under which one joins: `self_referral`."""
    shop = await open_shop(system, salon("e14-self"))
    anna = shop.member("anna")
    await shop.enrol("anna", JOINED, referred_by={"type": "card", "value": anna.card})
    await system.settle()
    await anna.buy("self-1", JOINED + timedelta(days=1), "50.00")
    await system.settle()
    assert await balances(anna) == ["0"]
    told = await shop.verdict("self-1")
    assert told["explanation"]["not_fired"] == [
        {"rule": "friend", "reason": "self_referral"}, {"rule": "thanks", "reason": "self_referral"},
    ]  # fmt: skip


async def test_E14_who_refers_oneself_by_another_card_gets_nothing(system: System) -> None:
    """A second card of one's own, or the card of an account that was merged into one's own: neither side is paid."""
    shop = await open_shop(system, salon("e14-own"))
    spare, rules = shop.member("spare"), system.http("rules")
    anna = await shop.enrol("anna", JOINED, referred_by={"type": "card", "value": spare.card})
    olga, yesterday = await shop.enrol("olga", JOINED), now() - timedelta(days=1)
    jan = await shop.enrol("jan", yesterday, referred_by={"type": "card", "value": olga.card})
    await system.settle()
    body = {"programme": "e14-own", "identifier": {"type": "card", "value": spare.card}, "since": JOINED.isoformat()}
    checked(await rules.post(f"/v1/members/{anna.member_id}/identifiers", json=body, headers=key()))
    merge = {"programme": "e14-own", "merged_member_id": str(olga.member_id)}
    checked(await rules.post(f"/v1/members/{jan.member_id}/merge", json=merge, headers=key()))
    await system.settle()
    await anna.buy("own-1", JOINED + timedelta(days=1), "50.00")
    await jan.buy("own-2", now(), "50.00")
    await system.settle()
    assert await balances(anna, jan) == ["0", "0"]
    assert [(await shop.verdict(name))["accrued"] for name in ("own-1", "own-2")] == [{"points": "0"}] * 2
    [row] = await system.connection.fetch(
        "select decision_id from rules.decision where account_id = $1 and kind = 'self_referral'", anna.account_id
    )
    words = (await rules.get(f"/v1/decisions/{row['decision_id']}", headers={"Accept": "text/plain"})).text
    assert "is the same account." in words
    assert "Taken back: 100 points." in words


async def test_E14b_what_the_friend_brings_back_is_taken_from_both(system: System) -> None:
    """The friend returns that purchase: a hundred less on both sides."""
    shop = await open_shop(system, salon("e14b"))
    anna = await shop.enrol("anna")
    olga = await friend_of(shop, anna, "olga")
    await system.settle()
    await olga.buy("e14b", JOINED + timedelta(days=1), "30.00", "30.00")
    await system.settle()
    assert await balances(anna, olga) == ["100", "100"]
    await olga.bring_back("e14b-r", "e14b", JOINED + timedelta(days=2), (1, "1", "30.00"))
    await olga.bring_back("e14b-s", "e14b", JOINED + timedelta(days=3), (2, "1", "30.00"))
    await system.settle()
    assert await balances(anna, olga) == ["0", "0"]
