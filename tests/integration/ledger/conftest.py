"""The books on a real database, with a clock that tests set, and the words in which tests speak to them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from contracts import ids
from contracts.shards import shard_of
from contracts.topics import TRANSFERS
from services.ledger.api import application
from services.ledger.api.state import Parts
from services.ledger.processor import LOG_COLUMNS, LedgerProcessor
from services.ledger.programmes import ProgrammeProcessor, Programmes
from services.ledger.settings import LedgerSettings
from services.ledger.storage import SESSION
from services.ledger.timers import find_due
from services.runtime import tokens
from services.runtime.decoding import decode
from services.runtime.messages import Message
from services.runtime.postgres import Pool, open_pool
from services.runtime.shard import Verdict
from services.runtime.sweeper import Sweeper
from services.runtime.writer import ShardWriter

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
PROGRAMME = "grocer"
POINTS = "points"
KEY = Ed25519PrivateKey.generate()
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
ALL_SCOPES = ("ledger:read", "ledger:write", "ledger:adjust")

Event = dict[str, Any]


@pytest.fixture(scope="session", autouse=True)
def _log_lines() -> None:
    """Hand log lines to pytest: what structlog shows of an exception by default is slow."""
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer()],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


@dataclass
class SetClock:
    """A clock that stands until it is set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """Give the time."""
        return self.now


@dataclass(frozen=True)
class Record:
    """What Kafka would hand over."""

    value: bytes | None
    key: bytes | None = None
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass(frozen=True)
class Member:
    """Someone with an account in the programme."""

    member_id: UUID = field(default_factory=uuid4)
    programme: str = PROGRAMME

    @property
    def account(self) -> UUID:
        """The account."""
        return ids.account_of("default", self.programme, self.member_id)

    @property
    def shard(self) -> int:
        """The account's shard."""
        return shard_of(str(self.account))


def cloud_event(kind: str, data: Mapping[str, Any], *, tenant: str = "default", at: datetime = NOW) -> Event:
    """A message as its sender would write it."""
    return {
        "specversion": "1.0", "type": kind, "id": str(uuid4()), "source": "urn:test", "time": at.isoformat(),
        "tenant": tenant, "data": dict(data),
    }  # fmt: skip


def award(kind: str, member: Member, cause: str, at: datetime, /, **data: Any) -> Event:
    """A command as rules send it; its ids follow from `cause`."""
    decision = ids.decision_of(member.account, cause)
    common = {
        "command_id": str(ids.command_of(kind, decision)),
        "account_id": str(member.account),
        "member_id": str(member.member_id),
        "programme": member.programme,
        "occurred_at": at.isoformat(),
        "decision_id": str(decision),
    }
    return cloud_event(kind, common | data, at=at)


def accrual(  # noqa: PLR0913  # the terms of a grant, all but three by name
    member: Member,
    cause: str,
    points: int,
    *,
    at: datetime = NOW,
    activates_at: datetime | None = None,
    expires_at: datetime | None = None,
    currency: str = POINTS,
    **data: Any,
) -> Event:
    """Points earned by a purchase at `at`."""
    grant = {
        "currency": currency, "scale": 2, "points": points,
        "activates_at": activates_at and activates_at.isoformat(),
        "expires_at": expires_at and expires_at.isoformat(),
        "rules": [{"rule": "level", "points": points}],
    }  # fmt: skip
    source = {"kind": "purchase", "id": cause, "store": "krakow-12"}
    return award("bonus.points.accrue.v1", member, cause, at, source=source, grants=[grant], **data)


def reversal(member: Member, cause: str, points: int, policy: str = "to_zero", *, at: datetime = NOW) -> Event:
    """Points of the accrual of `cause` taken back by a return."""
    accrual_id = ids.command_of("bonus.points.accrue.v1", ids.decision_of(member.account, cause))
    return award(
        "bonus.points.reverse.v1", member, f"return of {cause} of {points}", at, accrual_id=str(accrual_id),
        source={"kind": "return", "id": f"r-{cause}"}, currency=POINTS, points=points, spent_policy=policy,
    )  # fmt: skip


