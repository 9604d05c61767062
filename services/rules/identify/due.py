"""What was kept for somebody who never came: what the sweeper looks for."""

from datetime import datetime, timedelta
from typing import Final

import asyncpg

from services.rules.identify.storage import SQL
from services.rules.identify.taken import KEPT_UNCLAIMED, Unclaimed
from services.runtime.messages import Message
from services.runtime.span import Lane
from services.runtime.sweeper import FindDue

SOURCE: Final = "urn:bonus:rules:sweeper"


def unclaimed(grace: timedelta) -> FindDue:
    """A search for the sweeper. For `grace` after its end a claim is waited for: it may be on its way."""

    async def find(connection: Lane, shard: int, now: datetime, limit: int) -> list[Message]:
        rows = await connection.fetch(SQL.find_unclaimed, shard, now - grace, limit)
        return [_message(row) for row in rows]

    return find


def _message(row: asyncpg.Record) -> Message:
    key = row["subject_key"]
    return Message(
        type=KEPT_UNCLAIMED, id=f"unclaimed-{key}", source=SOURCE, tenant="", key=str(key), payload=Unclaimed(key)
    )
