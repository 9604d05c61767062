"""The tally as a process of its own, for tests that kill it: `python -m tests.integration.runtime.worker`."""

import asyncio
import os
from collections.abc import Sequence

from services.runtime.messages import Message
from services.runtime.process import Part, Process, run_process
from services.runtime.settings import RuntimeSettings
from services.runtime.shard import ShardTransaction
from services.runtime.writer import ShardWriter
from tests.integration.runtime.tally import ACTIVITIES, SCHEMA, Tally

DELAY = "TALLY_DELAY_S"


async def _slowly(_: ShardTransaction, __: Sequence[Message]) -> None:
    await asyncio.sleep(float(os.environ.get(DELAY, "0")))


async def build(process: Process) -> Sequence[Part]:
    """The loop and the relay of the tally."""
    pool = await process.pool(SCHEMA)
    writer = ShardWriter(pool, Tally(before=_slowly), settings=process.settings)
    return [process.consumer({ACTIVITIES: writer}, "tally"), process.relay(pool)]


if __name__ == "__main__":
    run_process("tally-work", build, RuntimeSettings())
