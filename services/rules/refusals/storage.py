"""The table of refused messages."""

from collections.abc import Sequence

import orjson

from services.rules.refusals.refused import Refused
from services.runtime.postgres import statements
from services.runtime.shard import ShardTransaction

SQL = statements(__package__)


async def add(transaction: ShardTransaction, refused: Sequence[Refused]) -> None:
    """Put refused messages down in the transaction's shard."""
    if not refused:
        return
    await transaction.connection.execute(
        SQL.add_refusals,
        transaction.shard,
        [each.subject_key for each in refused],
        [each.origin.source for each in refused],
        [each.origin.id for each in refused],
        [each.origin.tenant for each in refused],
        [each.programme for each in refused],
        [each.kind for each in refused],
        [each.subject_id for each in refused],
        [each.refusal.code for each in refused],
        [each.refusal.message for each in refused],
        [each.refusal.field for each in refused],
        [orjson.dumps(each.facts).decode() if each.facts else None for each in refused],
        transaction.now,
    )
