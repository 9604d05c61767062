"""A whole system under test: its own database and topics, its processes, and small verbs to use it with."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from contracts.envelope import STRUCTURED_CONTENT_TYPE
from deploy.local.keys import Keys
from deploy.local.ports import LOOPBACK
from deploy.local.provision import Parts
from deploy.local.topics import TopicSpecification, create_topics, delete_topics
from deploy.topics import specifications
from tests.e2e.processes import SERVERS, WORKERS, Processes
from tests.e2e.settling import Reading, Settling, UnrestError
from tests.e2e.till import Outgoing

SETTLE_TIMEOUT_S: Final = 60.0
CONNECTIONS: Final = 50
_HEADERS: Final = [("content-type", STRUCTURED_CONTENT_TYPE)]
_IN_FLIGHT: Final = 2_000
# Brokers that others use too may take larger messages than we do.
_LARGE: Final = {"max.message.bytes": "4194304"}

QUICK: Final[Mapping[str, str]] = {
    # A session of six seconds is the shortest that a broker takes: so long its partitions wait for a killed worker.
    "BONUS_CONSUMER_SESSION_TIMEOUT_MS": "6000",
    "BONUS_CONSUMER_HEARTBEAT_MS": "500",
    "BONUS_CONSUMER_POLL_WAIT_MS": "50",
    "BONUS_CONSUMER_FETCH_WAIT_MS": "50",
    "BONUS_CONSUMER_COLLECT_MS": "30",
    "BONUS_RELAY_POLL_MS": "20",
    "BONUS_RELAY_LINGER_MS": "20",
    "BONUS_CONSUMER_BACKGROUND_COLLECT_MS": "100",
    "BONUS_RELAY_LOCK_RETRY_MS": "50",
    "BONUS_RETRY_FIRST_MS": "20",
    "BONUS_RETRY_MAX_MS": "500",
    "BONUS_SWEEP_INTERVAL_MS": "200",
    "BONUS_DUE_SWEEP_QUIET_S": "0",
    "BONUS_PROGRAMME_LEAD_S": "0",
    "BONUS_PROGRAMMES_REFRESH_S": "0.05",
    "BONUS_LEDGER_PROGRAMMES_POLL_MS": "50",
}
"""Settings under which a test waits for no more than it must."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a system is to be like. `partitions` of topics that shall not have the usual number, by name."""

    processes: Sequence[str] = (*WORKERS, *SERVERS)
    partitions: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


