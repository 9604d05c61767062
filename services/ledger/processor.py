"""The books' processor: commands of one shard, from messages to verdicts, in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from contracts.catalogue import MODELS
from contracts.redemptions import RetailCommand
from services.ledger.batch import Batch
from services.ledger.confirmations import NO_CONFIRMATIONS, Confirmations
from services.ledger.domain.commands import Erase
from services.ledger.domain.needs import Needs, together
from services.ledger.intake import Ask, Scales, account_key, ask_of, currency_of
from services.ledger.programmes import Programmes
from services.ledger.projections.figures import count_points
from services.ledger.storage.load import Loaded, load
from services.ledger.storage.save import save
from services.ledger.storage.scales import learn_scales
from services.ledger.subjects import subject_in, subject_of
from services.runtime.messages import Message
from services.runtime.privacy import forget
from services.runtime.shard import ShardTransaction, Verdict

LOG_COLUMNS: Final = ("account_id uuid", "version bigint")
"""The books' own columns of the log."""


class LedgerProcessor:
    """Takes awards, commands of retail systems, requests over HTTP and what sweepers find."""

    name = "ledger"

    def __init__(self, programmes: Programmes, confirmations: Confirmations = NO_CONFIRMATIONS) -> None:
        self._programmes = programmes
        self._confirmations = confirmations

    def key_of(self, message: Message) -> str:
        """The account. Raises `MessageFault` where the data is not what its type says."""
        return account_key(message)

    def subject_of(self, message: Message) -> UUID | None:
        """The account that the message names."""
        return subject_in(message)

    async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Decide the messages in order, each on what those before it left; write everything at the end."""
        scales = await self._scales(transaction, messages)
        asks = [ask_of(message, scales, transaction.now, self._confirmations) for message in messages]
        loaded = await self._load(transaction, asks)
        batch = Batch(transaction, loaded, self._programmes)
        verdicts = []
        for ask in asks:
            verdicts.append(batch.decide(ask))
            for follower in batch.followers(ask):
                batch.decide(resumed(follower, scales, transaction.now))
        transaction.on_commit(lambda: count_points(batch.records.totals))
        await save(transaction, batch.changes(), batch.records)
        erased = {subject_of(ask.message.tenant, ask.account_id) for ask in asks if isinstance(ask.command, Erase)}
        if erased:
            await forget(transaction.connection, transaction.shard, erased)
        return verdicts

    async def _scales(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Scales:
        scales = self._programmes.scales
        unknown = [
            data.account_id
            for message in messages
            if isinstance(data := getattr(message.event, "data", None), RetailCommand)
            and (currency := currency_of(data))
            and scales.of(message.tenant, data.programme, currency) is None
        ]
        if unknown:
            await learn_scales(transaction, unknown, scales)
        return scales

    async def _load(self, transaction: ShardTransaction, asks: Sequence[Ask]) -> Loaded:
        commands = [ask.command_id for ask in asks if ask.command is not None or ask.refusal is not None]
        loaded = await load(transaction, needs_of(asks), commands)
        waited = [
            resumed(each, self._programmes.scales, transaction.now)
            for waiting in loaded.waiting.values()
            for each in waiting
        ]
        if waited:
            # Those that waited are decided too, and may need more than what the others asked for.
            waiting = loaded.waiting
            commands += [ask.command_id for ask in waited]
            loaded = await load(transaction, needs_of([*asks, *waited]), commands)
            loaded.waiting = waiting
        return loaded


def needs_of(asks: Sequence[Ask]) -> dict[UUID, Needs]:
    """What the commands of each account need together."""
    by_account: dict[UUID, list[Needs]] = {}
    for ask in asks:
        by_account.setdefault(ask.account_id, []).append(ask.needs)
    return {account_id: together(each) for account_id, each in by_account.items()}


def resumed(waiting: tuple[UUID, dict[str, Any]], scales: Scales, now: datetime) -> Ask:
    """A command that was kept because it came too early, as it came."""
    _, content = waiting
    event = MODELS[content["type"]].model_validate(content)
    message = Message(
        type=event.type, id=event.id, source=event.source, tenant=event.tenant, content=content, event=event,
        traceparent=event.traceparent,
    )  # fmt: skip
    # Its events are published under the key of the account, as those of every other message.
    message.key = account_key(message)
    ask = ask_of(message, scales, now)
    ask.resumed = True
    return ask
