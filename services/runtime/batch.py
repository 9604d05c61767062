"""What one poll brought: decoded in slices, grouped by writer and shard, and how far each partition came."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import structlog
from aiokafka import TopicPartition

from contracts.shards import shard_of
from services.runtime.dead_letters import DeadLetter, TooManyDeadLettersError, fault_of
from services.runtime.decoding import UnknownVersionError, decode
from services.runtime.messages import Message
from services.runtime.postgres import is_world_fault
from services.runtime.settings import RuntimeSettings
from services.runtime.telemetry import tracing
from services.runtime.writer import ShardWriter

log = structlog.get_logger(__name__)

Place: TypeAlias = TopicPartition
Records = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Stop:
    """A partition goes no further than `offset`, the first message that is not done, and why."""

    offset: int
    reason: str


@dataclass(slots=True)
class Slice:
    """Messages that are decoded and held as objects at once."""

    groups: dict[tuple[ShardWriter, int], list[Message]] = field(default_factory=dict)
    letters: dict[ShardWriter, list[DeadLetter]] = field(default_factory=dict)


class Batch:
    """One poll on its way. `done` is the next offset of each partition, `stops` says where one goes no further."""

    def __init__(self, writers: Mapping[str, ShardWriter], names: Mapping[str, str], settings: RuntimeSettings) -> None:
        self._writers = writers
        self._names = names
        self._settings = settings
        self.done: dict[Place, int] = {}
        self.stops: dict[Place, Stop] = {}

    async def work(self, polled: Mapping[Place, Records]) -> None:
        """Decode, decide and commit everything that can be; raises nothing that a message or the world can cause."""
        for part in _slices(polled, self._settings):
            decoded = Slice()
            for place, records in part:
                if place not in self.stops:
                    await self._decode(place, records, decoded)
            await self._write(decoded)
        self.done.update((place, stop.offset) for place, stop in self.stops.items())

    async def _decode(self, place: Place, records: Records, decoded: Slice) -> None:
        topic = self._names[place.topic]
        writer, largest = self._writers[topic], self._settings.message_max_bytes
        for count, record in enumerate(records, start=1):
            if count % self._settings.consumer_decode_messages == 0:
                # Others in this process (heartbeats, HTTP, the relay) have their turn.
                await asyncio.sleep(0)
            try:
                message = decode(record, topic, largest, writer.wants, trusts=writer.trusts)
            except UnknownVersionError as error:
                log.warning(
                    "unknown version", topic=topic, partition=place.partition, offset=record.offset, why=str(error)
                )
                self._stop(place, Stop(record.offset, "unknown_version"))
                return
            if isinstance(message, Message):
                message = _keyed(message, writer)
            if isinstance(message, DeadLetter):
                decoded.letters.setdefault(writer, []).append(message)
            elif message is not None:
                decoded.groups.setdefault((writer, shard_of(message.key)), []).append(message)
            self.done[place] = record.offset + 1

    async def _write(self, decoded: Slice) -> None:
        # Transactions run at the same time; the pool bounds how many.
        await asyncio.gather(
            *(self._set_aside(writer, letters) for writer, letters in decoded.letters.items()),
            *(self._write_span(writer, span) for writer, span in _spans(decoded.groups, self._settings)),
        )

    async def _write_span(self, writer: ShardWriter, span: Mapping[int, list[Message]]) -> None:
        left = list(span)
        if len(span) > 1:
            messages = [message for group in span.values() for message in group]
            with tracing.message_spans(writer.processor.name, messages):
                left = await writer.write_together(span)
        await asyncio.gather(*(self._write_group(writer, shard, span[shard]) for shard in left))

    async def _write_group(self, writer: ShardWriter, shard: int, messages: list[Message]) -> None:
        try:
            with tracing.message_spans(writer.processor.name, messages):
                await writer.write(shard, messages)
        except Exception as error:
            reason = _reason_to_wait(error)
            if reason is None:
                raise
            self._wait(reason, error, messages)

    async def _set_aside(self, writer: ShardWriter, letters: list[DeadLetter]) -> None:
        try:
            await writer.set_aside(letters)
        except Exception as error:
            reason = _reason_to_wait(error)
            if reason is None:
                raise
            self._wait(reason, error, [letter.message for letter in letters])

    def _wait(self, reason: str, error: Exception, messages: Sequence[Message]) -> None:
        first = messages[0]
        log.warning(
            "waiting",
            reason=reason, error=f"{type(error).__name__}: {error}", topic=first.topic, partition=first.partition,
            messages=len(messages),
        )  # fmt: skip
        for message in messages:
            self._stop(
                Place(self._settings.topic_prefix + message.topic, message.partition), Stop(message.offset, reason)
            )

    def _stop(self, place: Place, stop: Stop) -> None:
        known = self.stops.get(place)
        if known is None or stop.offset < known.offset:
            self.stops[place] = stop


def _reason_to_wait(error: Exception) -> str | None:
    if isinstance(error, TooManyDeadLettersError):
        return "dead_letters"
    return "world" if is_world_fault(error) else None


def _keyed(message: Message, writer: ShardWriter) -> Message | DeadLetter:
    try:
        message.key = writer.processor.key_of(message)
    except Exception as error:  # noqa: BLE001 - whatever a processor cannot make of a message is its fault
        return DeadLetter(message, *fault_of(error))
    return message


def _spans(
    groups: Mapping[tuple[ShardWriter, int], list[Message]], settings: RuntimeSettings
) -> Iterator[tuple[ShardWriter, dict[int, list[Message]]]]:
    """Put shards of one writer together, up to what one transaction may hold of shards and of messages."""
    open_spans: dict[ShardWriter, dict[int, list[Message]]] = {}
    counts: Counter[ShardWriter] = Counter()
    for (writer, shard), messages in groups.items():
        span = open_spans.setdefault(writer, {})
        full = counts[writer] + len(messages) > settings.transaction_messages_max
        if span and (full or len(span) >= settings.transaction_shards_max):
            yield writer, span
            span = open_spans[writer] = {}
            counts[writer] = 0
        span[shard] = messages
        counts[writer] += len(messages)
    yield from open_spans.items()


def _slices(polled: Mapping[Place, Records], settings: RuntimeSettings) -> Iterator[list[tuple[Place, Records]]]:
    """Cut a poll so that no slice holds more than `consumer_decode_bytes`, or one message."""
    held: list[tuple[Place, Records]] = []
    held_bytes = 0
    for place, records in polled.items():
        start = 0
        for index, record in enumerate(records):
            size = len(record.value or b"")
            if held_bytes + size > settings.consumer_decode_bytes and (held or index > start):
                yield [*held, (place, records[start:index])]
                held, held_bytes, start = [], 0, index
            held_bytes += size
        held.append((place, records[start:]))
    if held:
        yield held
