"""What is asked of identification: purchases as they were taken in, members and their identifiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from contracts.shards import SHARDS, shard_of
from services.rules.domain.identifier import Identifier
from services.rules.identify.storage import identifier_of_rows
from services.rules.privacy import Pseudonyms, Vault
from services.runtime.postgres import Pool, statements

SQL = statements(__package__)
ALL_SHARDS: Final = list(range(SHARDS))
_MASK: Final = "••••"
_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class PurchaseRow:
    """A purchase as it was taken in; `total` in ten-thousandths. `identifier` is a keyed hash; None: no member."""

    shard: int
    purchase_key: UUID
    programme: str
    purchase_id: str
    identifier: bytes | None
    account_id: UUID | None
    member_id: UUID | None
    verdict: str
    fingerprint: bytes
    purchased_at: datetime
    first_seen_at: datetime
    store: str
    currency: str
    total: int


@dataclass(frozen=True, slots=True)
class HoldingRow:
    """An identifier in the hands of a member. `name` is `type:value`; None: it was erased."""

    shard: int
    identifier: bytes
    programme: str
    since: datetime
    account_id: UUID
    member_id: UUID
    card_category: str
    origin: str
    blocked_since: datetime | None
    name: str | None


class Queries:
    """Reads across shards, from a pool or on one connection."""

    def __init__(self, pool: Pool | asyncpg.Connection, pseudonyms: Pseudonyms, vault: Vault) -> None:
        self._pool = pool
        self._pseudonyms = pseudonyms
        self._vault = vault

    def on(self, connection: asyncpg.Connection) -> "Queries":
        """The same on one connection, for several questions in a row."""
        return Queries(connection, self._pseudonyms, self._vault)

    async def purchases(self, purchase_key: UUID) -> list[PurchaseRow]:
        """A purchase under each identifier that it came under, first come first."""
        rows = await self._pool.fetch(SQL.purchases_by_key, ALL_SHARDS, purchase_key)
        return [_purchase(row) for row in rows]

    async def purchases_by_date(
        self, tenant: str, programme: str, before: tuple[datetime, UUID], most: int
    ) -> list[PurchaseRow]:
        """Purchases under a programme, the latest first, that stand in the list after `before`."""
        rows = await self._pool.fetch(SQL.purchases_by_date, tenant, programme, *before, most)
        return [_purchase(row) for row in rows]

    async def masked(self, purchases: Sequence[PurchaseRow]) -> dict[bytes, str]:
        """What may be shown of the identifiers of purchases, by their hashes; unknown and erased ones are left out."""
        known = {row.identifier: row.shard for row in purchases if row.identifier is not None}
        rows = await self._pool.fetch(SQL.holdings_of_identifiers, list(set(known.values())), list(known))
        return {each.identifier: mask(each.name) for each in await self._holdings(rows) if each.name is not None}

    async def holdings_of_identifier(self, tenant: str, name: str) -> list[HoldingRow]:
        """Who holds the identifier `type:value`, in every programme, from the first holder to the last."""
        hashed = self._pseudonyms.of(tenant, name)
        return await self._holdings(await self._pool.fetch(SQL.holdings_of_identifiers, [shard_of(name)], [hashed]))

    async def identifier(self, tenant: str, programme: str, name: str) -> Identifier:
        """The identifier `type:value` in one programme, as it would decide what comes under it now."""
        hashed = self._pseudonyms.of(tenant, name)
        rows = await self._pool.fetch(SQL.find_holdings, shard_of(name), [hashed])
        return identifier_of_rows(tenant, programme, name, [row for row in rows if row["programme"] == programme])

    async def holdings_of_member(self, tenant: str, member_id: UUID) -> list[HoldingRow]:
        """Every identifier that a member holds or held, its own id included."""
        return await self._holdings(await self._pool.fetch(SQL.holdings_of_member, ALL_SHARDS, tenant, member_id))

    async def holdings_of_account(self, tenant: str, account_id: UUID) -> list[HoldingRow]:
        """Every identifier that buys, or bought, for an account."""
        return await self._holdings(await self._pool.fetch(SQL.holdings_of_account, ALL_SHARDS, tenant, account_id))

    async def programme_of(self, tenant: str, account_id: UUID) -> str | None:
        """The programme of an account that somebody holds or held; None where there is no such account."""
        programme: str | None = await self._pool.fetchval(SQL.programme_of_account, ALL_SHARDS, tenant, account_id)
        return programme

    async def _holdings(self, rows: Sequence[asyncpg.Record]) -> list[HoldingRow]:
        shards, members = {row["shard"] for row in rows}, {row["member_id"] for row in rows}
        ciphers = await self._vault.existing(self._pool, shards, members)
        found = []
        for row in rows:
            cipher = ciphers.get((row["shard"], row["member_id"]))
            sealed = row["name"]
            name = cipher.decrypt(sealed, row["identifier"]).decode() if cipher and sealed is not None else None
            found.append(
                HoldingRow(
                    row["shard"], row["identifier"], row["programme"], row["since"],
                    UUID(bytes=row["account_id"].bytes), UUID(bytes=row["member_id"].bytes), row["card_category"],
                    row["origin"], row["blocked_since"], name,
                )
            )  # fmt: skip
        return found


def mask(name: str) -> str:
    """An identifier as it may be shown: its kind and its last four characters, if it has more."""
    kind, _, value = name.partition(":")
    return f"{kind}:{_MASK}{value[-_SHOWN:] if len(value) > _SHOWN else ''}"


def _purchase(row: asyncpg.Record) -> PurchaseRow:
    ids = {name: _own(row[name]) for name in ("purchase_key", "account_id", "member_id")}
    return PurchaseRow(**dict(row.items()) | ids)


def _own(value: UUID | None) -> UUID | None:
    """The driver's UUIDs are a subclass that the encoder of answers does not take for one."""
    return None if value is None else UUID(bytes=value.bytes)
