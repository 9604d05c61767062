"""T: levels reached by what a member spends."""

from datetime import datetime, timedelta

import pytest

from tests.e2e.shop import LONG_AGO, WARSAW, Balance, Member, Shop, now, open_shop, programme, shop_with_member
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


# Years ago, so that all of it has happened, whenever the tests run.
REACHED = datetime(2022, 5, 10, 12, tzinfo=WARSAW)
ENDS = datetime(2023, 6, 9, tzinfo=WARSAW)


async def earned(shop: Shop, *purchases: str) -> list[str]:
    """What each of these purchases brought."""
    told = [await shop.verdict(name) for name in purchases]
    return [each["accrued"].get("points", "0.00") for each in told]


@pytest.mark.parametrize(
    ("then", "afterwards", "fell"),
    [
        ("one_step", "10.00", ("silver", "2024-06-09T00:00:00+02:00")),
        ("reassess", "5.00", ("bronze", "2024-06-09T00:00:00+02:00")),
        ("keep", "15.00", ("gold", None)),
    ],
)
async def test_T3_gold_lasts_through_the_grace(
    system: System, then: str, afterwards: str, fell: tuple[str, str | None]
) -> None:
    """Gold since 10 May, of 400 in the year after: 15 % to the last second of the grace, then as the programme says."""
    terms = f"keep_for: 12 months\n  grace: 30 days\n  then: {then}\n  levels:"
    text = levels(f"t3-{then.replace('_', '-')}").replace("levels:", terms, 1)
    shop, anna = await shop_with_member(system, text)
    jan = await shop.enrol("jan")
    for member in (anna, jan):
        await member.buy(f"t3-{member.card}", REACHED, "1000.00")
    await anna.buy("t3-400", datetime(2023, 3, 1, 12, tzinfo=WARSAW), "400.00")
    await anna.buy("t3-last", ENDS - timedelta(seconds=1), "10.00")
    await anna.buy("t3-after", ENDS, "100.00")
    await jan.buy("t3-grace", ENDS - timedelta(days=20), "1000.00")
    await jan.buy("t3-renewed", ENDS + timedelta(days=1), "100.00")
    await system.settle()
    assert await earned(shop, "t3-400", "t3-last", "t3-after", "t3-renewed") == ["60.00", "1.50", afterwards, "15.00"]
    told = [
        (event["data"]["details"]["tier"], event["data"]["details"]["until"])
        for event in await anna.events()
        if event["type"] == "bonus.tier.changed.v1" and event["data"]["details"]["reason"] != "standing"
    ]
    assert told[0][0] == "gold"
    assert then == "keep" or told[1] == (fell[0], told[1][1])


async def test_T7_a_tier_given_by_hand_lasts_to_its_date(system: System) -> None:
    """A bronze member is given gold for five days: 15 % to the last second, and then what the spend has earned."""
    shop, anna = await shop_with_member(system, levels("t7"))
    until = (DAY + timedelta(days=5)).replace(hour=0)
    await anna.buy("t7-1", DAY, "100.00")
    await system.settle()
    await anna.learns(DAY + timedelta(hours=1), tier={"tier": "gold", "until": until.isoformat()})
    await system.settle()
    await anna.buy("t7-2", until - timedelta(seconds=1), "100.00")
    await anna.buy("t7-3", until, "100.00")
    await system.settle()
    assert await earned(shop, "t7-1", "t7-2", "t7-3") == ["0.00", "15.00", "5.00"]
    assert await changes(anna) == [(None, "bronze"), ("bronze", "gold"), ("gold", "bronze")]
    assert (await standing(anna))[:2] == ("bronze", "300.00")


async def test_E13_a_birthday_is_paid_in_its_days_to_who_told_in_time(system: System) -> None:
    """Three days before: paid, once; four days before: not; told six days before: not, and the purchase says why."""
    gift = "birthday: {before: 3 days, after: 3 days, on_file: 7 days}, once_per: birthday"
    rule = f"rule: gift, {gift}, give: {{bronze: 200 points, silver: 400 points, gold: 600 points}}"
    text = programme("e13", rule, more=LEVELS.format(applies_from="this_purchase"))
    shop = await open_shop(system, text)
    birthday = datetime(2025, 3, 10, 12, tzinfo=WARSAW)
    anna = await shop.enrol("anna", LONG_AGO, birthday="1990-03-10")
    leap = await shop.enrol("leap", LONG_AGO, birthday="1992-02-29")
    late = await shop.enrol("late", LONG_AGO)
    await late.learns(birthday - timedelta(days=6), birthday="1990-03-10")
    await system.settle()
    await anna.buy("e13-early", birthday - timedelta(days=4), "100.00")
    await anna.buy("e13-first", birthday - timedelta(days=3), "100.00")
    await anna.buy("e13-again", birthday + timedelta(days=3), "100.00")
    await leap.buy("e13-leap", datetime(2025, 2, 28, 12, tzinfo=WARSAW), "600.00")
    await late.buy("e13-late", birthday, "100.00")
    await system.settle()
    names = ("e13-early", "e13-first", "e13-again", "e13-leap", "e13-late")
    assert await earned(shop, *names) == ["0.00", "200.00", "0.00", "400.00", "0.00"]
    why = [(await shop.verdict(name))["explanation"].get("not_fired") for name in names]
    assert [each and each[0]["reason"] for each in why] == [
        "not_near_birthday", None, "already_given", None, "birthday_too_fresh",
    ]  # fmt: skip
