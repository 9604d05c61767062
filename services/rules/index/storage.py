"""The tables of the index: what a batch needs to know is loaded, and what it changed is written, set-wise."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson

from contracts.amounts import format_decimal
from services.rules import refusals
from services.rules.domain.identifier import Holder
from services.rules.domain.purchase_index import (
    Entry,
    Event,
    Indexed,
    IndexedPurchase,
    Return,
    Returned,
    ReturnKept,
    fold,
)
from services.rules.domain.refusals import Refusal
from services.rules.incoming import Mark, Origin
from services.rules.index.batch import Changes, KnownReturn, ReturnVerdict
from services.rules.index.readings import Entering, Returning
from services.rules.privacy import Cipher, Vault
from services.runtime.postgres import statements
from services.runtime.rows import Table
from services.runtime.shard import ShardTransaction

SQL = statements(__package__)

_ENTRIES: Final = Table(
    "purchase_index",
    {
        "shard": "int", "purchase_key": "uuid", "tenant": "text", "programme": "text", "purchase_id": "text",
        "account_id": "uuid", "member_id": "uuid", "card_category": "text", "fingerprint": "bytea",
        "purchased_at": "timestamptz", "lines": "json",
    },
)  # fmt: skip
_RETURN_COLUMNS: Final = (
    "shard", "return_key", "purchase_key", "tenant", "programme", "return_id", "purchase_id", "verdict", "fingerprint",
    "event_source", "event_id", "returned_at", "first_seen_at", "lines", "traceparent", "body",
)  # fmt: skip


class Storage:
    """Reads and writes within a shard's transaction."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def purchases(
        self, transaction: ShardTransaction, purchases: Collection[UUID], returns: Collection[UUID]
    ) -> tuple[dict[UUID, IndexedPurchase], dict[UUID, KnownReturn], dict[UUID, Returning]]:
        """The state of purchases, returns that are known under these ids, and those that wait."""
        connection, shard = transaction.connection, transaction.shard
        entries = await connection.fetch(SQL.find_entries, shard, list(purchases))
        rows = await connection.fetch(SQL.find_returns, shard, list(purchases), list(returns))
        known = {row["return_key"]: _known(row) for row in rows}
        waiting = await self._waiting(transaction, [row for row in rows if row["verdict"] != "applied"])
        events: dict[UUID, list[Event]] = {key: [] for key in purchases}
        entered = {row["purchase_key"]: _entry(row) for row in entries}
        for key, entry in entered.items():
            events[key].append(Indexed(entry))
        for row in rows:
            key = row["purchase_key"]
            if key in events:
                events[key].append(_event(row, entered.get(key)))
        state = {key: fold(IndexedPurchase(), happened) for key, happened in events.items()}
        return state, known, waiting

    async def refused(self, transaction: ShardTransaction, keys: Collection[UUID]) -> dict[Mark, Refusal]:
        """Which messages about these returns and purchases were refused."""
        if not keys:
            return {}
        rows = await transaction.connection.fetch(SQL.find_refusals, transaction.shard, list(keys))
        return {
            (row["subject_key"], row["event_source"], row["event_id"]): Refusal(
                row["code"], row["message"], row["field"]
            )
            for row in rows
        }

    async def write(self, transaction: ShardTransaction, changes: Changes) -> None:
        """Write everything that a batch came to."""
        await self._add_entries(transaction, changes.indexed)
        await self._claim(transaction, changes.claimed)
        settled = list(changes.returns.values())
        await self._add_returns(transaction, [each for each in settled if not each[0].kept])
        await self._settle(transaction, [each for each in settled if each[0].kept])
        await refusals.add(transaction, changes.refused)

    async def _waiting(self, transaction: ShardTransaction, rows: Sequence[asyncpg.Record]) -> dict[UUID, Returning]:
        keys = [row["return_key"] for row in rows]
        ciphers = await self._vault.existing(transaction.connection, [transaction.shard], keys)
        return {row["return_key"]: _revived(row, ciphers[transaction.shard, row["return_key"]]) for row in rows}

    async def _add_entries(self, transaction: ShardTransaction, entering: Sequence[Entering]) -> None:
        await transaction.add(_ENTRIES, [_entry_row(each, transaction.shard) for each in entering])

    async def _claim(self, transaction: ShardTransaction, claimed: Sequence[tuple[UUID, Holder]]) -> None:
        if claimed:
            await transaction.connection.execute(
                SQL.claim_purchases,
                transaction.shard,
                [key for key, _ in claimed],
                [holder.account_id for _, holder in claimed],
                [holder.member_id for _, holder in claimed],
                [holder.card_category for _, holder in claimed],
            )

    async def _add_returns(
        self, transaction: ShardTransaction, settled: Sequence[tuple[Returning, ReturnVerdict | None]]
    ) -> None:
        if not settled:
            return
        to_keep = [returning.key for returning, verdict in settled if verdict != "applied"]
        ciphers = await self._vault.ciphers(transaction.connection, transaction.shard, to_keep)
        rows = [
            _return_row(returning, verdict, ciphers.get(returning.key), transaction) for returning, verdict in settled
        ]
        await transaction.connection.copy_records_to_table("purchase_return", records=rows, columns=_RETURN_COLUMNS)

    async def _settle(
        self, transaction: ShardTransaction, settled: Sequence[tuple[Returning, ReturnVerdict | None]]
    ) -> None:
        if not settled:
            return
        connection, shard = transaction.connection, transaction.shard
        by_verdict: dict[ReturnVerdict | None, list[UUID]] = {}
        for returning, verdict in settled:
            by_verdict.setdefault(verdict, []).append(returning.key)
        for verdict, keys in by_verdict.items():
            if verdict is None:
                await connection.execute(SQL.drop_returns, shard, keys)
            else:
                await connection.execute(SQL.settle_returns, shard, keys, verdict)
        told = [returning.key for returning, verdict in settled if verdict != "nobody"]
        await connection.execute(SQL.drop_keys, shard, told)