def paid(member: Member, cause: str, points: int, *, at: datetime = NOW, **data: Any) -> Event:
    """A purchase at `at` says that it was paid with points; `data` as contracts.awards.PurchaseRedemption."""
    terms = {"currency": POINTS, "scale": 2, "points": points, "unbacked": "negative"} | data
    source = {"kind": "purchase", "id": cause, "store": "krakow-12"}
    return award("bonus.purchase.redeem.v1", member, cause, at, source=source, **terms)


def given_back(  # noqa: PLR0913  # a return as rules send it, all but four by name
    member: Member, cause: str, of: Event, points: int, *, at: datetime, restore_for_s: int = 0
) -> Event:
    """A return gives back points with which the purchase `of` was paid."""
    return award(
        "bonus.redemption.restore.v1", member, cause, at, source={"kind": "return", "id": cause},
        redemption_id=of["data"]["command_id"], currency=POINTS, points=points, restore_for_s=restore_for_s,
    )  # fmt: skip


@dataclass
class Books:
    """The ledger's parts in one place."""

    settings: LedgerSettings
    pool: Pool
    reads: Pool
    clock: SetClock
    programmes: Programmes
    writer: ShardWriter
    delivered: set[tuple[int, int]] = field(default_factory=set)

    @property
    def parts(self) -> Parts:
        """What the API stands on."""
        return Parts(self.writer, self.reads, self.programmes, self.settings, self.clock)

    def decoded(self, event: Event, writer: ShardWriter | None = None) -> Message:
        """The event as the consumer hands it over."""
        message = decode(Record(json.dumps(event).encode()), "bonus.test", self.settings.message_max_bytes)
        assert isinstance(message, Message), message
        message.key = (writer or self.writer).processor.key_of(message)
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

    async def publish(self, **guards: Any) -> None:
        """Publish a version of the programme with these guards, in force since ever."""
        version = {
            "version": 1, "starts_at": "2020-01-01T00:00:00Z", "zone": "Europe/Warsaw", "money": "PLN",
            "currencies": [{"currency": POINTS, "scale": 2, "worth": "1.00"}], **guards,
        }  # fmt: skip
        await self.publish_state({"programme": PROGRAMME, "revision": 1, "versions": [version]})

    async def publish_state(self, data: Mapping[str, Any]) -> None:
        """Have a state of a programme taken in, as rules publish it."""
        writer = ShardWriter(self.pool, ProgrammeProcessor(), settings=self.settings, clock=self.clock)
        message = self.decoded(cloud_event("bonus.programme.published.v1", data), writer)
        await writer.write(shard_of(message.key), [message])
        await self.programmes.refresh(self.pool)

    async def deliver(self) -> int:
        """Hand on what accounts have sent each other, until there is no more; gives how many messages that were."""
        count = 0
        while True:
            rows = await self.pool.fetch(
                "select shard, position, body from event where type = any($1) order by recorded_at, shard, position",
                list(TRANSFERS.types),
            )
            fresh = [row for row in rows if (row["shard"], row["position"]) not in self.delivered]
            if not fresh:
                return count
            for row in fresh:
                self.delivered.add((row["shard"], row["position"]))
                await self.take(json.loads(row["body"]))
            count += len(fresh)

    async def sweep(self, member: Member) -> int:
        """Have the sweeper look at the member's shard."""
        return await Sweeper(self.writer, find_due, self.settings, clock=self.clock).sweep(member.shard)

    async def events(self, member: Member) -> list[Event]:
        """The account's events as they are stored."""
        rows = await self.pool.fetch(
            "select body from event where shard = $1 and account_id = $2 order by position",
            member.shard,
            member.account,
        )
        return [json.loads(row["body"]) for row in rows]

    async def kinds(self, member: Member) -> list[str]:
        """Their types, without what all have in common."""
        return [event["type"].removeprefix("bonus.").removesuffix(".v1") for event in await self.events(member)]


def token(tenant: str = "default", scopes: Sequence[str] = ALL_SCOPES, subject: str = "till-3") -> dict[str, str]:
    """The header of a caller."""
    issued = tokens.issue(
        PRIVATE, subject=subject, tenant=tenant, scopes=scopes, now=datetime.now(UTC), lifetime_s=3600
    )
    return {"Authorization": f"Bearer {issued}"}


