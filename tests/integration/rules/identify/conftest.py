"""A desk: identification and the index on a real database, with messages between them carried by hand."""

import base64
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from contracts.catalogue import TOPIC_OF_TYPE
from contracts.shards import shard_of
from services.rules.domain.membership import MembershipTerms
from services.rules.domain.programme import Duration, Members
from services.rules.identify.merges import MergeFollower
from services.rules.identify.processor import IdentifyProcessor
from services.rules.index.processor import IndexProcessor
from services.rules.listener import LedgerListener
from services.rules.privacy import MasterKeys, Pseudonyms, Vault
from services.runtime.dead_letters import DeadLetter
from services.runtime.decoding import decode
from services.runtime.messages import Message
from services.runtime.postgres import Pool, open_pool
from services.runtime.settings import RuntimeSettings
from services.runtime.shard import Verdict
from services.runtime.writer import ShardWriter
from tests.integration.rules.identify.http import Decided, client_of

KEY = base64.b64encode(bytes(range(32))).decode()
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
TO_INDEX = ("bonus.purchase-index.v1", "bonus.returns.v1")

KEEP = MembershipTerms("grocer", "PLN", "Europe/Warsaw", Members("keep", Duration(30, "days")))
ENROL = MembershipTerms("stickers", "PLN", "Europe/Warsaw", Members("enrol"))


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the consumer would read it."""

    value: bytes
    offset: int
    partition: int = 0
    timestamp: int = 0
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Programmes:
    """The programmes that there are."""

    async def find(self, tenant: str, programme: str) -> MembershipTerms | None:  # noqa: D102
        return {("default", "grocer"): KEEP, ("default", "stickers"): ENROL}.get((tenant, programme))


@dataclass
class Desk:
    """Sends messages to the processors as the worker does, and carries what they publish between them."""

    pool: Pool
    identify: ShardWriter
    index: ShardWriter
    listener: ShardWriter
    clock: list[datetime]
    pseudonyms: Pseudonyms
    vault: Vault
    sent: int = 0
    carried: dict[int, int] = field(default_factory=dict)

    async def send(self, *events: dict[str, Any]) -> list[Verdict]:
        """Hand events over in one poll; the verdicts are in the order of the events."""
        groups: dict[tuple[bool, int], list[tuple[int, Message]]] = {}
        for number, event in enumerate(events):
            message = self._decoded(event)
            to_index = message.topic in TO_INDEX
            message.key = (self.index if to_index else self.identify).processor.key_of(message)
            groups.setdefault((to_index, shard_of(message.key)), []).append((number, message))
        verdicts: dict[int, Verdict] = {}
        for (to_index, shard), group in groups.items():
            writer = self.index if to_index else self.identify
            answers = await writer.write(shard, [message for _, message in group])
            verdicts |= {number: verdict for (number, _), verdict in zip(group, answers, strict=True)}
        return [verdicts[number] for number in range(len(events))]

    async def hear(self, event: dict[str, Any]) -> None:
        """Hand over an event of the ledger."""
        message = self._decoded(event)
        message.key = self.listener.processor.key_of(message)
        await self.listener.write(shard_of(message.key), [message])

    async def carry(self) -> None:
        """Bring what was published for identification and the index to them, until nothing is left."""
        while fresh := await self._fresh():
            for event in fresh:
                if TOPIC_OF_TYPE[event["type"]] in ("bonus.identifiers.v1", "bonus.purchase-index.v1"):
                    await self.send(event)

    async def published(self, *types: str) -> list[dict[str, Any]]:
        """What was published of these types, shard by shard in order."""
        rows = await self.pool.fetch("select body from event order by shard, position")
        events = [orjson.loads(row["body"]) for row in rows]
        return [event for event in events if event["type"] in types]

    async def _fresh(self) -> list[dict[str, Any]]:
        rows = await self.pool.fetch("select shard, position, body from event order by shard, position")
        fresh = [row for row in rows if row["position"] > self.carried.get(row["shard"], 0)]
        self.carried |= {row["shard"]: row["position"] for row in fresh}
        return [orjson.loads(row["body"]) for row in fresh]

    def _decoded(self, event: dict[str, Any]) -> Message:
        self.sent += 1
        record = Record(orjson.dumps(event), self.sent)
        message = decode(record, TOPIC_OF_TYPE[event["type"]], 1_000_000)
        assert isinstance(message, Message), message if isinstance(message, DeadLetter) else "tombstone"
        return message


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    """Identification and the index, with two programmes and a clock that stands still."""
    settings = RuntimeSettings(postgres_dsn=database)
    pool = await open_pool(settings, "rules")
    clock = [NOW]
    vault, pseudonyms = Vault(MasterKeys.parse(f"one:{KEY}")), Pseudonyms(KEY)
    ahead_max = timedelta(minutes=10)
    made = Desk(
        pool,
        ShardWriter(
            pool,
            IdentifyProcessor(Programmes(), pseudonyms, vault, ahead_max=ahead_max),
            settings=settings,
            clock=lambda: clock[0],
        ),
        ShardWriter(pool, IndexProcessor(Programmes(), vault, ahead_max=ahead_max), settings=settings),
        ShardWriter(
            pool,
            LedgerListener(MergeFollower(pseudonyms, vault)),
            settings=settings,
            clock=lambda: clock[0],
        ),
        clock,
        pseudonyms,
        vault,
    )
    yield made
    await pool.close()


@pytest.fixture
def decided() -> Decided:
    """Decisions, off until a test turns them on."""
    return Decided()


@pytest.fixture
async def api(desk: Desk, decided: Decided) -> AsyncIterator[httpx.AsyncClient]:
    """The API of rules on the desk's database."""
    async with client_of(desk, decided) as client:
        yield client


