"""The one worker loop: poll, decode once, group by shard, transactions of several shards, then the offsets.

Offsets are kept in Postgres and sought on assignment; Kafka is told of them for its dashboards alone. A partition that
meets a fault of the world, too many dead letters or an unknown version stops there: it is sought back and paused, and
tried again without end, while the others go on.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError

from services.runtime import offsets
from services.runtime.backoff import Backoff
from services.runtime.batch import Batch, Stop
from services.runtime.postgres import is_world_fault
from services.runtime.settings import RuntimeSettings
from services.runtime.telemetry.metrics import CONSUMER_LAG, PAUSED_PARTITIONS
from services.runtime.writer import ShardWriter

log = structlog.get_logger(__name__)

_POLL_INTERVAL_MAX_MS = 600_000


class ConsumerLoop(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """One consumer group's member in this process. `writers` says who takes which topic (names without prefix).

    In the background it collects more before it works: nobody waits for what it does.
    """

    def __init__(
        self, writers: Mapping[str, ShardWriter], group: str, settings: RuntimeSettings, *, in_background: bool = False
    ) -> None:
        self.group = settings.topic_prefix + group
        self._writers = dict(writers)
        self._names = {settings.topic_prefix + topic: topic for topic in writers}
        self._settings = settings
        collect_ms = settings.consumer_background_collect_ms if in_background else settings.consumer_collect_ms
        self._collect_s = collect_ms / 1_000
        self._pool = next(iter(self._writers.values())).pool
        self._consumer: AIOKafkaConsumer | None = None
        self._busy = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._to_seek: set[TopicPartition] = set()
        self._unstored: dict[TopicPartition, int] = {}
        self._paused: dict[TopicPartition, tuple[float, str]] = {}
        self._collecting: AbstractSet[TopicPartition] = frozenset()
        self._backoffs: dict[TopicPartition, Backoff] = {}
        self._told: dict[TopicPartition, int] = {}
        self._telling: asyncio.Task[None] | None = None
        self._told_at = 0.0
        self.joined = False
        self.progress_at = time.monotonic()

    async def run(self) -> None:
        """Consume until `stop`: the batch in hand is finished, its offsets stored, the group left."""
        backoff = Backoff.of(self._settings)
        while not self._stopping.is_set():
            try:
                await self._consume(backoff)
            except (KafkaError, OSError) as error:
                log.warning("kafka is away", group=self.group, error=f"{type(error).__name__}: {error}")
                await self._pause(backoff.next_s())

    def stop(self) -> None:
        """Ask the loop to end after the batch in hand."""
        self._stopping.set()

    @property
    def waiting_for(self) -> Mapping[str, int]:
        """How many partitions wait, by reason."""
        return Counter(reason for _, reason in self._paused.values())

    def shards(self) -> frozenset[int]:
        """The shards of the partitions that this worker has: with range assignment no other worker has them."""
        if self._consumer is None or not self.joined:
            return frozenset()
        return frozenset(place.partition for place in self._consumer.assignment())

    async def _consume(self, backoff: Backoff) -> None:
        consumer = self._make_consumer()
        self._consumer = consumer
        try:
            await consumer.start()
            consumer.subscribe(list(self._names), listener=self)
            while not self._stopping.is_set():
                await self._turn(consumer)
                backoff.reset()
        finally:
            self.joined = False
            with suppress(KafkaError, OSError):
                await consumer.stop()
            if self._telling is not None:
                await asyncio.wait([self._telling])

    async def _turn(self, consumer: AIOKafkaConsumer) -> None:
        if self._to_seek:
            await self._seek(consumer)
        self._resume_due(consumer)
        polled = await consumer.getmany(
            timeout_ms=self._settings.consumer_poll_wait_ms, max_records=self._settings.consumer_poll_records
        )
        if polled:
            collected_at = self._collect(consumer, polled)
            # Nothing is awaited between the poll and the lock, so no partition is lost in between.
            async with self._busy:
                batch = Batch(self._writers, self._names, self._settings)
                await batch.work(polled)
                self._apply(consumer, batch)
                await self._store()
            await self._pause(collected_at - time.monotonic())
            self._resume(consumer)
        self._tell_kafka(consumer)

    def _collect(self, consumer: AIOKafkaConsumer, polled: Mapping[TopicPartition, Sequence[object]]) -> float:
        """After a small poll fetch nothing for a while, so that more comes together; gives the end of it.

        It is done here and not by the broker (`fetch.min.bytes`), which looks at all partitions of a waiting fetch
        again with every batch that any of them is given.
        """
        if sum(map(len, polled.values())) >= self._settings.consumer_small_poll:
            return 0.0
        self._collecting = consumer.assignment() - consumer.paused()
        consumer.pause(*self._collecting)
        return time.monotonic() + self._collect_s

    def _resume(self, consumer: AIOKafkaConsumer) -> None:
        held = self._paused.keys() | self._to_seek
        places, self._collecting = (self._collecting & consumer.assignment()) - held, frozenset()
        consumer.resume(*places)

    def _apply(self, consumer: AIOKafkaConsumer, batch: Batch) -> None:
        now = time.monotonic()
        for place, next_offset in batch.done.items():
            self._unstored[place] = next_offset
            if place not in batch.stops:
                self._backoffs.pop(place, None)
                self.progress_at = now
        for place, stop in batch.stops.items():
            self._hold(consumer, place, stop, now)
        self._show_paused()

    def _hold(self, consumer: AIOKafkaConsumer, place: TopicPartition, stop: Stop, now: float) -> None:
        pause_s = self._backoffs.setdefault(place, Backoff.of(self._settings)).next_s()
        self._paused[place] = (now + pause_s, stop.reason)
        with suppress(IllegalStateError):
            # Not assigned any more: whoever has it now begins at the stored offset.
            consumer.seek(place, stop.offset)
            consumer.pause(place)

    def _resume_due(self, consumer: AIOKafkaConsumer) -> None:
        now = time.monotonic()
        due = [place for place, (at, _) in self._paused.items() if at <= now and place not in self._to_seek]
        for place in due:
            del self._paused[place]
            with suppress(IllegalStateError):
                consumer.resume(place)

    async def _store(self) -> None:
        """Store what is done; if Postgres is away it is tried with the next batch, and on giving partitions up."""
        if not self._unstored:
            return
        stored = dict(self._unstored)
        try:
            await offsets.store(self._pool, self.group, stored)
        except Exception as error:
            if not is_world_fault(error):
                raise
            log.warning("offsets not stored yet", group=self.group, error=f"{type(error).__name__}: {error}")
            return
        self._told.update(stored)
        self._unstored = {place: at for place, at in self._unstored.items() if stored.get(place) != at}

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        """Go to the stored offsets of partitions that were just assigned; until then they are paused."""
        wanted = set(self._to_seek)
        try:
            stored = await offsets.load(self._pool, self.group, self._names)
            first = await consumer.beginning_offsets(list(wanted))
            last = await consumer.end_offsets(list(wanted))
            starts = {place: self._start(place, stored.get(place), first[place], last[place]) for place in wanted}
            behind = {place: at for place, at in starts.items() if at < stored.get(place, 0)}
            if behind:
                await offsets.rewind(self._pool, self.group, behind)
        except Exception as error:
            if not is_world_fault(error):
                raise
            log.warning("stored offsets unknown yet", group=self.group, error=f"{type(error).__name__}: {error}")
            backoff = self._backoffs.setdefault(min(wanted), Backoff.of(self._settings))
            await self._pause(backoff.next_s())
            return
        for place in wanted & self._to_seek:
            self._to_seek.discard(place)
            self._told[place] = starts[place]
            with suppress(IllegalStateError):
                consumer.seek(place, starts[place])
                consumer.resume(place)
        self.joined = True

    def _start(self, place: TopicPartition, stored: int | None, first: int, last: int) -> int:
        if stored is None:
            return first
        if stored > last:
            # The topic is not the one that was read before; what is known is recognised, so from the beginning.
            log.error("offset beyond its log", topic=place.topic, partition=place.partition, stored=stored, last=last)
            return first
        if stored < first:
            log.error("messages are lost", topic=place.topic, partition=place.partition, stored=stored, first=first)
            return first
        return stored

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Before partitions go to another worker: finish the batch in hand and store how far it came."""
        async with self._busy:
            await self._store()
            for place in revoked:
                self._to_seek.discard(place)
                self._paused.pop(place, None)
                self._backoffs.pop(place, None)
                self._unstored.pop(place, None)
                self._told.pop(place, None)
            self._show_paused()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take partitions over: nothing is fetched until the loop has sought their stored offsets."""
        places = set(assigned)
        if self._consumer is not None:
            self._consumer.pause(*places)
        self._to_seek |= places
        self.joined = self.joined or not places
        log.info("partitions assigned", group=self.group, partitions=len(places))

    def _tell_kafka(self, consumer: AIOKafkaConsumer) -> None:
        """Every few seconds: lag for our metrics, offsets for Kafka's dashboards, never waited for."""
        now = time.monotonic()
        if now - self._told_at < self._settings.consumer_commit_to_kafka_s:
            return
        self._told_at = now
        lags = dict.fromkeys(self._names.values(), 0)
        for place in consumer.assignment():
            end = consumer.highwater(place)
            at = self._told.get(place)
            if end is not None and at is not None:
                lags[self._names[place.topic]] += max(0, end - at)
        for topic, lag in lags.items():
            CONSUMER_LAG.labels(self.group, topic).set(lag)
        if self._told and (self._telling is None or self._telling.done()):
            told = {place: at for place, at in self._told.items() if place in consumer.assignment()}
            self._telling = asyncio.create_task(_commit(consumer, told))

    def _show_paused(self) -> None:
        for reason in ("world", "dead_letters", "unknown_version"):
            PAUSED_PARTITIONS.labels(self.group, reason).set(self.waiting_for.get(reason, 0))

    def _make_consumer(self) -> AIOKafkaConsumer:
        settings = self._settings
        return AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_bootstrap,
            group_id=self.group,
            client_id=self.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=settings.consumer_session_timeout_ms,
            heartbeat_interval_ms=settings.consumer_heartbeat_ms,
            rebalance_timeout_ms=settings.consumer_rebalance_timeout_ms,
            max_poll_interval_ms=_POLL_INTERVAL_MAX_MS,
            request_timeout_ms=settings.kafka_request_timeout_ms,
            metadata_max_age_ms=settings.kafka_metadata_max_age_ms,
            fetch_max_wait_ms=settings.consumer_fetch_wait_ms,
            fetch_max_bytes=settings.consumer_fetch_max_bytes,
            max_partition_fetch_bytes=settings.consumer_partition_fetch_bytes,
        )

    async def _pause(self, seconds: float) -> None:
        if seconds <= 0:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


async def _commit(consumer: AIOKafkaConsumer, told: Mapping[TopicPartition, int]) -> None:
    # Nothing depends on it: a rebalance or a broker that is away only leaves a dashboard behind for a moment.
    with suppress(KafkaError, OSError, IllegalStateError):
        await consumer.commit(dict(told))
