"""T: levels reached by what a member spends."""

from datetime import timedelta

import pytest

from tests.e2e.shop import WARSAW, Balance, Member, now, programme, shop_with_member
from tests.e2e.system import System
from tests.e2e.till import by_points, line, paid_by_card

LEVELS = """tiers:
  by: spend
  window: 12 months
  applies_from: {applies_from}
  levels:
    - {{tier: bronze, from: 100}}
    - {{tier: silver, from: 500}}
    - {{tier: gold, from: 1000}}
"""
RULE = "rule: level, give: {bronze: 5 %, silver: 10 %, gold: 15 %}"


def levels(name: str, applies_from: str = "next_purchase", more: str = "") -> str:
    return programme(name, RULE, more=LEVELS.format(applies_from=applies_from) + more)


# A level is kept for a year: these purchases are so fresh that none has ended yet.
DAY = (now().astimezone(WARSAW) - timedelta(days=10)).replace(hour=12, minute=0, second=0, microsecond=0)


async def standing(member: Member) -> tuple[str | None, str, str | None, str | None]:
    """Tier, qualifying spend, the next tier, and what is missing to it."""
    found = await member.tier()
    assert found is not None
    return found["tier"], found["qualifying"], found["next_tier"], found["missing"]


async def changes(member: Member) -> list[tuple[str | None, str | None]]:
    """Every change of tier: from which, to which."""
    return [
        (event["data"]["details"]["previous"], event["data"]["details"]["tier"])
        for event in await member.events()
        if event["type"] == "bonus.tier.changed.v1"
    ]


async def test_T0_excluded_lines_and_points_paid_do_not_qualify(system: System) -> None:
    """A level is reached by what was spent with money on what counts."""
    excluded = "line.category in ['tobacco', 'gift-card']"
    more = f'on_enrolment: 200 points\nexclude: {{earn: "{excluded}"}}\n'
    _, anna = await shop_with_member(system, levels("t0", more=more))
    await system.settle()
    lines = (line(1, "350.00", "groceries"), line(2, "150.00", "tobacco"), line(3, "500.00", "gift-card"))
    await anna.buy("t0", DAY, *lines, payments=[by_points("200.00"), paid_by_card("800.00")])
    await system.settle()
    assert await standing(anna) == ("bronze", "280.00", "silver", "220.00")
    assert await changes(anna) == [(None, "bronze")]


@pytest.mark.parametrize(
    ("applies_from", "earned"), [("next_purchase", ["0.00", "0.00"]), ("this_purchase", ["0.00", "0.50"])]
)
async def test_T1_the_purchase_that_reaches_a_level_earns_by_it_where_told(
    system: System, applies_from: str, earned: list[str]
) -> None:
    """Exactly a hundred is enough for bronze; whether the purchase that makes it so earns by it, the programme says."""
    shop, anna = await shop_with_member(system, levels(f"t1-{applies_from.replace('_', '-')}", applies_from))
    await anna.buy("t1-1", DAY, "90.00")
    await system.settle()
    before = await standing(anna)
    await anna.buy("t1-2", DAY + timedelta(hours=1), "10.00")
    await system.settle()
    assert (before, await standing(anna)) == (
        (None, "90.00", "bronze", "10.00"), ("bronze", "100.00", "silver", "400.00")
    )  # fmt: skip
    told = [await shop.verdict(name) for name in ("t1-1", "t1-2")]
    assert [each["accrued"].get("points", "0.00") for each in told] == earned


async def test_T2_one_purchase_may_pass_a_level(system: System) -> None:
    """Who spends enough for silver at once is never bronze, and earns by silver from the next purchase on."""
    shop, anna = await shop_with_member(system, levels("t2"))
    await anna.buy("t2-1", DAY, "600.00")
    await anna.buy("t2-2", DAY + timedelta(hours=1), "100.00")
    await system.settle()
    assert await changes(anna) == [(None, "silver")]
    assert await standing(anna) == ("silver", "700.00", "gold", "300.00")
    told = [await shop.verdict(name) for name in ("t2-1", "t2-2")]
    assert [each["accrued"].get("points", "0.00") for each in told] == ["0.00", "10.00"]
    assert await anna.balance() == Balance(available="10.00")
