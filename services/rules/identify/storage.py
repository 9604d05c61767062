"""The tables of identification: what a batch needs to know is loaded, and what it changed is written, set-wise."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson

from contracts.amounts import format_decimal
from contracts.purchases import Purchase
from services.rules import refusals
from services.rules.domain.identifier import Arrival, Holder, Holding, Identifier
from services.rules.domain.refusals import Refusal
from services.rules.identify.changes import Changes, IdentifierKey, Known, Settled
from services.rules.identify.taken import Taken
from services.rules.incoming import Mark, Origin
from services.rules.privacy import Cipher, Pseudonyms, Vault
from services.runtime.postgres import statements
from services.runtime.rows import Table
from services.runtime.shard import ShardTransaction

SQL = statements(__package__)

_PURCHASES: Final = Table(
    "purchase",
    {
        "shard": "int", "purchase_key": "uuid", "tenant": "text", "programme": "text", "purchase_id": "text",
        "identifier": "bytea", "account_id": "uuid", "member_id": "uuid", "verdict": "text", "fingerprint": "bytea",
        "event_source": "text", "event_id": "text", "purchased_at": "timestamptz", "first_seen_at": "timestamptz",
        "store": "text", "currency": "text", "total": "bigint",
    },
)  # fmt: skip


class Storage:
    """Reads and writes within a shard's transaction."""

    def __init__(self, pseudonyms: Pseudonyms, vault: Vault) -> None:
        self._pseudonyms = pseudonyms
        self._vault = vault

    async def known(
        self, transaction: ShardTransaction, keys: Collection[UUID]
    ) -> tuple[dict[UUID, Known], dict[Mark, Refusal]]:
        """What was taken in under these business keys, and which messages were refused."""
        known: dict[UUID, Known] = {}
        refused: dict[Mark, Refusal] = {}
        for row in await transaction.connection.fetch(SQL.find_known, transaction.shard, list(keys)):
            key = row["subject_key"]
            if row["part"] == "refusal":
                refused[key, row["event_source"], row["event_id"]] = Refusal(
                    row["verdict"], row["message"], row["field"]
                )
            else:
                known[key] = Known(row["fingerprint"], row["verdict"], row["account_id"], _told(row))
        return known, refused

    async def identifiers(
        self, transaction: ShardTransaction, wanted: dict[IdentifierKey, tuple[str, str]]
    ) -> dict[IdentifierKey, Identifier]:
        """The state of identifiers, without what waits under them; `wanted` gives the tenant and name of each."""
        if not wanted:
            return {}
        found: dict[IdentifierKey, list[asyncpg.Record]] = {}
        hashes = list({identifier for identifier, _ in wanted})
        for row in await transaction.connection.fetch(SQL.find_holdings, transaction.shard, hashes):
            found.setdefault((row["identifier"], row["programme"]), []).append(row)
        return {
            key: identifier_of_rows(tenant, key[1], name, found.get(key, ())) for key, (tenant, name) in wanted.items()
        }

    async def waiting(
        self, transaction: ShardTransaction, identifiers: Collection[IdentifierKey]
    ) -> dict[IdentifierKey, list[Taken]]:
        """What waits under identifiers, in the order of its coming."""
        hashes = list({identifier for identifier, _ in identifiers})
        rows = await transaction.connection.fetch(SQL.find_kept, transaction.shard, hashes)
        keys = [row["subject_key"] for row in rows]
        ciphers = await self._vault.existing(transaction.connection, [transaction.shard], keys)
        waiting: dict[IdentifierKey, list[Taken]] = {}
        for row in rows:
            key = (row["identifier"], row["programme"])
            cipher = ciphers.get((transaction.shard, row["subject_key"]))
            if key in identifiers and cipher is not None:
                waiting.setdefault(key, []).append(_revived(row, cipher))
        return waiting

    async def kept(self, transaction: ShardTransaction, keys: Collection[UUID]) -> list[Taken]:
        """What was kept under these keys: it waits, or named no member."""
        if not keys:
            return []
        rows = await transaction.connection.fetch(SQL.find_kept_by_key, transaction.shard, list(keys))
        ciphers = await self._vault.existing(transaction.connection, [transaction.shard], keys)
        found = ((row, ciphers.get((transaction.shard, row["subject_key"]))) for row in rows)
        return [_revived(row, cipher) for row, cipher in found if cipher is not None]

    async def write(
        self, transaction: ShardTransaction, changes: Changes, before: dict[IdentifierKey, Identifier]
    ) -> None:
        """Write everything that a batch came to. `before` is the state of the identifiers as it was loaded."""
        new = [each for each in changes.settled.values() if not each.waited]
        await self._add_purchases(transaction, [each for each in new if each.taken.purchase])
        await self._add_activities(transaction, changes, [each for each in new if not each.taken.purchase])
        await self._settle(transaction, changes.released)
        await self._forget(transaction, changes.to_forget)
        ciphers = await self._ciphers(transaction, changes, before)
        await self._put_holdings(transaction, changes, before, ciphers)
        await self._keep(transaction, [each for each in changes.to_keep if not each.waited], ciphers)
        await refusals.add(transaction, changes.refused)

    async def _ciphers(
        self, transaction: ShardTransaction, changes: Changes, before: dict[IdentifierKey, Identifier]
    ) -> dict[UUID, Cipher]:
        """The ciphers under which something new is kept."""
        members = {
            holding.holder.member_id
            for place, state in changes.identifiers.items()
            for holding in state.holdings
            if holding not in before[place].holdings
        }
        subjects = members | {each.taken.key for each in changes.to_keep if not each.waited}
        return await self._vault.ciphers(transaction.connection, transaction.shard, subjects)

    async def _add_purchases(self, transaction: ShardTransaction, settled: Sequence[Settled]) -> None:
        rows = [self._purchase_row(each, transaction.shard, transaction.now) for each in settled]
        await transaction.add(_PURCHASES, rows)

    def _purchase_row(self, settled: Settled, shard: int, now: datetime) -> tuple[Any, ...]:
        taken, holder, origin = settled.taken, settled.holder, settled.taken.origin
        assert taken.purchase is not None, "only purchases have such rows"  # noqa: S101 - chosen by the caller
        return (
            shard, taken.key, origin.tenant, taken.programme, taken.subject_id, self._hash(taken),
            holder.account_id if holder else None, holder.member_id if holder else None, settled.verdict,
            taken.fingerprint, origin.source, origin.id, taken.arrival.at, now,
            taken.purchase.store, taken.purchase.currency, taken.total,
        )  # fmt: skip

    def _hash(self, taken: Taken) -> bytes | None:
        return None if taken.name is None else self._pseudonyms.of(taken.origin.tenant, taken.name)

    async def _add_activities(
        self, transaction: ShardTransaction, changes: Changes, settled: Sequence[Settled]
    ) -> None:
        rows = [self._activity_row(each) for each in settled]
        rows += [
            (
                each.key, each.origin.tenant, each.programme, "enrolment", each.origin.id,
                self._pseudonyms.of(each.origin.tenant, each.name), holder.account_id, holder.member_id, "identified",
                each.fingerprint, each.origin.source, each.origin.id, each.command.at,
            )
            for each, holder in changes.enrolments.values()
        ]  # fmt: skip
        if rows:
            await transaction.connection.execute(
                SQL.add_activities, transaction.shard, *_columns(rows), transaction.now
            )

    def _activity_row(self, settled: Settled) -> tuple[Any, ...]:
        taken, holder, origin = settled.taken, settled.holder, settled.taken.origin
        return (
            taken.key, origin.tenant, taken.programme, taken.arrival.kind, taken.subject_id, self._hash(taken),
            holder.account_id if holder else None, holder.member_id if holder else None, settled.verdict,
            taken.fingerprint, origin.source, origin.id, taken.arrival.at,
        )  # fmt: skip

    async def _settle(self, transaction: ShardTransaction, released: Sequence[Settled]) -> None:
        if not released:
            return
        # One update for each verdict and holder: they are few, and a join with what is sent would cross nodes.
        groups: dict[tuple[bool, str, Holder | None], list[UUID]] = {}
        for each in released:
            kind = (each.taken.purchase is not None, each.verdict, each.holder)
            groups.setdefault(kind, []).append(each.taken.key)
        for (is_purchase, verdict, holder), keys in groups.items():
            account_id, member_id = (holder.account_id, holder.member_id) if holder else (None, None)
            statement = SQL.settle_purchases if is_purchase else SQL.settle_activities
            await transaction.connection.execute(statement, transaction.shard, keys, verdict, account_id, member_id)

    async def _forget(self, transaction: ShardTransaction, keys: Sequence[UUID]) -> None:
        if keys:
            await transaction.connection.execute(SQL.release, transaction.shard, keys)
            await transaction.connection.execute(SQL.drop_keys, transaction.shard, keys)

    async def _put_holdings(
        self,
        transaction: ShardTransaction,
        changes: Changes,
        before: dict[IdentifierKey, Identifier],
        ciphers: dict[UUID, Cipher],
    ) -> None:
        rows = [
            row
            for (identifier, programme), state in changes.identifiers.items()
            for row in _holding_rows(identifier, state, before[identifier, programme], ciphers)
        ]
        if rows:
            await transaction.connection.execute(SQL.put_holdings, transaction.shard, *_columns(rows), transaction.now)

    async def _keep(self, transaction: ShardTransaction, kept: Sequence[Settled], ciphers: dict[UUID, Cipher]) -> None:
        rows = [
            (
                taken.key, self._hash(taken), taken.programme, taken.arrival.kind, taken.arrival.at,
                taken.origin.traceparent, ciphers[taken.key].encrypt(_body_of(taken), taken.key.bytes),
                taken.kept_until,
            )
            for taken in (each.taken for each in kept)
        ]  # fmt: skip
        if rows:
            await transaction.connection.execute(SQL.keep, transaction.shard, *_columns(rows), transaction.now)


