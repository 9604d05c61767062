"""E: what purchases earn, from Kafka to the balance."""

import asyncio
from datetime import datetime, timedelta

import pytest

from tests.e2e.shop import NOON, WARSAW, Balance, now, programme, shop_with_member
from tests.e2e.system import System
from tests.e2e.till import by_points, line, paid_by_card


@pytest.mark.parametrize(("counts", "earned", "left"), [("true", "50.00", "150.00"), ("false", "40.00", "140.00")])
async def test_E1_the_part_paid_with_points_earns_where_the_programme_says_so(
    system: System, counts: str, earned: str, left: str
) -> None:
    """Of a thousand, two hundred are paid with points: the whole earns, or what was paid with money."""
    rule = f"rule: cashback, give: 5 %, counts_points_paid: {counts}"
    shop, anna = await shop_with_member(system, programme(f"e1-{counts}", rule, more="on_enrolment: 300 points\n"))
    await system.settle()
    await anna.buy("e1", NOON, "1000.00", payments=[by_points("200.00"), paid_by_card("800.00")])
    await system.settle()
    told = await shop.verdict("e1")
    assert (told["status"], told["accrued"], told["redeemed"]) == (
        "booked", {"points": earned}, {"points": "200.00"}
    )  # fmt: skip
    assert await anna.balance() == Balance(available=left)


@pytest.mark.parametrize(("counts", "earned", "left"), [("true", "50.00", "150.00"), ("false", "40.00", "140.00")])
async def test_E1b_receipts_whose_lines_are_net_of_points_earn_the_same(
    system: System, counts: str, earned: str, left: str
) -> None:
    """Some tills take the points off the lines: what they say is another way of saying the same."""
    rule = f"rule: cashback, give: 5 %, counts_points_paid: {counts}"
    shop, anna = await shop_with_member(system, programme(f"e1b-{counts}", rule, more="on_enrolment: 300 points\n"))
    await system.settle()
    net = line(1, "800.00", points_paid="200.00")
    await anna.buy("e1b", NOON, net, payments=[by_points("200.00"), paid_by_card("800.00")])
    await system.settle()
    told = await shop.verdict("e1b")
    assert (told["amount"], told["accrued"], told["redeemed"]) == (
        "1000.00", {"points": earned}, {"points": "200.00"}
    )  # fmt: skip
    assert await anna.balance() == Balance(available=left)


@pytest.mark.parametrize(("rounding", "earned"), [("half_up", "0.51"), ("half_even", "0.50"), ("floor", "0.50")])
async def test_E4_the_last_decimal_is_found_as_the_programme_says(system: System, rounding: str, earned: str) -> None:
    """Half a point is rounded once, at the end, in the way that was promised."""
    name = f"e4-{rounding.replace('_', '-')}"
    _, anna = await shop_with_member(system, programme(name, "rule: cashback, give: 5 %", rounding=rounding))
    await anna.buy("e4", NOON, "10.10")
    await system.settle()
    assert await anna.balance() == Balance(available=earned)


async def test_E4b_points_of_a_tenth_are_ten_times_as_many(system: System) -> None:
    """A percentage is of money: what it makes in points follows from what a point is worth."""
    text = programme("e4b", "rule: cashback, give: 5 %", scale=0, worth="0.10")
    _, anna = await shop_with_member(system, text)
    await anna.buy("e4b", NOON, "100.00")
    await system.settle()
    assert await anna.balance() == Balance("0", "50", "0", "0")


async def test_E5_lines_are_rounded_one_by_one_or_together(system: System) -> None:
    """Two lines of half a point each are two points rounded up, or one: and a return takes what its line shows."""
    by_line, anna = await shop_with_member(system, programme("e5-line", "rule: cashback, give: 5 %", round_by="line"))
    by_basket, olga = await shop_with_member(
        system, programme("e5-basket", "rule: cashback, give: 5 %", round_by="basket")
    )
    await anna.buy("e5", NOON, "10.10", "10.10")
    await olga.buy("e5", NOON, "10.10", "10.10")
    await system.settle()
    assert (await anna.balance(), await olga.balance()) == (Balance(available="1.02"), Balance(available="1.01"))
    shown = [(await shop.verdict("e5"))["explanation"]["lines"] for shop in (by_line, by_basket)]
    assert [[(each["line"], each["points"]) for each in lines] for lines in shown] == [
        [(1, {"cashback": "0.51"}), (2, {"cashback": "0.51"})],
        [(1, {"cashback": "0.51"}), (2, {"cashback": "0.50"})],
    ]
    left = []
    for number in (1, 2):
        await olga.bring_back(f"e5-{number}", "e5", NOON, (number, "1", "10.10"))
        await system.settle()
        left.append((await olga.balance()).available)
    assert left == ["0.51", "0.00"]


async def test_E6_full_amounts_of_the_basket_count(system: System) -> None:
    """One point per ten counts full tens of the whole basket, not of its lines."""
    _, anna = await shop_with_member(system, programme("e6", "rule: tens, give: 1 point per 10.00", scale=0))
    await anna.buy("e6-1", NOON, "99.99")
    await system.settle()
    first = await anna.balance()
    await anna.buy("e6-2", NOON, "5.00", "5.00")
    await system.settle()
    assert (first.available, (await anna.balance()).available) == ("9", "10")


