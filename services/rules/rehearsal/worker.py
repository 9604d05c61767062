"""The worker of rehearsals: hands parts to processes of the least claim, keeps what they come to, and reports.

A part that nobody finishes, for its worker was killed, is taken up again by whoever comes next once its lease has run
out: rehearsing changes nothing, so it can always be done again from its beginning.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Final, NamedTuple

import orjson
import structlog

from services.rules.domain.tally import Tally, tally_of
from services.rules.programmes.queries import published_programme_of
from services.rules.rehearsal import metrics
from services.rules.rehearsal.plan import Asked, plan_of
from services.rules.rehearsal.report import report_of
from services.rules.rehearsal.store import Rehearsals
from services.rules.settings import RulesSettings
from services.runtime.backoff import Backoff
from services.runtime.gate import Clock
from services.runtime.postgres import Pool, is_world_fault
from services.runtime.writer import wall_clock

log = structlog.get_logger(__name__)

ANSWER_MAX_BYTES: Final = 64 * 1024 * 1024
"""The longest line that a child may answer with."""
_MODULE: Final = "services.rules.rehearsal.child"


class ChildLostError(OSError):
    """The process that rehearsed a part ended before it answered: a fault of the world, to be tried again."""


class RehearsalWorker:
    """A part of a process. Each lane has a child; together they take one part after the other.

    With `only` it does that one rehearsal and ends.
    """

    def __init__(
        self, pool: Pool, settings: RulesSettings, *, clock: Clock = wall_clock, only: Asked | None = None
    ) -> None:
        self._pool = pool
        self._settings = settings
        self._clock = clock
        self._only = only
        self._rehearsals = Rehearsals(pool)
        self._lease = timedelta(seconds=settings.rehearsal_lease_s)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Rehearse what is asked for, until `stop`."""
        async with asyncio.TaskGroup() as lanes:
            for number in range(self._settings.rehearsal_processes):
                lanes.create_task(self._lane(), name=f"rehearsal lane {number}")

    def stop(self) -> None:
        """Ask it to end; parts in hand are given back."""
        self._stopping.set()

    async def _lane(self) -> None:
        backoff = Backoff.of(self._settings)
        while not self._stopping.is_set():
            try:
                claimed = await self._claimed()
                if claimed is not None:
                    await self._work(claimed)
                elif self._only is not None and await self._is_over(self._only):
                    return
                else:
                    await self._pause(self._settings.rehearsal_look_s)
                backoff.reset()
            except Exception as error:
                if not is_world_fault(error):
                    raise
                log.warning("rehearsal waits", error=f"{type(error).__name__}: {error}")
                await self._pause(backoff.next_s())

    async def _work(self, claimed: "_Claimed") -> None:
        """Have a child do this part and all that can be claimed after it; an idle worker has no child."""
        following: _Claimed | None = claimed
        async with _child(self._settings) as child:
            while following is not None and not self._stopping.is_set():
                await self._rehearse(child, *following)
                following = None if self._stopping.is_set() else await self._claimed()
        if following is not None:
            await self._rehearsals.hold(*following, None)

    async def _claimed(self) -> "_Claimed | None":
        """A part to do, of the rehearsal that was asked for first; None where there is none."""
        open_ = [self._only] if self._only is not None else await self._rehearsals.open()
        metrics.OPEN.set(len(open_))
        for asked in open_:
            part = await self._rehearsals.claim(asked, self._clock(), self._lease)
            if part is not None:
                return _Claimed(asked, part)
            # All parts are done or in somebody's hands: if all are done, somebody has to say what they came to.
            await self._report(asked)
        return None

    async def _rehearse(self, child: "Child", asked: Asked, part: int) -> None:
        answering = asyncio.create_task(child.ask(asked, part))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while not answering.done() and not self._stopping.is_set():
                beat = self._lease.total_seconds() / 3
                await asyncio.wait([answering, stopping], timeout=beat, return_when=asyncio.FIRST_COMPLETED)
                if not answering.done() and not self._stopping.is_set():
                    await self._rehearsals.hold(asked, part, self._clock() + self._lease)
            if not answering.done():
                answering.cancel()
                await self._rehearsals.hold(asked, part, None)
                return
            await self._kept(asked, part, answering.result())
        except ChildLostError:
            metrics.PARTS_LOST.inc()
            await self._rehearsals.hold(asked, part, None)
            raise
        finally:
            stopping.cancel()

    async def _kept(self, asked: Asked, part: int, answer: dict[str, Any]) -> None:
        if "error" in answer:
            if answer["again"]:
                raise ChildLostError(answer["error"])
            log.error("rehearsal failed", rehearsal=str(asked.rehearsal_id), part=part, error=answer["error"])
            _count_end("failed", await self._rehearsals.failed(asked, answer["error"], self._clock()))
            return
        metrics.DECISIONS.inc(answer["decisions"])
        await self._rehearsals.keep(asked, part, answer["decisions"], answer["tally"])
        await self._report(asked)

    async def _report(self, asked: Asked) -> None:
        """Say what the rehearsal came to, once all its parts are done; whoever does it twice says the same."""
        found = await self._rehearsals.tallies(asked)
        live = await published_programme_of(self._pool, asked.tenant, asked.programme) if found else None
        if found is None or live is None:
            return
        tally = Tally()
        for said in found:
            tally.plus(tally_of(said))
        took = await self._rehearsals.done(asked, report_of(tally, plan_of(asked, live), live), self._clock())
        if took is not None:
            _count_end("done", took)
        if took is not None and self._only is None:
            # A command says itself what came of it.
            log.info("rehearsal done", rehearsal=str(asked.rehearsal_id), seconds=took.total_seconds())

    async def _is_over(self, asked: Asked) -> bool:
        kept = await self._rehearsals.find(asked.tenant, asked.rehearsal_id)
        return kept is None or kept.state in ("done", "failed")

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def _count_end(state: str, took: timedelta | None) -> None:
    """Count a rehearsal that ended; None: another lane was quicker and has counted it."""
    if took is not None:
        metrics.ENDED.labels(state).inc()
        metrics.SECONDS.observe(took.total_seconds())


