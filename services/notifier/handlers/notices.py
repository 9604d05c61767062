"""Takes events in: makes messages of them, once each, and forgets members who were erased."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from contracts.ids import derive
from contracts.ledger_events import LedgerEvent
from contracts.member_events import BirthdayReached, MemberErased, MemberLapsed, TierLossAnnounced
from contracts.programmes import ProgrammePublished
from services.notifier.contact import subject_of
from services.notifier.domain.message import TOLD_TYPES, Notice, is_old, notice_of
from services.notifier.domain.preferences import Recipient, channels_for, language_for
from services.notifier.domain.standing import MOVING_TYPES
from services.notifier.handlers import SQL
from services.notifier.handlers.standings import put_standings
from services.notifier.recipients import find_recipients
from services.notifier.settings import NotifierSettings
from services.runtime.gate import Clock
from services.runtime.messages import Message, MessageFault, invalid_data
from services.runtime.privacy import forget
from services.runtime.sealing import member_in
from services.runtime.shard import ShardTransaction, Verdict

ERASED_TYPE: Final = "bonus.member.erased.v1"
PROGRAMME_TYPE: Final = "bonus.programme.published.v1"
IGNORED: Final = "ignored"
"""The verdict on what tells nobody anything; its code says why. It leaves no record: there is nothing to do twice."""

_HEARD_TYPES: Final = TOLD_TYPES | MOVING_TYPES

Noticed = LedgerEvent | BirthdayReached | MemberLapsed | TierLossAnnounced
Member = tuple[str, UUID]


@dataclass(frozen=True, slots=True)
class Told:
    """A message to make: which of the batch it is, of what, over which channel."""

    index: int
    delivery_id: UUID
    notice: Notice
    channel: str
    language: str


class Notices:
    """The processor of ledger events, member events and programmes. Everything of a member is in his id's shard."""

    name = "notifier"

    def __init__(self, settings: NotifierSettings, clock: Clock) -> None:
        self._age_max = settings.notify_age_max
        self._language = settings.language_default
        self._clock = clock

    def wants(self, event_type: str, content: dict[str, Any]) -> bool:
        """Whether an event may matter, judged by what was parsed and not yet validated.

        A year of history that is read in is passed over here, before it costs a transaction.
        """
        if event_type in {ERASED_TYPE, PROGRAMME_TYPE}:
            return True
        return event_type in _HEARD_TYPES and not _surely_old(content, self._clock(), self._age_max)

    def key_of(self, message: Message) -> str:
        """The member's id, or `tenant/programme`. Raises MessageFault for data that is not what its type says."""
        event = message.event
        if event is None:
            raise invalid_data(message.problems)
        if isinstance(event, ProgrammePublished):
            return f"{event.tenant}/{event.data.programme}"
        if isinstance(event, Noticed | MemberErased):
            # Without a member there is nobody to tell; the account keeps such events spread over the shards.
            return str(event.data.member_id or event.data.account_id)
        raise MessageFault("unknown_type", f"the notifier takes no {message.type}")

    def subject_of(self, message: Message) -> UUID | None:
        """The member: what is set aside about him goes with his contact data."""
        member_id = member_in(message)
        return None if member_id is None else subject_of(str(message.tenant), member_id)

    async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Make a message of each event that tells something to somebody who wants to hear it."""
        verdicts = [Verdict("applied")] * len(messages)
        await self._keep_programmes(transaction, messages)
        # Before the recipients are looked up: who is erased in this batch is nobody to tell any more.
        await self._erase(transaction, messages)
        await put_standings(transaction, messages)
        candidates = self._candidates(messages, transaction.now, verdicts)
        if not candidates:
            return verdicts
        recipients = await self._recipients(transaction, messages, candidates)
        told = []
        for index, notice in candidates.items():
            message = messages[index]
            member = _member(message)
            recipient = recipients.get(member) if member else None
            channels = channels_for(notice, recipient)
            if isinstance(channels, str) or recipient is None:
                verdicts[index] = Verdict(IGNORED, str(channels))
                continue
            language = language_for(recipient, self._language)
            told += [Told(index, _delivery_id(message, channel), notice, channel, language) for channel in channels]
        made = await _add(transaction, messages, told)
        for each in told:
            if each.delivery_id not in made:
                verdicts[each.index] = Verdict("duplicate")
        return verdicts

    def _candidates(self, messages: Sequence[Message], now: datetime, verdicts: list[Verdict]) -> dict[int, Notice]:
        candidates = {}
        for index, message in enumerate(messages):
            event = message.event
            if not isinstance(event, Noticed):
                continue
            notice = notice_of(event)
            if notice is None or _member(message) is None:
                verdicts[index] = Verdict(IGNORED, "nothing_to_tell")
            elif is_old(event.data.effective_at, now, self._age_max):
                verdicts[index] = Verdict(IGNORED, "too_old")
            else:
                candidates[index] = notice
        return candidates

    async def _recipients(
        self, transaction: ShardTransaction, messages: Sequence[Message], candidates: Iterable[int]
    ) -> dict[Member, Recipient]:
        members = {member for index in candidates if (member := _member(messages[index]))}
        rows = await find_recipients(transaction.connection, transaction.shard, [member for _, member in members])
        return {key: row.decides for key, row in rows.items()}

    async def _erase(self, transaction: ShardTransaction, messages: Sequence[Message]) -> None:
        erased = {
            (event.tenant, event.data.member_id)
            for event in (message.event for message in messages)
            if isinstance(event, MemberErased)
        }
        if erased:
            tenants, members = map(list, zip(*sorted(erased), strict=True))
            subjects = [subject_of(tenant, member) for tenant, member in erased]
            await forget(transaction.connection, transaction.shard, subjects)
            await transaction.connection.execute(SQL.erase_recipients, transaction.shard, tenants, members)
            await transaction.connection.execute(SQL.erase_standings, transaction.shard, tenants, members)
            await transaction.connection.execute(
                SQL.cancel_deliveries, transaction.shard, tenants, members, transaction.now
            )

    async def _keep_programmes(self, transaction: ShardTransaction, messages: Sequence[Message]) -> None:
        newest: dict[tuple[str, str], Message] = {}
        for message in messages:
            event = message.event
            if isinstance(event, ProgrammePublished):
                key = (event.tenant, event.data.programme)
                known = newest.get(key)
                if known is None or _revision(known) < _revision(message):
                    newest[key] = message
        if newest:
            await transaction.connection.execute(
                SQL.put_programmes,
                transaction.shard,
                [tenant for tenant, _ in newest],
                [programme for _, programme in newest],
                [_revision(message) for message in newest.values()],
                [orjson.dumps(message.content["data"]["versions"]).decode() for message in newest.values()],
            )


async def _add(transaction: ShardTransaction, messages: Sequence[Message], told: Sequence[Told]) -> set[UUID]:
    """Record the messages; gives those that were not there."""
    if not told:
        return set()
    events = [messages[each.index].event for each in told]
    data = [event.data for event in events if isinstance(event, Noticed)]
    rows = await transaction.connection.fetch(
        SQL.add_deliveries,
        transaction.shard,
        [each.delivery_id for each in told],
        [messages[each.index].tenant for each in told],
        [each.member_id for each in data],
        [each.account_id for each in data],
        [each.programme for each in data],
        [messages[each.index].id for each in told],
        [each.notice.template for each in told],
        [each.channel for each in told],
        [each.language for each in told],
        [orjson.dumps(each.notice.facts).decode() for each in told],
        [messages[each.index].traceparent for each in told],
        transaction.now,
    )
    return {row["delivery_id"] for row in rows}


def _delivery_id(message: Message, channel: str) -> UUID:
    return derive("delivery", message.tenant, message.source, message.id, channel)


def _member(message: Message) -> Member | None:
    event = message.event
    if isinstance(event, Noticed) and event.data.member_id is not None:
        return event.tenant, event.data.member_id
    return None


def _revision(message: Message) -> int:
    event = message.event
    return event.data.revision if isinstance(event, ProgrammePublished) else 0


def _surely_old(content: dict[str, Any], now: datetime, age_max: timedelta | None) -> bool:
    data = content.get("data")
    effective_at = data.get("effective_at") if isinstance(data, dict) else None
    if not isinstance(effective_at, str):
        return False
    try:
        instant = datetime.fromisoformat(effective_at)
    except ValueError:
        # What is wrong with it is said where it is validated.
        return False
    return is_old(instant if instant.tzinfo else instant.replace(tzinfo=UTC), now, age_max)
