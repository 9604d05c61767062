"""When a system has come to rest: everything sent is taken, decided, booked and published, and nothing is due.

The flow is read from outside, as an operator would: the statements here are no part of any service.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.topics import (
    ACTIVITIES,
    AWARDS,
    BUDGETS,
    IDENTIFIERS,
    LEDGER_EVENTS,
    MEMBER_EVENTS,
    PROGRAMMES,
    PURCHASE_INDEX,
    PURCHASES,
    RECEIPTS,
    REDEMPTIONS,
    RETURNS,
)

_OF_RULES: Final = (
    PURCHASES, ACTIVITIES, IDENTIFIERS, PURCHASE_INDEX, RETURNS, RECEIPTS, BUDGETS, LEDGER_EVENTS,
)  # fmt: skip

CONSUMED: Final[Mapping[str, tuple[str, ...]]] = {
    "rules": tuple(topic.name for topic in _OF_RULES),
    "ledger": tuple(topic.name for topic in (AWARDS, REDEMPTIONS, MEMBER_EVENTS, PROGRAMMES)),
}
"""Which topics each service takes in."""

_LOOK_S: Final = 0.05
_LOOK_FROM_AFAR_S: Final = 0.3
_FAR: Final = 100
"""Messages still to be taken from which on looks are rarer: looking costs the system a little."""

_TAKEN: Final = """
select topic, min(taken) as taken
from (
    select topic, consumer_group, sum(next_offset) as taken from {schema}.consumer_offset group by topic, consumer_group
) as groups
group by topic
"""
_LOGGED: Final = """
select coalesce(sum(shard.head), 0) as head, coalesce(sum(relay_position.position), 0) as relayed
from {schema}.shard left join {schema}.relay_position using (shard)
"""
_DUE: Final = "select count(*) from ledger.account where due_at <= now()"


class UnrestError(AssertionError):
    """The flow did not come to rest in time."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How far everything is: (taken, there) of each topic and reader, (relayed, head) of each log, accounts due."""

    taken: Mapping[tuple[str, str], tuple[int, int]]
    logs: Mapping[str, tuple[int, int]]
    due: int

    @property
    def behind(self) -> int:
        """Messages and entries that somebody still has to take."""
        return sum(abs(there - here) for here, there in (*self.taken.values(), *self.logs.values()))

    @property
    def at_rest(self) -> bool:
        """Whether nothing is left to do."""
        return not self.behind and not self.due

    def __str__(self) -> str:
        """What is left to do, in words."""
        behind = {place: pair for place, pair in (*self.taken.items(), *self.logs.items()) if pair[0] != pair[1]}
        return f"behind: {behind}, accounts due: {self.due}"


class Settling:
    """Reads a system's flow. `partitions` of each topic by its name without the prefix."""

    def __init__(
        self, connection: asyncpg.Connection, consumer: AIOKafkaConsumer, prefix: str, partitions: Mapping[str, int]
    ) -> None:
        self._connection = connection
        self._consumer = consumer
        self._prefix = prefix
        self._partitions = partitions

    async def wait(self, timeout_s: float) -> None:
        """Wait for rest. Raises UnrestError.

        What is counted only grows, so two equal readings say that nothing moved in between: at the instant between
        them all of it was true at once.
        """
        ends_at = time.monotonic() + timeout_s
        before: Reading | None = None
        while True:
            reading = await self.read()
            if reading.at_rest and reading == before:
                return
            if time.monotonic() > ends_at:
                raise UnrestError(f"not at rest after {timeout_s:.0f} s; {reading}")
            before = reading
            await asyncio.sleep(_LOOK_FROM_AFAR_S if reading.behind > _FAR else _LOOK_S)

    async def read(self) -> Reading:
        """How far everything is now."""
        ends = await self._ends()
        taken: dict[tuple[str, str], tuple[int, int]] = {}
        logs: dict[str, tuple[int, int]] = {}
        for schema, topics in CONSUMED.items():
            rows = await self._connection.fetch(_TAKEN.format(schema=schema))
            by_topic = {row["topic"]: int(row["taken"]) for row in rows}
            for topic in topics:
                taken[schema, topic] = (by_topic.get(self._prefix + topic, 0), ends[topic])
            row = await self._connection.fetchrow(_LOGGED.format(schema=schema))
            logs[schema] = (int(row["relayed"]), int(row["head"]))
        return Reading(taken, logs, await self._connection.fetchval(_DUE))

    async def _ends(self) -> dict[str, int]:
        topics = {topic for topics in CONSUMED.values() for topic in topics}
        places = [
            TopicPartition(self._prefix + topic, partition)
            for topic in topics
            for partition in range(self._partitions[topic])
        ]
        ends = dict.fromkeys(topics, 0)
        for place, end in (await self._consumer.end_offsets(places)).items():
            ends[place.topic.removeprefix(self._prefix)] += end
        return ends
