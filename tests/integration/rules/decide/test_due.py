"""What comes by itself: tiers end and birthdays begin on their day, whoever notices it and however late."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from contracts.catalogue import MODELS
from services.rules.decide.due import participants_due
from services.runtime.settings import RuntimeSettings
from services.runtime.sweeper import Sweeper
from tests.integration.rules.decide.conftest import Counter
from tests.integration.rules.decide.messages import bought, enrolled, learned
from tests.integration.rules.decide.test_decide import THREE_LEVELS

QUIET = timedelta(seconds=30)
ALWAYS = datetime.max.replace(tzinfo=UTC)
ENDS = "2027-01-01T00:00:00Z"
GOLD_IN_MAY = [
    enrolled(),
    bought("p1", "1000.00", at="2026-05-10T18:00:00+02:00"),
    bought("p2", "400.00", at="2026-08-01T12:00:00+02:00"),
]


async def sweep(
    counter: Counter, decided_through: datetime | None = ALWAYS, behind_max: timedelta = timedelta.max
) -> None:
    """One look at every shard, an hour behind the clock and behind what was decided."""
    find = participants_due(lambda: decided_through, timedelta(hours=1), QUIET, behind_max)
    sweeper = Sweeper(counter.decide, find, RuntimeSettings(), clock=lambda: counter.clock[0])
    for shard in range(64):
        await sweeper.sweep(shard)


async def told(counter: Counter) -> list[tuple[Any, ...]]:
    """What the ledger heard of tiers that changed."""
    changes = await counter.awards("bonus.tier.change.v1")
    return [
        (each["data"]["previous"], each["data"]["tier"], each["data"]["occurred_at"], each["data"]["reason"])
        for each in changes
    ]


async def test_T3_a_tier_falls_on_its_day_without_a_purchase(counter: Counter) -> None:
    """Gold of 10 May 2026 lasts to 9 June 2027 00:00 in Warsaw; then silver, told once."""
    await counter.publish(THREE_LEVELS)
    await counter.send(*GOLD_IN_MAY)
    for moment in ("2027-06-01T00:00Z", "2027-06-08T22:59Z"):
        counter.clock[0] = datetime.fromisoformat(moment)
        await sweep(counter)
    assert await told(counter) == [(None, "gold", "2026-05-10T16:00:00+00:00", "tier_reached")]
    counter.clock[0] = datetime(2027, 6, 8, 23, 0, tzinfo=UTC)
    await sweep(counter)
    await sweep(counter)
    assert (await told(counter))[1:] == [("gold", "silver", "2027-06-08T22:00:00+00:00", "tier_period_ended")]
    assert [row["tier"] for row in await counter.facts()] == ["silver"]


async def test_nothing_is_due_while_much_waits_to_be_decided(counter: Counter) -> None:
    """With what was decided two minutes behind the clock no tier ends; once it has caught up, it does."""
    await counter.publish(THREE_LEVELS)
    await counter.send(*GOLD_IN_MAY)
    counter.clock[0] = now = datetime(2027, 7, 1, tzinfo=UTC)
    minute = timedelta(minutes=1)
    await sweep(counter, now - 2 * minute, behind_max=minute)
    assert [row["tier"] for row in await counter.facts()] == ["gold"]
    await sweep(counter, now - minute / 2, behind_max=minute)
    assert [row["tier"] for row in await counter.facts()] == ["silver"]


async def test_D5_nothing_is_due_in_the_middle_of_a_backlog(counter: Counter) -> None:
    """Who had something decided after the watermark waits for it, however long ago that was by the clock."""
    await counter.publish(THREE_LEVELS)
    counter.clock[0] = now = datetime(2027, 7, 1, tzinfo=UTC)
    await counter.send(*GOLD_IN_MAY)
    counter.clock[0] = now + 2 * QUIET
    for through in (now - QUIET, now + QUIET / 2):
        await sweep(counter, through)
        assert [row["tier"] for row in await counter.facts()] == ["gold"]
    await sweep(counter, now + QUIET)
    assert [row["tier"] for row in await counter.facts()] == ["silver"]


async def test_D5_noticed_by_a_purchase_or_by_the_sweeper_it_is_the_same(counter: Counter) -> None:
    """The change has the id of its own day: the books hear it under one command, whoever tells it first."""
    await counter.publish(THREE_LEVELS)
    await counter.send(*GOLD_IN_MAY)
    counter.clock[0] = datetime(2027, 7, 1, tzinfo=UTC)
    await counter.send(bought("p3", "10.00", at="2027-06-20T12:00:00+02:00"))
    by_purchase = (await counter.awards("bonus.tier.change.v1"))[1]["data"]["command_id"]
    await counter.pool.execute(
        "set role none; delete from decision; delete from participant; delete from event; set role bonus_rules"
    )
    await counter.send(*GOLD_IN_MAY)
    await sweep(counter)
    assert len(await told(counter)) == 1, "of what was just decided more may be on its way"
    counter.clock[0] += QUIET
    await sweep(counter)
    assert (await counter.awards("bonus.tier.change.v1"))[1]["data"]["command_id"] == by_purchase


async def test_D5_nothing_is_due_while_messages_wait(counter: Counter) -> None:
    """After a standstill the purchases of the grace are decided first: they renew the tier."""
    await counter.publish(THREE_LEVELS)
    await counter.send(*GOLD_IN_MAY)
    counter.clock[0] = datetime(2027, 7, 1, tzinfo=UTC)
    await sweep(counter, None)
    await sweep(counter, datetime(2027, 6, 8, 22, 30, tzinfo=UTC))
    assert len(await told(counter)) == 1
    await counter.send(bought("p3", "600.00", at="2027-05-20T12:00:00+02:00"))
    counter.clock[0] += QUIET
    await sweep(counter)
    assert (await told(counter))[1:] == [("gold", "gold", "2027-05-20T10:00:00+00:00", "tier_renewed")]


BIRTHDAYS = """
programme: club
zone: Europe/Warsaw
money: PLN
currencies: {points: {scale: 0, worth: 1.00}}
tiers: {by: spend, window: 12 months, levels: [{tier: bronze, from: 0}, {tier: gold, from: 1000}]}
earn:
  - rule: greeting
    event: birthday
    give: {bronze: 200 points, gold: 400 points}
