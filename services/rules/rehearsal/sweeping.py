"""Old rehearsals are forgotten: their reports were read, and the same question can be asked again."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import structlog

from services.rules.rehearsal.store import Rehearsals
from services.rules.settings import RulesSettings
from services.runtime.gate import Clock
from services.runtime.postgres import Pool, is_world_fault
from services.runtime.writer import wall_clock

log = structlog.get_logger(__name__)


class RehearsalSweeper:
    """A part of a process: forgets what ended more than `rehearsal_keep_days` ago."""

    def __init__(self, pool: Pool, settings: RulesSettings, *, clock: Clock = wall_clock) -> None:
        self._rehearsals = Rehearsals(pool)
        self._keep = timedelta(days=settings.rehearsal_keep_days)
        self._interval_s = settings.rehearsal_sweep_s
        self._clock = clock
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Sweep now and again, until `stop`. A fault of the world waits for the next time."""
        while not self._stopping.is_set():
            try:
                await self.sweep()
            except Exception as error:
                if not is_world_fault(error):
                    raise
                log.warning("rehearsals are not swept", error=f"{type(error).__name__}: {error}")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._interval_s)

    async def sweep(self) -> int:
        """Forget what is old; gives how many rehearsals."""
        forgotten = await self._rehearsals.forget(self._clock() - self._keep)
        if forgotten:
            log.info("rehearsals forgotten", count=forgotten)
        return forgotten

    def stop(self) -> None:
        """Ask it to end."""
        self._stopping.set()
