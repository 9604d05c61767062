"""Verification of all shards, by one process or several."""

import time
from collections.abc import Iterable, Sequence

import uvloop

from contracts.shards import SHARDS
from services.ledger.verify import SQL
from services.ledger.verify.plan import Plan
from services.ledger.verify.reading import Reading, with_database
from services.ledger.verify.report import Report
from services.ledger.verify.shard import verify_shard
from services.ledger.verify.sharing import shared_out


def verify(dsn: str, processes: int, plan: Plan | None = None) -> Report:
    """Check every shard. Each shard is read in one snapshot, while writing goes on.

    Raises `StatementRefusedError` or `OSError` for files of the plan that are not what was signed.
    """
    started = time.perf_counter()
    report = Report()
    for each in shared_out(processes, lambda: largest_first(dsn), _verify_shards, dsn, plan or Plan()):
        report.join(each)
    report.seconds = time.perf_counter() - started
    return report


def largest_first(dsn: str, shards: Iterable[int] = range(SHARDS)) -> Sequence[int]:
    """These shards, those with the longest logs first, so that none of them is left for the end."""
    found = [row["shard"] for row in uvloop.run(with_database(dsn, lambda connection: connection.fetch(SQL.largest)))]
    wanted = set(shards)
    # One whose row is missing is verified too: that is how it is named.
    return [*(shard for shard in found if shard in wanted), *sorted(wanted - set(found))]


def _verify_shards(shards: Iterable[int], dsn: str, plan: Plan) -> Report:
    return uvloop.run(verify_shards(dsn, shards, plan))


async def verify_shards(dsn: str, shards: Iterable[int], plan: Plan) -> Report:
    """Check these shards, one after the other."""
    report = Report()
    async with Reading.open(dsn) as reading:
        for shard in shards:
            report.join(await verify_shard(reading, shard, plan))
    return report
