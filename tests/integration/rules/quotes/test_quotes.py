"""Quotes over HTTP: what a till is told about a basket, and that nothing changes by asking."""

from typing import Any

import pytest

from contracts import ids
from tests.integration.rules.quotes.conftest import (
    NOW,
    Shop,
    account_of,
    basket,
    enrolment,
    happened,
    purchase,
)

HEAD = "programme: club\nzone: Europe/Warsaw\nmoney: PLN\n"
POINTS = HEAD + "currencies: {points: {scale: 2, worth: 1.00}}\n"
LEVELS = """
tiers:
  levels:
    - {tier: silver, from: 50, name: Silver}
    - {tier: gold, from: 200, name: {pl: Złoty, en: Gold}}
"""
LIMITED = "redeem: {share_of_bill: 30 %, step: 10 points, at_least: 100 points}\n"
BACK = "earn: [{rule: back, give: 5 %}]\n"

LOT = ids.derive("lot", "1")
SOON = ids.derive("lot", "2")


def opened(lot: Any, points: int, activates_at: str | None = None, expires_at: str | None = None) -> dict[str, Any]:
    """The terms of a lot, as the books tell them."""
    return {
        "lot_id": str(lot), "currency": "points", "points": points, "earned_at": "2026-05-01T12:00:00Z",
        "activates_at": activates_at, "expires_at": expires_at,
    }  # fmt: skip


async def with_points(shop: Shop, points: int) -> None:
    """Let the books hold so many points, available for ever."""
    moved = [(LOT, "issued", "available", points)]
    await shop.hear(happened(account_of(shop), 1, "points.accrued", (0, points, 0, 0), [opened(LOT, points)], moved))


async def test_E24_a_discount_is_offered_and_earning_is_on_what_is_paid(shop: Shop) -> None:
    """Gold has 15 % off: of 200.00 there are 170.00 to pay, on which 8.50 are earned."""
    rules = "earn:\n  - {rule: off, give: {gold: 15 % off}}\n  - {rule: back, give: 5 %}\n"
    await shop.publish(POINTS + LEVELS + rules)
    await shop.send(enrolment(), purchase("p1", basket("200.00"), "2026-05-01T12:00:00Z"))
    found = await shop.quote(basket("150.00", "50.00"))
    assert (found["account_id"], found["code"], found["tier"]["tier"]) == (str(account_of(shop)), None, "gold")
    assert (found["discount"], found["pays"]) == ("30.00", "170.00")
    assert [(each["currency"], each["points"]) for each in found["earns"]] == [("points", "8.50")]
    assert found["lines"] == [
        {"line": 1, "amount": "127.50", "discount": "22.50", "earns": {"points": "6.38"}},
        {"line": 2, "amount": "42.50", "discount": "7.50", "earns": {"points": "2.12"}},
    ]


@pytest.mark.parametrize(
    ("points", "code"),
    [
        ("300.00", None), ("310.00", "exceeds_share_of_bill"), ("295.00", "not_a_multiple"), ("90.00", "below_minimum"),
        ("90.50", "below_minimum"),
    ],
)  # fmt: skip
async def test_L10_each_limit_of_a_redemption_is_told_before_it_is_asked_for(
    shop: Shop, points: str, code: str | None
) -> None:
    """At most 30 % of the bill, in tens, at least 100: the quote tells the code with which the books would refuse."""
    await shop.publish(POINTS + LIMITED + BACK)
    await shop.send(enrolment())
    await with_points(shop, 100_000)
    rest = f"{1000 - float(points):.2f}"
    payments = [{"type": "points", "amount": points, "points": points}, {"type": "card", "amount": rest}]
    found = await shop.quote(basket("1000.00", payments=payments))
    assert found["redemption"]["payments"] == [{"points": points, "code": code}]
    assert (found["redemption"]["most"], found["redemption"]["code"]) == ("300.00", "exceeds_share_of_bill")


