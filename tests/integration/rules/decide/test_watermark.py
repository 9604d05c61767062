"""The watermark moves only when everything that was published has been decided."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition

from contracts.topics import PURCHASES, RECEIPTS
from services.rules.decide.watermark import Watermark
from services.runtime import offsets
from services.runtime.settings import RuntimeSettings
from tests.integration.rules.decide.conftest import NOW, Counter


async def test_D5_it_waits_for_messages_and_for_the_log(
    counter: Counter, kafka_bootstrap: str, kafka_topics: Any, topic_namespace: str
) -> None:
    """A purchase that nobody has taken yet holds it back; so does a log entry that Kafka has not taken."""
    names = await kafka_topics({PURCHASES.name: 2, RECEIPTS.name: 2})
    settings = RuntimeSettings(kafka_bootstrap=kafka_bootstrap, topic_prefix=topic_namespace)
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
        await producer.send_and_wait(names[PURCHASES.name], b"{}", partition=1)
    await counter.pool.execute("update shard set head = 1 where shard = 7")
    clock = [NOW]
    watermark = Watermark(counter.pool, settings, clock=lambda: clock[0])
    running = asyncio.create_task(watermark.run())
    await asyncio.sleep(2)
    assert watermark.decided_through is None
    clock[0] = NOW + timedelta(minutes=1)
    await counter.pool.execute("update relay_position set position = 1 where shard = 7")
    await asyncio.sleep(2)
    assert watermark.decided_through is None
    await offsets.store(counter.pool, "rules-identify", {TopicPartition(names[PURCHASES.name], 1): 1})
    await until(lambda: watermark.decided_through is not None)
    assert watermark.decided_through == NOW
    watermark.stop()
    await asyncio.wait_for(running, 20)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for it, for a while."""
    deadline = datetime.now(UTC) + timedelta(seconds=30)
    while not holds() and datetime.now(UTC) < deadline:  # noqa: ASYNC110 - nothing tells when the watermark moves
        await asyncio.sleep(0.1)
