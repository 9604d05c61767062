"""One shard rebuilt: replayed beside, compared, swapped in steps under its row."""

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from services.ledger.proof.signatures import StatementRefusedError
from services.ledger.proof.snapshots import Snapshot
from services.ledger.rebuild import SQL
from services.ledger.rebuild.beside import Beside
from services.ledger.rebuild.replaying import Replaying
from services.ledger.rebuild.tables import LINES, TOTALS, VERDICTS
from services.ledger.verify import SQL as LOG
from services.ledger.verify.part import Part
from services.ledger.verify.plan import Limits, Plan
from services.ledger.verify.reading import Reading
from services.ledger.verify.report import Difference, Report
from services.ledger.verify.rows import Findings
from services.ledger.verify.shard import verify_shard
from services.ledger.verify.sums import Sums
from services.runtime.postgres import SQL as RUNTIME

CATCH_UP_EVENTS: Final = 200
"""So few events may be replayed while the shard is held; more are replayed before it is taken."""

CATCH_UP_ROUNDS: Final = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """How to rebuild: how much in memory, how many rows in one step, from what snapshot; `dry`: change nothing."""

    limits: Limits
    step_rows: int
    since: Snapshot | None = None
    dry: bool = False


@dataclass(slots=True)
class Rebuilt:
    """What was done in some shards.

    `wrong` are rows by table that were put right; `held_ms` is the longest that a shard was held, which is what writers
    waited; `not_replayable` are accounts that the log cannot make, left as they are.
    """

    shards: int = 0
    events: int = 0
    steps: int = 0
    held_ms: float = 0.0
    seconds: float = 0.0
    wrong: dict[str, int] = field(default_factory=dict)
    not_replayable: list[Difference] = field(default_factory=list)

    def join(self, other: "Rebuilt") -> None:
        """Take in what was done elsewhere."""
        self.shards += other.shards
        self.events += other.events
        self.steps += other.steps
        self.held_ms = max(self.held_ms, other.held_ms)
        for table, count in other.wrong.items():
            self.wrong[table] = self.wrong.get(table, 0) + count
        self.not_replayable += other.not_replayable

    def document(self) -> dict[str, Any]:
        """As data."""
        return {
            "ok": not self.not_replayable,
            "shards": self.shards,
            "events": self.events,
            "seconds": round(self.seconds, 3),
            "events_per_second": round(self.events / self.seconds) if self.seconds else None,
            "rows_put_right": dict(sorted(self.wrong.items())),
            "steps": self.steps,
            "writers_waited_ms_max": round(self.held_ms, 1),
            "readers_waited_ms_max": 0,
            "not_replayable": [str(each) for each in self.not_replayable],
        }


class ShardRebuild:
    """The rebuild of one shard, on a connection of its own that may change every table of the books."""

    def __init__(self, connection: asyncpg.Connection, reading: Reading, shard: int, wish: Wish) -> None:
        self._connection = connection
        self._reading = reading
        self._shard = shard
        self._since = wish.since
        self._start = 0 if wish.since is None else wish.since.heads[shard].position
        self._limits = wish.limits
        self._step_rows = wish.step_rows
        self._dry = wish.dry
        self._findings = Findings(Report(), shard)
        self._beside = Beside(connection, shard)
        self._replaying = Replaying(connection, shard, self._beside, self._findings)
        self._seen = 0
        self.done = Rebuilt(shards=1)

    async def run(self) -> Rebuilt:
        """Rebuild. Raises `StatementRefusedError`, `OSError` for a snapshot that cannot be used."""
        await self._refuse_archived()
        if await self._proves_itself():
            return self.done
        await self._beside.make()
        await self._build()
        self.done.wrong = await self._beside.counts()
        if self.done.wrong and not self._dry:
            await self._approach()
            await self._swap()
        self.done.events = self._replaying.events
        self.done.not_replayable = self._findings.report.differences
        return self.done

    async def _refuse_archived(self) -> None:
        """Refuse to begin with events that are in the log no more. Raises `StatementRefusedError`."""
        archived = await self._connection.fetchval(SQL.archived_until)
        if archived is not None and archived > self._start:
            raise StatementRefusedError(f"events up to position {archived} were archived: go on --since the last")

    async def _proves_itself(self) -> bool:
        """Whether everything is as the log says already. That is known sooner than it is built, and usual."""
        report = await verify_shard(self._reading, self._shard, Plan(self._limits, self._since))
        self.done.events = report.events
        return report.ok

    async def _build(self) -> None:
        """Replay everything at one instant, and compare with what stands there at that instant."""
        async with self._connection.transaction(isolation="repeatable_read"):
            marks = await self._connection.fetchrow(LOG.marks, self._shard, None)
            self._seen = marks["head"]
            totals = Sums.of(self._since, self._shard).totals
            parts = 1 + marks["rows_of_state"] // self._limits.lots_at_once
            for number in range(parts):
                part, rows_at_once = Part(number, parts), self._limits.rows_at_once
                await self._replaying.whole(self._since, self._seen, part, totals, rows_at_once)
            await self._beside.compare(self._start)
        await self._beside.pass_over(list(self._replaying.broken))

    async def _approach(self) -> None:
        """Replay what was booked meanwhile, until little is left."""
        for _ in range(CATCH_UP_ROUNDS):
            head = await self._connection.fetchval(SQL.head, self._shard)
            if head - self._seen <= CATCH_UP_EVENTS:
                return
            async with self._connection.transaction():
                await self._catch_up(head)

    async def _catch_up(self, head: int) -> None:
        if head > self._seen:
            touched = await self._replaying.catch_up(self._seen, head)
            await self._beside.compare_accounts(touched, self._seen, head)
            await self._beside.pass_over(list(self._replaying.broken))
            self._seen = head

    async def _swap(self) -> None:
        """Put right what differs, a step at a time; whole accounts together, as long as they have few rows."""
        for accounts in _in_steps(await self._beside.wrong_accounts(), self._step_rows):
            async with self._held():
                await self._beside.swap_accounts(accounts)
        for _ in range(-(-self.done.wrong.get(LINES, 0) // self._step_rows)):
            async with self._held():
                await self._beside.swap_lines(self._step_rows)
        for _ in range(-(-self.done.wrong.get(VERDICTS, 0) // self._step_rows)):
            async with self._held():
                await self._beside.swap_verdicts(self._step_rows)
        # Without the movements of every account the totals that were made are not those of the log.
        if TOTALS in self.done.wrong and not self._replaying.broken:
            async with self._held():
                await self._beside.swap_totals()

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[None]:
        """A step: nobody writes in the shard meanwhile, and all that was booked by then has been replayed."""
        await self._approach()
        async with self._connection.transaction():
            row = await self._connection.fetchrow(RUNTIME.take_shard, self._shard)
            started = time.perf_counter()
            await self._catch_up(row["head"])
            yield
        self.done.held_ms = max(self.done.held_ms, (time.perf_counter() - started) * 1_000)
        self.done.steps += 1


def _in_steps(accounts: Sequence[tuple[str, int]], rows_max: int) -> Iterator[list[str]]:
    """Accounts in groups of so many rows; one that has more is a group of its own."""
    group: list[str] = []
    rows = 0
    for account_id, count in accounts:
        if group and rows + count > rows_max:
            yield group
            group, rows = [], 0
        group.append(account_id)
        rows += count
    if group:
        yield group
