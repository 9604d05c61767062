"""Contact data and preferences of one member, kept and read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from contracts.shards import shard_of
from services.notifier.contact import Contact, subject_of
from services.notifier.handlers import SQL
from services.notifier.recipients import StoredRecipient, find_recipients
from services.runtime.gate import ShardGate
from services.runtime.postgres import Pool
from services.runtime.privacy import Vault


class MemberErasedError(Exception):
    """The member was erased: nothing more is kept about him."""


@dataclass(frozen=True, slots=True)
class Place:
    """Before this message of a member a page begins."""

    created_at: datetime
    delivery_id: UUID


class Contacts:
    """What is known of members. Everything of a member is in the shard of his id."""

    def __init__(self, pool: Pool, gate: ShardGate, vault: Vault) -> None:
        self._pool = pool
        self._gate = gate
        self._vault = vault

    async def put(self, tenant: str, member_id: UUID, contact: Contact) -> None:
        """Keep how a member is reached, encrypted under his key. Raises `MemberErasedError`."""
        shard = shard_of(str(member_id))
        subject = subject_of(tenant, member_id)
        async with self._gate.transaction(shard) as transaction:
            ciphers = await self._vault.ciphers(transaction.connection, shard, [subject])
            if subject not in ciphers:
                raise MemberErasedError
            sealed = contact.sealed(subject, ciphers[subject])
            await transaction.connection.execute(SQL.put_contact, shard, tenant, member_id, sealed, transaction.now)

    async def remove(self, tenant: str, member_id: UUID) -> None:
        """Forget how a member is reached; already so if nothing is known."""
        shard = shard_of(str(member_id))
        async with self._gate.transaction(shard) as transaction:
            await transaction.connection.execute(SQL.remove_contact, shard, tenant, member_id, transaction.now)

    async def put_preferences(
        self, tenant: str, member_id: UUID, *, language: str | None, email_allowed: bool, muted: frozenset[str]
    ) -> None:
        """Keep what a member wants to hear. Raises `MemberErasedError`."""
        shard = shard_of(str(member_id))
        async with self._gate.transaction(shard) as transaction:
            if await self._is_erased(transaction.connection, shard, subject_of(tenant, member_id)):
                raise MemberErasedError
            await transaction.connection.execute(
                SQL.put_preferences, shard, tenant, member_id, language, email_allowed, sorted(muted), transaction.now
            )

    async def find(self, tenant: str, member_id: UUID) -> tuple[StoredRecipient | None, Contact | None]:
        """What is known of a member. Raises `MemberErasedError`."""
        shard = shard_of(str(member_id))
        subject = subject_of(tenant, member_id)
        async with self._reading() as connection:
            if await self._is_erased(connection, shard, subject):
                raise MemberErasedError
            recipients = await find_recipients(connection, shard, [member_id])
            recipient = recipients.get((tenant, member_id))
            ciphers = await self._vault.existing(connection, [shard], [subject])
        contact = recipient.contact(ciphers.get((shard, subject))) if recipient else None
        return recipient, contact

    async def deliveries(self, tenant: str, member_id: UUID, before: Place | None, limit: int) -> list[asyncpg.Record]:
        """A page of a member's messages, newest first; nothing in them is personal, so an erased member has his too."""
        created_at, delivery_id = (before.created_at, before.delivery_id) if before else (None, None)
        rows: list[asyncpg.Record] = await self._pool.fetch(
            SQL.list_deliveries, shard_of(str(member_id)), tenant, member_id, created_at, delivery_id, limit
        )
        return rows

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[asyncpg.Connection]:
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            yield connection

    async def _is_erased(self, connection: asyncpg.Connection, shard: int, subject: UUID) -> bool:
        return bool(await connection.fetchval(SQL.is_erased, shard, subject))
