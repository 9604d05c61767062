"""The relay: tails the log by shard and position, and publishes each entry to Kafka as it stands.

One relay of a schema is active; others stand by. Entries of one key keep their order: they lie in one shard, are sent
in the order of their positions, and the idempotent producer keeps batches of a partition in sequence. What was sent
but not yet noted is sent again after a crash: those who read it know each message by its id.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import asyncpg
import orjson
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from contracts.catalogue import TOPIC_OF_TYPE
from contracts.envelope import STRUCTURED_CONTENT_TYPE
from contracts.shards import SHARDS, murmur2, shard_of
from contracts.topics import DEAD_LETTER_TYPE, Topic
from services.runtime.backoff import Backoff
from services.runtime.gate import Clock
from services.runtime.postgres import SQL, Pool, is_world_fault
from services.runtime.settings import RuntimeSettings
from services.runtime.telemetry.metrics import RELAY_LAG, RELAYED
from services.runtime.writer import wall_clock

log = structlog.get_logger(__name__)

LOCK_CLASS: Final = 7_305_013
"""The first half of the advisory lock of all relays; the schema is the second."""


class LogGapError(OSError):
    """An entry is missing in the log: nothing behind it is published, and a person must look. Tried again."""


Route = Callable[[str], str]
_CONTENT_TYPE: Final = ("content-type", STRUCTURED_CONTENT_TYPE)
_HEADERS: Final = [_CONTENT_TYPE]


def topic_of_type(entry_type: str) -> str:
    """Give the topic of a type, as the contracts say."""
    return TOPIC_OF_TYPE[entry_type]


class Relay:
    """Publishes the log of one schema. `route` gives the topic (without prefix) of a type.

    With `prune` the log is an outbox: entries are deleted `outbox_retention_s` after they were recorded and relayed.
    """

    def __init__(
        self,
        pool: Pool,
        settings: RuntimeSettings,
        route: Route = topic_of_type,
        *,
        prune: bool = False,
        clock: Clock = wall_clock,
    ) -> None:
        self._pool = pool
        self._settings = settings
        self._route = route
        self._prune = prune
        self._clock = clock
        self._stopping = asyncio.Event()
        self._sent = [0] * SHARDS
        self._turn = 0
        self._idle_rounds = 0
        self._lag = RELAY_LAG.labels(pool.schema)
        self._relayed = RELAYED.labels(pool.schema)
        self.active = False
        self.lag = 0
        self.progress_at = time.monotonic()

    async def run(self) -> None:
        """Relay until `stop`; while Postgres or Kafka is away it waits and tries again."""
        backoff = Backoff.of(self._settings)
        while not self._stopping.is_set():
            try:
                await self._run_session(backoff)
            except Exception as error:
                if not (is_world_fault(error) or isinstance(error, KeyError)):
                    raise
                # A type without a topic waits too: the release that knows it is on its way, and order is kept.
                log.warning("relay waits", schema=self._pool.schema, error=f"{type(error).__name__}: {error}")
                await self._pause(backoff.next_s())

    def stop(self) -> None:
        """Ask the relay to end after the round in hand."""
        self._stopping.set()
        if self._pool.gate is not None:
            # It may be waiting for entries.
            self._pool.gate.appended.set()

    async def _run_session(self, backoff: Backoff) -> None:
        async with self._pool.acquire() as connection:
            if not await connection.fetchval(SQL.try_relay_lock, LOCK_CLASS):
                await self._pause(self._settings.relay_lock_retry_ms / 1_000)
                return
            try:
                # A position that is lost in a crash of Postgres only means that entries are sent again.
                await connection.execute("set synchronous_commit = off")
                await self._run_active(connection, backoff)
            finally:
                self.active = False
                if not connection.is_closed():
                    await connection.execute("reset synchronous_commit")
                    await connection.fetchval(SQL.release_relay_lock, LOCK_CLASS)

    async def _run_active(self, connection: asyncpg.Connection, backoff: Backoff) -> None:
        rows = await connection.fetch(SQL.relay_positions)
        for row in rows:
            self._sent[row["shard"]] = row["position"]
        producer = self._make_producer()
        pruning: asyncio.Task[None] | None = None
        try:
            await producer.start()
            log.info("relay active", schema=self._pool.schema)
            self.active = True
            pruning = asyncio.create_task(self._keep_pruning()) if self._prune else None
            while not self._stopping.is_set():
                count = await self._round(connection, producer)
                backoff.reset()
                self._idle_rounds = 0 if count else self._idle_rounds + 1
                if count == 0:
                    await self._wait_for_entries()
                elif count < self._settings.relay_small_round:
                    await self._pause(self._settings.relay_linger_ms / 1_000)
        finally:
            if pruning is not None:
                pruning.cancel()
            with suppress(KafkaError, OSError, asyncio.TimeoutError):
                # What Kafka has not taken by then is sent by the next relay: its position has not moved.
                await asyncio.wait_for(producer.stop(), self._settings.stop_grace_s / 2)

    async def _round(self, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> int:
        """Send what the logs hold beyond what was sent, as much as one round may take; gives how many entries."""
        if self._pool.gate is not None:
            self._pool.gate.appended.clear()
        heads = await connection.fetch(SQL.heads, self._sent)
        self.lag = sum(row["head"] - self._sent[row["shard"]] for row in heads)
        self._lag.set(self.lag)
        if not heads:
            return 0
        sending = Sending(producer, self._route, self._settings.topic_prefix)
        wanted = {row["shard"]: row["head"] for row in heads}
        if self.lag <= self._settings.relay_small_round:
            moved = await self._read_all(connection, sending, wanted)
        else:
            moved = await self._read_in_turn(connection, sending, wanted)
        await sending.finish()
        await connection.execute(SQL.move_relay, list(moved), list(moved.values()))
        for shard, position in moved.items():
            self._sent[shard] = position
        self._relayed.inc(sending.count)
        self.progress_at = time.monotonic()
        return sending.count

    async def _read_all(
        self, connection: asyncpg.Connection, sending: "Sending", wanted: Mapping[int, int]
    ) -> dict[int, int]:
        """Read a little of many shards in one round trip; what is too much for it comes with the next round."""
        until = [wanted.get(shard, 0) for shard in range(SHARDS)]
        settings = self._settings
        entries = await connection.fetch(
            SQL.log_after_each, self._sent, until, settings.relay_round_bytes, settings.relay_small_round
        )
        moved: dict[int, int] = {}
        for entry in entries:
            shard = entry["shard"]
            after = moved.get(shard, self._sent[shard])
            if entry["position"] != after + 1:
                raise self._gap(shard, after)
            moved[shard] = entry["position"]
        if not moved:
            shard = min(wanted)
            raise self._gap(shard, self._sent[shard])
        await sending.add(entries)
        return moved

    async def _read_in_turn(
        self, connection: asyncpg.Connection, sending: "Sending", wanted: Mapping[int, int]
    ) -> dict[int, int]:
        moved: dict[int, int] = {}
        # A shard that is far behind must not keep the others waiting: each round begins at another one.
        self._turn = (self._turn + 1) % SHARDS
        for shard in sorted(wanted, key=lambda each: (each - self._turn) % SHARDS):
            if sending.bytes >= self._settings.relay_round_bytes:
                break
            moved |= await self._read(connection, sending, shard, wanted[shard])
        return moved

    def _gap(self, shard: int, after: int) -> LogGapError:
        return LogGapError(f"{self._pool.schema}: the log of shard {shard} has a gap after {after}")

    async def _read(self, connection: asyncpg.Connection, sending: "Sending", shard: int, head: int) -> dict[int, int]:
        entries = await connection.fetch(
            SQL.log_after,
            shard,
            self._sent[shard],
            head,
            self._settings.relay_batch_events,
            self._settings.relay_batch_bytes,
        )
        after = self._sent[shard]
        if not entries or entries[-1]["position"] - after != len(entries):
            raise self._gap(shard, after)
        await sending.add(entries)
        return {shard: entries[-1]["position"]}

    async def _wait_for_entries(self) -> None:
        settings = self._settings
        # A quiet log is looked at less often: what is first after a silence waits a little longer, and nothing else.
        quiet = self._idle_rounds * settings.relay_poll_ms > settings.relay_quiet_ms
        poll_s = (settings.relay_quiet_poll_ms if quiet else settings.relay_poll_ms) / 1_000
        gate = self._pool.gate
        if gate is None:
            await self._pause(poll_s)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(gate.appended.wait(), poll_s)

    async def _keep_pruning(self) -> None:
        while True:
            await asyncio.sleep(self._settings.outbox_prune_interval_s)
            before = self._clock() - timedelta(seconds=self._settings.outbox_retention_s)
            for shard in range(SHARDS):
                try:
                    await self._prune_shard(shard, before)
                except Exception as error:
                    if not is_world_fault(error):
                        raise
                    log.warning("outbox not pruned", schema=self._pool.schema, error=type(error).__name__)
                    break

    async def _prune_shard(self, shard: int, before: Any) -> None:  # noqa: ANN401 - a datetime
        rows = self._settings.outbox_prune_rows
        deleted = rows
        while deleted >= rows:
            answer = await self._pool.execute(SQL.prune_outbox, shard, self._sent[shard], before, rows)
            deleted = int(answer.removeprefix("DELETE "))

    def _make_producer(self) -> AIOKafkaProducer:
        settings = self._settings
        return AIOKafkaProducer(
            bootstrap_servers=settings.kafka_bootstrap,
            client_id=f"{settings.topic_prefix}{self._pool.schema}-relay",
            enable_idempotence=True,
            acks="all",
            max_batch_size=settings.relay_send_batch_bytes,
            max_request_size=settings.relay_send_batch_bytes * 2,
            request_timeout_ms=settings.kafka_request_timeout_ms,
            metadata_max_age_ms=settings.kafka_metadata_max_age_ms,
        )

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def _partition_of(key: str, partitions: int) -> int:
    # Kafka's own partitioner; with as many partitions as shards its answer is remembered by key.
    return shard_of(key) if partitions == SHARDS else (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


class Sending:
    """One round on its way: a record batch for each partition, sent when it is full or the round ends."""

    def __init__(self, producer: AIOKafkaProducer, route: Route, prefix: str) -> None:
        self._producer = producer
        self._route = route
        self._prefix = prefix
        self._open: dict[tuple[str, int], Any] = {}
        self._waiting: list[asyncio.Future[Any]] = []
        self._partitions: dict[str, int] = {}
        self.bytes = 0
        self.count = 0

    async def add(self, entries: Sequence[Any]) -> None:
        """Put entries into the batches of their partitions, in order."""
        for entry in entries:
            topic = self._topic(entry)
            partitions = self._partitions.get(topic) or await self._find_partitions(topic)
            key = entry["key"]
            place = (topic, _partition_of(key, partitions))
            trace = entry["traceparent"]
            headers = [_CONTENT_TYPE, ("traceparent", trace.encode())] if trace else _HEADERS
            body = entry["body"]
            builder = self._open.get(place) or self._new_builder(place)
            if builder.append(timestamp=None, key=key.encode(), value=body, headers=headers) is None:
                await self._send(place)
                self._new_builder(place).append(timestamp=None, key=key.encode(), value=body, headers=headers)
            self.bytes += len(body)
        self.count += len(entries)

    async def finish(self) -> None:
        """Send what is open and wait until Kafka has taken everything. Raises a KafkaError otherwise."""
        for place in list(self._open):
            await self._send(place)
        outcomes = await asyncio.gather(*self._waiting, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def _topic(self, entry: Any) -> str:  # noqa: ANN401 - a row
        if entry["type"] == DEAD_LETTER_TYPE:
            origin = orjson.loads(entry["body"])["data"]["topic"]
            return self._prefix + Topic(origin, "", ()).dead_letters
        return self._prefix + self._route(entry["type"])

    async def _find_partitions(self, topic: str) -> int:
        partitions = len(await self._producer.partitions_for(topic))
        self._partitions[topic] = partitions
        return partitions

    def _new_builder(self, place: tuple[str, int]) -> Any:  # noqa: ANN401 - aiokafka's BatchBuilder
        builder = self._open[place] = self._producer.create_batch()
        return builder

    async def _send(self, place: tuple[str, int]) -> None:
        topic, partition = place
        builder = self._open.pop(place)
        builder.close()
        self._waiting.append(await self._producer.send_batch(builder, topic, partition=partition))
