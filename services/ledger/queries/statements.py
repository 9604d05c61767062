"""Statements: what happened to an account's points, line by line, what is due by now included."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from services.ledger.projections.entries import COLUMNS, entry_rows
from services.ledger.queries import SQL
from services.ledger.queries.accounts import Look, Seen, looking, see
from services.ledger.wire import data_of
from services.runtime.postgres import Pool

Line = Mapping[str, Any]
"""A line, by the names of `projections.entries.COLUMNS`."""

BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)
END: Final = datetime(9999, 12, 31, tzinfo=UTC)
LAST_VERSION: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Place:
    """A line's place in the statement of its account."""

    known_at: datetime
    version: int
    currency: str


FIRST: Final = Place(BEGINNING, 0, "")
LAST: Final = Place(END, LAST_VERSION, "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines: known from `since` and before `until`, of one currency or (empty) of all."""

    since: datetime = BEGINNING
    until: datetime = END
    currency: str = ""

    def has(self, line: Line) -> bool:
        """Whether a line is wanted."""
        return self.since <= line["known_at"] < self.until and self.currency in {"", line["currency"]}


def place_of(line: Line) -> Place:
    """Where a line stands."""
    return Place(line["known_at"], line["version"], line["currency"])


async def backward(look: Look, seen: Seen, wanted: Wanted, before: Place | None, limit: int) -> list[Line]:
    """At most `limit` lines, newest first, before a place (None: from the newest)."""
    last = Place(wanted.until, 0, "")
    start = last if before is None or _key(before) > _key(last) else before
    unwritten = [line for line in reversed(due_lines(look.shard, seen, look.now)) if wanted.has(line)]
    lines = [line for line in unwritten if _key(place_of(line)) < _key(start)][:limit]
    if len(lines) < limit:
        lines += await look.connection.fetch(
            SQL.statement_backward, look.shard, seen.account.account_id, start.known_at, start.version,
            start.currency, wanted.since, wanted.currency, limit - len(lines),
        )  # fmt: skip
    return lines


async def export(
    pool: Pool, account_id: UUID, wanted: Wanted, now: datetime, rows_at_once: int
) -> AsyncIterator[list[Line]]:
    """All wanted lines, oldest first, in pages: what is written meanwhile is left out, and no snapshot is held."""
    async with looking(pool, account_id, now) as look:
        seen = await see(look, account_id)
    if seen is None:
        return
    newest = Place(seen.known_at, seen.account.version - len(seen.due), "~")
    after = Place(wanted.since, -1, "")
    while True:
        lines: list[Line] = await pool.fetch(
            SQL.statement_forward, look.shard, account_id, after.known_at, after.version, after.currency,
            wanted.until, wanted.currency, rows_at_once,
        )  # fmt: skip
        yield [line for line in lines if line["version"] <= newest.version]
        if len(lines) < rows_at_once or lines[-1]["version"] >= newest.version:
            break
        after = place_of(lines[-1])
    yield [line for line in due_lines(look.shard, seen, now) if wanted.has(line)]


def due_lines(shard: int, seen: Seen, now: datetime) -> list[Line]:
    """Lines of what is due and not written yet, oldest first, as they will be written."""
    lines: list[Line] = []
    known_at = seen.known_at
    for recorded in seen.due:
        known_at = max(known_at, recorded.event.known_at)
        rows = entry_rows(
            recorded.event, recorded.balances, data_of(seen.account, recorded, now), shard=shard,
            account_id=seen.account.account_id, version=recorded.version, position=0, known_at=known_at, now=now,
        )  # fmt: skip
        lines += [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    return lines


def _key(place: Place) -> tuple[datetime, int, str]:
    return (place.known_at, place.version, place.currency)
