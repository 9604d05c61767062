"""The notifier on a real database and a mail system in process, with a clock that tests set."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.documents import SAMPLES
from contracts.shards import shard_of
from deploy.local.mail_sink import MailSink, mail_sink
from services.notifier.api.state import Parts
from services.notifier.channels.email import EmailChannel
from services.notifier.handlers.confirmations import Confirmations
from services.notifier.handlers.contacts import Contacts
from services.notifier.handlers.deliveries import Deliveries
from services.notifier.handlers.notices import Notices
from services.notifier.handlers.pages import Pages
from services.notifier.links import Links
from services.notifier.programmes import Programmes
from services.notifier.sender import Sender
from services.notifier.settings import NotifierSettings
from services.runtime import tokens
from services.runtime.dead_letters import DeadLetter
from services.runtime.decoding import decode
from services.runtime.messages import Message
from services.runtime.postgres import Pool, open_pool
from services.runtime.privacy import MasterKeys, Vault, new_key
from services.runtime.shard import Verdict
from services.runtime.writer import ShardWriter

CODE = "483920"
CONFIRMATION_KEY, CONFIRMATION_PUBLIC_KEY = tokens.new_encoded_key_pair()
NOW = datetime(2026, 3, 5, 17, 0, tzinfo=UTC)
Event = dict[str, Any]


@dataclass
class SetClock:
    """A clock that stands until it is set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """Give the time."""
        return self.now

    def forward(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by


@dataclass(frozen=True)
class Record:
    """What Kafka would hand over."""

    value: bytes | None
    key: bytes | None = None
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass
class Notifier:
    """The parts of a notifier in one place, and the words that tests speak to it in."""

    settings: NotifierSettings
    pool: Pool
    clock: SetClock
    sink: MailSink
    masters: MasterKeys
    vault: Vault
    writer: ShardWriter
    contacts: Contacts
    deliveries: Deliveries
    programmes: Programmes
    confirmation_public_key: str = CONFIRMATION_PUBLIC_KEY
    senders: list[Sender] = field(default_factory=list)

    @property
    def parts(self) -> Parts:
        """What the API stands on."""
        return self.parts_with(self.settings)

    def parts_with(self, settings: NotifierSettings) -> Parts:
        """What the API stands on with other settings."""
        return Parts(
            self.contacts,
            self.deliveries,
            self.programmes,
            self.links,
            Pages(self.pool, self.writer.gate, self.programmes, settings),
            Confirmations(self.writer.gate, self.vault, settings, lambda: CODE),
        )

    @property
    def links(self) -> Links:
        """Makes and reads members' links."""
        return Links(self.masters, self.settings.public_url)

    def sender(self, **changes: Any) -> Sender:
        """Make a sender, with some settings changed."""
        settings = self.settings.model_copy(update=changes)
        return Sender(self.deliveries, self.programmes, EmailChannel(settings), self.links, settings, self.clock)

    def event(self, name: str, member: UUID | None = None, event_id: str | None = None, **data: Any) -> Event:
        """A golden sample, of now, about a member, with an id of its own."""
        content: Event = json.loads((SAMPLES / f"{name}.json").read_bytes())
        content["id"] = event_id or str(uuid4())
        if "effective_at" in content["data"]:
            content["data"]["effective_at"] = self.clock().isoformat()
        if member is not None:
            content["data"]["member_id"] = str(member)
        content["data"] |= data
        return content

    def decoded(self, event: Event) -> Message:
        """The event as the consumer hands it over, wanted or not."""
        message = decode(Record(json.dumps(event).encode()), "bonus.test", self.settings.message_max_bytes)
        assert isinstance(message, Message), message.reason if isinstance(message, DeadLetter) else message
        message.key = self.writer.processor.key_of(message)
        return message

    async def take(self, *events: Event) -> list[Verdict]:
        """Have events taken in as one batch of each shard; their verdicts in order."""
        messages = [self.decoded(event) for event in events]
        by_shard: dict[int, list[Message]] = {}
        for message in messages:
            by_shard.setdefault(shard_of(message.key), []).append(message)
        verdicts: dict[int, Verdict] = {}
        for shard, group in by_shard.items():
            for message, verdict in zip(group, await self.writer.write(shard, group), strict=True):
                verdicts[id(message)] = verdict
        return [verdicts[id(message)] for message in messages]

    async def states(self, member: UUID) -> list[tuple[str, str, int, str]]:
        """Template, state, attempts and code of a member's messages, oldest first."""
        rows = await self.pool.fetch(
            "select template, state, attempts, code from delivery where member_id = $1 order by created_at, template",
            member,
        )
        return [tuple(row) for row in rows]

    async def published(self, member: UUID) -> list[tuple[str, str]]:
        """Type and code of what the log says of a member's messages, in order."""
        bodies = [json.loads(row["body"]) for row in await self.pool.fetch("select body from event order by position")]
        return [(body["type"], body["data"]["code"]) for body in bodies if body["data"].get("member_id") == str(member)]


@pytest.fixture
def sink() -> Iterator[MailSink]:
    """A mail system that keeps what it is sent."""
    with mail_sink() as running:
        yield running


@pytest.fixture
def notifier_settings(database: str, kafka_bootstrap: str, topic_namespace: str, sink: MailSink) -> NotifierSettings:
    """The settings of a notifier on the test's own database, topics and mail system."""
    return NotifierSettings(
        postgres_dsn=database,
        kafka_bootstrap=kafka_bootstrap,
        topic_prefix=topic_namespace,
        smtp_host="127.0.0.1",
        smtp_port=sink.port,
        mail_from="bonus@shop.example",
        master_keys=f"test:{new_key()}",
        send_poll_ms=20,
        programme_cache_s=0,
        language_default="pl",
        public_url="https://club.example/",
        confirmation_key=CONFIRMATION_KEY,
    )


@pytest.fixture
async def notifier(notifier_settings: NotifierSettings, sink: MailSink) -> AsyncIterator[Notifier]:
    """A notifier whose clock stands at NOW."""
    clock = SetClock()
    pool = await open_pool(notifier_settings, "notifier")
    masters = MasterKeys.parse(notifier_settings.master_keys)
    vault = Vault(masters)
    writer = ShardWriter(pool, Notices(notifier_settings, clock), settings=notifier_settings, clock=clock)
    yield Notifier(
        notifier_settings,
        pool,
        clock,
        sink,
        masters,
        vault,
        writer,
        Contacts(pool, writer.gate, vault),
        Deliveries(pool, writer.gate, vault),
        Programmes(pool, clock, notifier_settings.programme_cache_s),
    )
    await asyncio.wait_for(pool.close(), 10)
