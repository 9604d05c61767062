"""The ledger by itself: appends from Kafka, commands and reads over HTTP, and what a long history costs."""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import asyncpg
import orjson
import psutil

from contracts.awards import AccruePoints
from contracts.shards import shard_of
from deploy.local.stack import Stack
from examples.demo.messages import Outgoing
from examples.demo.publisher import publisher
from services.ledger.processor import LOG_COLUMNS, LedgerProcessor
from services.ledger.programmes import Programmes
from services.runtime.messages import Message
from services.runtime.postgres import open_pool
from services.runtime.settings import RuntimeSettings
from services.runtime.writer import ShardWriter
from tests.benchmarks import awards, http_load
from tests.benchmarks.http_load import LoadResult, percentiles

ACCOUNTS: Final = 2_000
INGESTED: Final = 100_000
CONNECTIONS: Final = 64
COMMANDS: Final = 10_000
READS_PER_SECOND: Final = 100
READS: Final = 1_000
READ_CONNECTIONS: Final = 8
HISTORIES: Final = (10, 1_000, 100_000)
_SEED: Final = 11
_LOOK_S: Final = 0.05
_PROBE_EVENTS: Final = 1_000
_PROBE_BATCH: Final = 10
_FILL_BATCH: Final = 500

_STANDING: Final = (
    "select coalesce(sum(s.head), 0)::bigint as head, coalesce(sum(r.position), 0)::bigint as relayed"
    " from ledger.shard s left join ledger.relay_position r using (shard)"
)


@contextmanager
def held_still(stack: Stack, name: str) -> Iterator[None]:
    """Keep a process from running for the time of a block, so that a backlog can be laid in front of it."""
    process = psutil.Process(stack.state().processes[name].pid)
    process.suspend()
    try:
        yield
    finally:
        process.resume()


async def ingest(stack: Stack, environment: dict[str, str]) -> dict[str, float]:
    """Events a second from a backlog of awards in Kafka to relayed events, hash chain and projections included."""
    connection = await asyncpg.connect(environment["BONUS_POSTGRES_DSN"])
    before = (await connection.fetchrow(_STANDING))["head"]
    async with publisher(environment["BONUS_KAFKA_BOOTSTRAP"]) as sender:
        with held_still(stack, "ledger-work"):
            await sender.publish(awards.accruals("ingest", ACCOUNTS, INGESTED))
    started = time.perf_counter()
    while True:
        row = await connection.fetchrow(_STANDING)
        if row["head"] - before >= INGESTED and row["relayed"] == row["head"]:
            break
        await asyncio.sleep(_LOOK_S)
    seconds = time.perf_counter() - started
    size = await connection.fetchval(
        "select avg(length(body)) from (select body from ledger.event limit 1000) as events"
    )
    await connection.close()
    return {"events_per_second": (row["head"] - before) / seconds, "body_bytes": float(size)}


async def redemptions(environment: dict[str, str], run: str, count: int = COMMANDS) -> LoadResult:
    """Redemptions of one point each over HTTP, from 64 connections, on accounts at random."""
    chance = random.Random(_SEED)  # noqa: S311 - the same load every time, nothing secret
    url = urlsplit(environment["BONUS_LEDGER_URL"])
    body = orjson.dumps({"currency": awards.CURRENCY, "points": "0.01"})
    requests = [
        http_load.request(
            "POST",
            f"/v1/accounts/{awards.account(chance.randrange(ACCOUNTS))}/redemptions",
            url.netloc,
            {"Authorization": f"Bearer {environment['BONUS_TOKEN']}", "Idempotency-Key": f"{run}-{number}"},
            body,
        )
        for number in range(count)
    ]
    return await http_load.run(url.hostname or "", url.port or 0, requests, CONNECTIONS)


async def reads_while_writing(stack: Stack, environment: dict[str, str]) -> dict[str, float]:
    """Milliseconds of balance reads at a steady rate while the ledger books a backlog as fast as it can.

    The backlog is there before the reads begin: whoever measures has nothing else to do meanwhile.
    """
    url = urlsplit(environment["BONUS_LEDGER_URL"])
    chance = random.Random(_SEED)  # noqa: S311 - the same load every time, nothing secret
    reads = [
        http_load.request(
            "GET",
            f"/v1/accounts/{awards.account(chance.randrange(ACCOUNTS))}",
            url.netloc,
            {"Authorization": f"Bearer {environment['BONUS_TOKEN']}"},
        )
        for _ in range(READS)
    ]
    async with publisher(environment["BONUS_KAFKA_BOOTSTRAP"]) as sender:
        with held_still(stack, "ledger-work"):
            await sender.publish(awards.accruals("reads", ACCOUNTS, INGESTED // 2))
        result = await http_load.run_paced(url.hostname or "", url.port or 0, reads, READ_CONNECTIONS, READS_PER_SECOND)
    return percentiles(result.latencies_ms)


async def cost_by_history(dsn: str) -> dict[str, float]:
    """Microseconds an event for one account that has 10, 1,000 and 100,000 events already, in batches of ten."""
    settings = RuntimeSettings(postgres_dsn=dsn)
    pool = await open_pool(settings, "ledger")
    try:
        writer = ShardWriter(pool, LedgerProcessor(Programmes()), settings=settings, log_columns=LOG_COLUMNS)
        return {str(history): await _cost(writer, history) for history in HISTORIES}
    finally:
        await pool.close()


async def _cost(writer: ShardWriter, history: int) -> float:
    number = ACCOUNTS + history
    await _book(writer, number, "fill", history, _FILL_BATCH)
    await _book(writer, number, "warm", _PROBE_EVENTS // 10, _PROBE_BATCH)
    started = time.perf_counter()
    await _book(writer, number, "probe", _PROBE_EVENTS, _PROBE_BATCH)
    return (time.perf_counter() - started) / _PROBE_EVENTS * 1_000_000


async def _book(writer: ShardWriter, number: int, run: str, count: int, batch: int) -> None:
    shard = shard_of(str(awards.account(number)))
    for first in range(0, count, batch):
        await writer.write(shard, _messages(number, run, range(first, min(first + batch, count))))


def _messages(number: int, run: str, causes: Sequence[int]) -> list[Message]:
    at = datetime.now(UTC)
    return [
        # Every lot expires at an instant of its own within two years, soonest first as programmes have it.
        _decoded(
            awards.accrual(f"{run}-{number}-{cause}", number, 1_00, at, at + timedelta(days=30, minutes=7 * cause))
        )
        for cause in causes
    ]


def _decoded(outgoing: Outgoing) -> Message:
    content = orjson.loads(outgoing.value)
    event = AccruePoints.model_validate(content)
    return Message(
        type=event.type, id=event.id, source=event.source, tenant=event.tenant, content=content, event=event,
        key=outgoing.key,
    )  # fmt: skip
