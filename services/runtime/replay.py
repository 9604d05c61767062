"""Dead letters brought back: published to their own topic, as they were or mended; marked by whom and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from aiokafka import AIOKafkaProducer

from contracts.envelope import STRUCTURED_CONTENT_TYPE
from services.runtime.postgres import SQL, Pool

OPEN: Final = ("set_aside", "replaying")
STATES: Final = (*OPEN, "replayed")


class UnknownDeadLetterError(LookupError):
    """No service has a dead letter with this id."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead letters are meant; None: any."""

    topic: str | None = None
    code: str | None = None
    states: Sequence[str] = OPEN
    limit: int = 100


async def find(pool: Pool, wanted: Filter) -> list[dict[str, Any]]:
    """What one service set aside, the latest first, without bodies."""
    rows = await pool.fetch(SQL.list_dead_letters, list(wanted.states), wanted.topic, wanted.code, wanted.limit)
    return [{"service": pool.schema, **dict(row.items())} for row in rows]


async def show(pools: Sequence[Pool], letter_id: UUID) -> tuple[Pool, dict[str, Any]]:
    """One dead letter, whole, and the pool of the service that has it. Raises `UnknownDeadLetterError`."""
    for pool in pools:
        row = await pool.fetchrow(SQL.show_dead_letter, letter_id)
        if row is not None:
            return pool, {"service": pool.schema, **dict(row.items())}
    raise UnknownDeadLetterError(f"no dead letter {letter_id}")


@dataclass(frozen=True, slots=True)
class Way:
    """Where dead letters lie and how they get back; `topic_prefix` stands before every topic's name."""

    pools: Sequence[Pool]
    producer: AIOKafkaProducer
    topic_prefix: str = ""


async def replay(way: Way, letter_id: UUID, *, by: str, now: datetime, body: bytes | None = None) -> dict[str, Any]:
    """Publish a dead letter to its topic under its old key; `body` replaces it. Gives where it lies now.

    Doing it twice applies it once: its business key is known by then. Raises `UnknownDeadLetterError`.
    """
    pool, letter = await show(way.pools, letter_id)
    place = (letter["shard"], letter_id)
    await pool.execute(SQL.mark_replay, *place, "replaying", now, by, body)
    headers = [("content-type", STRUCTURED_CONTENT_TYPE), ("replayed-from", str(letter_id).encode())]
    if letter["traceparent"]:
        headers.append(("traceparent", letter["traceparent"].encode()))
    sent = await way.producer.send_and_wait(
        way.topic_prefix + letter["topic"],
        value=letter["body"] if body is None else body,
        key=letter["key"],
        headers=headers,
    )
    await pool.execute(SQL.mark_replay, *place, "replayed", now, by, body)
    return {"dead_letter_id": letter_id, "topic": letter["topic"], "partition": sent.partition, "offset": sent.offset}
