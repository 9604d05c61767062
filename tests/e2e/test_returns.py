"""R: what a return takes back, from Kafka to the balance."""

from datetime import timedelta

from tests.e2e.shop import NOON, Balance, Member, programme, shop_with_member
from tests.e2e.system import System
from tests.e2e.till import line

LATER = NOON + timedelta(days=3)


async def left_after(member: Member, purchase_id: str, *returns: tuple[tuple[int, str, str], ...]) -> list[str]:
    """Bring lines back, one return after the other: what is available after each."""
    system = member.shop.system
    found = []
    for number, lines in enumerate(returns, 1):
        await member.bring_back(f"{purchase_id}-{number}", purchase_id, LATER, *lines)
        await system.settle()
        found.append((await member.balance()).available)
    return found


async def test_R1_lines_brought_back_take_what_they_earned(system: System) -> None:
    """Line by line or together, what comes back takes exactly what it brought, and no more than was awarded."""
    text = programme("r1", "rule: base, give: 5 %", "rule: twice, lines: \"line.category == 'twice'\", give: x2")
    _, anna = await shop_with_member(system, text)
    await anna.buy("r1", NOON, "100.00", line(2, "200.00", "twice"), "300.00")
    await system.settle()
    earned = (await anna.balance()).available
    left = await left_after(anna, "r1", ((2, "1", "200.00"),), ((1, "1", "100.00"), (3, "1", "300.00")))
    assert (earned, left) == ("40.00", ["20.00", "0.00"])


async def test_R2_pieces_of_a_line_take_the_difference_to_what_remains(system: System) -> None:
    """Three pieces brought back one by one: rounding never takes a point too many or leaves one behind."""
    _, anna = await shop_with_member(system, programme("r2", "rule: base, give: 5 %"))
    await anna.buy("r2", NOON, line(1, "10.00", quantity="3"))
    await system.settle()
    earned = (await anna.balance()).available
    left = await left_after(anna, "r2", ((1, "1", "3.33"),), ((1, "1", "3.33"),), ((1, "1", "3.34"),))
    assert (earned, left) == ("0.50", ["0.33", "0.17", "0.00"])


async def test_R3_a_basket_that_falls_below_its_threshold_loses_the_extra(system: System) -> None:
    """What is left of the basket is judged anew: it would not have brought the extra points."""
    text = programme("r3", "rule: base, give: 5 %", 'rule: big, when: "purchase.total >= 500", give: 100 points')
    _, anna = await shop_with_member(system, text)
    await anna.buy("r3", NOON, "450.00", "100.00")
    await system.settle()
    earned = (await anna.balance()).available
    assert (earned, await left_after(anna, "r3", ((2, "1", "100.00"),))) == ("127.50", ["22.50"])


async def test_R8_a_return_that_comes_first_waits_for_its_purchase(system: System) -> None:
    """Two systems report to us, and the quicker one is not the first: in the end it is as if in order."""
    _, anna = await shop_with_member(system, programme("r8", "rule: base, give: 5 %"))
    await anna.bring_back("r8-back", "r8", LATER, (1, "1", "100.00"))
    await system.settle()
    await anna.buy("r8", NOON, "100.00", "300.00")
    await system.settle()
    assert await anna.balance() == Balance(available="15.00")
    assert await anna.event_types() == ["account.opened", "points.accrued", "points.reversed"]


async def test_R9_what_was_not_bought_cannot_come_back(system: System) -> None:
    """More than was bought, or a line that never was: told with the reason, listed for operators, nothing taken."""
    shop, anna = await shop_with_member(system, programme("r9", "rule: base, give: 5 %"))
    await anna.buy("r9", NOON, "100.00")
    await anna.bring_back("r9-more", "r9", LATER, (1, "2", "200.00"))
    await anna.bring_back("r9-unknown", "r9", LATER, (7, "1", "10.00"))
    await system.settle()
    assert await anna.balance() == Balance(available="5.00")
    listed = {each["subject_id"]: (each["kind"], each["code"], each["field"]) for each in await shop.refusals()}
    assert listed == {
        "r9-more": ("return", "returns_more_than_bought", "$.data.lines[0].quantity"),
        "r9-unknown": ("return", "unknown_line", "$.data.lines[0].line"),
    }
    told = {
        event["data"]["subject_id"]: event["data"]["refusal"]["code"]
        for event in await system.published("bonus.verdicts.v1")
        if event["data"]["programme"] == shop.programme
    }
    assert told == {"r9-more": "returns_more_than_bought", "r9-unknown": "unknown_line"}