async def test_L10b_a_point_of_a_tenth_pays_a_tenth(shop: Shop) -> None:
    """The same share of the same bill in points that are worth 0.10 is ten times as many."""
    await shop.publish(POINTS.replace("worth: 1.00", "worth: 0.10") + LIMITED + BACK)
    await shop.send(enrolment())
    await with_points(shop, 1_000_000)
    redemption = (await shop.quote(basket("1000.00")))["redemption"]
    assert (redemption["most"], redemption["worth"]) == ("3000.00", "300.00")


async def test_L10c_excluded_goods_are_no_part_of_what_points_may_pay(shop: Shop) -> None:
    """Of 1000.00 there are 650.00 that points cannot pay for: 30 % of the rest are 105, in tens 100."""
    exclude = "exclude: {redeem: \"line.category == 'tobacco'\"}\n"
    await shop.publish(POINTS + LIMITED + exclude + BACK)
    await shop.send(enrolment())
    await with_points(shop, 100_000)
    redemption = (await shop.quote(basket("tobacco=650.00", "350.00")))["redemption"]
    told = (redemption["bill"], redemption["redeemable"], redemption["most"], redemption["code"])
    assert told == ("1000.00", "350.00", "100.00", "exceeds_share_of_bill")


@pytest.mark.parametrize(("bill", "most"), [("333.33", "0.00"), ("333.34", "100.00")])
async def test_L10d_a_share_below_the_minimum_is_nothing(shop: Shop, bill: str, most: str) -> None:
    """A share of 99.99 is less than the least that may be spent."""
    await shop.publish(POINTS + LIMITED + BACK)
    await shop.send(enrolment())
    await with_points(shop, 100_000)
    assert (await shop.quote(basket(bill)))["redemption"]["most"] == most


async def test_the_balance_bounds_what_may_be_spent_and_its_version_is_told(shop: Shop) -> None:
    """Fewer points than the bill allows: as many whole steps as there are, and the reason is the balance."""
    await shop.publish(POINTS + LIMITED + BACK)
    await shop.send(enrolment())
    before = await shop.quote(basket("1000.00"))
    assert (before["account_version"], before["redemption"]["available"], before["redemption"]["most"]) == (
        0, None, "0.00",
    )  # fmt: skip
    await with_points(shop, 15_550)
    found = await shop.quote(basket("1000.00"))
    assert (found["account_version"], found["balances"]) == (
        1, {"points": {"pending": "0.00", "available": "155.50", "held": "0.00", "debt": "0.00"}},
    )  # fmt: skip
    told = (found["redemption"]["most"], found["redemption"]["allowed"], found["redemption"]["code"])
    assert told == ("150.00", "300.00", "insufficient_points")


async def test_what_lapses_soon_is_told_and_what_has_lapsed_is_not_offered(shop: Shop) -> None:
    """The books may write an expiry down late: a quote counts it at its time; points on hold do not lapse."""
    await shop.publish(POINTS + "redeem: {}\n" + BACK)
    await shop.send(enrolment())
    account = account_of(shop)
    lots = [
        opened(LOT, 1_000, expires_at="2026-06-01T11:00:00Z"),
        opened(SOON, 4_000, activates_at="2026-05-20T00:00:00Z", expires_at="2026-06-20T00:00:00Z"),
    ]
    moved = [(LOT, "issued", "available", 1_000), (SOON, "issued", "pending", 4_000)]
    await shop.hear(happened(account, 1, "points.accrued", (4_000, 1_000, 0, 0), lots, moved))
    found = await shop.quote(basket("100.00"))
    assert (found["redemption"]["available"], found["expiring"]) == (
        "40.00", [{"currency": "points", "points": "40.00", "expires_at": "2026-06-20T00:00:00+00:00"}],
    )  # fmt: skip
    hold = {"hold_id": str(ids.derive("hold")), "currency": "points", "expires_at": "2026-06-01T13:00:00Z"}
    held = [(SOON, "available", "held", 3_000)]
    await shop.hear(
        happened(account, 2, "points.expired", (4_000, 0, 0, 0), moved=[(LOT, "available", "expired", 1_000)]),
        happened(account, 3, "points.activated", (0, 4_000, 0, 0), moved=[(SOON, "pending", "available", 4_000)]),
        happened(account, 4, "hold.placed", (0, 1_000, 3_000, 0), moved=held, details=hold),
    )
    found = await shop.quote(basket("100.00"))
    assert (found["account_version"], found["redemption"]["available"], found["expiring"][0]["points"]) == (
        4, "10.00", "10.00",
    )  # fmt: skip
    # An event that comes twice, and one that was heard before, change nothing.
    again = happened(account, 2, "points.expired", (4_000, 0, 0, 0), moved=[(LOT, "available", "expired", 1_000)])
    await shop.hear(again, again)
    assert await shop.quote(basket("100.00")) == found


