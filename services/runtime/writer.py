"""The writer: messages of one shard, decided and committed together; poison found alone; HTTP commands in groups."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import structlog

from services.runtime.command_queue import CommandQueue
from services.runtime.dead_letters import DeadLetter, DeadLetterBudget, fault_of, set_aside
from services.runtime.gate import Clock, gate_of
from services.runtime.messages import Message, MessageFault
from services.runtime.postgres import Pool, is_world_fault
from services.runtime.sealing import Sealing
from services.runtime.settings import RuntimeSettings
from services.runtime.shard import Processor, Selective, ShardTransaction, Trusting, Verdict
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
        # Asked once: to look a protocol up for each partition of a poll costs more than to decode what it brought.
        self.wants = processor.wants if isinstance(processor, Selective) else None
        self.trusts = isinstance(processor, Trusting)
        self.pool = pool
        self.service = pool.schema
        self.gate = gate_of(pool, clock=clock, settings=settings, log_columns=log_columns)
        self._sealing = Sealing.of(settings.master_keys, processor)
        self.budget = DeadLetterBudget(pool.schema, settings.dead_letters_per_minute_max)
        self.metrics = metrics or ProcessorMetrics(pool.schema, processor.name)
        self._messages_max = settings.transaction_messages_max
        self._queue = CommandQueue(self, settings)

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

    async def write_together(self, groups: Mapping[int, Sequence[Message]]) -> list[int]:
        """Decide and commit messages of several shards in one transaction, or nothing of it.

        Gives the shards that are still to be written: those that somebody else holds, or all of them if anything
        failed, whoever is at fault; writing each by itself then shows which.
        """

        async def work(transaction: ShardTransaction) -> None:
            messages = groups[transaction.shard]
            verdicts = await self.decide(transaction, messages)
            transaction.on_commit(lambda: self._count(messages, verdicts, transaction.now))

        try:
            written = await self.gate.together(groups, work, self.metrics)
        except Exception as error:  # noqa: BLE001 - it comes again from the shard that it belongs to
            log.info("shards are written one by one", processor=self.processor.name, error=type(error).__name__)
            return list(groups)
        return [shard for shard in groups if shard not in written]

    async def submit(self, message: Message) -> Verdict:
        """Decide one command in the shard's next transaction, together with what else waits; see `CommandQueue`."""
        return await self._queue.submit(message)

    async def close(self) -> None:
        """Wait until every command that was submitted has its verdict."""
        await self._queue.close()

    async def decide(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Have the processor decide; one verdict a message, or `VerdictsMissingError`."""
        verdicts = await self.processor.process(transaction, messages)
        if len(verdicts) != len(messages):
            raise VerdictsMissingError(f"{self.processor.name}: {len(messages)} messages, {len(verdicts)} verdicts")
        return verdicts

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
            async with self.gate.transaction(shard, self.metrics) as transaction:
                verdicts = await self.decide(transaction, messages)
        except Exception as error:
            if is_world_fault(error):
                raise
            return await self._search(shard, messages, error)
        self._count(messages, verdicts, transaction.now)
        return list(verdicts)

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
        self.metrics.decided(messages, [verdict.kind for verdict in verdicts], now)
