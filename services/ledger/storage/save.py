"""Writing what a transaction changed: a statement or two for a few rows; COPY for the rows that many commands add."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson

from services.ledger.domain.account import Account
from services.ledger.domain.due import next_due
from services.ledger.projections.entries import COLUMNS as ENTRY_COLUMNS
from services.ledger.projections.entries import EntryRow
from services.ledger.projections.totals import Totals, day_of
from services.ledger.storage import SQL
from services.ledger.storage.load import Known
from services.ledger.storage.rows import (
    LOT_COLUMNS,
    account_document,
    balance_document,
    hold_document,
    lot_document,
    lot_row,
    redemption_document,
    transit_document,
)
from services.runtime.shard import ShardTransaction

MOVEMENT_COLUMNS: Final = (
    "shard", "command_id", "account_id", "type", "verdict", "code", "request", "answer", "position", "recorded_at",
)  # fmt: skip

_WHY: Final = len(ENTRY_COLUMNS) - 1
_NOTHING_THERE: Final[Mapping[Any, Any]] = {}

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(slots=True)
class Change:
    """An account before (None: nothing was stored) and after; `due_at` bounds what of it was not loaded."""

    before: Account | None
    after: Account
    due_at: datetime | None
    known_at: datetime
    position: int


@dataclass(slots=True)
class Decided:
    """A command's verdict as it is kept; `again` says that a record of it is there already."""

    known: Known
    type: str
    position: int
    again: bool = False


@dataclass(slots=True)
class Kept:
    """A command that waits for `awaited_id`."""

    awaited_id: UUID
    command_id: UUID
    account_id: UUID
    content: Mapping[str, Any]


@dataclass(slots=True)
class Records:
    """What a transaction adds beside the log, by command; `resumed` are those kept before that wait no more."""

    decided: dict[UUID, Decided] = field(default_factory=dict)
    entries: list[EntryRow] = field(default_factory=list)
    totals: Totals = field(default_factory=Totals)
    kept: dict[UUID, Kept] = field(default_factory=dict)
    resumed: list[UUID] = field(default_factory=list)


async def save(transaction: ShardTransaction, changes: Sequence[Change], records: Records) -> None:
    """Write the changes and the records; nothing is sent where nothing is to be written."""
    shard, now = transaction.shard, transaction.now
    opened = [
        (change.after.account_id, lot)
        for change in changes
        for lot_id, lot in change.after.lots.items()
        if change.before is None or lot_id not in change.before.lots
    ]
    fresh = [each for each in records.decided.values() if not each.again]
    lines = records.entries
    if _many(opened, transaction):
        await _copy(transaction, "lot", LOT_COLUMNS, [lot_row(shard, account_id, lot) for account_id, lot in opened])
        opened = []
    if _many(fresh, transaction):
        await _copy(transaction, "movement", MOVEMENT_COLUMNS, [_movement_row(shard, each, now) for each in fresh])
        fresh = []
    if _many(lines, transaction):
        await _copy(transaction, "entry", ENTRY_COLUMNS, lines)
        lines = []
    await transaction.write(
        SQL.save,
        map(_account, changes),
        _balances(changes),
        (lot_document(account_id, lot) for account_id, lot in opened),
        _changed_lots(changes),
        _movements(records, fresh, now),
        map(_entry, lines),
        records.totals.documents(day_of(now)),
    )  # fmt: skip
    await transaction.write(
        SQL.save_commitments,
        _parts(changes, "holds", hold_document),
        _parts(changes, "redemptions", redemption_document),
        _parts(changes, "transits", transit_document),
        _arrived(changes),
    )  # fmt: skip
    await transaction.write(SQL.keep_waiting, _kept(records, now))
    if records.resumed:
        await transaction.connection.execute(SQL.forget_waiting, shard, records.resumed)


def _many(rows: Sequence[Any], transaction: ShardTransaction) -> bool:
    """Whether a COPY of their own is cheaper than a place in the one statement."""
    return len(rows) >= max(1, transaction.copy_rows_min)


async def _copy(transaction: ShardTransaction, table: str, columns: Sequence[str], rows: Sequence[Any]) -> None:
    await transaction.connection.copy_records_to_table(table, records=rows, columns=columns)


def _account(change: Change) -> dict[str, Any]:
    coming = [instant for instant in (change.due_at, next_due(change.after)) if instant is not None]
    document = account_document(change.after)
    document["due_at"] = min(coming, default=None)
    document["known_at"] = change.known_at
    document["position"] = change.position
    return document


def _balances(changes: Iterable[Change]) -> Iterator[dict[str, Any]]:
    for change in changes:
        before = _NOTHING_THERE if change.before is None else change.before.balances
        for currency, balance in _changed(before, change.after.balances):
            yield balance_document(change.after.account_id, currency, balance)


def _changed_lots(changes: Iterable[Change]) -> Iterator[dict[str, Any]]:
    for change in changes:
        if change.before is not None:
            for lot_id, lot in _changed(change.before.lots, change.after.lots):
                if lot_id in change.before.lots:
                    yield lot_document(change.after.account_id, lot)


def _parts(changes: Iterable[Change], name: str, document: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  # (UUID, part) to a row
    for change in changes:
        before = _NOTHING_THERE if change.before is None else getattr(change.before, name)
        for _, part in _changed(before, getattr(change.after, name)):
            yield document(change.after.account_id, part)


def _arrived(changes: Iterable[Change]) -> Iterator[dict[str, Any]]:
    for change in changes:
        if change.before is not None:
            for transit_id in change.before.transits.keys() - change.after.transits.keys():
                yield {"account_id": change.after.account_id, "transit_id": transit_id}


def _changed(before: Mapping[Key, Value], after: Mapping[Key, Value]) -> Iterator[tuple[Key, Value]]:
    """What is new or another object than before: the domain makes a new one wherever it changes something."""
    if after is before:
        return
    for key, value in after.items():
        if before.get(key) is not value:
            yield key, value


def _movements(records: Records, fresh: Sequence[Decided], now: datetime) -> Iterator[dict[str, Any]]:
    for each in (*fresh, *(again for again in records.decided.values() if again.again)):
        document = dict(zip(MOVEMENT_COLUMNS, _movement_row(0, each, now), strict=True))
        for name in ("request", "answer"):
            if document[name] is not None:
                document[name] = orjson.Fragment(document[name])
        yield document


def _movement_row(shard: int, each: Decided, now: datetime) -> tuple[Any, ...]:
    known = each.known
    return (
        shard, known.command_id, known.account_id, each.type, known.verdict, known.code, known.request, known.answer,
        each.position, now,
    )  # fmt: skip


def _kept(records: Records, now: datetime) -> Iterator[dict[str, Any]]:
    for each in records.kept.values():
        yield {
            "awaited_id": each.awaited_id,
            "command_id": each.command_id,
            "account_id": each.account_id,
            "content": each.content,
            "recorded_at": now,
        }


def _entry(row: EntryRow) -> dict[str, Any]:
    document = dict(zip(ENTRY_COLUMNS, row, strict=True))
    document["why"] = orjson.Fragment(row[_WHY])
    return document