async def test_only_lots_near_their_date_are_kept_and_read(shop: Shop) -> None:
    """Lots that lapse later are not told, and of those that opened and lapsed within one batch nothing stays."""
    await shop.publish(POINTS + "redeem: {}\n" + BACK)
    await shop.send(enrolment())
    account = account_of(shop)
    lots = [
        opened(LOT, 1_000, activates_at="2026-05-01T00:00:00Z", expires_at="2026-12-01T00:00:00Z"),
        opened(SOON, 4_000, activates_at="2026-05-20T00:00:00Z", expires_at="2026-05-30T00:00:00Z"),
    ]
    moved = [(LOT, "issued", "available", 1_000), (SOON, "issued", "available", 4_000)]
    await shop.hear(
        happened(account, 1, "points.accrued", (0, 5_000, 0, 0), lots, moved),
        happened(account, 2, "points.expired", (0, 1_000, 0, 0), moved=[(SOON, "available", "expired", 4_000)]),
    )
    found = await shop.quote(basket("100.00"))
    assert (found["redemption"]["available"], found["expiring"]) == ("10.00", [])
    kept = await shop.pool.fetch("select lot_id, available from known_lot")
    assert [tuple(row) for row in kept] == [(LOT, 1_000)]


async def test_L11_a_third_redemption_of_the_day_is_not_offered(shop: Shop) -> None:
    """Two a day: the third is refused by the quote already, and a hold that was let go no longer counts."""
    await shop.publish(POINTS + "redeem: {day: 2 times}\n" + BACK)
    await shop.send(enrolment())
    await with_points(shop, 10_000)
    account, hold = account_of(shop), str(ids.derive("hold"))
    taken = {"redemption_id": str(ids.derive("redemption")), "currency": "points", "day": "2026-06-01"}
    spent, held = [(LOT, "available", "redeemed", 1_000)], [(LOT, "available", "held", 1_000)]
    set_aside = {"hold_id": hold, "currency": "points", "day": "2026-06-01", "expires_at": "2026-06-01T12:15:00Z"}
    await shop.hear(
        happened(account, 2, "points.redeemed", (0, 9_000, 0, 0), moved=spent, details=taken),
        happened(account, 3, "hold.placed", (0, 8_000, 1_000, 0), moved=held, details=set_aside),
    )
    assert (await shop.quote(basket("100.00")))["redemption"]["code"] == "too_many_redemptions"
    back = [(LOT, "held", "available", 1_000)]
    await shop.hear(happened(account, 4, "hold.released", (0, 9_000, 0, 0), moved=back, details={"hold_id": hold}))
    redemption = (await shop.quote(basket("100.00")))["redemption"]
    assert (redemption["most"], redemption["code"]) == ("90.00", "insufficient_points")


