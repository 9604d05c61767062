"""D4: workers killed while purchases flow."""

import asyncio
import random

import pytest

from tests.e2e.processes import WORKERS
from tests.e2e.shop import open_shop
from tests.e2e.system import System, Wishes
from tests.faults import stream
from tests.faults.conftest import OpenSystem
from tests.faults.histories import History, differences, history
from tests.faults.stream import Stream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

KILLS = 10
AT_ONCE = 2
PER_SECOND = 150.0
LONGEST_PAUSE_S = 1.5


async def test_D4_workers_killed_at_any_instant_leave_the_accounts_of_an_undisturbed_run(
    open_system: OpenSystem, storm: Stream, undisturbed: History
) -> None:
    """Ten times a worker or a relay dies in the middle of its work: every account is as if none had, event by event."""
    async with open_system(Wishes()) as system:
        await system.start()
        await open_shop(system, stream.FILE)
        await system.send_all(storm.enrolments)
        flowing = asyncio.create_task(system.send_all(storm.purchases, PER_SECOND))
        in_the_middle = await kill_again_and_again(system, random.Random(20260305))  # noqa: S311 - instants of kills
        await flowing
        await system.settle(timeout_s=120)
        await system.send_all(storm.returns)
        system.processes.kill("ledger-work")
        await system.start()
        await system.settle(timeout_s=120)
        assert in_the_middle > 0
        assert await system.dead_letters() == []
        assert differences(await history(system), undisturbed) == {}


async def kill_again_and_again(system: System, chance: random.Random) -> int:
    """Kill processes, some at the same instant, and start them anew; gives how many kills met unfinished work."""
    met = 0
    for _ in range(KILLS // AT_ONCE):
        await asyncio.sleep(chance.uniform(0, LONGEST_PAUSE_S))
        met += 0 if (await system.reading()).at_rest else AT_ONCE
        system.processes.kill(*chance.sample(WORKERS, AT_ONCE))
        await system.start()
    return met
