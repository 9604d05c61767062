"""Tiers end by themselves, on their day, whoever notices it and however late."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.rules.decide.due import tiers_due
from services.runtime.settings import RuntimeSettings
from services.runtime.sweeper import Sweeper
from tests.integration.rules.decide.conftest import Counter
from tests.integration.rules.decide.messages import bought, enrolled
from tests.integration.rules.decide.test_decide import THREE_LEVELS

ALWAYS = datetime.max.replace(tzinfo=UTC)
GOLD_IN_MAY = [
    enrolled(),
    bought("p1", "1000.00", at="2026-05-10T18:00:00+02:00"),
    bought("p2", "400.00", at="2026-08-01T12:00:00+02:00"),
]


async def sweep(counter: Counter, decided_through: datetime | None = ALWAYS) -> None:
    """One look at every shard, an hour behind the clock and behind what was decided."""
    find = tiers_due(lambda: decided_through, timedelta(hours=1))
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
    counter.clock[0] = datetime(2027, 6, 8, 22, 59, tzinfo=UTC)
    await sweep(counter)
    assert await told(counter) == [(None, "gold", "2026-05-10T16:00:00+00:00", "tier_reached")]
    counter.clock[0] = datetime(2027, 6, 8, 23, 0, tzinfo=UTC)
    await sweep(counter)
    await sweep(counter)
    assert (await told(counter))[1:] == [("gold", "silver", "2027-06-08T22:00:00+00:00", "tier_period_ended")]
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
    assert len(await told(counter)) == 1, "what was just decided may have more behind it, for an hour"
    counter.clock[0] += timedelta(hours=1)
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
    counter.clock[0] += timedelta(hours=1)
    await sweep(counter)
    assert (await told(counter))[1:] == [("gold", "gold", "2027-05-20T10:00:00+00:00", "tier_renewed")]
