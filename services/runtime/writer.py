"""The writer: messages of one shard, decided and committed together; poison found alone; HTTP commands in groups."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Final

import structlog

from contracts.shards import shard_of
from services.runtime.dead_letters import DeadLetter, DeadLetterBudget, fault_of, set_aside
from services.runtime.gate import Clock, gate_of
from services.runtime.messages import Message, MessageFault
from services.runtime.postgres import Pool, is_world_fault
from services.runtime.sealing import Sealing
from services.runtime.settings import RuntimeSettings
from services.runtime.shard import Overloaded, Processor, ShardTransaction, Verdict
from services.runtime.telemetry.metrics import ProcessorMetrics

log = structlog.get_logger(__name__)

SET_ASIDE: Final = "set_aside"
Outcome = Verdict | Exception


def wall_clock() -> datetime:
    """Give the time, with its zone."""
    return datetime.now(UTC)


class VerdictsMissingError(RuntimeError):
    """A processor answered with more or fewer verdicts than it was given messages."""


class ShardWriter:
    """One processor's way into the shards of a schema: one for each processor and process.

    All writers of one pool share its gate, so that a shard has one transaction in flight in this process.
    `log_columns` are the schema's own columns of the log with their types: `("account_id uuid", "version bigint")`.
    """

    def __init__(  # noqa: PLR0913 - what a writer stands on, all but two by name
        self,
        pool: Pool,
        processor: Processor,
        *,
        settings: RuntimeSettings,
        clock: Clock = wall_clock,
        log_columns: tuple[str, ...] = (),
        metrics: ProcessorMetrics | None = None,
    ) -> None:
        self.processor = processor
        self.pool = pool
        self.service = pool.schema
        self.gate = gate_of(pool, clock=clock, settings=settings, log_columns=log_columns)
        self._sealing = Sealing.of(settings.master_keys, processor)
        self.budget = DeadLetterBudget(pool.schema, settings.dead_letters_per_minute_max)
        self._metrics = metrics or ProcessorMetrics(pool.schema, processor.name)
        self._messages_max = settings.transaction_messages_max
        self._commands_max = settings.transaction_commands_max
        self._queue_max = settings.queue_commands_max
        self._queues: dict[int, deque[tuple[Message, asyncio.Future[Verdict]]]] = {}
        self._draining: dict[int, asyncio.Task[None]] = {}
        self._queued = 0

    @asynccontextmanager
    async def transaction(self, shard: int) -> AsyncIterator[ShardTransaction]:
        """Open a transaction of the shard for work that is not a message (a publication, a rebuild's swap)."""
        async with self.gate.transaction(shard) as transaction:
            yield transaction

    async def write(self, shard: int, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Decide and commit messages of one shard, in order; one verdict each.

        What fails alone is set aside if it came from Kafka (verdict `set_aside`), else raised when the others are
        done. Raises faults of the world, and `TooManyDeadLettersError`; what was committed by then is known when the
        same messages come again.
        """
        outcomes = await self.settle(shard, messages)
        verdicts = []
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
            verdicts.append(outcome)
        return verdicts

    async def settle(self, shard: int, messages: Sequence[Message]) -> list[Outcome]:
        """Do as `write` does, but give the error of a message that is not from Kafka in the place of its verdict."""
        outcomes: list[Outcome] = []
        for start in range(0, len(messages), self._messages_max):
            outcomes += await self._settle(shard, messages[start : start + self._messages_max])
        return outcomes

    async def submit(self, message: Message) -> Verdict:
        """Decide one command in the shard's next transaction, together with what else waits for it.

        Raises `Overloaded`, the command's own fault, or a fault of the world: then it may have been done or not, and
        the same command may be sent again. A caller that is cancelled while its command waits takes it back.
        """
        if self._queued >= self._queue_max:
            raise Overloaded(f"{self._queued} commands wait already")
        message.key = message.key or self.processor.key_of(message)
        shard = shard_of(message.key)
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(shard, deque()).append((message, future))
        self._queued += 1
        if shard not in self._draining:
            self._draining[shard] = asyncio.create_task(self._drain(shard), name=f"shard {shard}")
        return await future

    async def close(self) -> None:
        """Wait until every command that was submitted has its verdict."""
        while self._draining:
            await asyncio.wait(list(self._draining.values()))

    async def set_aside(self, letters: Sequence[DeadLetter]) -> None:
        """Keep messages that no processor can be given. Raises `TooManyDeadLettersError` and faults of the world."""
        self.budget.take(len(letters))
        by_shard: dict[int, list[DeadLetter]] = {}
        for letter in letters:
            by_shard.setdefault(letter.shard, []).append(letter)
        for shard, group in by_shard.items():
            async with self.gate.transaction(shard) as transaction:
                await set_aside(transaction, self.service, self.processor.name, group, self._sealing)

    async def _settle(self, shard: int, messages: Sequence[Message]) -> list[Outcome]:
        try:
            async with self.gate.transaction(shard, self._metrics) as transaction:
                verdicts = await self._decide(transaction, messages)
        except Exception as error:
            if is_world_fault(error):
                raise
            return await self._search(shard, messages, error)
        self._count(messages, verdicts, transaction.now)
        return list(verdicts)

    async def _decide(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
        verdicts = await self.processor.process(transaction, messages)
        if len(verdicts) != len(messages):
            raise VerdictsMissingError(f"{self.processor.name}: {len(messages)} messages, {len(verdicts)} verdicts")
        return verdicts

    async def _search(self, shard: int, messages: Sequence[Message], error: Exception) -> list[Outcome]:
        """Find what fails alone: by halves, in order, so that one among five hundred costs twenty transactions."""
        if len(messages) > 1:
            middle = len(messages) // 2
            first = await self._settle(shard, messages[:middle])
            return first + await self._settle(shard, messages[middle:])
        message = messages[0]
        code, reason = fault_of(error)
        log.error(
            "message failed",
            processor=self.processor.name, topic=message.topic, partition=message.partition, offset=message.offset,
            code=code, exc_info=None if isinstance(error, MessageFault) else error,
        )  # fmt: skip
        if not message.from_kafka:
            return [error]
        self.budget.take(1)
        async with self.gate.transaction(shard) as transaction:
            letter = DeadLetter(message, code, reason)
            await set_aside(transaction, self.service, self.processor.name, [letter], self._sealing)
        verdict = Verdict(SET_ASIDE, code)
        self._count(messages, [verdict], transaction.now)
        return [verdict]

    def _count(self, messages: Sequence[Message], verdicts: Sequence[Verdict], now: datetime) -> None:
        self._metrics.decided(messages, [verdict.kind for verdict in verdicts], now)

    async def _drain(self, shard: int) -> None:
        queue = self._queues[shard]
        try:
            while queue:
                await self._commit_queued(shard, queue)
        finally:
            del self._draining[shard]

    async def _commit_queued(self, shard: int, queue: deque[tuple[Message, asyncio.Future[Verdict]]]) -> None:
        taken: list[tuple[Message, asyncio.Future[Verdict]]] = []
        outcomes: Sequence[Outcome]
        try:
            async with self.gate.transaction(shard, self._metrics) as transaction:
                # Taken as late as possible: what came while this transaction waited for its turn goes with it.
                taken = self._take(queue)
                messages = [message for message, _ in taken]
                outcomes = await self._decide(transaction, messages) if messages else []
            self._count(messages, [each for each in outcomes if isinstance(each, Verdict)], transaction.now)
        except Exception as error:  # noqa: BLE001 - each caller gets it
            taken = taken or self._take(queue)
            outcomes = await self._outcomes_after(error, shard, [message for message, _ in taken])
        for (_, future), outcome in zip(taken, outcomes, strict=True):
            with suppress(asyncio.InvalidStateError):
                if isinstance(outcome, Verdict):
                    future.set_result(outcome)
                else:
                    future.set_exception(outcome)

    async def _outcomes_after(self, error: Exception, shard: int, messages: Sequence[Message]) -> Sequence[Outcome]:
        if is_world_fault(error) or not messages:
            return [error] * len(messages)
        try:
            return await self._search(shard, messages, error)
        except Exception as later:  # noqa: BLE001 - each caller gets it
            return [later] * len(messages)

    def _take(
        self, queue: deque[tuple[Message, asyncio.Future[Verdict]]]
    ) -> list[tuple[Message, asyncio.Future[Verdict]]]:
        taken: list[tuple[Message, asyncio.Future[Verdict]]] = []
        while queue and len(taken) < self._commands_max:
            entry = queue.popleft()
            self._queued -= 1
            if not entry[1].done():
                taken.append(entry)
        self._metrics.queued.set(self._queued)
        return taken
