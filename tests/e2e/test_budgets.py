"""E11: a campaign's budget, asked by many at once, from Kafka to the balance."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import httpx
import pytest

from deploy.local.ports import LOOPBACK
from tests.e2e.processes import Processes
from tests.e2e.shop import NOON, Balance, Shop, open_shop, programme
from tests.e2e.shop import checked as checked_answer
from tests.e2e.system import System

MEMBERS = 40


def campaign(name: str, last: str, total: int = 1000) -> str:
    """A programme of one rule with a budget: all that is paid comes back in points while there are any."""
    rule = f"rule: gift, give: 100 %, cap: {{month: 2 times}}, budget: {{total: {total} points, last: {last}}}"
    return programme(name, rule)


async def budget_of(shop: Shop) -> dict[str, Any]:
    """The programme's only budget, as anybody may ask for it."""
    answer = await shop.system.http("rules").get(f"/v1/programmes/{shop.programme}/budgets")
    [budget] = checked_answer(answer)["budgets"]
    return dict(budget)


async def test_E11_the_last_of_a_budget_is_given_in_part_or_whole(system: System) -> None:
    """Of 1000 are 900 spent: the 150 that come next get 100, or nothing so that 80 are paid and 20 stay."""
    balances, left, words = [], [], []
    for last in ("partial", "all_or_nothing"):
        shop = await open_shop(system, campaign(f"e11-{last.replace('_', '-')}", last))
        anna, olga, jan = [await shop.enrol(name) for name in ("anna", "olga", "jan")]
        for member, amount in ((anna, "900.00"), (olga, "150.00"), (jan, "80.00")):
            await member.buy(f"e11-{member.card}", NOON, amount)
            await system.settle()
        balances.append([(await member.account())["balances"].get("points") for member in (anna, olga, jan)])
        left.append(await budget_of(shop))
        told = await shop.verdict(f"e11-{olga.card}")
        rules = system.http("rules")
        place = f"/v1/decisions/{told['decision_id']}"
        words.append((await rules.get(place, headers={"Accept": "text/plain", "Accept-Language": "en"})).text)
    available = [[balance and balance["available"] for balance in each] for each in balances]
    assert [[points or "0.00" for points in each] for each in available] == [
        ["900.00", "100.00", "0.00"], ["900.00", "0.00", "80.00"],
    ]  # fmt: skip
    assert [(each["granted"], each["left"], each["cut"]) for each in left] == [
        ("1000.00", "0.00", 2), ("980.00", "20.00", 1),
    ]  # fmt: skip
    assert "Rule “gift” was granted 100.00 of 150.00 points: the rest of its campaign's budget." in words[0]
    assert "Rule “gift” asked the budget of its campaign for 150.00 points, which is used up." in words[1]


async def test_E11_a_budget_is_exact_however_many_ask_at_once(system: System) -> None:
    """Forty members on as many partitions buy at one moment, each twice: not a point too many, not one too few."""
    shop = await open_shop(system, campaign("e11-many", "partial", total=1111))
    members = [await shop.enrol(f"m{number}") for number in range(MEMBERS)]
    await system.settle()
    sent = [member.purchase(f"many-{member.card}", NOON, "50.00") for member in members]
    await asyncio.gather(*(system.send(each, each) for each in sent))
    await system.settle()
    balances = [(await member.account())["balances"].get("points") for member in members]
    available = sorted((balance["available"] for balance in balances if balance), reverse=True)
    whole = 1111 // 50
    assert [each for each in available if each != "0.00"] == ["50.00"] * whole + [f"{1111 - 50 * whole}.00"]
    budget = await budget_of(shop)
    assert {name: budget[name] for name in ("campaign", "total", "granted", "left", "asks", "cut")} == {
        "campaign": "gift", "total": "1111.00", "granted": "1111.00", "left": "0.00", "asks": 40,
        "cut": MEMBERS - whole,
    }  # fmt: skip


@contextmanager
def beside(system: System, name: str) -> Iterator[Processes]:
    """One more worker of rules, which shares the partitions of those that there are."""
    directory = system.processes.directory / name
    directory.mkdir()
    worker = Processes(directory, system.processes.environment, ["rules-work"])
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


async def decided_by(worker: Processes) -> float:
    """Messages that a worker has decided, of budgets and of accounts."""
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"http://{LOOPBACK}:{worker.port('rules-work')}/metrics")).text
    counted = [line for line in text.splitlines() if line.startswith("bonus_messages_total{")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in counted)


@pytest.mark.timeout(180)
async def test_E11_a_budget_is_exact_with_several_workers_one_of_which_dies(system: System) -> None:
    """Three workers share the partitions and one is killed in the middle: all is granted, and not a point too many."""
    shop = await open_shop(system, campaign("e11-workers", "partial", total=3333))
    members = [await shop.enrol(f"m{number}") for number in range(MEMBERS)]
    await system.settle()
    rounds = [[member.purchase(f"{turn}-{member.card}", NOON, "50.00") for member in members] for turn in range(2)]
    with beside(system, "second") as second, beside(system, "third") as third:
        async with asyncio.timeout(60):
            # A worker that has just begun takes its partitions when the group lets it in. What comes again changes
            # nothing, so it is sent until all of them take part.
            while not all([await decided_by(worker) for worker in (second, third)]):
                await asyncio.gather(*(system.send(each, each) for each in rounds[0]))
                await system.settle()
        sending = asyncio.gather(*(system.send(each) for each in rounds[1]))
        await asyncio.to_thread(third.kill, "rules-work")
        await sending
        await system.settle(timeout_s=120)
    balances = [(await member.account())["balances"].get("points") for member in members]
    assert sum(Decimal(balance["available"]) for balance in balances if balance) == Decimal("3333.00")
    budget = await budget_of(shop)
    assert {name: budget[name] for name in ("granted", "left", "asks", "cut")} == {
        "granted": "3333.00", "left": "0.00", "asks": 2 * MEMBERS, "cut": 2 * MEMBERS - 3333 // 50,
    }  # fmt: skip


async def test_E11_returns_do_not_refill(system: System) -> None:
    """What comes back is taken from who got it; the campaign has spent it all the same."""
    shop = await open_shop(system, campaign("e11-back", "partial", total=100))
    anna, olga = await shop.enrol("anna"), await shop.enrol("olga")
    await anna.buy("e11-back-1", NOON, "100.00")
    await system.settle()
    assert await anna.balance() == Balance(available="100.00")
    await anna.bring_back("e11-back-r", "e11-back-1", NOON, (1, "1", "100.00"))
    await olga.buy("e11-back-2", NOON, "100.00")
    await system.settle()
    assert await anna.balance() == Balance(available="0.00")
    assert (await shop.verdict("e11-back-1"))["accrued"] == {"points": "0.00"}
    assert (await shop.verdict("e11-back-2"))["accrued"] == {"points": "0.00"}