class System:
    """Everything that runs, and how to speak to it."""

    def __init__(self, dsn: str, prefix: str, bootstrap: str, keys: Keys, processes: Processes) -> None:
        self.dsn = dsn
        self.prefix = prefix
        self.bootstrap = bootstrap
        self.processes = processes
        self._keys = keys
        self._partitions: dict[str, int] = {}
        self._closing = AsyncExitStack()
        self.connection: asyncpg.Connection
        self._producer: AIOKafkaProducer
        self._consumer: AIOKafkaConsumer
        self._clients: dict[str, httpx.AsyncClient] = {}

    # Starting and stopping

    async def open(self, partitions: Mapping[str, int]) -> None:
        """Connect to the database and to Kafka."""
        self._partitions = dict(partitions)
        self.connection = await asyncpg.connect(self.dsn)
        self._closing.push_async_callback(self.disconnect)
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, enable_idempotence=True, max_request_size=4_000_000
        )
        await self._producer.start()
        self._closing.push_async_callback(self._producer.stop)
        self._consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap)
        await self._consumer.start()
        self._closing.push_async_callback(self._consumer.stop)

    async def close(self) -> None:
        """Let go of everything that `open` and the clients hold."""
        await self._closing.aclose()

    async def start(self) -> None:
        """Have every process running and ready."""
        await asyncio.to_thread(self.processes.start)

    async def stop(self) -> None:
        """Stop every process politely."""
        await asyncio.to_thread(self.processes.stop)

    async def reconnect(self) -> None:
        """Connect to the database anew, after it was put back or ended every session."""
        await self.disconnect()
        self.connection = await asyncpg.connect(self.dsn)

    async def disconnect(self) -> None:
        """Let go of the database, so that it can be copied or put back."""
        if not self.connection.is_closed():
            await self.connection.close()

    # Speaking

    def http(self, service: str) -> httpx.AsyncClient:
        """A client of one service's API, with a token that may do everything."""
        if service not in self._clients:
            limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
            client = httpx.AsyncClient(
                base_url=f"http://{LOOPBACK}:{self.processes.port(f'{service}-serve')}",
                headers={"Authorization": f"Bearer {self.token()}"},
                timeout=30,
                limits=limits,
                trust_env=False,
            )
            self._clients[service] = client
            self._closing.push_async_callback(client.aclose)
        return self._clients[service]

    def token(self) -> str:
        """A token that may do everything."""
        return self._keys.token(datetime.now(UTC))

    async def send(self, *messages: Outgoing) -> None:
        """Publish messages in their order, and see each of them taken by Kafka."""
        await self.send_all(messages)

    async def send_all(self, messages: Iterable[Outgoing], per_second: float | None = None) -> int:
        """Publish many messages, at a steady rate if one is named; gives their number."""
        waiting: list[asyncio.Future[object]] = []
        clock = asyncio.get_running_loop()
        started, count = clock.time(), 0
        for count, message in enumerate(messages, 1):
            partition = message.partition(self._partitions[message.topic])
            waiting.append(
                await self._producer.send(
                    self.prefix + message.topic,
                    message.value,
                    key=message.key.encode(),
                    partition=partition,
                    headers=_HEADERS,
                )
            )
            if per_second is not None:
                await asyncio.sleep(max(0.0, started + count / per_second - clock.time()))
            elif len(waiting) >= _IN_FLIGHT:
                await asyncio.gather(*waiting)
                waiting = []
        await asyncio.gather(*waiting)
        return count

    async def send_bytes(self, topic: str, key: str, value: bytes) -> tuple[int, int]:
        """Publish anything at all; gives its partition and offset."""
        partition = Outgoing(topic, key, value).partition(self._partitions[topic])
        sent = await self._producer.send_and_wait(
            self.prefix + topic, value, key=key.encode(), partition=partition, headers=_HEADERS
        )
        return int(sent.partition), int(sent.offset)

    async def published(self, topic: str) -> list[dict[str, Any]]:
        """Every message of a topic by now, in order within each partition."""
        places = [TopicPartition(self.prefix + topic, number) for number in range(self._partitions[topic])]
        ends = {place: end for place, end in (await self._consumer.end_offsets(places)).items() if end}
        found: list[dict[str, Any]] = []
        if not ends:
            return found
        self._consumer.assign(list(ends))
        await self._consumer.seek_to_beginning()
        while any([await self._consumer.position(place) < end for place, end in ends.items()]):
            for records in (await self._consumer.getmany(timeout_ms=200)).values():
                found += [orjson.loads(record.value) for record in records]
        return found

    # Waiting

    async def settle(self, timeout_s: float = SETTLE_TIMEOUT_S) -> None:
        """Wait until everything sent is taken, booked and published, and nothing is due."""
        try:
            await self._settling.wait(timeout_s)
        except UnrestError as error:
            raise UnrestError(f"{error}\n{self.processes.logs()}") from None

    async def reading(self) -> Reading:
        """How far everything is now."""
        return await self._settling.read()

    @property
    def _settling(self) -> Settling:
        return Settling(self.connection, self._consumer, self.prefix, self._partitions)

    async def dead_letters(self) -> list[dict[str, Any]]:
        """Everything that was set aside, in the order in which it was."""
        found: list[dict[str, Any]] = []
        for schema in ("rules", "ledger"):
            rows = await self.connection.fetch(f"select * from {schema}.dead_letter order by set_aside_at, topic")  # noqa: S608 - one of two
            found += [{"service": schema, **dict(row)} for row in rows]
        return found


@asynccontextmanager
async def running(parts: Parts, dsn: str, prefix: str, directory: Path, wishes: Wishes) -> AsyncIterator[System]:
    """A system on a migrated database of its own, with topics of its own, for as long as the context lasts."""
    specified = {
        name: TopicSpecification(
            wishes.partitions.get(name.removeprefix(prefix), wanted.partitions), {**wanted.configuration, **_LARGE}
        )
        for name, wanted in specifications(prefix).items()
    }
    made = await create_topics(parts.kafka_bootstrap, specified)
    keys = Keys(directory / "keys")
    keys.ensure()
    environment = {
        "BONUS_POSTGRES_DSN": dsn,
        "BONUS_KAFKA_BOOTSTRAP": parts.kafka_bootstrap,
        "BONUS_TOPIC_PREFIX": prefix,
        **keys.environment(),
        **QUICK,
        **wishes.settings,
    }
    system = System(dsn, prefix, parts.kafka_bootstrap, keys, Processes(directory, environment, wishes.processes))
    try:
        await system.open({name.removeprefix(prefix): topic.partitions for name, topic in specified.items()})
        yield system
    finally:
        await system.stop()
        await system.close()
        await delete_topics(parts.kafka_bootstrap, made)
