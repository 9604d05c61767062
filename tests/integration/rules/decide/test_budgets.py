"""Budgets on a real database: asks, answers and returns in any order, each once."""

from typing import Any

import orjson
import pytest

from services.rules.budgets.processor import BudgetProcessor
from services.runtime.settings import RuntimeSettings
from services.runtime.writer import ShardWriter
from tests.integration.rules.decide.conftest import NOW, Counter
from tests.integration.rules.decide.messages import bought, did, enrolled, returned

BUDGET = """
programme: club
zone: Europe/Warsaw
money: PLN
currencies: {{points: {{scale: 2, worth: 1.00}}}}
earn:
  - {{rule: gift, give: {give}, {more} budget: {{total: {total} points, last: {last}}}}}
"""


class Budgets:
    """The budgets worker beside the counter: hands over what the log has for its topic, once each."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        settings = RuntimeSettings()
        self._writer = ShardWriter(counter.pool, BudgetProcessor(), settings=settings, clock=lambda: NOW)
        self._seen: set[str] = set()

    async def run(self, times: int = 1) -> list[str]:
        """Hand over what was asked and answered since, each message `times` times; the kinds of the verdicts."""
        kinds: list[str] = []
        while messages := await self._new():
            verdicts = await self._counter.send(*messages * times, writer=self._writer)
            kinds += [verdict.kind for verdict in verdicts]
        return kinds

    async def _new(self) -> list[dict[str, Any]]:
        rows = await self._counter.pool.fetch(
            "select body from event where type like 'bonus.budget.%' order by shard, position"
        )
        new = [event for row in rows if (event := orjson.loads(row["body"]))["id"] not in self._seen]
        self._seen |= {event["id"] for event in new}
        return new


def points(awards: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """What the ledger was told: kind and points."""
    return [
        (each["type"].split(".")[2], each["data"].get("points") or each["data"]["grants"][0]["points"])
        for each in awards
        if each["type"] in {"bonus.points.accrue.v1", "bonus.points.reverse.v1"}
    ]


@pytest.mark.parametrize(
    ("last", "told"),
    [("partial", [900_00, 100_00]), ("all_or_nothing", [900_00, 80_00])],
)
async def test_E11_a_budget_of_1000_with_900_spent(counter: Counter, last: str, told: list[int]) -> None:
    """900, then 150, then 80: the last of it in part, or the next that fits. Whatever comes twice counts once."""
    budgets = Budgets(counter)
    await counter.publish(BUDGET.format(give="100 %", more="", total=1000, last=last))
    await counter.send(enrolled(), bought("p1", "900.00"), bought("p2", "150.00"), bought("p3", "80.00"))
    assert points(await counter.awards()) == []
    kinds = await budgets.run(times=2)
    assert kinds.count("applied") == kinds.count("duplicate") == 6
    assert [each for _, each in points(await counter.awards())] == told
    row = await counter.pool.fetchrow("select campaign, total, granted, asks, cut from budget")
    assert row is not None
    assert tuple(row) == ("gift", 1000_00, sum(told), 3, 2 if last == "partial" else 1)


async def test_E11_what_is_not_granted_gives_its_caps_back(counter: Counter) -> None:
    """Given once and not granted: it can be given again. Granted in part: that was the once."""
    budgets = Budgets(counter)
    await counter.publish(
        BUDGET.format(
            give="100 %", more="once_per: member, cap: {month: 500 points},", total=100, last="all_or_nothing"
        )
    )
    await counter.send(enrolled(), bought("p1", "150.00"))
    [before] = await counter.facts()
    assert before["state"]["counters"] == {
        "": {"gift:once:member:": 1}, "month:2026-03": {"gift:points:month:2026-03": 150_00}
    }  # fmt: skip
    await budgets.run()
    [after] = await counter.facts()
    assert after["state"]["counters"] == {
        "": {"gift:once:member:": 0}, "month:2026-03": {"gift:points:month:2026-03": 0}
    }  # fmt: skip
    await counter.send(bought("p2", "80.00"), bought("p3", "10.00"))
    await budgets.run()
    assert points(await counter.awards()) == [("accrue", 80_00)]


@pytest.mark.parametrize("answered_first", [True, False])
async def test_E11_returns_take_back_what_was_granted_and_do_not_refill(counter: Counter, answered_first: bool) -> None:
    """A half that comes back takes what was granted for it, before or after the answer; the budget stays spent."""
    budgets = Budgets(counter)
    await counter.publish(BUDGET.format(give="100 %", more="", total=100, last="partial"))
    await counter.send(enrolled(), bought("p1", "75.00", "75.00"))
    back = returned("p1", {1: ("1", "75.00"), 2: ("0", "0")})
    for step in (budgets.run, None) if answered_first else (None, budgets.run):
        if step is None:
            await counter.send(back)
        else:
            await step()
    assert points(await counter.awards()) == [("accrue", 100_00), ("reverse", 25_00)]
    await counter.send(bought("p2", "10.00"), returned("p1", {1: ("0", "0"), 2: ("0", "0")}, return_id="all"))
    await budgets.run()
    assert points(await counter.awards()) == [("accrue", 100_00), ("reverse", 25_00), ("reverse", 75_00)]


async def test_an_activity_may_have_a_budget(counter: Counter) -> None:
    """What is not a purchase asks too."""
    budgets = Budgets(counter)
    await counter.publish(BUDGET.format(give="20 points", more="event: activity.review,", total=30, last="partial"))
    await counter.send(enrolled(), did("r1", "review"), did("r2", "review"), did("r3", "review"))
    await budgets.run()
    assert points(await counter.awards()) == [("accrue", 20_00), ("accrue", 10_00)]
