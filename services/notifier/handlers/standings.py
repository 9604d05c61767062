"""What members' accounts came to, kept for their own pages."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

import orjson

from contracts.ledger_events import LedgerEvent
from services.notifier.domain.standing import Standing, standing_of
from services.notifier.handlers import SQL
from services.runtime.messages import Message
from services.runtime.shard import ShardTransaction

Key = tuple[str, UUID, UUID]


async def put_standings(transaction: ShardTransaction, messages: Sequence[Message]) -> None:
    """Keep what the accounts of known members came to with these events. Nothing is kept of anybody else."""
    standings = _newest(messages)
    if not standings:
        return
    tenants, members, accounts = map(list, zip(*standings, strict=True))
    each = list(standings.values())
    await transaction.connection.execute(
        SQL.put_standings,
        transaction.shard,
        tenants,
        members,
        accounts,
        [standing.programme for standing in each],
        [standing.version for standing in each],
        [orjson.dumps(standing.balances).decode() for standing in each],
        [standing.tier for standing in each],
        [standing.is_open for standing in each],
        [standing.as_of for standing in each],
    )


def _newest(messages: Iterable[Message]) -> dict[Key, Standing]:
    """Each account after its newest event of the batch, with what the ones before it said of other currencies."""
    newest: dict[Key, Standing] = {}
    for message in messages:
        event = message.event
        if not isinstance(event, LedgerEvent) or event.data.member_id is None:
            continue
        standing = standing_of(event)
        if standing is None:
            continue
        key = (event.tenant, event.data.member_id, standing.account_id)
        known = newest.get(key)
        newest[key] = standing if known is None else _later(known, standing)
    return newest


def _later(one: Standing, other: Standing) -> Standing:
    before, after = sorted((one, other), key=lambda standing: standing.version)
    tier = before.tier if after.tier is None else after.tier
    return replace(after, balances=before.balances | after.balances, tier=tier)
