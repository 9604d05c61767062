"""The operators' list: what was refused, and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson

from contracts.shards import SHARDS
from services.rules.refusals.storage import SQL
from services.runtime.postgres import Pool

ALL_SHARDS: Final = list(range(SHARDS))

Place = tuple[datetime, int]
"""A place in the list: when it was refused, and which of those then."""


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """A message that was refused. `facts` are the first and the second of a conflict."""

    tenant: str
    programme: str | None
    kind: str
    subject_id: str
    event_source: str
    event_id: str
    code: str
    message: str
    field: str | None
    facts: dict[str, Any] | None
    refused_at: datetime
    ordinal: int


@dataclass(frozen=True, slots=True)
class Of:
    """Which part of the list: of a tenant; None: of every programme, for every reason."""

    tenant: str
    programme: str | None = None
    code: str | None = None


async def refusals_of(pool: Pool, subject_key: UUID) -> list[RefusalRow]:
    """The messages about one purchase, return or activity that were refused, first come first."""
    return [_row(row) for row in await pool.fetch(SQL.refusals_of, ALL_SHARDS, subject_key)]


async def latest_refusals(pool: Pool, of: Of, before: Place, most: int) -> list[RefusalRow]:
    """The latest first, those that stand in the list after `before`."""
    rows = await pool.fetch(SQL.latest_refusals, of.tenant, of.programme, of.code, *before, most)
    return [_row(row) for row in rows]


def _row(row: asyncpg.Record) -> RefusalRow:
    facts = row["facts"]
    return RefusalRow(**dict(row.items()) | {"facts": orjson.loads(facts) if facts else None})