def _event(event_type: str, event_id: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": event_type,
        "id": event_id,
        "source": "urn:store:krakow-12:till-3",
        "time": "2026-03-20T12:00:00Z",
        "datacontenttype": "application/json",
        "data": data,
    }


def _identifier(name: str) -> dict[str, str]:
    kind, _, value = name.partition(":")
    return {"type": kind, "value": value}


@pytest.fixture
def purchase() -> Callable[..., dict[str, Any]]:
    """A purchase of one line unless told otherwise: `purchase("1", "card:77", total="10.00")`."""

    def make(  # noqa: PLR0913 - what a test may want to say
        purchase_id: str,
        name: str | None = "card:77",
        *,
        total: str = "10.00",
        at: str = "2026-03-05T17:04:11+01:00",
        event_id: str | None = None,
        lines: Sequence[tuple[int, str, str]] | None = None,
        programme: str = "grocer",
        **others: Any,
    ) -> dict[str, Any]:
        bought = lines or [(1, "1", total)]
        data: dict[str, Any] = {
            "purchase_id": purchase_id,
            "programme": programme,
            "purchased_at": at,
            "store": "krakow-12",
            "currency": "PLN",
            "lines": [{"line": line, "quantity": quantity, "amount": amount} for line, quantity, amount in bought],
            "payments": [{"type": "card", "amount": amount} for _, _, amount in bought],
        }
        if name is not None:
            data["member"] = _identifier(name)
        return _event("bonus.purchase.completed.v1", event_id or f"bought-{purchase_id}", data | others)

    return make


@pytest.fixture
def enrolment() -> Callable[..., dict[str, Any]]:
    """An enrolment under identifiers: `enrolment("card:77", "phone:600")`."""

    def make(
        *names: str,
        at: str = "2026-03-01T12:00:00Z",
        event_id: str | None = None,
        programme: str = "grocer",
        **others: Any,
    ) -> dict[str, Any]:
        data = {"programme": programme, "enrolled_at": at, "identifiers": [_identifier(name) for name in names]}
        return _event("bonus.member.enrolled.v1", event_id or f"enrol-{names[0]}", data | others)

    return make


@pytest.fixture
def goods_back() -> Callable[..., dict[str, Any]]:
    """A return: `goods_back("r1", "1", (1, "1", "10.00"))`."""

    def make(
        return_id: str, purchase_id: str, *lines: tuple[int, str, str], event_id: str | None = None, **others: Any
    ) -> dict[str, Any]:
        data = {
            "return_id": return_id,
            "purchase_id": purchase_id,
            "programme": "grocer",
            "returned_at": "2026-03-10T10:00:00Z",
            "lines": [{"line": line, "quantity": quantity, "amount": amount} for line, quantity, amount in lines],
        }
        return _event("bonus.purchase.returned.v1", event_id or f"back-{return_id}", data | others)

    return make


@pytest.fixture
def told() -> Callable[..., dict[str, Any]]:
    """Any other event: `told("bonus.activity.recorded.v1", "e1", {...})`."""
    return _event


@pytest.fixture
def kinds() -> Callable[[Iterable[Verdict]], list[tuple[str, str | None]]]:
    """Verdicts as pairs of kind and code."""

    def shorten(verdicts: Iterable[Verdict]) -> list[tuple[str, str | None]]:
        return [(verdict.kind, verdict.code) for verdict in verdicts]

    return shorten
