"""A tiny service for the runtime's tests: it counts activities by member, once each, and passes each on.

Its tables stand in the schema `rules`, whose role and log it borrows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson

from contracts.activities import ActivityRecorded
from contracts.ids import derive
from services.runtime.messages import Message, invalid_data
from services.runtime.shard import LogEntry, ShardTransaction, Verdict

SCHEMA = "rules"
ACTIVITIES = "bonus.activities.v1"
PASSED_ON = "bonus.activity.identified.v1"
RECEIPTS = "bonus.receipts.v1"

TABLES = """
create table rules.tally_seen (
    shard int, activity_id text, member text, ordinal int, position bigint, recorded_at timestamptz,
    primary key (shard, activity_id)
);
grant select, insert on rules.tally_seen to bonus_rules;
create table rules.tally (shard int, member text, total int, primary key (shard, member));
grant select, insert, update on rules.tally to bonus_rules;
"""

Hook = Callable[[ShardTransaction, Sequence[Message]], Awaitable[None]]


async def _nothing(_transaction: ShardTransaction, _messages: Sequence[Message]) -> None:
    return


@dataclass
class Holding:
    """A hook that keeps transactions open until `release` is set, and says that one has `started`."""

    started: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, _transaction: ShardTransaction, _messages: Sequence[Message]) -> None:
        """Say so, and wait."""
        self.started.set()
        await self.release.wait()


class PoisonError(Exception):
    """The processor's own failure at a message."""


@dataclass
class Tally:
    """The processor. `before` runs in each transaction before anything is decided: for faults and delays."""

    name: str = "tally"
    before: Hook = _nothing
    batches: list[int] = field(default_factory=list)

    def key_of(self, message: Message) -> str:
        """The member's identifier."""
        if message.event is None:
            return str(message.content["data"]["member"]["value"])
        assert isinstance(message.event, ActivityRecorded)
        return message.event.data.member.key

    async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Count what is new, pass it on, and say of the rest that it is known."""
        self.batches.append(len(messages))
        await self.before(transaction, messages)
        events = [_event_of(message) for message in messages]
        known = await _known(transaction, [event.data.activity_id for event in events])
        verdicts, rows = [], []
        for message, event in zip(messages, events, strict=True):
            if event.data.attributes.get("poison"):
                raise PoisonError
            if event.data.activity_id in known:
                verdicts.append(Verdict("duplicate"))
                continue
            known.add(event.data.activity_id)
            position = transaction.append(_passed_on(message, event))
            rows.append((event, message.key, position))
            verdicts.append(Verdict("applied", answer=position))
        if rows:
            await _save(transaction, rows)
        return verdicts


def _event_of(message: Message) -> ActivityRecorded:
    if message.problems:
        raise invalid_data(message.problems)
    assert isinstance(message.event, ActivityRecorded)
    return message.event


async def _known(transaction: ShardTransaction, ids: list[str]) -> set[str]:
    rows = await transaction.connection.fetch(
        "select activity_id from tally_seen where shard = $1 and activity_id = any($2::text[])", transaction.shard, ids
    )
    return {row["activity_id"] for row in rows}


async def _save(transaction: ShardTransaction, rows: list[tuple[ActivityRecorded, str, int]]) -> None:
    await transaction.connection.execute(
        "insert into tally_seen (shard, recorded_at, activity_id, member, ordinal, position) "
        "select $1::int, $2::timestamptz, * from unnest($3::text[], $4::text[], $5::int[], $6::bigint[])",
        transaction.shard,
        transaction.now,
        [event.data.activity_id for event, _, _ in rows],
        [key for _, key, _ in rows],
        [int(event.data.attributes.get("ordinal", 0)) for event, _, _ in rows],
        [position for _, _, position in rows],
    )
    members: dict[str, int] = {}
    for _, key, _ in rows:
        members[key] = members.get(key, 0) + 1
    await transaction.connection.execute(
        "insert into tally as t select $1::int, * from unnest($2::text[], $3::int[]) "
        "on conflict (shard, member) do update set total = t.total + excluded.total",
        transaction.shard,
        list(members),
        list(members.values()),
    )


def _passed_on(message: Message, event: ActivityRecorded) -> LogEntry:
    event_id = derive("tally", event.data.activity_id)
    body = {"specversion": "1.0", "type": PASSED_ON, "id": str(event_id), "activity_id": event.data.activity_id}
    return LogEntry(event_id, message.key, PASSED_ON, orjson.dumps(body), message.traceparent)


def activity(member: str, ordinal: int = 0, *, activity_id: str | None = None, poison: bool = False) -> dict[str, Any]:
    """One activity as a CloudEvent; at a poisonous one the tally raises."""
    return {
        "specversion": "1.0",
        "type": "bonus.activity.recorded.v1",
        "id": str(uuid4()),
        "source": "urn:test",
        "time": "2026-03-05T17:04:11+01:00",
        "data": {
            "activity_id": activity_id or str(uuid4()),
            "programme": "grocer",
            "name": "check-in",
            "occurred_at": "2026-03-05T17:04:11+01:00",
            "member": {"type": "card", "value": member},
            "attributes": {"ordinal": ordinal, "poison": poison},
        },
    }


def message_of(content: dict[str, Any], *, offset: int = -1, partition: int = -1) -> Message:
    """The message of an activity: from HTTP, or from Kafka where a partition is given."""
    event = ActivityRecorded.model_validate(content)
    return Message(
        type=event.type,
        id=event.id,
        source=event.source,
        tenant=event.tenant,
        content=content,
        event=event,
        key=event.data.member.key,
        topic=ACTIVITIES if partition >= 0 else "",
        partition=partition,
        offset=offset,
        body=orjson.dumps(content),
    )


@dataclass(frozen=True)
class Books:
    """What stands in the tables: totals by member, the order in which each member's activities were taken in."""

    totals: dict[str, int]
    orders: dict[str, list[int]]
    positions: dict[int, list[int]]
    broken: list[tuple[int, int]]


async def read_books(connection: asyncpg.Connection) -> Books:
    """Read the tally and its log; `broken` names every position whose hash is wrong."""
    totals = await connection.fetch("select member, total from rules.tally")
    seen = await connection.fetch("select member, ordinal from rules.tally_seen order by shard, position")
    log = await connection.fetch("select shard, position, body, hash from rules.event order by shard, position")
    orders: dict[str, list[int]] = {}
    for row in seen:
        orders.setdefault(row["member"], []).append(row["ordinal"])
    positions: dict[int, list[int]] = {}
    for row in log:
        positions.setdefault(row["shard"], []).append(row["position"])
    return Books({row["member"]: row["total"] for row in totals}, orders, positions, _broken(log))


def _broken(log: Sequence[Any]) -> list[tuple[int, int]]:
    from hashlib import sha256  # noqa: PLC0415 - the check stands beside nothing else that hashes

    previous: dict[int, bytes] = {}
    broken = []
    for row in log:
        expected = sha256(previous.get(row["shard"], bytes(32)) + row["body"]).digest()
        if expected != row["hash"]:
            broken.append((row["shard"], row["position"]))
        previous[row["shard"]] = row["hash"]
    return broken


def is_gap_free(positions: dict[int, list[int]]) -> bool:
    """Whether each shard's positions are 1, 2, 3 … without a gap."""
    return all(found == list(range(1, len(found) + 1)) for found in positions.values())


def dead_letter_id(topic: str, partition: int, offset: int) -> UUID:
    """The id of what the tally set aside."""
    return derive("dead-letter", "tally", topic, str(partition), str(offset))
