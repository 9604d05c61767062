"""Workers with hardly any connections: nobody waits for a connection while holding another."""

import pytest

from tests.e2e.system import Wishes
from tests.faults.conftest import OpenSystem
from tests.faults.stream import Stream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]


async def test_programmes_are_asked_for_beside_the_transactions_that_need_them(
    open_system: OpenSystem, storm: Stream
) -> None:
    """Messages of a programme that is not known come in every shard at once; each batch asks the database for it."""
    async with open_system(Wishes(settings={"BONUS_POSTGRES_POOL_MAX": "2"})) as system:
        await system.send_all(storm.enrolments)
        await system.start()
        await system.settle(timeout_s=25)
        refused = "select count(*) from rules.refusal"
        assert await system.connection.fetchval(refused) == len(storm.enrolments)
