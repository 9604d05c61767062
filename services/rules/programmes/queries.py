"""What people ask of programmes: which versions there are, and their files."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg
import orjson

from contracts.shards import SHARDS, shard_of
from services.rules.domain.participant import PublishedProgramme
from services.rules.domain.programme import ProgrammeVersion
from services.rules.programmes.catalogue import published_programme
from services.rules.programmes.guards import key_of
from services.rules.programmes.versions import SQL, compiled
from services.runtime.postgres import Pool

_ALL_SHARDS: Final = list(range(SHARDS))


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version; what has not happened yet is None. `file` is left out of lists."""

    version: int
    state: str
    content_hash: str
    drafted_at: datetime
    drafted_by: str
    starts_at: datetime | None
    published_at: datetime | None
    published_by: str | None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class ProgrammeRow:
    """A programme that was published."""

    programme: str
    revision: int
    suspensions: list[dict[str, Any]]


async def programmes_of(pool: Pool, tenant: str) -> list[ProgrammeRow]:
    """The published programmes of a tenant."""
    rows = await pool.fetch(SQL.all_programmes, _ALL_SHARDS, tenant)
    return [ProgrammeRow(row["programme"], row["revision"], orjson.loads(row["suspensions"])) for row in rows]


async def versions_of(pool: Pool, tenant: str, programme: str) -> list[VersionRow]:
    """All versions of a programme, drafts included, without their files."""
    rows = await pool.fetch(SQL.find_versions, _shard(tenant, programme), tenant, programme)
    return [_row(row) for row in rows]


async def version_of(pool: Pool, tenant: str, programme: str, version: int) -> VersionRow | None:
    """One version with its file."""
    row = await pool.fetchrow(SQL.find_file, _shard(tenant, programme), tenant, programme, version)
    return _row(row) if row is not None else None


async def published_version(pool: Pool, tenant: str, programme: str, version: int) -> ProgrammeVersion | None:
    """One published version, compiled."""
    row = await pool.fetchrow(SQL.find_file, _shard(tenant, programme), tenant, programme, version)
    return compiled(row) if row is not None and row["state"] == "published" else None


async def published_programme_of(pool: Pool, tenant: str, programme: str) -> PublishedProgramme | None:
    """A programme with all its published versions, compiled; None where nothing was published."""
    shard = _shard(tenant, programme)
    async with pool.acquire() as connection:
        row = await connection.fetchrow(SQL.find_programme, shard, tenant, programme)
        if row is None:
            return None
        rows = await connection.fetch(SQL.published_files, shard, tenant, programme, [])
    return published_programme(programme, tuple(map(compiled, rows)), row["suspensions"])


async def any_version(pool: Pool, tenant: str, programme: str, version: int) -> ProgrammeVersion | None:
    """One version, compiled, be it published or a draft."""
    row = await pool.fetchrow(SQL.find_file, _shard(tenant, programme), tenant, programme, version)
    return compiled(row) if row is not None else None


async def version_in_force(pool: Pool, tenant: str, programme: str, at: datetime) -> ProgrammeVersion | None:
    """The version by which a purchase at `at` is judged, compiled; before the first one starts, that one.

    None where nothing was published.
    """
    found = await published_programme_of(pool, tenant, programme)
    if found is None or not found.versions:
        return None
    return found.in_force(at) or found.versions[0]


def _shard(tenant: str, programme: str) -> int:
    return shard_of(key_of(tenant, programme))


def _row(row: asyncpg.Record) -> VersionRow:
    return VersionRow(**dict(row.items()))