class _Claimed(NamedTuple):
    """A part that is this worker's."""

    asked: Asked
    part: int


class Child:
    """A process that rehearses parts, one at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, asked: Asked, part: int) -> dict[str, Any]:
        """Have a part rehearsed. Raises `ChildLostError`."""
        said = {name: getattr(asked, name) for name in Asked.__slots__} | {"rehearsal_id": str(asked.rehearsal_id)}
        answer = await self.say({"asked": said, "part": part})
        found: dict[str, Any] = orjson.loads(answer)
        return found

    async def say(self, said: object, *, answered: bool = True) -> bytes:
        """Say something, and wait for the answer. Raises `ChildLostError`."""
        if self._process.stdin is None or self._process.stdout is None:
            raise ChildLostError("the process cannot be spoken to")
        with suppress(ConnectionError):
            self._process.stdin.write(orjson.dumps(said) + b"\n")
            await self._process.stdin.drain()
        if not answered:
            return b""
        line = await self._process.stdout.readline()
        if not line:
            raise ChildLostError("the process that rehearsed ended before it answered")
        return line


@asynccontextmanager
async def _child(settings: RulesSettings) -> AsyncIterator[Child]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", _MODULE,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=ANSWER_MAX_BYTES, env=dict(os.environ),
    )  # fmt: skip
    with suppress(ProcessLookupError, PermissionError):
        # From its first moment: what it imports would take a second from whoever is waited for.
        os.setpriority(os.PRIO_PROCESS, process.pid, settings.rehearsal_niceness)
    child = Child(process)
    try:
        await child.say(settings.model_dump(mode="json"), answered=False)
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
