"""Commands that are kept until another comes, against their verdicts and against what they say themselves."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from services.ledger.verify import SQL
from services.ledger.verify.rows import Findings, Portions
from services.runtime.messages import MessageFault


async def compare_waiting(connection: asyncpg.Connection, findings: Findings, rows_at_once: int) -> None:
    """Compare the table; a verdict that says that its command waits must find it there."""
    portions = Portions(connection, SQL.waiting, findings.shard, at_once=rows_at_once)
    while rows := await portions.take():
        for row in rows:
            _compare(row, findings)  # type: ignore[arg-type]  # rows of a connection have names
    for row in await connection.fetch(SQL.unwaiting, findings.shard):
        findings.differs("missing", "waiting", row["command_id"], "the command that waits")


def _compare(row: Mapping[str, Any], findings: Findings) -> None:
    if row["verdict"] != "waiting" or row["awaited_verdict"] not in {None, "waiting"}:
        verdicts = f"{row['verdict']}, awaited {row['awaited_verdict']}"
        findings.differs("unexpected", "waiting", row["command_id"], "a command that waits", verdicts)
        return
    expected = (row["decided_on"], row["decided_at"])
    found = (row["account_id"], row["recorded_at"])
    if expected != found:
        findings.differs("altered", "waiting", row["command_id"], expected, found)
    try:
        said = _said_in(orjson.loads(row["content"]), row["recorded_at"])
    except (ValueError, KeyError, TypeError, MessageFault) as error:
        findings.differs("unreadable", "waiting", row["command_id"], "", repr(error))
        return
    kind, command_id, account_id, awaits = said
    if (kind, command_id, account_id) != (row["type"], row["command_id"], row["account_id"]):
        stands = (row["type"], row["command_id"], row["account_id"])
        findings.differs("altered", "waiting", f"{row['command_id']} content", stands, (kind, command_id, account_id))
    if row["awaited_id"] not in awaits:
        findings.differs("altered", "waiting", f"{row['command_id']} awaited_id", sorted(awaits), row["awaited_id"])


def _said_in(content: Mapping[str, Any], now: datetime) -> tuple[Any, ...]:
    """The type of a message as it came, its command, whose it is, and what it can wait for."""
    # Hardly anything ever waits, and reading any message takes longer to import than most shards take to verify.
    from services.ledger.intake import Scales  # noqa: PLC0415
    from services.ledger.processor import resumed  # noqa: PLC0415

    ask = resumed((content["id"], dict(content)), Scales({}), now)
    return ask.message.type, ask.command_id, ask.account_id, ask.needs.commands
