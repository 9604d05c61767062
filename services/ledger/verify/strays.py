"""Rows of shards that do not exist: nothing reads them, and nothing in the log asks for them."""

from typing import Final

import asyncpg

from contracts.shards import SHARDS
from services.ledger.verify import SQL
from services.ledger.verify.report import Report
from services.ledger.verify.rows import Findings

_NO_SHARD: Final = -1


async def find_strays(connection: asyncpg.Connection) -> Report:
    """Name the tables and shards of such rows."""
    report = Report()
    findings = Findings(report, _NO_SHARD)
    for row in await connection.fetch(SQL.strays, SHARDS):
        words = f"{row['rows']} rows"
        findings.differs("unexpected", row["stands_in"], f"shard {row['shard']}", f"shards below {SHARDS}", words)
    return report
