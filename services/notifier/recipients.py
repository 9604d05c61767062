"""Members as they are stored, with what decides whether they are told, and their contact data."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.notifier.contact import Contact, subject_of
from services.notifier.domain.preferences import Recipient
from services.notifier.handlers import SQL
from services.runtime.privacy import Cipher


@dataclass(frozen=True, slots=True)
class StoredRecipient:
    """A row of `recipient`; `sealed` is the contact data, encrypted under the member's key."""

    tenant: str
    member_id: UUID
    sealed: bytes | None
    language: str | None
    email_allowed: bool
    muted: frozenset[str]
    undeliverable_since: datetime | None
    undeliverable_code: str | None

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> "StoredRecipient":
        """A row as `find_recipients` gives it."""
        return cls(
            row["tenant"],
            row["member_id"],
            row["contact"],
            row["language"],
            row["email_allowed"],
            frozenset(row["muted"]),
            row["undeliverable_since"],
            row["undeliverable_code"],
        )

    @property
    def subject(self) -> UUID:
        """Whose key the contact data is under."""
        return subject_of(self.tenant, self.member_id)

    @property
    def decides(self) -> Recipient:
        """What decides whether this member is told."""
        return Recipient(
            self.sealed is not None,
            self.language,
            self.email_allowed,
            self.muted,
            self.undeliverable_since is not None,
        )

    def contact(self, cipher: Cipher | None) -> Contact | None:
        """The contact data; None where there is none, or its key was destroyed."""
        if self.sealed is None or cipher is None:
            return None
        return Contact.opened(self.sealed, self.subject, cipher)


async def find_recipients(
    connection: asyncpg.Connection, shard: int, members: Collection[UUID]
) -> dict[tuple[str, UUID], StoredRecipient]:
    """The members of a shard that are known, by tenant and id."""
    rows = await connection.fetch(SQL.find_recipients, shard, list(members))
    return {(row["tenant"], row["member_id"]): StoredRecipient.from_row(row) for row in rows}
