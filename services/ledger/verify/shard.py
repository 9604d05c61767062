"""One shard: its log from where the plan begins to where it ends, and beside it its lines, verdicts, totals and state.

Memory does not grow with the log: rows come through cursors, and where a shard holds more accounts, lots, redemptions
and holds than `lots_at_once`, they are replayed in parts, one pass over the log for each.
"""

import asyncpg

from services.ledger.proof.heads import Head
from services.ledger.proof.snapshots import StateWriter
from services.ledger.verify import SQL
from services.ledger.verify.log import Chain, compare_anchor
from services.ledger.verify.marks import compare_marks
from services.ledger.verify.part import Part
from services.ledger.verify.passing import Pass
from services.ledger.verify.plan import Plan
from services.ledger.verify.reading import Reading
from services.ledger.verify.report import Report
from services.ledger.verify.rows import Findings, Portions
from services.ledger.verify.state import compare_state
from services.ledger.verify.sums import Sums
from services.ledger.verify.totals import compare_totals
from services.ledger.verify.waiting import compare_waiting


async def verify_shard(reading: Reading, shard: int, plan: Plan) -> Report:
    """Check one shard, in one snapshot. Raises `StatementRefusedError` for files that are not what was signed."""
    findings = Findings(Report(), shard)
    connection = reading.main
    async with reading.one_instant():
        marks = await connection.fetchrow(SQL.marks, shard, plan.now)
        if marks is None:
            findings.differs("missing", "shard", shard)
            return findings.report
        sums = Sums.of(plan.since, shard)
        out = None if plan.write_to is None else StateWriter(plan.write_to, shard)
        parts = 1 + marks["rows_of_state"] // plan.limits.lots_at_once
        for number in range(parts):
            one = Pass(reading, findings, Part(number, parts), plan, sums)
            chain = await one.run()
            if number == 0:
                findings.report.heads[shard] = Head(chain.position, chain.digest)
                await _compare_anchors(connection, plan, chain, findings)
                if plan.until is None:
                    await compare_marks(connection, marks, chain, findings)
            await _conclude(connection, findings, one, plan, out)
        if out is not None:
            sums.write(out)
            findings.report.files[shard] = out.close()
        if plan.until is None:
            await sums.letters.compare(connection, findings)
            await compare_waiting(connection, findings, plan.limits.rows_at_once)
            rows = Portions(connection, SQL.totals, shard, at_once=plan.limits.rows_at_once)
            await compare_totals(rows, sums.totals, findings)
    return findings.report


async def _conclude(
    connection: asyncpg.Connection, findings: Findings, one: Pass, plan: Plan, out: StateWriter | None
) -> None:
    """Compare the accounts of a part with their state, and write them down."""
    one.settle()
    if plan.until is None:
        await compare_state(connection, findings, one, plan.limits.rows_at_once)
    if out is not None:
        for account_id, replayed in one.replayed.items():
            if account_id not in one.broken:
                out.account(replayed.account(), replayed.known_at, replayed.position)


async def _compare_anchors(connection: asyncpg.Connection, plan: Plan, chain: Chain, findings: Findings) -> None:
    """Compare what was anchored outside of what was read: the hashes before the start, and whether the log goes so far.

    The start itself is compared too: a snapshot is no use to a log that was written anew.
    """
    shard, start = findings.shard, plan.start(findings.shard)
    anchored = {place: set(hashes) for place, hashes in plan.anchored.get(shard, {}).items()}
    if start.position:
        anchored.setdefault(start.position, set()).add(start.hash)
    before = [position for position in anchored if 0 < position <= start.position]
    for row in await connection.fetch(SQL.hashes, shard, before) if before else ():
        compare_anchor(anchored[row["position"]], Head(*row), findings)
    for position in sorted(anchored):
        if position > chain.position and plan.until is None:
            findings.differs("beyond_the_log", "anchor", f"position {position}", f"at most {chain.position}", position)