async def test_next_best_steps_and_texts_are_said_in_the_language_of_the_till(shop: Shop) -> None:
    """1.20 more for a stamp, another 35.00 to Silver, and the programme's own words with their facts."""
    file = (
        HEAD
        + """
currencies:
  points: {scale: 0, worth: 0.01}
  stamp: {scale: 0, worth: 1.00, one: {en: stamp, pl: naklejka}, many: {en: stamps, pl: naklejki}}
tiers:
  levels:
    - {tier: silver, from: 53.80, name: Silver}
cashier: {en: "{quote.next_step}", pl: "Podpowiedź: {quote.next_step}"}
slip: {en: "You earn {quote.earned} points on {quote.pays}."}
earn:
  - {rule: album, give: 1 stamp per 20.00}
  - {rule: big, when: "purchase.total >= 50", give: 100 points}
"""
    )
    await shop.publish(file)
    await shop.send(enrolment())
    found = await shop.quote(basket("18.80"))
    assert [(step["kind"], step["money"], step["text"]) for step in found["next_steps"]] == [
        ("points", "1.20", "1.20 more for a stamp"),
        ("points", "31.20", "31.20 more for 100 points"),
        ("tier", "35.00", "another 35.00 to Silver"),
    ]
    assert (found["cashier"], found["slip"]) == ("1.20 more for a stamp", "You earn 0 points on 18.80.")
    found = await shop.quote(basket("18.80"), "pl-PL")
    assert found["cashier"] == "Podpowiedź: jeszcze 1,20 i będzie naklejka"


async def test_who_is_not_known_hears_what_joining_now_would_bring(shop: Shop) -> None:
    """Nobody's card, no card at all, a blocked one, and one of a member who was erased."""
    await shop.publish(POINTS + BACK)
    await shop.send(enrolment())
    for body, code in ((basket("100.00", card="88"), "unknown_member"), (basket("100.00", card=None), "no_member")):
        found = await shop.quote(body)
        assert (found["code"], found["account_id"], found["earns"][0]["points"]) == (code, None, "5.00")
    member = await shop.pool.fetchval("select member_id from participant")
    await shop.vault.destroy(shop.pool, [member])
    found = await shop.quote(basket("100.00"))
    assert (found["code"], "earns" in found) == ("member_erased", False)


async def test_the_later_award_is_what_was_quoted_and_asking_changes_nothing(shop: Shop) -> None:
    """Caps, tiers and what is given once: bought as quoted, it earns to the unit what the quote said."""
    file = (
        POINTS
        + LEVELS
        + """
caps: {day: 2 times}
earn:
  - {rule: level, give: {silver: 5 %, gold: 10 %}}
  - {rule: first, give: 7 points, once_per: member}
  - {rule: big, when: "purchase.total >= 60", give: 3.33 points, cap: {month: 2 times}}
"""
    )
    await shop.publish(file)
    await shop.send(enrolment())
    tables = "select count(*) from decision union all select count(*) from participant"
    for number, amounts in enumerate((["40.00"], ["61.10", "9.99"], ["70.00"], ["10.05"])):
        before = await shop.pool.fetch(tables)
        quoted = await shop.quote(basket(*amounts, purchase_id=f"p{number}", purchased_at=NOW.isoformat()))
        assert await shop.pool.fetch(tables) == before
        await shop.send(purchase(f"p{number}", basket(*amounts), NOW.isoformat()))
        row = await shop.pool.fetchrow("select decision_id from decision order by number desc limit 1")
        assert row is not None
        decided = (await shop.api.get(f"/v1/decisions/{row['decision_id']}")).json()
        assert decided["explanation"] == quoted["explanation"]
        assert decided["code"] == quoted["code"]


async def test_a_basket_that_is_wrong_is_refused_with_the_field(shop: Shop) -> None:
    """Not that money, not that programme, payments that do not add up, a time ahead."""
    await shop.publish(POINTS + BACK)
    wrong = [
        (basket("10.00") | {"currency": "EUR"}, "wrong_currency", "$.currency"),
        (basket("10.00", programme="other"), "unknown_programme", "$.programme"),
        (basket("10.00", payments=[{"type": "card", "amount": "9.00"}]), "does_not_add_up", "$.payments"),
        (basket("10.00", purchased_at="2026-06-01T12:11:00Z"), "time_in_future", "$.purchased_at"),
        (basket(), "too_few", "$.lines"),
    ]
    for body, code, where in wrong:
        response = await shop.api.post("/v1/quotes", json=body)
        assert (response.status_code, response.json()["code"], response.json()["field"]) == (422, code, where)
