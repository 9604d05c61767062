"""The processes themselves, as a person starts them: worker, relay and API on a real Kafka and database."""

import asyncio
import base64
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts.topics import TOPICS
from services.rules.programmes.store import Answer, Place, ProgrammeStore
from services.runtime import tokens
from services.runtime.gate import gate_of
from services.runtime.postgres import open_pool
from services.runtime.settings import RuntimeSettings
from services.runtime.writer import wall_clock

PROJECT = Path(__file__).resolve().parents[4]
PATIENCE_S = 90
GROCER = """
programme: grocer
zone: Europe/Warsaw
money: PLN
currencies: {points: {scale: 2, worth: 1.00}}
earn:
  - {rule: cashback, give: 5 %}
"""

Make = Callable[..., dict[str, Any]]
MakeTopics = Callable[[Mapping[str, int]], Awaitable[dict[str, str]]]
Spawn = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def topics(kafka_topics: MakeTopics) -> dict[str, str]:
    """All topics, with two partitions each: workers group by shard whatever the partition."""
    names = [name for topic in TOPICS for name in (topic.name, topic.dead_letters)]
    return await kafka_topics(dict.fromkeys(names, 2))


@pytest.fixture
def environment(
    database: str, kafka_bootstrap: str, topic_namespace: str, tmp_path: Path
) -> tuple[dict[str, str], dict[str, str]]:
    """The variables of the processes, and the header of a caller who may read and write."""
    private, public = tokens.new_key_pair()
    key_file = tmp_path / "public.pem"
    key_file.write_bytes(public)
    key = base64.b64encode(bytes(range(32))).decode()
    scopes = ("rules:read", "rules:write")
    token = tokens.issue(
        private, subject="till", tenant="default", scopes=scopes, now=datetime.now(UTC), lifetime_s=3_600
    )
    variables = {
        "BONUS_POSTGRES_DSN": database,
        "BONUS_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "BONUS_TOPIC_PREFIX": topic_namespace,
        "BONUS_MASTER_KEYS": f"test:{key}",
        "BONUS_IDENTIFIER_KEY": key,
        "BONUS_TOKEN_PUBLIC_KEY_FILE": str(key_file),
    }
    return variables, {"authorization": f"Bearer {token}"}


@pytest.fixture
async def spawn(environment: tuple[dict[str, str], dict[str, str]], tmp_path: Path) -> AsyncIterator[Spawn]:
    """A function that starts `bonus rules …`; everything that it started is gone at the end."""
    started: list[asyncio.subprocess.Process] = []

    async def start(*arguments: str) -> asyncio.subprocess.Process:
        with (tmp_path / f"{arguments[0]}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.command", "rules", *arguments,
                cwd=PROJECT, env=os.environ | environment[0], stdout=log, stderr=log,
            )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.terminate()
    for process in started:
        assert await asyncio.wait_for(process.wait(), 30) == 0, (tmp_path / "work.log").read_text()[-2_000:]


@pytest.fixture
async def programme(database: str) -> None:
    """The programme `grocer`, published."""
    settings = RuntimeSettings(postgres_dsn=database)
    pool = await open_pool(settings, "rules")
    store = ProgrammeStore(pool, gate_of(pool, clock=wall_clock, settings=settings), lead=timedelta())
    place = Place("default", "grocer")
    assert isinstance(await store.draft(place, GROCER, "test"), Answer)
    assert isinstance(await store.publish(place, 1, datetime(2020, 1, 1, tzinfo=UTC), "test"), Answer)
    await pool.close()


async def read(bootstrap: str, topic: str, count: int) -> list[dict[str, Any]]:
    """The first `count` messages of a topic, by key in their order."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None)
    await consumer.start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            return [orjson.loads((await consumer.getone()).value) for _ in range(count)]
    finally:
        await consumer.stop()


@pytest.mark.slow
@pytest.mark.usefixtures("programme")
async def test_purchases_and_returns_flow_to_their_account(  # noqa: PLR0913, PLR0917 - fixtures
    spawn: Spawn,
    topics: dict[str, str],
    kafka_bootstrap: str,
    environment: tuple[dict[str, str], dict[str, str]],
    database: str,
    tmp_path: Path,
    purchase: Make,
    goods_back: Make,
) -> None:
    """A return first, then its purchase, then the member, from a file: the account hears it all in its order."""
    await spawn("work", "--only", "identify", "--only", "index")
    await spawn("relay")
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
    await producer.start()
    for topic, key, event in (
        ("bonus.returns.v1", "k/1", goods_back("r1", "k/1", (1, "1", "4.00"))),
        ("bonus.purchases.v1", "card:77", purchase("k/1", lines=[(1, "2", "10.00")])),
        ("bonus.purchases.v1", "card:77", purchase("k/2", at="2026-03-06T10:00:00Z")),
    ):
        await producer.send_and_wait(topics[topic], orjson.dumps(event), key=key.encode())
    file = tmp_path / "members.csv"
    file.write_text("card,enrolled_at\n77,2026-03-07T10:00:00Z\n")
    enrolling = await spawn("enrol", str(file), "--programme", "grocer")
    assert await enrolling.wait() == 0
    heard = await read(kafka_bootstrap, topics["bonus.receipts.v1"], 4)
    await producer.stop()
    assert heard[0]["type"] == "bonus.participant.enrolled.v1"
    receipts = [event["data"] for event in heard if event["type"] == "bonus.receipt.identified.v1"]
    assert [each["purchase"]["purchase_id"] for each in receipts] == ["k/1", "k/2"]
    [back] = [event["data"] for event in heard if event["type"] == "bonus.return.indexed.v1"]
    assert back["returned"]["return_id"] == "r1"
    assert back["remaining"] == [{"line": 1, "quantity": "1", "amount": "6.00"}]
    await _answers_over_http(spawn, environment[1], database, purchase)


async def _answers_over_http(spawn: Spawn, headers: dict[str, str], database: str, purchase: Make) -> None:
    """The API takes a purchase in, and the worker passes on what it appended."""
    port = _free_port()
    await spawn("serve", "--port", str(port))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    if (await client.get("/health/ready")).status_code == httpx.codes.OK:
                        break
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)
        taken_in = await client.post("/v1/purchases", json=purchase("k/3")["data"], headers={"Idempotency-Key": "key"})
        assert (taken_in.status_code, taken_in.json()["status"]) == (202, "identified")
        found = await client.get(taken_in.headers["location"])
        assert (found.status_code, found.json()["status"], found.json()["card"]) == (200, "identified", "card:••••")
    admin = await asyncpg.connect(database)
    assert await admin.fetchval("select count(*) from rules.purchase where verdict = 'identified'") == 3
    await admin.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
