"""The rebuild of all shards, by one process or several."""

import time
from collections.abc import Iterable, Sequence

import asyncpg
import uvloop

from contracts.shards import SHARDS
from services.ledger.rebuild.shard import Rebuilt, ShardRebuild, Wish
from services.ledger.verify.reading import Reading
from services.ledger.verify.run import largest_first
from services.ledger.verify.sharing import shared_out

SCHEMA = "ledger"


def rebuild(dsn: str, processes: int, wish: Wish, shards: Sequence[int] = range(SHARDS)) -> Rebuilt:
    """Rebuild shards. `dsn` is a login that may change every table of the books: their owner."""
    started = time.perf_counter()
    done = Rebuilt()
    for each in shared_out(processes, lambda: largest_first(dsn, shards), _rebuild_shards, dsn, wish):
        done.join(each)
    done.seconds = time.perf_counter() - started
    return done


def _rebuild_shards(shards: Iterable[int], dsn: str, wish: Wish) -> Rebuilt:
    return uvloop.run(rebuild_shards(dsn, shards, wish))


async def rebuild_shards(dsn: str, shards: Iterable[int], wish: Wish) -> Rebuilt:
    """Rebuild these shards, one after the other."""
    connection = await asyncpg.connect(
        dsn, server_settings={"search_path": SCHEMA, "timezone": "UTC", "jit": "off", "temp_buffers": "64MB"}
    )
    done = Rebuilt()
    try:
        async with Reading.open(dsn, role="none") as reading:
            for shard in shards:
                done.join(await ShardRebuild(connection, reading, shard, wish).run())
    finally:
        await connection.close()
    return done
