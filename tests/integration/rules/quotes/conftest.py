"""A shop: identification, decisions and what is heard of the books, on one real database, messages carried by hand."""

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from contracts import ids
from contracts.catalogue import TOPIC_OF_TYPE
from contracts.shards import shard_of
from services.rules.api import application
from services.rules.api.state import Parts
from services.rules.decide.processor import DecideProcessor
from services.rules.decide.queries import Decisions
from services.rules.identify.merges import MergeFollower
from services.rules.identify.processor import IdentifyProcessor
from services.rules.identify.queries import Queries
from services.rules.listener import LedgerListener
from services.rules.privacy import MasterKeys, Pseudonyms, Vault
from services.rules.programmes.catalogue import Catalogue
from services.rules.programmes.store import Answer, Place, ProgrammeStore
from services.rules.settings import RulesSettings
from services.runtime import tokens
from services.runtime.decoding import decode
from services.runtime.messages import Message
from services.runtime.postgres import Pool, open_pool
from services.runtime.shard import Verdict
from services.runtime.writer import ShardWriter

KEY = base64.b64encode(bytes(range(32))).decode()
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CARRIED = {"bonus.identifiers.v1": "identify", "bonus.receipts.v1": "decide"}


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
class Shop:
    """Sends what tills send, carries it on to the end, and asks over HTTP."""

    dsn: str
    pool: Pool
    writers: dict[str, ShardWriter]
    store: ProgrammeStore
    catalogue: Catalogue
    vault: Vault
    api: httpx.AsyncClient
    clock: list[datetime]
    sent: int = 0
    carried: dict[int, int] = field(default_factory=dict)

    async def publish(self, file: str, starts_at: str | None = "2020-01-01T00:00:00+00:00") -> int:
        """Draft a version and publish it, or leave it a draft; gives its number."""
        place = Place("default", file.split("programme: ")[1].split(maxsplit=1)[0])
        drafted = await self.store.draft(place, file, "test")
        assert isinstance(drafted, Answer), drafted
        if starts_at is not None:
            start = datetime.fromisoformat(starts_at)
            published = await self.store.publish(place, drafted.said["version"], start, "test")
            assert isinstance(published, Answer), published
            await self.catalogue.refresh()
        return int(drafted.said["version"])

    async def send(self, *events: dict[str, Any]) -> None:
        """Take in events as identification would, and bring what follows to the account."""
        await self._hand_over("identify", events)
        while fresh := await self._fresh():
            for name in ("identify", "decide"):
                await self._hand_over(name, [each for each in fresh if CARRIED.get(_topic(each)) == name])

    async def give_back(self, data: dict[str, Any]) -> None:
        """Take goods back, as the index tells the account."""
        await self._hand_over("decide", [_event("bonus.return.indexed.v1", "returned", data)])

    async def hear(self, *events: dict[str, Any]) -> None:
        """Hear events of the books, those of one shard in one batch."""
        together: dict[int, list[Message]] = {}
        for message in (self._read("listen", event) for event in events):
            together.setdefault(shard_of(message.key), []).append(message)
        for shard, messages in together.items():
            await self.writers["listen"].write(shard, messages)

    async def quote(self, body: dict[str, Any], language: str = "en") -> dict[str, Any]:
        """Ask for a quote."""
        response = await self.api.post("/v1/quotes", json=body, headers={"Accept-Language": language})
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def _hand_over(self, name: str, events: Sequence[dict[str, Any]]) -> list[Verdict]:
        verdicts: list[Verdict] = []
        for event in events:
            message = self._read(name, event)
            verdicts += await self.writers[name].write(shard_of(message.key), [message])
        return verdicts

    def _read(self, name: str, event: dict[str, Any]) -> Message:
        self.sent += 1
        message = decode(Record(orjson.dumps(event), self.sent), _topic(event), 1_000_000, trusts=name != "identify")
        assert isinstance(message, Message), message
        message.key = self.writers[name].processor.key_of(message)
        return message

    async def _fresh(self) -> list[dict[str, Any]]:
        rows = await self.pool.fetch("select shard, position, body from event order by shard, position")
        fresh = [row for row in rows if row["position"] > self.carried.get(row["shard"], 0)]
        self.carried |= {row["shard"]: row["position"] for row in fresh}
        return [event for event in (orjson.loads(row["body"]) for row in fresh) if _topic(event) in CARRIED]


