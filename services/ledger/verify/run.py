"""Verification of all shards, by one process or several."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import asyncpg
import uvloop

from contracts.shards import SHARDS
from services.ledger.verify.report import Report
from services.ledger.verify.shard import Limits, verify_shard

SCHEMA = "ledger"


def verify(dsn: str, processes: int, limits: Limits | None = None) -> Report:
    """Check every shard. Each shard is read in one snapshot, while writing goes on."""
    started = time.perf_counter()
    limits = limits or Limits()
    shares = [list(range(first, SHARDS, processes)) for first in range(processes)]
    report = Report()
    if processes == 1:
        report.join(_verify_shards(dsn, shares[0], limits))
    else:
        # Not forked: the event loop and connections of this process are not the children's.
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            for each in pool.map(_verify_shards, [dsn] * processes, shares, [limits] * processes):
                report.join(each)
    report.seconds = time.perf_counter() - started
    return report


def _verify_shards(dsn: str, shards: Sequence[int], limits: Limits) -> Report:
    return uvloop.run(verify_shards(dsn, shards, limits))


async def verify_shards(dsn: str, shards: Sequence[int], limits: Limits) -> Report:
    """Check these shards, one after the other."""
    connection = await asyncpg.connect(
        dsn, server_settings={"role": f"bonus_{SCHEMA}", "search_path": SCHEMA, "timezone": "UTC", "jit": "off"}
    )
    report = Report()
    try:
        for shard in shards:
            report.join(await verify_shard(connection, shard, limits))
            await asyncio.sleep(0)
    finally:
        await connection.close()
    return report
