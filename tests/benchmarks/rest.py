"""Waiting until a system is at rest, so that what is measured next does not share the machine with what was before."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

_AT_MOST_S: Final = 300.0
_LOOK_S: Final = 0.5
_LOOKS: Final = 2
_OFFSETS: Final = " union all ".join(
    f"select topic, partition, min(next_offset) as next_offset from {schema}.consumer_offset group by topic, partition"  # noqa: S608 - the schemas are ours
    for schema in ("rules", "ledger", "notifier")
)


async def at_rest(environment: Mapping[str, str]) -> None:
    """Wait until every service has taken all there is in its topics. Raises TimeoutError."""
    connection = await asyncpg.connect(environment["BONUS_POSTGRES_DSN"])
    consumer = AIOKafkaConsumer(bootstrap_servers=environment["BONUS_KAFKA_BOOTSTRAP"])
    await consumer.start()
    try:
        quiet, ends_at_s = 0, time.monotonic() + _AT_MOST_S
        while quiet < _LOOKS:
            if time.monotonic() > ends_at_s:
                raise TimeoutError(f"the services did not come to rest within {_AT_MOST_S:.0f} s")
            quiet = quiet + 1 if await _nothing_waits(connection, consumer) else 0
            await asyncio.sleep(_LOOK_S)
    finally:
        await consumer.stop()
        await connection.close()


async def _nothing_waits(connection: asyncpg.Connection, consumer: AIOKafkaConsumer) -> bool:
    taken: dict[TopicPartition, int] = {}
    for row in await connection.fetch(_OFFSETS):
        place = TopicPartition(row["topic"], row["partition"])
        taken[place] = min(row["next_offset"], taken.get(place, row["next_offset"]))
    ends = await consumer.end_offsets(list(taken))
    return all(taken[place] >= end for place, end in ends.items())