def _columns(rows: Sequence[tuple[Any, ...]]) -> Iterable[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _told(row: asyncpg.Record) -> dict[str, Any]:
    facts = {
        "event_source": row["event_source"],
        "event_id": row["event_id"],
        "at": row["at"].isoformat(),
        "fingerprint": row["fingerprint"].hex(),
    }
    if row["part"] == "purchase":
        facts |= {"store": row["store"], "total": format_decimal(row["total"])}
    return facts


def identifier_of_rows(tenant: str, programme: str, name: str, rows: Iterable[asyncpg.Record]) -> Identifier:
    """An identifier in one programme, from the rows of its holdings; what waits under it is left out."""
    holdings = []
    blocked_since = None
    for row in rows:
        if row["account_id"] is None:
            # An earlier block came later: both rows stand, and the earlier one counts.
            blocked_since = blocked_since or row["blocked_since"]
            continue
        # Ids of our own class: the encoder writes them by itself, the driver's it would have to ask about each time.
        account_id, member_id = UUID(bytes=row["account_id"].bytes), UUID(bytes=row["member_id"].bytes)
        holder = Holder(account_id, member_id, programme, row["card_category"])
        holdings.append(Holding(holder, row["since"], row["origin"], row["blocked_since"]))
    return Identifier(tenant, programme, name, tuple(holdings), blocked_since)


def _holding_rows(
    identifier: bytes, state: Identifier, before: Identifier, ciphers: dict[UUID, Cipher]
) -> Iterable[tuple[Any, ...]]:
    """Rows of the holdings that are new or changed, and of a block of what nobody holds."""
    if state.blocked_since is not None and state.blocked_since != before.blocked_since:
        since = state.blocked_since
        yield (identifier, state.tenant, state.programme, since, None, None, "", "block", since, None)
    for holding in state.holdings:
        if holding in before.holdings:
            continue
        holder = holding.holder
        cipher = ciphers.get(holder.member_id)
        name = cipher.encrypt(state.name.encode(), identifier) if cipher else None
        yield (
            identifier, state.tenant, state.programme, holding.since, holder.account_id, holder.member_id,
            holder.card_category, holding.origin, holding.blocked_since, name,
        )  # fmt: skip


def _body_of(taken: Taken) -> bytes:
    origin = taken.origin
    return orjson.dumps(
        {
            "tenant": origin.tenant,
            "source": origin.source,
            "id": origin.id,
            "key": origin.key,
            "subject_id": taken.subject_id,
            "name": taken.name,
            "fingerprint": taken.fingerprint.hex(),
            "data": taken.data,
        }
    )


def _revived(row: asyncpg.Record, cipher: Cipher) -> Taken:
    """What was kept, as it came."""
    said = orjson.loads(cipher.decrypt(row["body"], row["subject_key"].bytes))
    return Taken(
        Arrival(row["subject_key"], row["kind"], row["happened_at"]),
        row["programme"],
        said["subject_id"],
        said["name"],
        bytes.fromhex(said["fingerprint"]),
        Origin(said["tenant"], said["source"], said["id"], said["key"], row["traceparent"]),
        said["data"],
        Purchase.model_validate(said["data"]) if row["kind"] == "purchase" else None,
        kept=True,
    )
