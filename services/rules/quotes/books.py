"""The books as rules hears of them: events of the ledger folded into what is known of each account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import orjson

from services.rules.decide.readings import uuid_of
from services.rules.domain.known_account import (
    Balance,
    KnownAccount,
    LotChange,
    OpenHold,
    evolve,
    lot_changes,
)
from services.runtime.messages import Message
from services.runtime.postgres import statements
from services.runtime.shard import ShardTransaction

SQL = statements(__package__)
REJECTED: Final = "bonus.command.rejected.v1"
"""Tells of no event of the account: nothing came of the command."""

_Lots = dict[tuple[UUID, UUID], LotChange]


@dataclass(slots=True)
class _Heard:
    """What a batch came to: accounts that changed, lots that were opened, and those that were only moved."""

    accounts: dict[UUID, KnownAccount]
    changed: set[UUID] = field(default_factory=set)
    opened: _Lots = field(default_factory=dict)
    moved: _Lots = field(default_factory=dict)


class Books:
    """Keeps what quotes must know of the books. An event that was heard before changes nothing."""

    async def hear(self, transaction: ShardTransaction, messages: Sequence[Message]) -> None:
        """Take in events of the books of one shard, in their order."""
        events = [message for message in messages if message.type != REJECTED]
        accounts = {uuid_of(message.content["data"]["account_id"]) for message in events}
        if not accounts:
            return
        rows = await transaction.connection.fetch(SQL.find_known_accounts, transaction.shard, list(accounts))
        heard = _Heard({row["account_id"]: account_of(row["state"]) for row in rows})
        for message in events:
            _hear(heard, message)
        await self._save(transaction, heard)

    async def _save(self, transaction: ShardTransaction, heard: _Heard) -> None:
        connection, shard = transaction.connection, transaction.shard
        if heard.changed:
            known = [(account, heard.accounts[account]) for account in heard.changed]
            await connection.execute(
                SQL.save_known_accounts, shard, [account for account, _ in known],
                [state.version for _, state in known], [state_of(state) for _, state in known], transaction.now,
            )  # fmt: skip
        if heard.opened:
            rows = [
                (account, lot, change.opened[0], *_points(change), *change.opened[1:])
                for (account, lot), change in heard.opened.items()
                if change.opened is not None
            ]
            await connection.execute(SQL.open_known_lots, shard, *map(list, zip(*rows, strict=True)))
        if heard.moved:
            moved = [(account, lot, *_points(change)) for (account, lot), change in heard.moved.items()]
            await connection.execute(SQL.move_known_lots, shard, *map(list, zip(*moved, strict=True)))
        # A lot may open and lapse within one batch: what was opened is looked at too.
        if touched := {**heard.opened, **heard.moved}:
            await connection.execute(SQL.drop_known_lots, shard, *map(list, zip(*touched, strict=True)))


def _hear(heard: _Heard, message: Message) -> None:
    data = message.content["data"]
    account_id = uuid_of(data["account_id"])
    before = heard.accounts.get(account_id, KnownAccount())
    after = evolve(before, message.type, data)
    if after is before:
        return
    heard.accounts[account_id] = after
    heard.changed.add(account_id)
    for change in lot_changes(data):
        place = (account_id, change.lot_id)
        if change.opened is not None:
            if any(change.opened[1:]):
                heard.opened[place] = _sum(change, heard.opened.get(place))
        elif place in heard.opened:
            heard.opened[place] = _sum(heard.opened[place], change)
        else:
            heard.moved[place] = _sum(change, heard.moved.get(place))


def _sum(change: LotChange, other: LotChange | None) -> LotChange:
    if other is None:
        return change
    return change._replace(
        pending=change.pending + other.pending,
        available=change.available + other.available,
        held=change.held + other.held,
    )


def _points(change: LotChange) -> tuple[int, int, int]:
    return change.pending, change.available, change.held


def state_of(account: KnownAccount) -> bytes:
    """What is known, as its row keeps it."""
    return orjson.dumps(
        {
            "version": account.version,
            "status": account.status,
            "balances": {key: tuple(balance) for key, balance in account.balances.items()},
            "holds": {str(hold_id): tuple(hold) for hold_id, hold in account.holds.items()},
            "day": account.day,
            "spent": {str(key): points for key, points in account.spent.items()},
        }
    )


def account_of(state: bytes) -> KnownAccount:
    """What is known, from its row."""
    said: Mapping[str, Any] = orjson.loads(state)
    return KnownAccount(
        version=said["version"],
        status=said["status"],
        balances={key: Balance(*balance) for key, balance in said["balances"].items()},
        holds={
            UUID(hold_id): OpenHold(
                currency, points, datetime.fromisoformat(expires_at), date.fromisoformat(day) if day else None
            )
            for hold_id, (currency, points, expires_at, day) in said["holds"].items()
        },
        day=date.fromisoformat(said["day"]) if said["day"] else None,
        spent={UUID(key): points for key, points in said["spent"].items()},
    )
