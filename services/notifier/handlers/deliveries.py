"""Deliveries as they go out: claimed by a sender, and what became of each, with an event for those who must know."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, Self
from uuid import UUID

import asyncpg
import orjson

from contracts.ids import event_of
from contracts.shards import SHARDS
from services.notifier.contact import Contact
from services.notifier.domain.delivery import Resolution, State
from services.notifier.handlers import SQL
from services.notifier.recipients import StoredRecipient, find_recipients
from services.runtime.gate import ShardGate
from services.runtime.http.idempotency import KeptAnswer, keep, recall
from services.runtime.postgres import Pool
from services.runtime.privacy import Cipher, Vault
from services.runtime.shard import LogEntry, ShardTransaction

SOURCE: Final = "urn:bonus:notifier"
SEALED_CODE: Final = "sealed_code"
_CODE: Final = b"code:"
_TYPES: Final[Mapping[State, str]] = {
    "sent": "bonus.notification.delivered.v1",
    "failed": "bonus.notification.failed.v1",
    "bounced": "bonus.notification.bounced.v1",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to send, or that was sent."""

    delivery_id: UUID
    tenant: str
    member_id: UUID
    account_id: UUID
    programme: str
    event_id: str
    template: str
    channel: str
    language: str
    attempts: int
    traceparent: str | None

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> Self:
        """A row as the statements give it."""
        return cls(**{name: row[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this sender has, with its facts, and whom it goes to; no contact: it cannot be sent any more."""

    delivery: Delivery
    facts: dict[str, Any]
    contact: Contact | None

    def is_late(self, now: datetime) -> bool:
        """Whether it would tell of something that is over: a code that nobody can use any more."""
        until = self.facts.get("valid_until")
        return until is not None and now >= datetime.fromisoformat(until)


@dataclass(frozen=True, slots=True)
class Request:
    """A request that is done once: its Idempotency-Key, what that is unique in, and the fingerprint of its body."""

    scope: str
    key: str
    fingerprint: bytes
    traceparent: str | None = None


class Deliveries:
    """The deliveries of one schema."""

    def __init__(self, pool: Pool, gate: ShardGate, vault: Vault) -> None:
        self._pool = pool
        self._gate = gate
        self._vault = vault

    async def due_shards(self, now: datetime) -> list[int]:
        """Shards in which something is to be sent."""
        rows = await self._pool.fetch(SQL.find_due_shards, list(range(SHARDS)), now)
        return [row["shard"] for row in rows]

    async def claim(self, shard: int, limit: int, lease: timedelta) -> list[Claim]:
        """Take what is due, at most `limit`; what is not resolved within `lease` is claimed again by another sender."""
        async with self._gate.transaction(shard) as transaction:
            now = transaction.now
            rows = await transaction.connection.fetch(SQL.claim_deliveries, shard, now, now + lease, limit)
            members = [row["member_id"] for row in rows]
            recipients = await find_recipients(transaction.connection, shard, members) if rows else {}
            subjects = {each.subject for each in recipients.values() if each.sealed is not None}
            ciphers = await self._vault.existing(transaction.connection, [shard], subjects)
        return [_claim(row, recipients.get((row["tenant"], row["member_id"])), shard, ciphers) for row in rows]

    async def resolve(self, shard: int, resolved: Sequence[tuple[Delivery, Resolution]]) -> int:
        """Record what became of claimed deliveries; gives how many were still this sender's."""
        if not resolved:
            return 0
        async with self._gate.transaction(shard) as transaction:
            rows = await transaction.connection.fetch(
                SQL.resolve_deliveries,
                shard,
                [delivery.delivery_id for delivery, _ in resolved],
                [delivery.attempts for delivery, _ in resolved],
                [resolution.state for _, resolution in resolved],
                [resolution.attempts for _, resolution in resolved],
                [resolution.due_at for _, resolution in resolved],
                [resolution.code for _, resolution in resolved],
                transaction.now,
            )
            own = {row["delivery_id"] for row in rows}
            mine = [(delivery, resolution) for delivery, resolution in resolved if delivery.delivery_id in own]
            for delivery, resolution in mine:
                _append(transaction, delivery, resolution)
            await _mark_undeliverable(
                transaction, [(each, resolution.code) for each, resolution in mine if resolution.state == "bounced"]
            )
        return len(own)

    async def bounce(
        self, shard: int, delivery_id: UUID, tenant: str, code: str, request: Request
    ) -> KeptAnswer | None:
        """Record that a message came back after it was sent.

        Gives the answer kept under the request's key, which may be that of another request; None: there is no such
        message of this tenant.
        """
        place = (request.scope, request.key)
        async with self._gate.transaction(shard) as transaction:
            kept = (await recall(transaction, [place])).get(place)
            if kept is not None:
                return kept
            row = await transaction.connection.fetchrow(
                SQL.bounce_delivery, shard, tenant, delivery_id, code, transaction.now
            )
            if row is None:
                return None
            delivery = Delivery.from_row(row)
            _append(transaction, delivery, Resolution("bounced", delivery.attempts, transaction.now, code))
            await _mark_undeliverable(transaction, [(delivery, code)])
            answer = orjson.dumps({"delivery_id": delivery_id, "state": "bounced", "code": code})
            kept = KeptAnswer(*place, request.fingerprint, HTTPStatus.OK, answer, transaction.now)
            await keep(transaction, [kept])
        return kept


def _claim(
    row: asyncpg.Record, recipient: StoredRecipient | None, shard: int, ciphers: Mapping[tuple[int, UUID], Cipher]
) -> Claim:
    delivery = Delivery.from_row(row)
    facts = orjson.loads(row["facts"])
    cipher = ciphers.get((shard, recipient.subject)) if recipient else None
    if SEALED_CODE in facts and cipher is not None:
        facts["code"] = opened_code(facts[SEALED_CODE], delivery.delivery_id, cipher)
    return Claim(delivery, facts, _contact(recipient, shard, ciphers))


def sealed_code(code: str, delivery_id: UUID, cipher: Cipher) -> str:
    """A code as it waits to be sent: encrypted under the member's key, bound to its message."""
    return base64.b64encode(cipher.encrypt(code.encode(), _CODE + delivery_id.bytes)).decode()


def opened_code(sealed: str, delivery_id: UUID, cipher: Cipher) -> str:
    """That code again. Raises `services.runtime.privacy.KeysError`."""
    return cipher.decrypt(base64.b64decode(sealed), _CODE + delivery_id.bytes).decode()


def _contact(
    recipient: StoredRecipient | None, shard: int, ciphers: Mapping[tuple[int, UUID], Cipher]
) -> Contact | None:
    """How to reach a member now, whatever was known when the message was made."""
    if recipient is None or not recipient.decides.email_allowed or recipient.undeliverable_since is not None:
        return None
    return recipient.contact(ciphers.get((shard, recipient.subject)))


async def _mark_undeliverable(transaction: ShardTransaction, bounced: Sequence[tuple[Delivery, str]]) -> None:
    if not bounced:
        return
    by_member = {(delivery.tenant, delivery.member_id): code for delivery, code in bounced}
    tenants, members = map(list, zip(*by_member, strict=True))
    await transaction.connection.execute(
        SQL.mark_undeliverable, transaction.shard, tenants, members, list(by_member.values()), transaction.now
    )


def _append(transaction: ShardTransaction, delivery: Delivery, resolution: Resolution) -> None:
    """Tell what became of a delivery, where that is of interest to others."""
    event_type = _TYPES.get(resolution.state)
    if event_type is None:
        return
    event_id = event_of(event_type, delivery.delivery_id)
    body = {
        "specversion": "1.0",
        "type": event_type,
        "id": str(event_id),
        "source": SOURCE,
        "time": transaction.now,
        "datacontenttype": "application/json",
        "tenant": delivery.tenant,
        "data": {
            "delivery_id": str(delivery.delivery_id),
            "account_id": str(delivery.account_id),
            "member_id": str(delivery.member_id),
            "programme": delivery.programme,
            "event_id": delivery.event_id,
            "template": delivery.template,
            "channel": delivery.channel,
            "language": delivery.language,
            "attempts": max(1, resolution.attempts),
            "at": transaction.now,
            "code": resolution.code,
        },
    }
    transaction.append(
        LogEntry(event_id, str(delivery.account_id), event_type, orjson.dumps(body), delivery.traceparent)
    )
