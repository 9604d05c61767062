"""How long a purchase takes to become a balance, seen from outside: from sending it to its event of the books."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from contracts.shards import SHARDS
from contracts.topics import LEDGER_EVENTS
from examples.demo.messages import Outgoing

_FETCH_WAIT_MS: Final = 50
_FETCH_MIN_BYTES: Final = 64 * 1024
_ACCRUED: Final = "bonus.points.accrued.v1"


class VisibleClock:
    """Starts a stop-watch for each purchase as it is sent, and stops it when the ledger's event arrives here.

    The event is published after the balance was committed, so a little more is measured than what it stands for.
    """

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._sent_s: dict[str, float] = {}
        self._elapsed_ms: dict[str, float] = {}

    @classmethod
    @asynccontextmanager
    async def listening(cls, bootstrap: str) -> AsyncIterator["VisibleClock"]:
        """A clock that hears every event of the books from now on."""
        # Events are fetched some at a time: watching each by itself would take more of the machine than it measures.
        consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            fetch_min_bytes=_FETCH_MIN_BYTES,
        )
        await consumer.start()
        partitions = [TopicPartition(LEDGER_EVENTS.name, partition) for partition in range(SHARDS)]
        consumer.assign(partitions)
        await consumer.seek_to_end(*partitions)
        clock = cls(consumer)
        hearing = asyncio.create_task(clock.hear())
        try:
            yield clock
        finally:
            hearing.cancel()
            with suppress(asyncio.CancelledError):
                await hearing
            await consumer.stop()

    def stamped(self, outgoing: Iterable[Outgoing]) -> Iterator[Outgoing]:
        """The same messages; each one's watch starts as it is handed out."""
        for message in outgoing:
            self._sent_s[orjson.loads(message.value)["data"]["purchase_id"]] = time.perf_counter()
            yield message

    async def hear(self) -> None:
        """Stop watches as events arrive, until cancelled."""
        async for record in self._consumer:
            now_s = time.perf_counter()
            event = orjson.loads(record.value)
            if event["type"] == _ACCRUED:
                sent_s = self._sent_s.get(event["data"]["source"]["id"])
                if sent_s is not None:
                    self._elapsed_ms[event["data"]["source"]["id"]] = (now_s - sent_s) * 1_000

    def elapsed_ms(self) -> list[float]:
        """What was measured; purchases that earned nothing have no event and are left out."""
        return list(self._elapsed_ms.values())
