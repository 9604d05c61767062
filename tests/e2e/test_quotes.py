"""Quotes on a whole system: what the till was told is what the books hold in the end."""

from typing import Any

from tests.e2e.shop import Member, checked, key, now, programme, shop_with_member
from tests.e2e.system import System
from tests.e2e.till import line

LEVELS = """
tiers: {levels: [{tier: silver, from: 50}, {tier: gold, from: 150}]}
redeem: {share_of_bill: 50 %, step: 1 points}
"""


async def quoted(anna: Member, *amounts: str) -> dict[str, Any]:
    """Ask for a quote of one line for each amount."""
    shop = anna.shop
    body = {
        "programme": shop.programme, "currency": shop.money, "member": {"type": "card", "value": anna.card},
        "lines": [line(number, amount) for number, amount in enumerate(amounts, 1)],
    }  # fmt: skip
    found: dict[str, Any] = checked(await shop.system.http("rules").post("/v1/quotes", json=body))
    return found


async def test_the_award_in_the_books_is_what_was_quoted(system: System) -> None:
    """Basket after basket, with discounts, levels and a bonus once: quoted, bought as quoted, booked as quoted."""
    text = programme(
        "quoted",
        "rule: off, give: {silver: 5 % off, gold: 10 % off}",
        "rule: back, give: 5 %",
        "rule: first, give: 3 points, once_per: member",
        more=LEVELS,
    )
    shop, anna = await shop_with_member(system, text)
    await system.settle()
    for number, amounts in enumerate((["60.00"], ["80.00", "19.99"], ["33.33"])):
        quote = await quoted(anna, *amounts)
        assert (quote["account_id"], quote["code"]) == (str(anna.account_id), None)
        prices = [each["amount"] for each in quote["lines"]]
        await anna.buy(f"q{number}", now(), *prices)
        await system.settle()
        told = await shop.verdict(f"q{number}")
        assert (told["status"], told["amount"]) == ("booked", quote["pays"])
        assert told["accrued"] == {each["currency"]: each["points"] for each in quote["earns"]}


async def test_what_may_be_spent_is_what_the_books_then_take(system: System) -> None:
    """The quote tells balance and version of the account; as many points as it allows are taken, one more is not."""
    shop, anna = await shop_with_member(system, programme("spent", "rule: back, give: 5 %", more=LEVELS))
    await anna.buy("s1", now(), "400.00")
    await system.settle()
    redemption = (await quoted(anna, "30.00"))["redemption"]
    assert (redemption["available"], redemption["most"], redemption["code"]) == (
        "20.00", "15.00", "exceeds_share_of_bill",
    )  # fmt: skip
    refused = await anna.redeem("16.00", bill=redemption["bill"], redeemable=redemption["redeemable"])
    assert refused.json()["code"] == redemption["code"]
    taken = await anna.redeem(redemption["most"], bill=redemption["bill"], redeemable=redemption["redeemable"])
    assert taken.is_success
    await system.settle()
    account, quote = await anna.account(), await quoted(anna, "30.00")
    assert quote["redemption"]["available"] == (await anna.balance()).available == "5.00"
    assert quote["account_version"] == account["version"]
    assert quote["redemption"]["code"] == "insufficient_points"
    place = f"/v1/accounts/{anna.account_id}/freeze"
    checked(await shop.system.http("ledger").post(place, json={"reason": "lost"}, headers=key()))
    await system.settle()
    assert (await quoted(anna, "30.00"))["redemption"]["code"] == "account_frozen"
