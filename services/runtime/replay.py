"""Dead letters brought back: published to their own topic, as they were or mended; marked by whom and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from aiokafka import AIOKafkaProducer

from contracts.envelope import STRUCTURED_CONTENT_TYPE
from services.runtime.postgres import SQL, Pool
from services.runtime.privacy import Cipher, KeysError
from services.runtime.sealing import Sealing

OPEN: Final = ("set_aside", "replaying")
STATES: Final = (*OPEN, "replayed")


class UnknownDeadLetterError(LookupError):
    """No service has a dead letter with this id."""


class UnreadableDeadLetterError(LookupError):
    """Its key was destroyed with its member's, or the master key of that is not among those in the settings."""


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


async def show(pools: Sequence[Pool], letter_id: UUID, sealing: Sealing) -> tuple[Pool, dict[str, Any]]:
    """One dead letter, whole, and the pool of the service that has it; None in the place of what nobody can read.

    Raises `UnknownDeadLetterError`, and `UnreadableDeadLetterError` without its master key.
    """
    for pool in pools:
        row = await pool.fetchrow(SQL.show_dead_letter, letter_id)
        if row is None:
            continue
        letter = {"service": pool.schema, **dict(row.items())}
        if letter["subject"] is not None:
            cipher = await _cipher(pool, letter, sealing)
            for name in ("key", "body", "replacement"):
                sealed = letter[name]
                letter[name] = cipher.decrypt(sealed, letter_id.bytes) if cipher and sealed is not None else None
        return pool, letter
    raise UnknownDeadLetterError(f"no dead letter {letter_id}")


async def _cipher(pool: Pool, letter: Mapping[str, Any], sealing: Sealing) -> Cipher | None:
    """The cipher of a dead letter; None once its key was destroyed."""
    if sealing.vault is None:
        raise UnreadableDeadLetterError("it is encrypted: set BONUS_MASTER_KEYS")
    place = (letter["shard"], letter["subject"])
    async with pool.acquire() as connection:
        try:
            return (await sealing.vault.existing(connection, [place[0]], [place[1]])).get(place)
        except KeysError as error:
            raise UnreadableDeadLetterError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Way:
    """Where dead letters lie and how they get back; `topic_prefix` stands before every topic's name."""

    pools: Sequence[Pool]
    producer: AIOKafkaProducer
    sealing: Sealing
    topic_prefix: str = ""


async def replay(way: Way, letter_id: UUID, *, by: str, now: datetime, body: bytes | None = None) -> dict[str, Any]:
    """Publish a dead letter to its topic under its old key; `body` replaces it. Gives where it lies now.

    Doing it twice applies it once: its business key is known by then. Raises `UnknownDeadLetterError`,
    `UnreadableDeadLetterError`.
    """
    pool, letter = await show(way.pools, letter_id, way.sealing)
    if letter["body"] is None:
        raise UnreadableDeadLetterError(f"{letter_id}: its member was erased, and nobody can read it any more")
    place = (letter["shard"], letter_id)
    replacement = body
    if body is not None and letter["subject"] is not None:
        cipher = await _cipher(pool, letter, way.sealing)
        replacement = cipher.encrypt(body, letter_id.bytes) if cipher else None
    await pool.execute(SQL.mark_replay, *place, "replaying", now, by, replacement)
    headers = [("content-type", STRUCTURED_CONTENT_TYPE), ("replayed-from", str(letter_id).encode())]
    if letter["traceparent"]:
        headers.append(("traceparent", letter["traceparent"].encode()))
    sent = await way.producer.send_and_wait(
        way.topic_prefix + letter["topic"],
        value=letter["body"] if body is None else body,
        key=letter["key"],
        headers=headers,
    )
    await pool.execute(SQL.mark_replay, *place, "replayed", now, by, replacement)
    return {"dead_letter_id": letter_id, "topic": letter["topic"], "partition": sent.partition, "offset": sent.offset}
