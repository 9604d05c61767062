"""Programmes as members read them, remembered for a while."""

import time

import orjson

from contracts.shards import shard_of
from services.notifier.handlers import SQL
from services.notifier.words import ProgrammeWords
from services.runtime.gate import Clock
from services.runtime.postgres import Pool

_REMEMBERED_MAX = 10_000


class Programmes:
    """The words of programmes, read at most every `remembered_s` seconds."""

    def __init__(self, pool: Pool, clock: Clock, remembered_s: float) -> None:
        self._pool = pool
        self._clock = clock
        self._remembered_s = remembered_s
        self._known: dict[tuple[str, str], tuple[float, ProgrammeWords]] = {}

    async def words(self, tenant: str, programme: str) -> ProgrammeWords:
        """The programme's words; its bare code where nothing was published."""
        known = self._known.get((tenant, programme))
        if known is not None and known[0] > time.monotonic():
            return known[1]
        shard = shard_of(f"{tenant}/{programme}")
        versions = await self._pool.fetchval(SQL.find_programme, shard, tenant, programme)
        if versions is None:
            # Not remembered: it may be published at any moment.
            return ProgrammeWords(programme)
        found = ProgrammeWords.of_versions(programme, orjson.loads(versions), self._clock())
        if len(self._known) >= _REMEMBERED_MAX:
            self._known.clear()
        self._known[tenant, programme] = (time.monotonic() + self._remembered_s, found)
        return found
