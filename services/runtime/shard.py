"""A shard's transaction and its log: what a processor is given, and what it answers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import chain
from typing import Any, Final, Literal, Protocol, runtime_checkable
from uuid import UUID

import asyncpg

from services.runtime.messages import Message, MessageFault
from services.runtime.rows import Table, write
from services.runtime.span import Lane

ENTRY_MAX_BYTES: Final = 900_000
"""A log entry must fit one Kafka record batch of the default 1 MB with room for its key and headers."""

LOG_COLUMNS: Final = {
    "shard": "int", "position": "bigint", "event_id": "uuid", "key": "text", "type": "text",
    "recorded_at": "timestamptz", "traceparent": "text", "body": "bytea", "hash": "bytea",
}  # fmt: skip


class EntryTooLargeError(MessageFault):
    """A log entry is larger than what Kafka would take, so the relay could never pass it on."""

    def __init__(self, entry_type: str, size: int) -> None:
        reason = f"{entry_type} would take {size} bytes, at most {ENTRY_MAX_BYTES} can be passed on"
        super().__init__("too_large", reason)


class Overloaded(Exception):  # noqa: N818 - the name is what it says to a caller, not an error of this process
    """More commands wait in this process than `queue_commands_max`."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One event to append.

    `body` is the CloudEvent exactly as it will be hashed, stored and published; `key` is its Kafka key; `extra` are
    the values of the schema's own log columns, in the order the writer was told them.
    """

    event_id: UUID
    key: str
    type: str
    body: bytes
    traceparent: str | None = None
    extra: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a message: `applied`, `duplicate`, `refused`, `conflict`, `waiting` or `set_aside`.

    `code` says why; `answer` is what HTTP gives back.
    """

    kind: str
    code: str | None = None
    answer: Any = None


class ShardTransaction:
    """One open transaction that holds the row of its shard, so nobody else writes there until it ends.

    `now` is the wall clock, never before the shard's last recorded instant: it is `decided_at` and `recorded_at`.
    `head` is the position of the last entry written or appended. `connection` is for the processor's own statements;
    it is inside the transaction already, and `connection.transaction()` must not be used on it. In a span it is a lane,
    and each statement's first parameter is the shard. From `copy_rows_min` rows on COPY is cheaper than INSERT.
    """

    __slots__ = ("_callbacks", "_extras", "_hash", "_rows", "connection", "copy_rows_min", "head", "now", "shard")

    def __init__(  # noqa: PLR0913 - made in one place, the gate
        self,
        connection: asyncpg.Connection | Lane,
        shard: int,
        now: datetime,
        *,
        head: int,
        previous_hash: bytes,
        extra_columns: int = 0,
        copy_rows_min: int = 1,
    ) -> None:
        self.connection = connection
        self.shard = shard
        self.now = now
        self.head = head
        self._hash = previous_hash
        self._extras = extra_columns
        self.copy_rows_min = copy_rows_min
        self._rows: list[tuple[Any, ...]] = []
        self._callbacks: list[Callable[[], None]] = []

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Have this called when the transaction has committed, for what is counted and must not be counted twice."""
        self._callbacks.append(callback)

    def committed(self) -> None:
        """Call what waits for the commit, and forget it: it may hold the transaction and all its messages."""
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def append(self, entry: LogEntry) -> int:
        """Chain the entry to the log and give its position; it is written before the commit.

        Raises `EntryTooLargeError`.
        """
        if len(entry.body) > ENTRY_MAX_BYTES:
            raise EntryTooLargeError(entry.type, len(entry.body))
        self.head += 1
        self._hash = sha256(self._hash + entry.body).digest()
        # The runtime's own entries know nothing of the schema's columns: those stay empty.
        extra = entry.extra + (None,) * (self._extras - len(entry.extra))
        self._rows.append(
            (
                self.shard, self.head, entry.event_id, entry.key, entry.type, self.now,
                entry.traceparent, entry.body, self._hash, *extra,
            )
        )  # fmt: skip
        return self.head

    async def add(self, table: Table, rows: Sequence[Iterable[Any]]) -> None:
        """Add rows of this shard to a table."""
        if isinstance(self.connection, Lane):
            await self.connection.add(table, rows)
        else:
            await table.add(self.connection, rows, copy_rows_min=self.copy_rows_min)

    async def write(self, statement: str, *tables: Iterable[dict[str, Any]]) -> None:
        """Run a statement whose parameters are JSON arrays of rows, each row given its `shard`.

        A span runs it once for all of its shards. Where there is no row at all, it does not run.
        """
        rows = [list(table) for table in tables]
        if not any(rows):
            return
        for row in chain.from_iterable(rows):
            row["shard"] = self.shard
        if isinstance(self.connection, Lane):
            await self.connection.write(statement, rows)
        else:
            await write(self.connection, statement, rows)

    @property
    def last_hash(self) -> bytes:
        """The hash of the last entry written or appended; 32 zero bytes before the first."""
        return self._hash

    def take_rows(self) -> list[tuple[Any, ...]]:
        """Hand over the rows that wait to be written, in the order of `LOG_COLUMNS` and the schema's own after them.

        Whoever takes them writes them: the writer before the commit, or a processor that puts them into a statement
        of its own to save a round trip.
        """
        rows, self._rows = self._rows, []
        return rows


class Processor(Protocol):
    """What a service does with its messages."""

    @property
    def name(self) -> str:
        """The name in metrics and dead letters."""
        ...

    def key_of(self, message: Message) -> str:
        """The business key that decides the message's shard; runs before grouping.

        May raise when the message has none: it is then set aside.
        """
        ...

    async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Decide the messages in order and write what follows; one verdict a message.

        Raising rolls everything back: a fault of the world (`postgres.is_world_fault`) is tried again, any other
        is taken as the fault of one of the messages, which are then tried alone.
        """
        ...


@runtime_checkable
class Selective(Protocol):
    """A processor that needs only some of what its topics carry."""

    def wants(self, message_type: str, content: dict[str, Any]) -> bool:
        """Whether a message of a known type matters, by its content as parsed and not yet validated.

        What does not is passed over for good, before it costs a transaction; where in doubt, it does. Never raises.
        """
        ...


@runtime_checkable
class Trusting(Protocol):
    """A processor that reads its messages as parsed: they were validated where they came in, and published by us since.

    Only their envelope is validated; what it cannot read it raises as a `MessageFault`.
    """

    @property
    def trusts(self) -> Literal[True]:
        """Says so."""
        ...


@runtime_checkable
class Personal(Protocol):
    """A processor that knows whom a message is about, also one that it cannot take in."""

    def subject_of(self, message: Message) -> UUID | None:
        """Under whose key the message is kept when it is set aside; None: a key of its own. Never raises."""
        ...