def _topic(event: dict[str, Any]) -> str:
    return TOPIC_OF_TYPE[event["type"]]


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Shop]:
    """A shop with no programme yet, and a clock that stands still."""
    settings = RulesSettings(postgres_dsn=database, programme_lead_s=0)
    pool = await open_pool(settings, "rules")
    clock = [NOW]
    vault, pseudonyms = Vault(MasterKeys.parse(f"one:{KEY}")), Pseudonyms(KEY)
    catalogue = Catalogue(pool, settings, refresh_s=1, fresh_s=30, clock=lambda: clock[0])
    processors = {
        "identify": IdentifyProcessor(catalogue, pseudonyms, vault, ahead_max=timedelta(minutes=10)),
        "decide": DecideProcessor(catalogue, vault),
        "listen": LedgerListener(MergeFollower(pseudonyms, vault)),
    }
    writers = {
        name: ShardWriter(pool, processor, settings=settings, clock=lambda: clock[0])  # type: ignore[arg-type]  # each is one
        for name, processor in processors.items()
    }
    parts = Parts(
        writers["identify"], writers["identify"], pool, Queries(pool, pseudonyms, vault), Decisions(), vault,
        lambda: clock[0], catalogue,
    )  # fmt: skip
    app = application(settings, parts)
    private, app.state.token_key = tokens.new_key_pair()
    app.state.clock = lambda: clock[0]
    token = tokens.issue(
        private, subject="till-3", tenant="default", scopes=("rules:read", "programmes:write"), now=NOW,
        lifetime_s=86_400 * 400,
    )  # fmt: skip
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://rules", headers=headers
    ) as client:
        store = ProgrammeStore(pool, writers["decide"].gate, lead=timedelta(0))
        yield Shop(database, pool, writers, store, catalogue, vault, client, clock)
    await pool.close()


def enrolment(card: str = "77", programme: str = "club", at: str = "2026-01-01T12:00:00Z", **more: Any) -> Any:
    """A member joins under a card."""
    data = {"programme": programme, "enrolled_at": at, "identifiers": [{"type": "card", "value": card}], **more}
    return _event("bonus.member.enrolled.v1", f"enrol-{card}", data)


def basket(*amounts: str, card: str | None = "77", programme: str = "club", **more: Any) -> dict[str, Any]:
    """What a till asks a quote for: one line for each amount, `dairy=100.00` with its category."""
    lines = []
    for number, said in enumerate(amounts, start=1):
        category, _, amount = said.rpartition("=")
        lines.append({"line": number, "category": category, "amount": amount})
    member = {"member": {"type": "card", "value": card}} if card else {}
    return {"programme": programme, "currency": "PLN", "lines": lines, **member, **more}


def purchase(purchase_id: str, body: dict[str, Any], at: str) -> dict[str, Any]:
    """The purchase that a basket becomes when it is paid by card."""
    total = sum(round(float(line["amount"]) * 100) for line in body["lines"])
    paid = {"payments": [{"type": "card", "amount": f"{total / 100:.2f}"}]}
    data = paid | body | {"purchase_id": purchase_id, "purchased_at": at}
    return _event("bonus.purchase.completed.v1", f"bought-{purchase_id}", data)


def account_of(shop: Shop, card: str = "77", programme: str = "club") -> UUID:
    """The account behind a card of a member who joined by an event."""
    del shop
    member = ids.member_of_event("default", "urn:test", f"enrol-{card}")
    return ids.account_of("default", programme, member)


def happened(  # noqa: PLR0913, PLR0917 - what an event of the books may say
    account: UUID,
    version: int,
    kind: str,
    balance: tuple[int, int, int, int],
    lots: Sequence[dict[str, Any]] = (),
    moved: Sequence[tuple[UUID, str, str, int]] = (),
    details: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """An event of the books; the balance is pending, available, held and debt of points with two decimals."""
    pending, available, held, debt = balance
    data = {
        "account_id": str(account),
        "programme": "club",
        "version": version,
        "command_id": str(ids.derive("command", str(version))),
        "occurred_at": "2026-05-01T12:00:00Z",
        "effective_at": "2026-05-01T12:00:00Z",
        "movements": [
            {"currency": "points", "lot_id": str(lot), "from": source, "to": target, "points": points}
            for lot, source, target, points in moved
        ],
        "lots": list(lots),
        "balances": {"points": {"scale": 2, "pending": pending, "available": available, "held": held, "debt": debt}},
        "details": dict(details or {}),
    }
    return _event(f"bonus.{kind}.v1", f"ledger-{version}", data)


def _event(event_type: str, event_id: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": event_type,
        "id": event_id,
        "source": "urn:test",
        "time": "2026-06-01T12:00:00Z",
        "datacontenttype": "application/json",
        "data": data,
    }