@dataclass
class Api:
    """The books over HTTP."""

    client: httpx.AsyncClient
    books: Books

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """GET below /v1."""
        return await self.client.get(f"/v1{path}", **options)

    async def post(self, path: str, body: Any, key: str | None = None, **options: Any) -> httpx.Response:
        """POST below /v1 under a key of its own, or a given one."""
        headers = {"Idempotency-Key": key or str(uuid4())} | options.pop("headers", {})
        return await self.client.post(f"/v1{path}", json=body, headers=headers, **options)

    async def balance(self, member: Member, currency: str = POINTS) -> dict[str, str]:
        """Pending, available, held and debt."""
        account = (await self.get(f"/accounts/{member.account}")).json()
        return {name: account["balances"][currency][name] for name in ("pending", "available", "held", "debt")}

    async def redeem(self, member: Member, points: str, key: str | None = None, **body: Any) -> httpx.Response:
        """Spend points."""
        return await self.post(
            f"/accounts/{member.account}/redemptions", {"currency": POINTS, "points": points, **body}, key
        )


@pytest.fixture
def ledger_settings(database: str) -> LedgerSettings:
    """The settings of the books on the test's own database."""
    return LedgerSettings(postgres_dsn=database, postgres_pool_max=4, http_access_log=False)


@pytest.fixture
async def books(ledger_settings: LedgerSettings) -> AsyncIterator[Books]:
    """The books, whose clock stands at NOW."""
    clock = SetClock()
    pool, reads = [await open_pool(ledger_settings, "ledger", session=SESSION) for _ in range(2)]
    programmes = Programmes()
    writer = ShardWriter(
        pool, LedgerProcessor(programmes), settings=ledger_settings, clock=clock, log_columns=LOG_COLUMNS
    )
    yield Books(ledger_settings, pool, reads, clock, programmes, writer)
    for each in (pool, reads):
        await asyncio.wait_for(each.close(), 10)


@pytest.fixture
async def api(books: Books) -> AsyncIterator[Api]:
    """A client with a token for everything."""
    app = application.create(books.settings, books.parts)
    app.state.token_key = PUBLIC
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ledger", headers=token()) as client:
        yield Api(client, books)


@pytest.fixture
async def superuser(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may do what the service may not."""
    connection = await asyncpg.connect(database, server_settings={"search_path": "ledger"})
    yield connection
    await connection.close()


@pytest.fixture
def member() -> Member:
    """A member."""
    return Member()


def days(count: float) -> timedelta:
    """A duration."""
    return timedelta(days=count)


@pytest.fixture
async def filled(books: Books, api: Api, member: Member) -> Member:
    """A member whose account has something in every table."""
    await books.publish()
    at = NOW - days(200)
    standing = {"tier": "silver", "since": NOW.isoformat(), "qualifying": 600_0000}
    await books.take(
        accrual(member, "old", 10_00, at=at, activates_at=at + days(14), expires_at=at + days(180)),
        accrual(member, "p1", 100_00, expires_at=NOW + days(90), standing=standing),
        accrual(member, "p2", 50_00, activates_at=NOW + days(14)),
        award(
            "bonus.tier.change.v1", member, "p1", NOW, tier="silver", previous=None, since=NOW.isoformat(),
            reason="reached", cause="p1",
        ),
        reversal(member, "p1", 5_00),
        reversal(member, "never came", 5_00),
        *[accrual(Member(), f"other {number}", 7_00) for number in range(5)],
    )  # fmt: skip
    spent = await api.redeem(member, "30.00", reference="receipt 7")
    path = f"/accounts/{member.account}"
    await api.post(f"{path}/redemptions/{spent.json()['redemption_id']}/reversals", {"points": "4.00"})
    hold = await api.post(f"{path}/holds", {"currency": POINTS, "points": "20.00", "time_out_s": 900})
    await api.post(f"{path}/holds/{hold.json()['hold_id']}/capture", {"points": "3.00", "partial": "keep"})
    await api.redeem(member, "1000.00")
    return member


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """Files of a key pair for proof: private, public."""
    files = (tmp_path / "proof_key.pem", tmp_path / "proof_key.pub.pem")
    for file, content in zip(files, tokens.new_key_pair(), strict=True):
        file.write_bytes(content)
    return files