E7_LINES = (line(1, "350.00", "groceries"), line(2, "150.00", "tobacco"), line(3, "500.00", "gift-card"))
EXCLUDED = "line.category in ['tobacco', 'gift-card']"


@pytest.mark.parametrize(
    ("name", "exclude", "base", "earned"),
    [
        ("e7", f'exclude: {{earn: "{EXCLUDED}"}}\n', "280.00", "14.00"),
        ("e7b", f'exclude: {{earn: "{EXCLUDED}", redeem: "{EXCLUDED}"}}\n', "150.00", "7.50"),
    ],
)
async def test_E7_E7b_points_paid_are_spread_over_the_lines_that_they_can_pay_for(
    system: System, name: str, exclude: str, base: str, earned: str
) -> None:
    """What was paid with points is taken off the lines by amount; off lines that points cannot pay for, nothing."""
    rule = "rule: cashback, give: 5 %, counts_points_paid: false"
    shop, anna = await shop_with_member(system, programme(name, rule, more=f"on_enrolment: 200 points\n{exclude}"))
    await system.settle()
    await anna.buy(name, NOON, *E7_LINES, payments=[by_points("200.00"), paid_by_card("800.00")])
    await system.settle()
    assert await anna.balance() == Balance(available=earned)
    lines = (await shop.verdict(name))["explanation"]["lines"]
    assert [(each["line"], each["counts"]) for each in lines if each["points"]] == [(1, base)]


async def test_E8_the_best_multiplier_counts_line_by_line(system: System) -> None:
    """Of two multipliers that share a word the better one counts on each line, and the other is told that it lost."""
    text = programme(
        "e8",
        "rule: base, give: 5 %",
        "rule: dairy, best_of: multiplier, lines: \"line.category == 'dairy'\", give: x5",
        "rule: black-friday, best_of: multiplier, from: 2025-11-28, until: 2025-11-30, give: x3",
    )
    shop, anna = await shop_with_member(system, text)
    black_friday = datetime(2025, 11, 28, 12, tzinfo=WARSAW)
    await anna.buy("e8", black_friday, line(1, "100.00", "dairy"), line(2, "100.00", "other"))
    await system.settle()
    explanation = (await shop.verdict("e8"))["explanation"]
    assert await anna.balance() == Balance(available="40.00")
    assert [(rule["rule"], rule["points"]) for rule in explanation["rules"]] == [
        ("base", "10.00"), ("dairy", "20.00"), ("black-friday", "10.00"),
    ]  # fmt: skip
    assert explanation["lost"] == [{"rule": "black-friday", "to": "dairy", "lines": [1]}]


async def test_E8b_a_multiplied_half_is_rounded_once(system: System) -> None:
    """Twice half a point is one point: what is rounded first and doubled then would be two."""
    _, anna = await shop_with_member(system, programme("e8b", "rule: base, give: 5 %", "rule: double, give: x2"))
    await anna.buy("e8b", NOON, "10.10")
    await system.settle()
    assert await anna.balance() == Balance(available="1.01")


async def test_E12_a_welcome_and_a_first_purchase_count_once(system: System) -> None:
    """Two tills send a first purchase at the same moment, each of them twice: one of them is the first."""
    text = programme("e12", "rule: first, once_per: member, give: 150 points", more="on_enrolment: 100 points\n")
    shop, anna = await shop_with_member(system, text)
    tills = [anna.purchase("e12-a", NOON, "10.00"), anna.purchase("e12-b", NOON, "10.00")]
    await system.send(*tills, *tills)
    await system.settle()
    assert await anna.balance() == Balance(available="250.00")
    told = [await shop.verdict(name) for name in ("e12-a", "e12-b")]
    assert sorted(each["accrued"].get("points", "0.00") for each in told) == ["0.00", "150.00"]


async def test_E16_a_purchase_is_judged_by_the_version_of_its_own_time(system: System) -> None:
    """Bought under the first version and sent under the second: the first one decides, and the decision says so."""
    shop, anna = await shop_with_member(system, programme("e16", "rule: base, give: 5 %"))
    starts_at = now().replace(microsecond=0) + timedelta(seconds=2)
    await shop.publish(programme("e16", "rule: base, give: 10 %"), starts_at)
    await asyncio.sleep((starts_at - now()).total_seconds())
    await anna.buy("e16-before", starts_at - timedelta(seconds=1), "100.00")
    await anna.buy("e16-after", starts_at, "100.00")
    await system.settle()
    assert await anna.balance() == Balance(available="15.00")
    told = [await shop.verdict(name) for name in ("e16-before", "e16-after")]
    assert [each["accrued"] for each in told] == [{"points": "5.00"}, {"points": "10.00"}]
    rules = system.http("rules")
    decisions = [(await rules.get(f"/v1/decisions/{each['decision_id']}")).json() for each in told]
    assert [decision["version"] for decision in decisions] == [1, 2]
