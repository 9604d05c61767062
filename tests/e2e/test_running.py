"""S, caps and activities, tiers that go up and down: what happens while a programme runs, from Kafka to the balance."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.topics import ACTIVITIES
from tests.e2e import till
from tests.e2e.shop import NOON, WARSAW, Balance, Member, checked, key, now, programme, shop_with_member
from tests.e2e.system import System
from tests.e2e.till import by_points, paid_by_card

LEVELS = (
    "tiers: {by: spend, window: 12 months, applies_from: next_purchase, keep_for: 12 months, grace: 30 days, "
    "then: one_step, on_return: reassess, "
    "levels: [{tier: bronze, from: 100}, {tier: silver, from: 500}, {tier: gold, from: 1000}]}\n"
)
BY_LEVEL = "rule: level, give: {bronze: 5 %, silver: 10 %, gold: 15 %}"


async def review(member: Member, activity_id: str, product: str, at: datetime) -> None:
    """A member reviews a product."""
    shop = member.shop
    data = {
        "activity_id": activity_id,
        "programme": shop.programme,
        "name": "review",
        "occurred_at": at.isoformat(),
        "member": {"type": "card", "value": member.card},
        "product": product,
    }
    value = till.event("bonus.activity.recorded.v1", data, now())
    await shop.system.send(till.Outgoing(ACTIVITIES.name, f"card:{member.card}", value))


async def test_S1_what_is_bought_while_a_programme_stands_still_earns_nothing(system: System) -> None:
    """Bought before it earns, however late it comes; in it nothing is earned or redeemed; after it all goes on."""
    shop, anna = await shop_with_member(system, programme("s1", "rule: base, give: 10 %"))
    await anna.buy("s1-first", NOON, "1000.00")
    await system.settle()
    rules = system.http("rules")
    checked(await rules.post("/v1/programmes/s1/suspend", json={}, headers=key()))
    since = now()
    await system.settle()
    await anna.buy("s1-before", since - timedelta(minutes=1), "100.00")
    await anna.buy("s1-in", now(), "100.00")
    await system.settle()
    told = [await shop.verdict(name) for name in ("s1-before", "s1-in")]
    assert [each["accrued"] for each in told] == [{"points": "10.00"}, {}]
    assert told[1]["code"] == "programme_suspended"
    refused = await anna.redeem("10.00", bill="100.00", redeemable="100.00")
    assert (refused.status_code, refused.json()["code"]) == (409, "programme_suspended")
    checked(await rules.post("/v1/programmes/s1/resume", json={}, headers=key()))
    await system.settle()
    await anna.buy("s1-after", now(), "100.00")
    await system.settle()
    assert await anna.balance() == Balance(available="120.00")


async def test_S2_the_list_of_purchases_says_what_each_came_to(system: System) -> None:
    """Date and time, card, store, 1000.00, redeemed 200.00, accrued 40.00."""
    rule = "rule: cashback, give: 5 %, counts_points_paid: false"
    shop, anna = await shop_with_member(system, programme("s2", rule, more="on_enrolment: 200 points\n"))
    await system.settle()
    await anna.buy("s2", NOON, "1000.00", payments=[by_points("200.00"), paid_by_card("800.00")])
    await system.settle()
    listed = checked(await system.http("rules").get("/v1/purchases", params={"programme": "s2"}))
    assert listed == {
        "purchases": [
            {
                "purchase_id": "s2", "purchased_at": "2025-03-05T11:00:00+00:00", "card": "card:••••anna",
                "store": "krakow-12", "amount": "1000.00", "currency": "PLN", "status": "booked", "code": None,
                "redeemed": {"points": "200.00"}, "accrued": {"points": "40.00"},
            }
        ],
        "next_cursor": None,
    }  # fmt: skip
    assert shop.programme == "s2"


@pytest.mark.parametrize(
    ("name", "order", "earns"),
    [
        ("e10", ("23:50:00", "23:55:00", "23:58:00", "23:59:59", "00:00:00"), [1, 1, 1, 0, 1]),
        ("e10b", ("23:55:00", "23:58:00", "23:59:59", "23:50:00"), [1, 1, 1, 0]),
    ],
)
async def test_E10_E10b_three_times_a_day_by_date_of_purchase_in_the_order_of_decisions(
    system: System, name: str, order: tuple[str, ...], earns: list[int]
) -> None:
    """The fourth of a day earns nothing, `capped_per_day`; midnight begins another; nothing given is taken away."""
    shop, anna = await shop_with_member(
        system, programme(name, "rule: base, give: 10 %", more="caps: {day: 3 times}\n")
    )
    for number, clock in enumerate(order):
        day = 6 if clock == "00:00:00" else 5
        at = datetime.fromisoformat(f"2025-03-{day:02d}T{clock}").replace(tzinfo=WARSAW)
        await anna.buy(f"{name}-{number}", at, "10.00")
    await system.settle()
    told = [await shop.verdict(f"{name}-{number}") for number in range(len(order))]
    assert [each["accrued"] for each in told] == [{"points": "1.00"} if one else {} for one in earns]
    assert [each["code"] for each in told] == [None if one else "capped_per_day" for one in earns]


async def test_E20_a_review_counts_once_a_product_and_three_times_a_month(system: System) -> None:
    """The second for one product and the fourth of a month earn nothing, and say why."""
    rule = "rule: review, event: activity.review, once_per: activity.product, give: 20 points, cap: {month: 3 times}"
    _, anna = await shop_with_member(system, programme("e20", rule))
    products = ("soap", "soap", "tea", "milk", "bread")
    for number, product in enumerate(products):
        await review(anna, f"e20-{number}", product, NOON + timedelta(hours=number))
    await review(anna, "e20-april", "bread", NOON + timedelta(days=31))
    await system.settle()
    assert await anna.balance() == Balance(available="80.00")
    rows = await system.connection.fetch(
        "select decision_id from rules.decision where account_id = $1 and kind = 'activity' order by number",
        anna.account_id,
    )
    rules = system.http("rules")
    told = [checked(await rules.get(f"/v1/decisions/{row['decision_id']}"))["explanation"] for row in rows]
    assert [each["not_fired"][0]["reason"] if "not_fired" in each else "given" for each in told] == [
        "given", "already_given", "given", "given", "capped_per_month", "given",
    ]  # fmt: skip


async def test_a_condition_that_fails_gives_nothing_is_counted_and_explained(system: System) -> None:
    """Divided by nothing bought so far: this rule gives nothing, the other does, and an operator hears of it."""
    text = programme("failing", "rule: base, give: 10 %", 'rule: broken, when: "100 / member.purchases > 1", give: x2')
    shop, anna = await shop_with_member(system, text)
    await anna.buy("failing", NOON, "100.00")
    await system.settle()
    told = await shop.verdict("failing")
    assert await anna.balance() == Balance(available="10.00")
    assert told["explanation"]["not_fired"] == [{"rule": "broken", "reason": "condition_failed"}]
    [failed] = told["explanation"]["failed"]
    assert failed["rule"] == "broken"
    place = f"/v1/decisions/{told['decision_id']}"
    words = (await system.http("rules").get(place, headers={"Accept": "text/plain", "Accept-Language": "en"})).text
    assert "rule “broken” could not be judged, so it gave nothing" in words


async def progress(member: Member) -> dict[str, Any]:
    """How far a member is, as `GET /v1/members/{id}/progress` tells."""
    answer = await member.shop.system.http("rules").get(f"/v1/members/{member.member_id}/progress")
    [found] = checked(answer)["progress"]
    return dict(found)


async def test_T6_progress_says_what_is_missing_and_by_when(system: System) -> None:
    """Current tier, since, until, what counts, and to the next tier how much by which date."""
    _, anna = await shop_with_member(system, programme("t6", BY_LEVEL, more=LEVELS))
    first = now().astimezone(WARSAW).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=40)
    await anna.buy("t6-1", first, "90.00")
    await anna.buy("t6-2", first + timedelta(days=10), "50.00")
    await system.settle()
    found = await progress(anna)
    midnight = (first + timedelta(days=10)).replace(hour=0)
    assert {name: found[name] for name in ("tier", "counts", "qualifying")} == {
        "tier": "bronze", "counts": "spend", "qualifying": "140.00",
    }  # fmt: skip
    assert datetime.fromisoformat(found["since"]) == midnight
    assert (found["next"]["tier"], found["next"]["missing"]) == ("silver", "360.00")
    assert datetime.fromisoformat(found["next"]["by"]).astimezone(WARSAW).date() == first.date().replace(
        year=first.year + 1
    )


async def test_T4_a_return_that_undoes_a_level_takes_it_back(system: System) -> None:
    """From 1010 to 990 the day after: silver again, with a reason that names the return; what gold earned stays."""
    _, anna = await shop_with_member(system, programme("t4", BY_LEVEL, more=LEVELS))
    # Of late: what was reached long ago would have ended by itself meanwhile.
    day = now() - timedelta(days=30)
    await anna.buy("t4-1", day, "990.00", "20.00")
    await anna.buy("t4-2", day + timedelta(hours=1), "10.00")
    await anna.bring_back("t4-r", "t4-2", day + timedelta(hours=2), (1, "1", "10.00"))
    await system.settle()
    assert ((await anna.tier()) or {})["tier"] == "gold"
    await anna.bring_back("t4-back", "t4-1", day + timedelta(days=1), (2, "1", "20.00"))
    await system.settle()
    assert ((await anna.tier()) or {})["tier"] == "silver"
    changes = [event["data"] for event in await anna.events() if event["type"] == "bonus.tier.changed.v1"]
    assert [(each["details"]["tier"], each["details"]["reason"], each["details"]["cause"]) for each in changes] == [
        ("gold", "tier_reached", "t4-1"), ("silver", "tier_reassessed_after_return", "t4-back"),
    ]  # fmt: skip


async def test_T5_T5b_a_late_purchase_lifts_from_the_latest_on(system: System) -> None:
    """460 spent, three purchases of 10, then 50 of before them: silver from now on; the three stay as they were."""
    shop, anna = await shop_with_member(system, programme("t5b", BY_LEVEL, more=LEVELS))
    start = now() - timedelta(days=60)
    await anna.buy("t5b-0", start, "460.00")
    for number in (1, 2, 3):
        await anna.buy(f"t5b-{number}", start + timedelta(days=40 + number), "10.00")
    await anna.buy("t5b-late", start + timedelta(days=20), "50.00")
    await system.settle()
    names = ("t5b-0", "t5b-1", "t5b-2", "t5b-3", "t5b-late")
    told = [(await shop.verdict(name))["accrued"].get("points", "0.00") for name in names]
    assert told == ["0.00", "0.50", "0.50", "0.50", "2.50"]
    assert ((await anna.tier()) or {})["tier"] == "silver"


async def test_R11_half_of_a_mixed_payment_gives_back_half_of_its_points(system: System) -> None:
    """120 paid with 60 points and 60 by card earned 3.00: half returned gives 30 points back and takes 1.50."""
    rule = "rule: cashback, give: 5 %, counts_points_paid: false"
    _, anna = await shop_with_member(system, programme("r11", rule, more="on_enrolment: 60 points\n"))
    await system.settle()
    await anna.buy("r11", NOON, "60.00", "60.00", payments=[by_points("60.00"), paid_by_card("60.00")])
    await system.settle()
    assert await anna.balance() == Balance(available="3.00")
    await anna.bring_back("r11-back", "r11", NOON + timedelta(days=1), (1, "1", "60.00"))
    await system.settle()
    assert await anna.balance() == Balance(available="31.50")
