"""D5: the same stream in another order, by another division, after a standstill, more than once."""

import pytest

from contracts.topics import ACTIVITIES, PURCHASES, RETURNS
from tests.e2e.shop import open_shop
from tests.e2e.system import Wishes
from tests.faults import stream
from tests.faults.conftest import OpenSystem
from tests.faults.histories import History, differences, history
from tests.faults.stream import Stream, interleaved, twice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

OTHERWISE_DIVIDED = {PURCHASES.name: 7, ACTIVITIES.name: 3, RETURNS.name: 1}


async def test_D5_order_between_members_division_standstill_and_repetition_change_nothing(
    open_system: OpenSystem, storm: Stream, undisturbed: History
) -> None:
    """All was published while everything stood still, mixed otherwise, in topics of few partitions, thrice over."""
    async with open_system(Wishes(partitions=OTHERWISE_DIVIDED)) as system:
        await system.start()
        await open_shop(system, stream.FILE)
        await system.stop()
        await system.send_all(twice(interleaved(storm.purchases, seed=1)))
        await system.send_all(twice(interleaved(storm.enrolments, seed=2)))
        await system.start()
        await system.settle(timeout_s=120)
        await system.stop()
        await system.send_all(twice(interleaved(storm.returns, seed=3)))
        await system.send_all(interleaved(storm.purchases, seed=4))
        await system.start()
        await system.settle(timeout_s=120)
        assert await system.dead_letters() == []
        assert differences(await history(system), undisturbed) == {}
