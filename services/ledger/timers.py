"""What time alone has to do in accounts that nobody touches: activation, expiry, time-outs."""

from datetime import datetime

from contracts.envelope import DEFAULT_TENANT
from services.ledger.intake import CATCH_UP
from services.ledger.storage import SQL
from services.ledger.wire import SOURCE
from services.runtime.messages import Message
from services.runtime.span import Lane


async def find_due(connection: Lane, shard: int, now: datetime, limit: int) -> list[Message]:
    """One message for each account of the shard in which something may be due, the longest due first."""
    rows = await connection.fetch(SQL.due_accounts, shard, now, limit)
    return [
        Message(
            type=CATCH_UP, id=str(row["account_id"]), source=SOURCE, tenant=DEFAULT_TENANT, key=str(row["account_id"])
        )
        for row in rows
    ]
