"""The copy of all published programmes that a process works with: compiled once, brought up to date every second.

A decision asks memory. A programme that is not known, and a copy that could not be brought up to date for some time,
are asked for at once; if the database is away then, that is a fault of the world, and the decision waits.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import asyncpg
import orjson
import structlog

from contracts.shards import SHARDS
from services.rules.domain.membership import MembershipTerms
from services.rules.domain.participant import PublishedProgramme
from services.rules.domain.programme import ProgrammeVersion
from services.rules.programmes.versions import SQL, compiled
from services.runtime.backoff import Backoff
from services.runtime.gate import Clock
from services.runtime.postgres import Pool, is_world_fault
from services.runtime.settings import RuntimeSettings
from services.runtime.writer import wall_clock

log = structlog.get_logger(__name__)

_ALL_SHARDS: Final = list(range(SHARDS))


class Catalogue:
    """Published programmes by tenant and name."""

    def __init__(
        self, pool: Pool, settings: RuntimeSettings, *, refresh_s: float, fresh_s: float, clock: Clock = wall_clock
    ) -> None:
        """`refresh_s` is how often it is brought up to date, `fresh_s` how old it may be when it is asked."""
        self._pool = pool
        self._settings = settings
        self._refresh_s = refresh_s
        self._fresh_s = fresh_s
        self._clock = clock
        self._programmes: dict[tuple[str, str], PublishedProgramme] = {}
        self._revisions: dict[tuple[str, str], tuple[int, str]] = {}
        self._asked_at = float("-inf")
        self._refreshing = asyncio.Lock()
        self._stopping = asyncio.Event()

    async def published(self, tenant: str, programme: str) -> PublishedProgramme:
        """The published versions of a programme; none where the store, asked now, knows of none."""
        found = self._programmes.get((tenant, programme))
        now = time.monotonic()
        if found is None or now - self._asked_at > self._fresh_s:
            await self._refresh(now)
            found = self._programmes.get((tenant, programme))
        return found or PublishedProgramme(programme, ())

    async def find(self, tenant: str, programme: str) -> MembershipTerms | None:
        """What the version in force says of members and money; before the first one starts, what that one says."""
        versions = (await self.published(tenant, programme)).versions
        if not versions:
            return None
        now = self._clock()
        started = [version for version in versions if version.starts_at is not None and version.starts_at <= now]
        return MembershipTerms.of(started[-1] if started else versions[0])

    async def refresh(self) -> None:
        """Bring the copy up to date. Raises faults of the world."""
        await self._refresh(time.monotonic())

    async def _refresh(self, wanted_at: float) -> None:
        async with self._refreshing:
            # Of many that ask at once one asks the database: what it began to read after they asked is new enough.
            if self._asked_at < wanted_at:
                await self._ask()

    async def _ask(self) -> None:
        asked_at = time.monotonic()
        async with self._pool.acquire() as connection:
            for row in await connection.fetch(SQL.all_revisions, _ALL_SHARDS):
                place = (row["tenant"], row["programme"])
                revision = (row["revision"], row["suspensions"])
                if self._revisions.get(place) != revision:
                    self._programmes[place] = await self._read(connection, row)
                    self._revisions[place] = revision
        self._asked_at = asked_at

    async def run(self) -> None:
        """Bring the copy up to date again and again, until `stop`."""
        backoff = Backoff.of(self._settings)
        while not self._stopping.is_set():
            try:
                await self.refresh()
                backoff.reset()
                pause_s = self._refresh_s
            except Exception as error:
                if not is_world_fault(error):
                    raise
                pause_s = backoff.next_s()
                log.warning("programmes not brought up to date", error=f"{type(error).__name__}: {error}")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopping.set()

    async def _read(self, connection: asyncpg.Connection, row: Mapping[str, Any]) -> PublishedProgramme:
        place = (row["tenant"], row["programme"])
        known = self._programmes[place].versions if place in self._programmes else ()
        rows = await connection.fetch(SQL.published_files, row["shard"], *place, [version.version for version in known])
        return published_programme(row["programme"], (*known, *map(compiled, rows)), row["suspensions"])


def published_programme(key: str, versions: tuple[ProgrammeVersion, ...], suspensions: str) -> PublishedProgramme:
    """A programme from its rows; `suspensions` is JSON."""
    in_order = sorted(versions, key=lambda version: (version.starts_at, version.version))
    pauses = tuple((_instant(each["starts_at"]), _instant(each["ends_at"])) for each in orjson.loads(suspensions))
    return PublishedProgramme(key, tuple(in_order), tuple((since, until) for since, until in pauses if since))


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
