"""Where the rows of a shard's log come from: archives first, then the database."""

from collections.abc import Iterator
from itertools import islice
from typing import Protocol

import asyncpg

from services.ledger.proof.archives import Archive
from services.ledger.verify import SQL
from services.ledger.verify.entry import envelope_in, stamp
from services.ledger.verify.log import columns_of
from services.ledger.verify.part import Part
from services.ledger.verify.plan import Plan
from services.ledger.verify.rows import Portions, Row


class Source(Protocol):
    """Rows in the order of the log."""

    async def take(self) -> list[Row]:
        """The next ones; none after the last."""
        ...


class Archived:
    """The events of a shard in an archive, as rows of the log."""

    def __init__(self, archive: Archive, shard: int, at_once: int) -> None:
        self._rows = archive.rows(shard)
        self._at_once = at_once

    async def take(self) -> list[Row]:
        """The next ones; none after the last. Raises `StatementRefusedError`, `OSError`."""
        return list(_rows_of(islice(self._rows, self._at_once)))


class InTurn:
    """One source after the other."""

    def __init__(self, sources: list[Source]) -> None:
        self._sources = sources

    async def take(self) -> list[Row]:
        """The next ones; none after the last of the last."""
        while self._sources:
            if rows := await self._sources[0].take():
                return rows
            del self._sources[0]
        return []


def log_of(connection: asyncpg.Connection, plan: Plan, shard: int, part: Part) -> Source:
    """The log of a shard as far as a plan looks at it; all of it for the first part, else the part's events alone."""
    start, end, at_once = plan.start(shard).position, plan.end(shard), plan.limits.rows_at_once
    archived: list[Source] = [Archived(archive, shard, at_once) for archive in plan.archives]
    if plan.archives:
        start = plan.archives[-1].snapshot.heads[shard].position
    if part.number == 0:
        rest = Portions(connection, SQL.events, shard, start, end, at_once=at_once)
    else:
        rest = Portions(connection, SQL.events_of_part, shard, start, end, part.number, part.parts, at_once=at_once)
    return InTurn([*archived, rest])


def _rows_of(rows: Iterator[tuple[int, str, bytes, bytes]]) -> Iterator[Row]:
    for position, key, body, digest in rows:
        envelope, _ = envelope_in(body)
        yield position, columns_of(envelope, stamp(envelope.time), key), body, digest
