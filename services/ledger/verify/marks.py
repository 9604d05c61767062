"""Where a shard says that it stands, against its log; and the small tables beside it."""

from collections.abc import Mapping
from typing import Any

import asyncpg
from pydantic import ValidationError

from contracts.programmes import ProgrammeState
from services.ledger.verify import SQL
from services.ledger.verify.log import Chain
from services.ledger.verify.rows import Findings


async def compare_marks(
    connection: asyncpg.Connection, marks: Mapping[str, Any], chain: Chain, findings: Findings
) -> None:
    """Compare head, hash, relayed position and programmes."""
    shard = findings.shard
    expected = (chain.position, chain.digest.hex())
    found = (marks["head"], marks["hash"].hex())
    if expected != found:
        findings.differs("altered", "shard", shard, expected, found)
    if marks["ahead"]:
        # The writers' clock never goes back behind it.
        findings.differs("altered", "shard", f"{shard} recorded_at", "no later than now", marks["recorded_at"])
    if marks["relayed"] is None or marks["relayed"] > chain.position:
        findings.differs("beyond_the_log", "relay_position", shard, f"at most {chain.position}", marks["relayed"])
    for row in await connection.fetch(SQL.keys, shard):
        findings.differs("unexpected", "idempotency_key", f"{row['scope']} {row['key']}")
    for row in await connection.fetch(SQL.programmes, shard):
        _compare_programme(row, findings)


def _compare_programme(row: Mapping[str, Any], findings: Findings) -> None:
    key = f"{row['tenant']}/{row['programme']}"
    try:
        state = ProgrammeState.model_validate_json(row["state"])
    except ValidationError as error:
        findings.differs("unreadable", "programme", key, "", repr(error))
        return
    expected, found = (state.programme, state.revision), (row["programme"], row["revision"])
    if expected != found:
        findings.differs("altered", "programme", key, expected, found)