"""


async def birthdays(counter: Counter) -> list[tuple[Any, ...]]:
    """The days that were kept as birthdays, and what each brought."""
    rows = await counter.pool.fetch("select body from event where type = 'bonus.birthday.reached.v1' order by position")
    events = [orjson.loads(row["body"]) for row in rows]
    for each in events:
        MODELS[each["type"]].model_validate(each)
    awards = {
        each["data"]["source"]["id"]: each["data"]["grants"][0]["points"]
        for each in await counter.awards("bonus.points.accrue.v1")
        if each["data"]["source"]["kind"] == "birthday"
    }
    return [(each["data"]["day"], each["data"]["effective_at"], awards.get(each["data"]["day"], 0)) for each in events]


async def test_E13_a_birthday_begins_at_midnight_and_is_kept_once_a_year(counter: Counter) -> None:
    """Born on 29 February: kept on the 28th in common years, by the level of that day, from midnight in Warsaw on."""
    await counter.publish(BIRTHDAYS)
    counter.clock[0] = datetime(2026, 6, 1, tzinfo=UTC)
    await counter.send(enrolled(birthday="1992-02-29"), bought("p1", "1000.00", at="2026-05-10T18:00:00+02:00"))
    for moment in ("2027-02-27T23:59Z", "2027-02-28T00:00Z", "2027-03-01T00:00Z", "2028-02-29T00:00Z"):
        counter.clock[0] = datetime.fromisoformat(moment)
        await sweep(counter)
    # An hour after midnight in Warsaw the first of them was due; of the year after nothing is due before 29 February.
    assert await birthdays(counter) == [
        ("2027-02-28", "2027-02-27T23:00:00+00:00", 400), ("2028-02-29", "2028-02-28T23:00:00+00:00", 200),
    ]  # fmt: skip


async def test_E13_a_date_that_changes_brings_no_second_birthday(counter: Counter) -> None:
    """Kept in March, then the date becomes one in September: not again this year. What was past is past."""
    await counter.publish(BIRTHDAYS)
    counter.clock[0] = datetime(2026, 3, 1, tzinfo=UTC)
    await counter.send(enrolled(birthday="1990-03-05"))
    counter.clock[0] = datetime(2026, 3, 5, 12, tzinfo=UTC)
    await sweep(counter)
    counter.clock[0] = datetime(2026, 8, 1, tzinfo=UTC)
    await counter.send(learned("2026-08-01T00:00:00Z", birthday="1990-09-05"))
    for moment in ("2026-12-31T00:00Z", "2027-03-06T00:00Z", "2027-09-06T00:00Z"):
        counter.clock[0] = datetime.fromisoformat(moment)
        await sweep(counter)
    assert [day for day, *_ in await birthdays(counter)] == ["2026-03-05", "2027-09-05"]


async def test_birthdays_of_years_that_were_read_in_are_not_news(counter: Counter) -> None:
    """Somebody joined long ago, and we hear of it now: only birthdays from today on are kept."""
    await counter.publish(BIRTHDAYS)
    counter.clock[0] = datetime(2026, 6, 1, 12, tzinfo=UTC)
    await counter.send(enrolled(at="2021-01-01T09:00:00Z", birthday="1990-06-01"))
    await sweep(counter)
    counter.clock[0] = datetime(2026, 6, 2, 12, tzinfo=UTC)
    await sweep(counter)
    assert await birthdays(counter) == [("2026-06-01", "2026-05-31T22:00:00+00:00", 200)]


async def test_T7_a_tier_given_by_hand_lasts_to_its_date_and_is_then_reassessed(counter: Counter) -> None:
    """Gold for half a year, told twice; then what was really bought. A tier that there is none of is refused."""
    await counter.publish(THREE_LEVELS)
    await counter.send(enrolled(), bought("p1", "120.00", at="2026-03-01T12:00:00+01:00"))
    gold = learned("2026-04-01T10:00:00Z", tier={"tier": "gold", "until": "2026-10-01T00:00:00+02:00"})
    verdicts = await counter.send(gold, gold, learned("2026-04-02T10:00:00Z", tier={"tier": "iron", "until": ENDS}))
    assert [(each.kind, each.code) for each in verdicts] == [
        ("applied", None), ("duplicate", None), ("refused", "unknown_tier"),
    ]  # fmt: skip
    await counter.send(bought("p2", "10.00", at="2026-09-30T12:00:00+02:00"))
    counter.clock[0] = datetime(2026, 10, 2, tzinfo=UTC)
    await sweep(counter)
    assert await told(counter) == [
        (None, "bronze", "2026-03-01T11:00:00+00:00", "tier_reached"),
        ("bronze", "gold", "2026-04-01T10:00:00+00:00", "tier_given"),
        ("gold", "bronze", "2026-09-30T22:00:00+00:00", "tier_period_ended"),
    ]
    assert [each["data"]["grants"][0]["points"] for each in await counter.awards("bonus.points.accrue.v1")] == [150]
