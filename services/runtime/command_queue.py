"""HTTP commands on their way into transactions: what queues while some run forms the next one, with no timer."""

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.shards import shard_of
from services.runtime.messages import Message
from services.runtime.postgres import is_world_fault
from services.runtime.shard import Overloaded, ShardTransaction, Verdict

if TYPE_CHECKING:
    from services.runtime.settings import RuntimeSettings
    from services.runtime.writer import Outcome, ShardWriter


@dataclass(slots=True)
class _Waiting:
    message: Message
    verdict: asyncio.Future[Verdict]


class CommandQueue:
    """The commands that wait in this process for one writer. A shard's are decided in the order in which they came."""

    def __init__(self, writer: "ShardWriter", settings: "RuntimeSettings") -> None:
        self._writer = writer
        self._waiting_max = settings.queue_commands_max
        self._commands_max = settings.transaction_commands_max
        self._shards_max = settings.transaction_shards_max
        self._drains_max = settings.queue_transactions
        self._queues: dict[int, deque[_Waiting]] = {}
        self._waiting = 0
        self._busy: set[int] = set()
        self._draining = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, message: Message) -> Verdict:
        """Decide one command in the next transaction of its shard, together with what else waits.

        Raises `Overloaded`, the command's own fault, or a fault of the world: then it may have been done or not, and
        the same command may be sent again. A caller that is cancelled while its command waits takes it back.
        """
        if self._waiting >= self._waiting_max:
            raise Overloaded(f"{self._waiting} commands wait already")
        message.key = message.key or self._writer.processor.key_of(message)
        waiting = _Waiting(message, asyncio.get_running_loop().create_future())
        self._queues.setdefault(shard_of(message.key), deque()).append(waiting)
        self._waiting += 1
        if self._draining < self._drains_max:
            self._draining += 1
            self._keep(self._drain())
        return await waiting.verdict

    async def close(self) -> None:
        """Wait until every command that was submitted has its verdict."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _drain(self) -> None:
        try:
            while shards := self._next():
                await self._commit_all(shards)
        finally:
            # In the same step in which nothing was found to wait: whoever comes next starts another drain.
            self._draining -= 1

    async def _commit_all(self, shards: Sequence[int]) -> None:
        self._busy.update(shards)
        held_by_others: Sequence[int] = ()
        try:
            if len(shards) == 1:
                await self._commit(shards[0])
            else:
                held_by_others = await self._commit_together(shards)
        finally:
            self._busy.difference_update(set(shards).difference(held_by_others))
        for shard in held_by_others:
            self._keep(self._wait_for(shard))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _next(self) -> list[int]:
        """Shards with commands that no transaction of this process is about to take."""
        free = [shard for shard, queue in self._queues.items() if queue and shard not in self._busy]
        taken = free[: self._shards_max]
        for shard in taken:
            # To the end: next time it is the turn of others.
            self._queues[shard] = self._queues.pop(shard)
        return taken

    async def _wait_for(self, shard: int) -> None:
        """Take the commands of a shard that another process holds, while those of others go on."""
        try:
            while self._queues[shard]:
                await self._commit(shard)
        finally:
            self._busy.discard(shard)

    async def _commit(self, shard: int) -> None:
        taken: list[_Waiting] = []
        outcomes: Sequence[Outcome]
        try:
            async with self._writer.gate.transaction(shard, self._writer.metrics) as transaction:
                # Taken as late as possible: what came while this transaction waited for its turn goes with it.
                taken = self._take(shard, self._commands_max)
                outcomes = await self._decide(transaction, taken)
            self._count(taken, outcomes, transaction)
        except Exception as error:  # noqa: BLE001 - each caller gets it
            taken = taken or self._take(shard, self._commands_max)
            outcomes = [error] * len(taken) if is_world_fault(error) else await self._one_by_one(shard, taken)
        _answer(taken, outcomes)

    async def _commit_together(self, shards: Sequence[int]) -> list[int]:
        """Decide what waits in several shards in one transaction; gives those that another process holds."""
        taken: dict[int, list[_Waiting]] = {}

        async def work(transaction: ShardTransaction) -> Sequence[Verdict]:
            room = self._commands_max - sum(map(len, taken.values()))
            mine = taken[transaction.shard] = self._take(transaction.shard, room)
            verdicts = await self._decide(transaction, mine)
            transaction.on_commit(lambda: self._count(mine, verdicts, transaction))
            return verdicts

        outcomes: dict[int, Sequence[Outcome]] = {}
        try:
            outcomes.update(await self._writer.gate.together(shards, work, self._writer.metrics))
        except Exception as error:  # noqa: BLE001 - each caller gets it
            for shard, mine in taken.items():
                outcomes[shard] = [error] * len(mine) if is_world_fault(error) else await self._one_by_one(shard, mine)
        for shard, mine in taken.items():
            _answer(mine, outcomes[shard])
        return [shard for shard in shards if shard not in taken]

    async def _decide(self, transaction: ShardTransaction, taken: Sequence[_Waiting]) -> Sequence[Verdict]:
        if not taken:
            return []
        return await self._writer.decide(transaction, [each.message for each in taken])

    async def _one_by_one(self, shard: int, taken: Sequence[_Waiting]) -> "Sequence[Outcome]":
        """Decide again what was rolled back, so that what fails fails alone."""
        if not taken:
            return []
        try:
            return await self._writer.settle(shard, [each.message for each in taken])
        except Exception as error:  # noqa: BLE001 - each caller gets it
            return [error] * len(taken)

    def _count(self, taken: Sequence[_Waiting], verdicts: "Sequence[Outcome]", transaction: ShardTransaction) -> None:
        kinds = [verdict.kind for verdict in verdicts if isinstance(verdict, Verdict)]
        self._writer.metrics.decided([each.message for each in taken], kinds, transaction.now)

    def _take(self, shard: int, count_max: int) -> list[_Waiting]:
        queue = self._queues[shard]
        taken: list[_Waiting] = []
        while queue and len(taken) < count_max:
            waiting = queue.popleft()
            self._waiting -= 1
            if not waiting.verdict.done():
                taken.append(waiting)
        self._writer.metrics.queued.set(self._waiting)
        return taken


def _answer(taken: Sequence[_Waiting], outcomes: "Sequence[Outcome]") -> None:
    for waiting, outcome in zip(taken, outcomes, strict=True):
        with suppress(asyncio.InvalidStateError):
            if isinstance(outcome, Verdict):
                waiting.verdict.set_result(outcome)
            else:
                waiting.verdict.set_exception(outcome)
