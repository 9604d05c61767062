"""What is asked of the index: whose a purchase is, and what came back of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from contracts.shards import shard_of
from services.rules.index.storage import SQL
from services.runtime.postgres import Pool


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """A return as it was taken in; `total` in ten-thousandths."""

    return_id: str
    verdict: str
    returned_at: datetime
    total: int


@dataclass(frozen=True, slots=True)
class IndexRow:
    """The purchase that stands under an id. `account_id` None: nobody earns by it."""

    account_id: UUID | None
    fingerprint: bytes


async def entry_of(pool: Pool, purchase_id: str, purchase_key: UUID) -> IndexRow | None:
    """The purchase that stands under its id; None until it reached the index."""
    rows = await pool.fetch(SQL.find_entries, shard_of(purchase_id), [purchase_key])
    return next((IndexRow(row["account_id"], row["fingerprint"]) for row in rows), None)


async def returns_of(pool: Pool, purchase_id: str, purchase_key: UUID) -> list[ReturnRow]:
    """The returns of a purchase, in the order of their coming, waiting ones included."""
    rows = await pool.fetch(SQL.returns_of, shard_of(purchase_id), purchase_key)
    return [
        ReturnRow(
            row["return_id"], row["verdict"], row["returned_at"],
            sum(amount for _, _, amount in orjson.loads(row["lines"])),
        )
        for row in rows
    ]  # fmt: skip
