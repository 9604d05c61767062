"""Dead letters: messages that failed alone, kept as they came, with a reference published for those who must know."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import orjson

from contracts.envelope import MAX_ID_LENGTH, MAX_TEXT_LENGTH
from contracts.ids import derive, event_of
from contracts.shards import SHARDS, shard_of
from contracts.topics import DEAD_LETTER_TYPE
from services.runtime.messages import Message, MessageFault
from services.runtime.postgres import SQL
from services.runtime.sealing import Sealing
from services.runtime.shard import LogEntry, ShardTransaction
from services.runtime.telemetry.metrics import DEAD_LETTERS, DEAD_LETTERS_STOPPED

UNKNOWN_FAULT: Final = "processor_failed"
_MINUTE_S: Final = 60.0


class TooManyDeadLettersError(Exception):
    """More than `dead_letters_per_minute_max`: a bad release would set everything aside, so this process pauses."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message to set aside; `reason` is for a person and may be published, `code` for a program."""

    message: Message
    code: str
    reason: str

    def id_for(self, processor: str) -> UUID:
        """The id, the same whenever this processor fails at this message."""
        place = self.message
        return derive("dead-letter", processor, place.topic, str(place.partition), str(place.offset))

    @property
    def shard(self) -> int:
        """Where it is kept: with its key where it has one, else by the partition it came from."""
        return shard_of(self.message.key) if self.message.key else self.message.partition % SHARDS


class DeadLetterBudget:
    """How many more messages this process may set aside.

    Once exceeded it stays so until the process is started again: what stops here needs a person or a release.
    """

    def __init__(self, service: str, per_minute_max: int) -> None:
        self._per_minute_max = per_minute_max
        self._taken: deque[float] = deque()
        self._stopped = DEAD_LETTERS_STOPPED.labels(service)
        self._stopped.set(0)
        self.exceeded = False

    def take(self, count: int, now_s: float | None = None) -> None:
        """Spend `count`, at `now_s` of a monotonic clock. Raises `TooManyDeadLettersError`."""
        now_s = time.monotonic() if now_s is None else now_s
        while self._taken and now_s - self._taken[0] >= _MINUTE_S:
            self._taken.popleft()
        if self.exceeded or len(self._taken) + count > self._per_minute_max:
            self.exceeded = True
            self._stopped.set(1)
            raise TooManyDeadLettersError(f"more than {self._per_minute_max} messages failed within a minute")
        self._taken.extend([now_s] * count)


def fault_of(error: Exception) -> tuple[str, str]:
    """Code and reason of what a processor raised; an unforeseen error gives its type, for its text may be personal."""
    if isinstance(error, MessageFault):
        # A reason may quote a name of a field as it was sent; a column takes every character but this one.
        return error.code, error.reason.replace("\x00", "")[:MAX_TEXT_LENGTH]
    return UNKNOWN_FAULT, f"{type(error).__module__}.{type(error).__qualname__}"


async def set_aside(
    transaction: ShardTransaction, service: str, processor: str, letters: Sequence[DeadLetter], sealing: Sealing
) -> None:
    """Keep messages in the dead-letter table of the transaction's shard, each once, with a reference in the log."""
    ids = [letter.id_for(processor) for letter in letters]
    sealed = await sealing.seal(
        transaction, [(letter_id, letter.message) for letter_id, letter in zip(ids, letters, strict=True)]
    )
    rows = await transaction.connection.fetch(
        SQL.set_aside,
        transaction.shard,
        ids,
        processor,
        [letter.message.topic for letter in letters],
        [letter.message.partition for letter in letters],
        [letter.message.offset for letter in letters],
        [each.key for each in sealed],
        [letter.code for letter in letters],
        [letter.reason for letter in letters],
        [each.body for each in sealed],
        [letter.message.traceparent for letter in letters],
        transaction.now,
        [each.subject for each in sealed],
    )
    new = {row["dead_letter_id"] for row in rows}
    for letter_id, letter in zip(ids, letters, strict=True):
        if letter_id in new:
            DEAD_LETTERS.labels(letter.message.topic, letter.code).inc()
            transaction.append(_reference(letter_id, letter, service, transaction.now))


def _reference(letter_id: UUID, letter: DeadLetter, service: str, now: datetime) -> LogEntry:
    message = letter.message
    event_id = event_of(DEAD_LETTER_TYPE, letter_id)
    body: dict[str, Any] = {
        "specversion": "1.0",
        "type": DEAD_LETTER_TYPE,
        "id": str(event_id),
        "source": f"urn:bonus:{service}",
        "time": now,
        "datacontenttype": "application/json",
        "tenant": message.tenant,
        "data": {
            "dead_letter_id": str(letter_id),
            "service": service,
            "topic": message.topic,
            "partition": message.partition,
            "offset": message.offset,
            "code": letter.code,
            "message": letter.reason,
            "set_aside_at": now,
            "event_type": message.type[:MAX_ID_LENGTH],
            "record_sha256": sha256((message.record_key or b"") + message.body).hexdigest(),
        },
    }
    if message.traceparent is not None:
        body["traceparent"] = message.traceparent
    return LogEntry(event_id, str(letter_id), DEAD_LETTER_TYPE, orjson.dumps(body), message.traceparent)
