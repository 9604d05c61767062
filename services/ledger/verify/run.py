"""Verification of all shards, by one process or several."""

import asyncio
import gc
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import asyncpg
import uvloop

from contracts.shards import SHARDS
from services.ledger.verify.plan import Plan
from services.ledger.verify.report import Report
from services.ledger.verify.shard import verify_shard

SCHEMA = "ledger"
GARBAGE_THRESHOLD = 200_000
"""Objects made before the collector looks for cycles among the young ones."""


def verify(dsn: str, processes: int, plan: Plan | None = None) -> Report:
    """Check every shard. Each shard is read in one snapshot, while writing goes on.

    Raises `StatementRefusedError` or `OSError` for files of the plan that are not what was signed.
    """
    started = time.perf_counter()
    plan = plan or Plan()
    shares = [list(range(first, SHARDS, processes)) for first in range(processes)]
    report = Report()
    if processes == 1:
        report.join(_verify_shards(dsn, shares[0], plan))
    else:
        # Not forked: the event loop and connections of this process are not the children's.
        with ProcessPoolExecutor(processes, get_context("spawn"), spare_collection) as pool:
            for each in pool.map(_verify_shards, [dsn] * processes, shares, [plan] * processes):
                report.join(each)
    report.seconds = time.perf_counter() - started
    return report


def spare_collection() -> None:
    """Of a process of its own: replay makes millions of objects and no cycles, and looking for them finds none."""
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)


def _verify_shards(dsn: str, shards: Sequence[int], plan: Plan) -> Report:
    return uvloop.run(verify_shards(dsn, shards, plan))


async def verify_shards(dsn: str, shards: Sequence[int], plan: Plan) -> Report:
    """Check these shards, one after the other."""
    connection = await connect(dsn)
    report = Report()
    try:
        for shard in shards:
            report.join(await verify_shard(connection, shard, plan))
            await asyncio.sleep(0)
    finally:
        await connection.close()
    return report


async def connect(dsn: str) -> asyncpg.Connection:
    """A connection that reads as the books' role, without the time-outs of the services."""
    return await asyncpg.connect(
        dsn, server_settings={"role": f"bonus_{SCHEMA}", "search_path": SCHEMA, "timezone": "UTC", "jit": "off"}
    )
