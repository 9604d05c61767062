"""What the database says of events that are in it no more, against the archives that are named."""

from typing import Final

import asyncpg

from services.ledger.proof.archives import KIND as ARCHIVE
from services.ledger.proof.heads import heads_in
from services.ledger.proof.signatures import Checker, StatementRefusedError
from services.ledger.proof.snapshots import KIND as SNAPSHOT
from services.ledger.verify import SQL
from services.ledger.verify.plan import Plan
from services.ledger.verify.report import Report
from services.ledger.verify.rows import Findings

_NO_SHARD: Final = -1


async def compare_archives(connection: asyncpg.Connection, plan: Plan, checker: Checker | None) -> Report:
    """Compare the record of archives with what it was signed as, and with where the plan takes up the log.

    Raises `StatementRefusedError` where the plan would begin with events that were archived.
    """
    report = Report()
    findings = Findings(report, _NO_SHARD)
    rows = await connection.fetch(SQL.archives)
    taken_up = plan.archives[-1].snapshot if plan.archives else plan.since
    begins = 0 if taken_up is None else min(head.position for head in taken_up.heads.values())
    if rows and rows[-1]["until"] > begins:
        raise StatementRefusedError(
            f"events up to position {rows[-1]['until']} were archived: name all archives with --archive, "
            "or go on --since the last of them"
        )
    for row in rows if checker is not None else ():
        assert checker is not None  # noqa: S101  # said in the line above
        try:
            checker.open(row["statement"].encode(), ARCHIVE)
            heads = heads_in(checker.open(row["manifest"].encode(), SNAPSHOT))
        except StatementRefusedError as error:
            findings.differs("altered", "archive", row["until"], "what was signed", error)
            continue
        if {head.position for head in heads.values()} != {row["until"]}:
            findings.differs("altered", "archive", row["until"], "the position that was signed", row["until"])
        if taken_up is not None and begins == row["until"] and dict(taken_up.heads) != heads:
            findings.differs("rewritten", "archive", row["until"], "the heads that were archived", "others")
    return report
