"""Two-time queries: what an account had at one instant, as it was known at another.

A figure is the sum of movements that count by `as_of` and were known by `known_at`; nothing is decided again. All that
was known by the earlier of the two counted by then, for nothing counts before it is known: that part of the sum is the
balance after the last line of that time, and only lines known later are added up.
"""

from dataclasses import dataclass
from datetime import datetime

from services.ledger.queries import SQL
from services.ledger.queries.accounts import Look, Seen
from services.ledger.queries.statements import due_lines

STANDING_BUCKETS = ("pending", "available", "held", "in_transit", "debt")
"""The buckets that say what a member has, and not what became of points before."""


@dataclass(slots=True)
class BalanceThen:
    """A balance at an instant."""

    scale: int
    pending: int
    available: int
    held: int
    in_transit: int
    debt: int


async def balances_then(look: Look, seen: Seen, as_of: datetime, known_at: datetime) -> dict[str, BalanceThen]:
    """The account's balances at `as_of`, as known at `known_at`, by currency; neither lies in the future."""
    rows = await look.connection.fetch(
        SQL.history, look.shard, seen.account.account_id, min(as_of, known_at), as_of, known_at
    )
    balances = {row["currency"]: BalanceThen(*tuple(row)[1:]) for row in rows}
    for line in due_lines(look.shard, seen, look.now):
        if line["known_at"] <= known_at and line["effective_at"] <= as_of:
            balance = balances[line["currency"]]
            for name in STANDING_BUCKETS:
                setattr(balance, name, getattr(balance, name) + (line[name] or 0))
    return balances
