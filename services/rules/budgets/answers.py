"""At the account: what was granted becomes an award, what was not gives its caps back.

Goods may have come back before the answer: then what is granted for them is awarded and reversed at once, so that the
books end as they would have the other way round.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from contracts.ids import command_of, event_of
from services.rules.budgets.storage import SQL
from services.rules.decide.awards import ACCRUE, REVERSE
from services.rules.decide.readings import uuid_of
from services.rules.decide.state import without_counted
from services.rules.decide.storage import SQL as OF_PARTICIPANTS
from services.rules.decide.storage import asked_of
from services.rules.domain.budgets import Asked, given_back
from services.rules.publishing import entry
from services.runtime.messages import Message
from services.runtime.shard import ShardTransaction, Verdict

Said = dict[str, Any]


async def take(transaction: ShardTransaction, messages: Sequence[Message]) -> dict[int, Verdict]:
    """Take answers in; verdicts by the identity of the message. An ask that nobody made is refused: `ask_unknown`."""
    if not messages:
        return {}
    asks = [uuid_of(message.content["data"]["ask_id"]) for message in messages]
    rows = await transaction.connection.fetch(SQL.find_asked, transaction.shard, asks)
    found = {row["ask_id"]: row for row in rows}
    states: dict[UUID, bytes] = {}
    taken: dict[UUID, tuple[int, int]] = {}
    verdicts: dict[int, Verdict] = {}
    for message, ask_id in zip(messages, asks, strict=True):
        row = found.get(ask_id)
        if row is None:
            verdicts[id(message)] = Verdict("refused", "ask_unknown")
            continue
        if row["granted"] is not None or ask_id in taken:
            verdicts[id(message)] = Verdict("duplicate")
            continue
        granted = message.content["data"]["granted"]
        ask = asked_of({**row, "granted": granted})
        _tell(transaction, message, ask, orjson.loads(row["award"]))
        back = given_back(ask, granted) if granted < ask.points else {}
        if back:
            state = states.get(row["account_id"], row["state"])
            states[row["account_id"]] = without_counted(state, back)
        taken[ask_id] = (granted, ask.taken + ask.due_back)
        verdicts[id(message)] = Verdict("applied")
    await _write(transaction, taken, states)
    return verdicts


def _tell(transaction: ShardTransaction, message: Message, ask: Asked, award: Said) -> None:
    """Tell the ledger of what was granted, and of what of it goes back."""
    if not ask.granted:
        return
    _append(transaction, message, ACCRUE, award | {"grants": [_cut(award["grants"][0], ask.granted)]})
    if ask.due_back:
        _append(transaction, message, REVERSE, _reversal(award, ask))


def _append(transaction: ShardTransaction, message: Message, event_type: str, data: Mapping[str, Any]) -> None:
    transaction.append(
        entry(
            event_type, event_of(event_type, UUID(data["command_id"])), key=data["account_id"], tenant=message.tenant,
            data=data, now=transaction.now, traceparent=message.traceparent,
        )
    )  # fmt: skip


def _cut(grant: Said, points: int) -> Said:
    """A grant of less than was asked for; a budgeted rule has a lot to itself, so all of it is that rule's."""
    rules = [{"rule": share["rule"], "points": points} for share in grant["rules"][:1]]
    return grant | {"points": points, "rules": rules}


def _reversal(award: Said, ask: Asked) -> Said:
    kept = ("account_id", "member_id", "programme", "occurred_at", "decision_id", "spent_policy")
    return {name: award[name] for name in kept} | {
        "command_id": str(command_of("reverse", ask.ask_id)),
        "accrual_id": award["command_id"],
        # The goods came back before this was granted.
        "source": award["source"] | {"kind": "return"},
        "currency": ask.currency,
        "points": ask.due_back,
        "standing": None,
    }


async def _write(
    transaction: ShardTransaction, taken: Mapping[UUID, tuple[int, int]], states: Mapping[UUID, bytes]
) -> None:
    connection: asyncpg.Connection = transaction.connection
    if taken:
        granted, reversed_ = zip(*taken.values(), strict=True)
        await connection.execute(
            SQL.settle_asks, transaction.shard, list(taken), list(granted), list(reversed_), transaction.now
        )
    if states:
        await connection.execute(OF_PARTICIPANTS.save_states, transaction.shard, list(states), list(states.values()))
