"""The rebuild of all shards, by one process or several."""

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import asyncpg
import uvloop

from contracts.shards import SHARDS
from services.ledger.rebuild.shard import Rebuilt, ShardRebuild, Wish
from services.ledger.verify.run import spare_collection

SCHEMA = "ledger"


def rebuild(dsn: str, processes: int, wish: Wish, shards: Sequence[int] = range(SHARDS)) -> Rebuilt:
    """Rebuild shards. `dsn` is a login that may change every table of the books: their owner."""
    started = time.perf_counter()
    shares = [list(shards[first::processes]) for first in range(processes)]
    done = Rebuilt()
    if processes == 1:
        done.join(_rebuild_shards(dsn, shares[0], wish))
    else:
        # Not forked: the event loop and connections of this process are not the children's.
        with ProcessPoolExecutor(processes, get_context("spawn"), spare_collection) as pool:
            for each in pool.map(_rebuild_shards, [dsn] * processes, shares, [wish] * processes):
                done.join(each)
    done.seconds = time.perf_counter() - started
    return done


def _rebuild_shards(dsn: str, shards: Sequence[int], wish: Wish) -> Rebuilt:
    return uvloop.run(rebuild_shards(dsn, shards, wish))


async def rebuild_shards(dsn: str, shards: Sequence[int], wish: Wish) -> Rebuilt:
    """Rebuild these shards, one after the other."""
    connection = await asyncpg.connect(
        dsn, server_settings={"search_path": SCHEMA, "timezone": "UTC", "jit": "off", "temp_buffers": "64MB"}
    )
    done = Rebuilt()
    try:
        for shard in shards:
            done.join(await ShardRebuild(connection, shard, wish).run())
    finally:
        await connection.close()
    return done
