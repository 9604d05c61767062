"""What comes by itself, also of members who no longer buy: tiers end, birthdays begin. What the sweeper looks for.

What was bought before must be decided before, also after a standstill: so nothing is due that lies beyond the
watermark, and not before `delay` has passed, in which a till may send what it still has. While a stream of old
purchases is taken, its participants are left alone, and while much waits to be decided all of them are: so it ends the
same, however fast it is taken.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import asyncpg

from services.rules.decide.readings import DUE
from services.rules.decide.storage import SQL
from services.runtime.messages import Message
from services.runtime.span import Lane
from services.runtime.sweeper import FindDue


def participants_due(
    decided_through: Callable[[], datetime | None],
    delay: timedelta,
    quiet: timedelta = timedelta(0),
    behind_max: timedelta = timedelta.max,
) -> FindDue:
    """A search for the sweeper. `decided_through` says up to when everything was decided; None: unknown yet.

    A participant on whom something was decided less than `quiet` before the watermark, or after it, has to wait, and
    everybody while the watermark is more than `behind_max` behind the clock: then more is on its way than is decided.
    """

    async def find(connection: Lane, shard: int, now: datetime, limit: int) -> list[Message]:
        through = decided_through()
        if through is None or now - through > behind_max:
            return []
        known = min(now, through)
        until = known - delay
        # Not by the clock: of a participant on whom something was decided after the watermark more may wait to be.
        rows = await connection.fetch(SQL.find_due, shard, until, limit, known - quiet)
        return [_message(row, until) for row in rows]

    return find


def _message(row: asyncpg.Record, until: datetime) -> Message:
    account_id = str(row["account_id"])
    return Message(
        type=DUE,
        id=f"due-{account_id}",
        source="urn:bonus:rules:sweeper",
        tenant=row["tenant"],
        key=account_id,
        payload=(row["account_id"], row["member_id"], row["programme"], until),
    )
