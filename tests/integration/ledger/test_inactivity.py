"""Points that lapse after a long silence, on the real books: notice once, lapse once, whoever finds it."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.ledger.timers import find_due
from services.runtime.sweeper import Sweeper
from tests.integration.ledger.conftest import POINTS, Api, Books, Event, Member, accrual, days

WARSAW = ZoneInfo("Europe/Warsaw")
MAY_10 = datetime(2026, 5, 10, 9, 30, tzinfo=UTC)
NOTICE = datetime(2027, 4, 10, tzinfo=WARSAW)
LAPSE = datetime(2027, 5, 11, tzinfo=WARSAW)


def lasting(member: Member, cause: str, points: int, at: datetime) -> Event:
    """Points that lapse after twelve months of silence, with notice thirty days before the last day."""
    event: Event = accrual(member, cause, points, at=at)
    event["data"]["grants"][0]["inactivity"] = {"months": 12, "notice_days": 30, "zone": "Europe/Warsaw"}
    return event


async def told(books: Books, member: Member) -> list[tuple[str, str]]:
    """What time alone did, and when it counts."""
    return [
        (event["type"].removeprefix("bonus.").removesuffix(".v1"), event["data"]["effective_at"])
        for event in await books.events(member)
        if event["type"] in {"bonus.expiry.announced.v1", "bonus.points.expired.v1"}
    ]


async def test_L13_notice_comes_once_and_all_lapses_after_a_year_of_silence(books: Books, api: Api) -> None:
    """Last movement 10 May 2026: notice on 10 April 2027, lapse on 11 May 2027 at 00:00."""
    member = Member()
    books.clock.now = MAY_10
    await books.take(lasting(member, "p1", 40_00, MAY_10))
    books.clock.now = NOTICE - days(0.001)
    assert await books.sweep(member) == 0
    for _ in range(3):
        books.clock.now = books.clock.now + days(0.002)
        await books.sweep(member)
    assert await told(books, member) == [("expiry.announced", NOTICE.astimezone(UTC).isoformat())]
    announced = (await books.events(member))[-1]["data"]["details"]
    assert (announced["points"], announced["lapses_at"]) == (40_00, LAPSE.astimezone(UTC).isoformat())
    books.clock.now = LAPSE - days(0.001)
    assert (await api.balance(member))["available"] == "40.00"
    books.clock.now = LAPSE
    assert (await api.balance(member))["available"] == "0.00"
    assert await books.sweep(member) == 1
    assert (await told(books, member))[1:] == [("points.expired", LAPSE.astimezone(UTC).isoformat())]
    text = (await api.get(f"/accounts/{member.account}/statement")).json()["items"][0]["text"]
    assert text == "Expired, as nothing was earned or spent for long: 40.00 points. Available now: 0.00 points."


async def test_L13_an_accrual_or_a_redemption_moves_both(books: Books, api: Api) -> None:
    """Who spends in August, or earns in September, keeps the points a year from then."""
    spender, earner = Member(), Member()
    books.clock.now = MAY_10
    await books.take(lasting(spender, "p1", 40_00, MAY_10), lasting(earner, "p1", 40_00, MAY_10))
    books.clock.now = MAY_10 + days(100)
    assert (await api.redeem(spender, "1.00")).status_code == 201
    await books.take(lasting(earner, "p2", 1_00, books.clock.now))
    books.clock.now = LAPSE
    for each in (spender, earner):
        await books.sweep(each)
        assert await told(books, each) == []
    assert [(await api.balance(each))["available"] for each in (spender, earner)] == ["39.00", "41.00"]
    books.clock.now = LAPSE + days(100)
    assert [(await api.balance(each))["available"] for each in (spender, earner)] == ["0.00", "0.00"]


async def test_L5_each_midnight_of_the_zone_is_an_event_of_its_own(books: Books, api: Api, member: Member) -> None:
    """Europe/Warsaw, 29 March 2026 00:00 and the day after, across the change of clocks."""
    march_29, march_30 = datetime(2026, 3, 29, tzinfo=WARSAW), datetime(2026, 3, 30, tzinfo=WARSAW)
    await books.take(
        accrual(member, "a", 1_00, expires_at=march_29), accrual(member, "b", 2_00, expires_at=march_29),
        accrual(member, "c", 4_00, expires_at=march_30),
    )  # fmt: skip
    seen = []
    for instant in (march_29 - days(1 / 86_400), march_29, march_30 - days(1 / 86_400), march_30):
        books.clock.now = instant.astimezone(UTC)
        seen.append((await api.balance(member))["available"])
    assert seen == ["7.00", "4.00", "4.00", "0.00"]
    await books.sweep(member)
    assert await told(books, member) == [
        ("points.expired", "2026-03-28T23:00:00+00:00"),
        ("points.expired", "2026-03-29T22:00:00+00:00"),
    ]


async def test_two_sweepers_at_once_do_everything_once(books: Books, api: Api) -> None:
    """Two processes sweep all shards after a standstill of weeks: each transition stands once, at its own instant."""
    members = [Member() for _ in range(40)]
    now = books.clock.now
    lots = [
        accrual(member, f"p{day}", 1_00, activates_at=now + days(day), expires_at=now + days(30 + day))
        for member in members
        for day in (1, 2)
    ]
    await books.take(*lots)
    books.clock.now += days(60)
    settings = books.settings.model_copy(update={"sweep_batch": 3})
    sweepers = [Sweeper(books.writer, find_due, settings, clock=books.clock) for _ in range(2)]
    shards = sorted({member.shard for member in members})

    async def sweep_all(sweeper: Any) -> int:
        return sum([await sweeper.sweep(shard) for shard in shards for _ in range(3)])

    await asyncio.gather(*map(sweep_all, sweepers))
    for member in members:
        kinds = await books.kinds(member)
        assert (kinds.count("points.activated"), kinds.count("points.expired")) == (2, 2)
        assert (await api.balance(member))["available"] == "0.00"
    assert sum([await each.sweep(shard) for each in sweepers for shard in shards]) == 0
    assert (await api.get(f"/accounts/{members[0].account}")).json()["balances"][POINTS]["expired"] == "2.00"