def _entry_row(entering: Entering, shard: int) -> tuple[Any, ...]:
    entry, holder = entering.entry, entering.entry.holder
    return (
        shard, entering.purchase_key, entering.origin.tenant, entering.programme, entering.purchase_id,
        holder.account_id if holder else None, holder.member_id if holder else None,
        holder.card_category if holder else "", entry.fingerprint, entry.purchased_at, _json(entry.lines),
    )  # fmt: skip


def _return_row(
    returning: Returning, verdict: str | None, cipher: Cipher | None, transaction: ShardTransaction
) -> tuple[Any, ...]:
    origin = returning.origin
    body = cipher.encrypt(_body_of(returning), returning.key.bytes) if cipher else None
    return (
        transaction.shard, returning.key, returning.purchase_key, origin.tenant, returning.programme,
        returning.return_id, returning.purchase_id, verdict, returning.fingerprint, origin.source, origin.id,
        returning.returned_at, transaction.now, _json(returning.back.lines), origin.traceparent, body,
    )  # fmt: skip


def _json(lines: Sequence[tuple[int, int, int]]) -> str:
    # A named tuple is nothing to the encoder; a plain list of the same is.
    return orjson.dumps([list(line) for line in lines]).decode()


def _lines(row: asyncpg.Record) -> tuple[tuple[int, int, int], ...]:
    return tuple((line, quantity, amount) for line, quantity, amount in orjson.loads(row["lines"]))


def _entry(row: asyncpg.Record) -> Entry:
    account_id = row["account_id"]
    holder = Holder(account_id, row["member_id"], row["programme"], row["card_category"]) if account_id else None
    return Entry(holder, row["fingerprint"], row["purchased_at"], _lines(row))


def _event(row: asyncpg.Record, entry: Entry | None) -> Event:
    back = Return(row["return_key"], _lines(row))
    if row["verdict"] == "waiting":
        return ReturnKept(back)
    return Returned(back, entry.holder if entry and row["verdict"] == "applied" else None, ())


def _known(row: asyncpg.Record) -> KnownReturn:
    facts = {
        "event_source": row["event_source"],
        "event_id": row["event_id"],
        "at": row["returned_at"].isoformat(),
        "total": format_decimal(sum(amount for _, _, amount in _lines(row))),
        "fingerprint": row["fingerprint"].hex(),
    }
    return KnownReturn(row["fingerprint"], row["verdict"], facts)


def _body_of(returning: Returning) -> bytes:
    origin = returning.origin
    return orjson.dumps(
        {
            "tenant": origin.tenant,
            "key": origin.key,
            "purchase_id": returning.purchase_id,
            "return_id": returning.return_id,
            "programme": returning.programme,
            "data": returning.data,
        }
    )


def _revived(row: asyncpg.Record, cipher: Cipher) -> Returning:
    """A return that was kept, as it came."""
    said = orjson.loads(cipher.decrypt(row["body"], row["return_key"].bytes))
    return Returning(
        Return(row["return_key"], _lines(row)),
        row["purchase_key"],
        said["purchase_id"],
        said["return_id"],
        said["programme"],
        row["returned_at"],
        row["fingerprint"],
        Origin(said["tenant"], row["event_source"], row["event_id"], said["key"], row["traceparent"]),
        said["data"],
        kept=True,
    )
