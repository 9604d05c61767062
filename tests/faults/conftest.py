"""Systems that tests may harm, and what the stream comes to in one that nobody harms."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Final

import pytest

from tests.e2e.conftest import OpenSystem
from tests.e2e.conftest import open_system as open_any_system
from tests.e2e.shop import open_shop
from tests.e2e.system import System, Wishes
from tests.faults import stream
from tests.faults.histories import History, history
from tests.faults.stream import Stream

__all__ = ["OpenSystem", "open_any_system"]


PATIENT: Final = {"BONUS_DUE_SWEEP_QUIET_S": "3600"}
"""What is sent lies far back: time ends none of its tiers while a test runs, however long that takes."""


@pytest.fixture(scope="session")
def open_system(open_any_system: OpenSystem) -> OpenSystem:
    """A function that makes a system of one's own, in which time is patient."""

    def opened(wishes: Wishes) -> AbstractAsyncContextManager[System]:
        return open_any_system(replace(wishes, settings={**PATIENT, **wishes.settings}))

    return opened


@pytest.fixture(scope="session")
def storm() -> Stream:
    """The stream that all tests here send."""
    return stream.make()


@pytest.fixture(scope="session")
async def undisturbed(open_system: OpenSystem, storm: Stream) -> History:
    """What the stream comes to where nothing goes wrong."""
    async with open_system(Wishes()) as system:
        await system.start()
        await open_shop(system, stream.FILE)
        await system.send_all(storm.enrolments)
        await system.settle()
        await system.send_all(storm.purchases)
        await system.settle()
        await system.send_all(storm.returns)
        await system.settle()
        assert await system.dead_letters() == []
        found = await history(system)
    assert len(found) == stream.MEMBERS
    return found
