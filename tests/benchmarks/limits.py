"""What the parts can do by themselves on this machine, taken in the same run as what is held against it."""

import time
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from contracts.shards import SHARDS

COPY_ROWS: Final = 100_000
COPY_BATCH_ROWS: Final = 5_000
MESSAGES: Final = 100_000
MESSAGE_BYTES: Final = 400


async def copy_rows_per_second(dsn: str, body_bytes: int) -> float:
    """Rows a second by COPY into a table with the columns, indexes and partitions' shape of the ledger's log."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("create table ledger.bench_event (like ledger.event including all)")
        body = b"x" * body_bytes
        started = time.perf_counter()
        for first in range(0, COPY_ROWS, COPY_BATCH_ROWS):
            shard = first // COPY_BATCH_ROWS % SHARDS
            rows = [_row(shard, 1 + first + number, body) for number in range(COPY_BATCH_ROWS)]
            await connection.copy_records_to_table("bench_event", schema_name="ledger", records=rows, columns=_COLUMNS)
        return COPY_ROWS / (time.perf_counter() - started)
    finally:
        await connection.execute("drop table if exists ledger.bench_event")
        await connection.close()


_COLUMNS: Final = (
    "shard", "position", "event_id", "key", "type", "recorded_at", "body", "hash", "account_id", "version",
)  # fmt: skip
_NOW: Final = datetime.now(UTC)
_ACCOUNT: Final = uuid4()


def _row(shard: int, position: int, body: bytes) -> tuple[Any, ...]:
    return (
        shard,
        position,
        uuid4(),
        str(_ACCOUNT),
        "bonus.points.accrued.v1",
        _NOW,
        body,
        body[:32],
        _ACCOUNT,
        position,
    )


async def kafka_per_second(bootstrap: str, topic: str) -> dict[str, float]:
    """Messages of 400 bytes a second, produced with idempotence and consumed again, on an empty topic."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, linger_ms=20, max_batch_size=131_072
    )
    await producer.start()
    started = time.perf_counter()
    value = b"x" * MESSAGE_BYTES
    futures = [await producer.send(topic, value, partition=number % SHARDS) for number in range(MESSAGES)]
    for future in futures:
        await future
    produced = MESSAGES / (time.perf_counter() - started)
    await producer.stop()
    return {"produce": produced, "consume": await _consume(bootstrap, topic)}


async def _consume(bootstrap: str, topic: str) -> float:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition(topic, partition) for partition in range(SHARDS)])
    started = time.perf_counter()
    taken = 0
    while taken < MESSAGES:
        batches = await consumer.getmany(timeout_ms=1_000, max_records=10_000)
        taken += sum(len(batch) for batch in batches.values())
    rate = taken / (time.perf_counter() - started)
    await consumer.stop()
    return rate
