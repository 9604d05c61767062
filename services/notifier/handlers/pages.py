"""What a member's own page shows, and the end of his mail by a link."""

from uuid import UUID

import orjson

from contracts.shards import shard_of
from services.notifier.contact import subject_of
from services.notifier.domain.message import KIND_OF
from services.notifier.domain.preferences import language_for
from services.notifier.handlers import SQL
from services.notifier.handlers.contacts import MemberErasedError
from services.notifier.page import AccountSeen, MessageSeen, Seen
from services.notifier.programmes import Programmes
from services.notifier.recipients import find_recipients
from services.notifier.settings import NotifierSettings
from services.runtime.gate import ShardGate
from services.runtime.postgres import Pool


class Pages:
    """Reads and changes that a member makes by his own links."""

    def __init__(self, pool: Pool, gate: ShardGate, programmes: Programmes, settings: NotifierSettings) -> None:
        self._pool = pool
        self._gate = gate
        self._programmes = programmes
        self.language = settings.language_default
        self._messages_max = settings.page_messages_max

    async def seen(self, tenant: str, member_id: UUID, action: str) -> Seen:
        """What the page of a member shows; `action` is where its form goes. Raises `MemberErasedError`."""
        shard = shard_of(str(member_id))
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            if await connection.fetchval(SQL.is_erased, shard, subject_of(tenant, member_id)):
                raise MemberErasedError
            recipients = await find_recipients(connection, shard, [member_id])
            accounts = await connection.fetch(SQL.find_standings, shard, tenant, member_id)
            messages = await connection.fetch(
                SQL.latest_messages, shard, tenant, member_id, list(KIND_OF), self._messages_max
            )
        recipient = recipients.get((tenant, member_id))
        codes = {row["programme"] for row in (*accounts, *messages)}
        words = {code: await self._programmes.words(tenant, code) for code in codes}
        return Seen(
            self.language if recipient is None else language_for(recipient.decides, self.language),
            recipient is not None and recipient.email_allowed,
            action,
            [
                AccountSeen(words[row["programme"]], orjson.loads(row["balances"]), row["tier"] or "", row["as_of"])
                for row in accounts
            ],
            [
                MessageSeen(words[row["programme"]], row["template"], orjson.loads(row["facts"]), row["created_at"])
                for row in messages
            ],
        )

    async def allow_mail(self, tenant: str, member_id: UUID, *, allowed: bool) -> None:
        """End a member's mail, or have it come again. Raises `MemberErasedError`."""
        shard = shard_of(str(member_id))
        async with self._gate.transaction(shard) as transaction:
            if await transaction.connection.fetchval(SQL.is_erased, shard, subject_of(tenant, member_id)):
                raise MemberErasedError
            await transaction.connection.execute(SQL.allow_email, shard, tenant, member_id, allowed, transaction.now)
