"""Rehearsals as they are kept: asked for, taken in parts, reported."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from contracts.shards import SHARDS, shard_of
from services.rules.rehearsal.past import SQL
from services.rules.rehearsal.plan import Asked
from services.runtime.postgres import Pool

_PARTS: Final = list(range(SHARDS))

Place = tuple[datetime, UUID]
"""When a rehearsal was asked for, and its id: where it stands in the list."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A rehearsal with how far it has come. `report` is there once it is done, `error` if it failed."""

    asked: Asked
    fingerprint: bytes
    state: str
    asked_at: datetime
    asked_by: str
    started_at: datetime | None
    ended_at: datetime | None
    parts: int
    parts_done: int
    decisions: int
    error: str | None
    report: Mapping[str, Any] | None


class Rehearsals:
    """Reads and writes rehearsals; one is asked for once, and each of its parts is kept once."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def ask(self, asked: Asked, fingerprint: bytes, by: str, now: datetime) -> Kept:
        """Ask for a rehearsal; one that was asked for under this id before stays as it is, whatever it asked."""
        await self._pool.execute(
            SQL.add_rehearsal, asked.shard, asked.rehearsal_id, asked.tenant, asked.programme, fingerprint, asked.file,
            asked.version, asked.against, asked.since, asked.until, now, by, _PARTS,
        )  # fmt: skip
        kept = await self.find(asked.tenant, asked.rehearsal_id)
        if kept is None:
            raise RuntimeError("a rehearsal that was asked for is there")
        return kept

    async def find(self, tenant: str, rehearsal_id: UUID) -> Kept | None:
        """One rehearsal; None where the tenant has none such."""
        row = await self._pool.fetchrow(SQL.find_rehearsal, shard_of(str(rehearsal_id)), rehearsal_id, tenant)
        if row is None:
            return None
        return _kept(row)

    async def latest(self, tenant: str, programme: str | None, before: Place, most: int) -> list[Kept]:
        """The rehearsals that were asked for before a place in the list, latest first, without files and reports."""
        return [_kept(row) for row in await self._pool.fetch(SQL.list_rehearsals, tenant, programme, *before, most)]

    async def open(self) -> list[Asked]:
        """Those that are not done, the longest asked for first."""
        return [Asked.of(row) for row in await self._pool.fetch(SQL.open_rehearsals, _PARTS)]

    async def claim(self, asked: Asked, now: datetime, lease: timedelta) -> int | None:
        """Take a part on which nobody works; None where there is none."""
        part: int | None = await self._pool.fetchval(SQL.claim_part, asked.shard, asked.rehearsal_id, now, now + lease)
        if part is not None:
            await self._pool.execute(SQL.start_rehearsal, asked.shard, asked.rehearsal_id, now)
        return part

    async def hold(self, asked: Asked, part: int, until: datetime | None) -> None:
        """Say that a part is still worked on, or (None) that it is given back."""
        await self._pool.execute(SQL.lease_part, asked.shard, asked.rehearsal_id, part, until)

    async def keep(self, asked: Asked, part: int, decisions: int, tally: Mapping[str, Any]) -> None:
        """Keep what a part came to."""
        text = orjson.dumps(tally)
        await self._pool.execute(SQL.keep_part, asked.shard, asked.rehearsal_id, part, decisions, text)

    async def tallies(self, asked: Asked) -> list[Mapping[str, Any]] | None:
        """What all parts came to; None while one is missing."""
        rows = await self._pool.fetch(SQL.parts_of, asked.shard, asked.rehearsal_id)
        if any(row["tally"] is None for row in rows):
            return None
        return [orjson.loads(row["tally"]) for row in rows]

    async def done(self, asked: Asked, report: Mapping[str, Any], now: datetime) -> timedelta | None:
        """Keep the report; gives how long it took, None where it had ended already."""
        return await self._end(asked, now, orjson.dumps(report), None)

    async def failed(self, asked: Asked, error: str, now: datetime) -> timedelta | None:
        """Keep why it cannot be done; gives as `done` does."""
        return await self._end(asked, now, None, error)

    async def forget(self, ended_before: datetime) -> int:
        """Forget rehearsals that ended before an instant; gives how many."""
        return len(await self._pool.fetch(SQL.drop_rehearsals, _PARTS, ended_before))

    async def _end(self, asked: Asked, now: datetime, report: bytes | None, error: str | None) -> timedelta | None:
        row = await self._pool.fetchrow(SQL.end_rehearsal, asked.shard, asked.rehearsal_id, now, report, error)
        return None if row is None else now - (row["started_at"] or now)


def _kept(row: Mapping[str, Any]) -> Kept:
    report = orjson.loads(row["report"]) if row["report"] is not None else None
    return Kept(
        Asked.of(row), row["fingerprint"], row["state"], row["asked_at"], row["asked_by"], row["started_at"],
        row["ended_at"], row["parts"], row["parts_done"], row["decisions"], row["error"], report,
    )  # fmt: skip


def said_of(kept: Kept) -> dict[str, Any]:
    """A rehearsal as it is told."""
    return {
        "rehearsal_id": kept.asked.rehearsal_id,
        "programme": kept.asked.programme,
        "version": kept.asked.version,
        "against": kept.asked.against,
        "from": kept.asked.since,
        "until": kept.asked.until,
        "state": kept.state,
        "asked_at": kept.asked_at,
        "asked_by": kept.asked_by,
        "started_at": kept.started_at,
        "ended_at": kept.ended_at,
        "progress": {"parts": kept.parts, "parts_done": kept.parts_done, "decisions": kept.decisions},
        "error": kept.error,
        "report": kept.report,
    }
