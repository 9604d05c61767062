"""A counter: decisions on a real database, with what comes to participants handed over as the worker does."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from contracts import ids
from contracts.catalogue import MODELS, TOPIC_OF_TYPE
from contracts.shards import shard_of
from services.rules.decide.processor import DecideProcessor
from services.rules.decide.verdicts import VerdictProcessor
from services.rules.domain.refusals import Refusal
from services.rules.programmes.catalogue import Catalogue
from services.rules.programmes.store import Answer, Place, ProgrammeStore
from services.runtime.dead_letters import DeadLetter
from services.runtime.decoding import decode
from services.runtime.messages import Message
from services.runtime.postgres import Pool, open_pool
from services.runtime.privacy import MasterKeys, Vault
from services.runtime.settings import RuntimeSettings
from services.runtime.shard import Verdict
from services.runtime.writer import ShardWriter

KEY = base64.b64encode(bytes(range(32))).decode()
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MEMBER = ids.derive("member", "test")
ACCOUNT = ids.account_of("default", "club", MEMBER)

FIVE_PERCENT = """
programme: club
zone: Europe/Warsaw
money: PLN
currencies: {points: {scale: 2, worth: 1.00}}
earn:
  - {rule: cashback, give: 5 %}
"""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the consumer would read it."""

    value: bytes
    offset: int
    partition: int = 0
    timestamp: int = 0
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Counter:
    """Hands messages to the processors as the workers do, and reads what they left."""

    pool: Pool
    decide: ShardWriter
    verdicts: ShardWriter
    store: ProgrammeStore
    catalogue: Catalogue
    vault: Vault
    clock: list[datetime]
    sent: int = 0

    async def publish(self, file: str, starts_at: str | None = "2020-01-01T00:00:00+00:00") -> int:
        """Draft and publish a version; gives its number."""
        place = Place("default", file.split("programme: ")[1].split(maxsplit=1)[0])
        drafted = await self.store.draft(place, file, "test")
        assert isinstance(drafted, Answer), drafted
        start = datetime.fromisoformat(starts_at) if starts_at else None
        published = await self.store.publish(place, drafted.said["version"], start, "test")
        assert isinstance(published, Answer), published if isinstance(published, Refusal) else None
        await self.catalogue.refresh()
        return int(drafted.said["version"])

    async def send(self, *events: dict[str, Any], writer: ShardWriter | None = None) -> list[Verdict]:
        """Hand events over in one poll; the verdicts are in the order of the events."""
        writer = writer or self.decide
        groups: dict[int, list[tuple[int, Message]]] = {}
        for number, event in enumerate(events):
            message = self.decoded(event, writer)
            if message is not None:
                groups.setdefault(shard_of(message.key), []).append((number, message))
        verdicts: dict[int, Verdict] = {}
        for shard, group in groups.items():
            answers = await writer.write(shard, [message for _, message in group])
            verdicts |= {number: verdict for (number, _), verdict in zip(group, answers, strict=True)}
        return [verdicts[number] for number in sorted(verdicts)]

    async def awards(self, *types: str) -> list[dict[str, Any]]:
        """What the ledger was told, each message held against its contract."""
        rows = await self.pool.fetch("select body from event order by shard, position")
        events = [orjson.loads(row["body"]) for row in rows]
        found = [each for each in events if TOPIC_OF_TYPE.get(each["type"]) == "bonus.awards.v1"]
        for each in found:
            MODELS[each["type"]].model_validate(each)
        return [each for each in found if not types or each["type"] in types]

    async def facts(self) -> list[dict[str, Any]]:
        """Everything that decides, of all participants."""
        rows = await self.pool.fetch("select account_id, decisions, waiting, tier, state from participant order by 1")
        return [dict(row) | {"state": orjson.loads(row["state"])} for row in rows]

    def decoded(self, event: dict[str, Any], writer: ShardWriter) -> Message | None:
        """The message that the consumer would hand over."""
        self.sent += 1
        record = Record(orjson.dumps(event), self.sent)
        wants = getattr(writer.processor, "wants", None)
        message = decode(record, TOPIC_OF_TYPE[event["type"]], 1_000_000, wants, trusts=True)
        assert not isinstance(message, DeadLetter), message
        if message is not None:
            message.key = writer.processor.key_of(message)
        return message


@pytest.fixture
async def counter(database: str) -> AsyncIterator[Counter]:
    """Decisions on an empty database, with a clock that stands still."""
    settings = RuntimeSettings(postgres_dsn=database)
    pool = await open_pool(settings, "rules")
    clock = [NOW]
    vault = Vault(MasterKeys.parse(f"one:{KEY}"))
    catalogue = Catalogue(pool, settings, refresh_s=1, fresh_s=30, clock=lambda: clock[0])
    decide = ShardWriter(pool, DecideProcessor(catalogue, vault), settings=settings, clock=lambda: clock[0])
    yield Counter(
        pool,
        decide,
        ShardWriter(pool, VerdictProcessor(), settings=settings, clock=lambda: clock[0]),
        ProgrammeStore(pool, decide.gate, lead=timedelta(0)),
        catalogue,
        vault,
        clock,
    )
    await pool.close()
