"""L: lots that open, lapse and are spent, from Kafka and over HTTP."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx

from tests.e2e.shop import WARSAW, Balance, Member, key, now, programme, shop_with_member
from tests.e2e.system import CONNECTIONS, System
from tests.e2e.till import lot

BASE = "rule: base, give: 5 %"
SOON = timedelta(seconds=4)


async def until(instant: datetime) -> None:
    """Wait for an instant to come."""
    await asyncio.sleep(max(0.0, (instant - now()).total_seconds()))


def soon() -> datetime:
    """An instant that comes while the test runs, far enough away for what must be done before."""
    return now().replace(microsecond=0) + SOON


def instant(text: str) -> datetime:
    """An instant as the API writes it."""
    return datetime.fromisoformat(text)


async def spread(member: Member) -> list[tuple[str, str, str, str]]:
    """What became of each lot: points, available, redeemed, expired."""
    return [(each["points"], each["available"], each["redeemed"], each["expired"]) for each in await member.lots()]


async def test_L1_points_that_lapse_soonest_are_spent_first(system: System) -> None:
    """Spending takes what would be lost next, and what is then left of it lapses at its own date."""
    _, anna = await shop_with_member(system, programme("l1", BASE))
    await system.settle()
    first = soon()
    second = first + timedelta(seconds=1)
    await anna.grant("l1", lot(100_00, second), lot(50_00, first), lot(70_00))
    await system.settle()
    redeemed = await anna.redeem("120.00")
    assert redeemed.status_code == httpx.codes.CREATED, redeemed.text
    assert await spread(anna) == [
        ("100.00", "30.00", "70.00", "0.00"), ("50.00", "0.00", "50.00", "0.00"), ("70.00", "70.00", "0.00", "0.00"),
    ]  # fmt: skip
    await until(second)
    assert await anna.balance() == Balance(available="70.00")
    await system.settle()
    assert [lot[3] for lot in await spread(anna)] == ["30.00", "0.00", "0.00"]
    expired = [event["data"] for event in await anna.events() if event["type"] == "bonus.points.expired.v1"]
    assert [
        (sum(moved["points"] for moved in each["movements"]), instant(each["effective_at"])) for each in expired
    ] == [(30_00, second)]


async def test_L2_at_the_instant_of_their_expiry_points_do_not_count(system: System) -> None:
    """The clock decides what can be spent, whether a sweeper has looked at the account or not."""
    _, anna = await shop_with_member(system, programme("l2", BASE))
    await system.settle()
    expires_at = soon()
    await anna.grant("l2", lot(100_00, expires_at))
    await system.settle()
    before = await anna.redeem("10.00")
    await until(expires_at)
    at_once = await anna.redeem("10.00")
    assert (before.status_code, at_once.status_code) == (httpx.codes.CREATED, httpx.codes.CONFLICT)
    told = at_once.json()
    assert (told["code"], told["available"]) == ("insufficient_points", "0.00")
    assert await spread(anna) == [("100.00", "0.00", "10.00", "90.00")]


async def test_L3_points_activate_to_the_second(system: System) -> None:
    """A second too early they are refused, with what is there and what is coming; then they are spent."""
    text = programme("l3", BASE, activates="14 days")
    _, anna = await shop_with_member(system, text)
    active_at = soon()
    await anna.buy("l3", (active_at.astimezone(WARSAW) - timedelta(days=14)).astimezone(UTC), "1000.00")
    await system.settle()
    early = await anna.redeem("50.00")
    await until(active_at)
    late = await anna.redeem("50.00")
    assert (early.status_code, late.status_code) == (httpx.codes.CONFLICT, httpx.codes.CREATED), late.text
    told = early.json()
    assert (told["code"], told["available"], told["pending"]) == ("insufficient_points", "0.00", "50.00")
    assert await anna.balance() == Balance()


async def test_L3_points_may_wait_for_the_end_of_their_day(system: System) -> None:
    """Fourteen days and the rest of the last one: they count from the midnight after it."""
    text = programme("l3-day", BASE, activates="{after: 14 days, at: end_of_day}")
    _, anna = await shop_with_member(system, text)
    await anna.buy("l3-day", datetime(2026, 3, 1, 18, tzinfo=WARSAW), "1000.00")
    await system.settle()
    assert [instant(each["activates_at"]) for each in await anna.lots()] == [datetime(2026, 3, 15, 23, tzinfo=UTC)]


async def test_L4_twelve_months_to_the_end_of_the_month(system: System) -> None:
    """Earned on a leap day, points are good through the last of February; counted from the purchase."""
    text = programme("l4", BASE, activates="14 days", expires="{after: 12 months, at: end_of_month}")
    _, anna = await shop_with_member(system, text)
    await anna.buy("l4", datetime(2024, 2, 29, 18, tzinfo=WARSAW), "1000.00")
    await system.settle()
    lots = [(instant(each["expires_at"]), each["available"], each["expired"]) for each in await anna.lots()]
    assert lots == [(datetime(2025, 2, 28, 23, tzinfo=UTC), "0.00", "50.00")]


async def test_L5_days_are_the_zones_own_across_a_change_of_clocks(system: System) -> None:
    """The day on which clocks go forward is an hour shorter, and so is the time to the next expiry; one event each."""
    _, anna = await shop_with_member(system, programme("l5", BASE, expires="6 months"))
    for day in (28, 29):
        await anna.buy(f"l5-{day}", datetime(2025, 9, day, 12, tzinfo=WARSAW), "1000.00")
    await system.settle()
    expired = [event["data"] for event in await anna.events() if event["type"] == "bonus.points.expired.v1"]
    midnights = [datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)]
    assert [instant(each["effective_at"]) for each in expired] == midnights
    assert [instant(each["expires_at"]) for each in await anna.lots()] == midnights


async def test_L9_redemptions_at_once_never_overdraw(system: System) -> None:
    """Two hundred tills ask for the same hundred points: half of them get one, and each hears the same again."""
    _, anna = await shop_with_member(system, programme("l9", BASE))
    await anna.grant("l9", lot(100_00))
    await system.settle()
    keys = [key() for _ in range(200)]
    gate = asyncio.Semaphore(CONNECTIONS)

    async def ask(header: dict[str, str]) -> tuple[int, bytes]:
        async with gate:
            answer = await system.http("ledger").post(
                f"/v1/accounts/{anna.account_id}/redemptions",
                json={"currency": "points", "points": "1.00"},
                headers=header,
            )
            return answer.status_code, answer.content

    answers = await asyncio.gather(*map(ask, keys))
    again = await asyncio.gather(*map(ask, keys))
    codes = [status for status, _ in answers]
    assert (codes.count(httpx.codes.CREATED), codes.count(httpx.codes.CONFLICT)) == (100, 100)
    assert await anna.balance() == Balance()
    assert again == answers
