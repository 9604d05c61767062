"""Sending the demo's messages to Kafka, as fast as the broker takes them or at a steady rate."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaProducer

from contracts.envelope import STRUCTURED_CONTENT_TYPE
from contracts.shards import shard_of
from examples.demo.messages import Outgoing

_HEADERS: Final = [("content-type", STRUCTURED_CONTENT_TYPE)]
_BATCH_BYTES: Final = 131_072
_LINGER_MS: Final = 20
_YIELD_EVERY: Final = 256


class Publisher:
    """A producer that counts what the broker has acknowledged."""

    def __init__(self, producer: AIOKafkaProducer, topic_prefix: str) -> None:
        self._producer = producer
        self._prefix = topic_prefix
        self.acknowledged = 0

    async def publish(self, messages: Iterable[Outgoing]) -> int:
        """Send all `messages` and wait until each is acknowledged; gives their number."""
        pending: list[asyncio.Future[object]] = []
        count = 0
        for count, message in enumerate(messages, 1):
            pending.append(await self._send(message))
            if count % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
        await asyncio.gather(*pending)
        return count

    async def publish_steadily(self, messages: Iterable[Outgoing], per_second: float) -> int:
        """Send `messages` one by one at a steady rate; none is delayed by an earlier one's acknowledgement."""
        pending: list[asyncio.Future[object]] = []
        started = time.perf_counter()
        count = 0
        for count, message in enumerate(messages, 1):
            pending.append(await self._send(message))
            await asyncio.sleep(max(0.0, started + count / per_second - time.perf_counter()))
        await asyncio.gather(*pending)
        return count

    async def _send(self, message: Outgoing) -> "asyncio.Future[object]":
        future: asyncio.Future[object] = await self._producer.send(
            self._prefix + message.topic,
            message.value,
            key=message.key.encode(),
            partition=shard_of(message.key),
            headers=_HEADERS,
        )
        future.add_done_callback(self._count)
        return future

    def _count(self, _: object) -> None:
        self.acknowledged += 1


@asynccontextmanager
async def publisher(bootstrap: str, topic_prefix: str = "") -> AsyncIterator[Publisher]:
    """A publisher for the time of a block."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        linger_ms=_LINGER_MS,
        max_batch_size=_BATCH_BYTES,
    )
    await producer.start()
    try:
        yield Publisher(producer, topic_prefix)
    finally:
        await producer.stop()
