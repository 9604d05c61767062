"""Who a basket belongs to, and all that is known of that account: read for quotes and dry runs, never written."""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson

from contracts.ids import account_of, derive
from contracts.shards import shard_of
from services.rules.decide.state import participant_of, sealed_by_member
from services.rules.decide.storage import SQL as DECISIONS
from services.rules.domain.identifier import Arrival, Holder, PassedOn, TurnedAway, take_in
from services.rules.domain.known_account import KnownAccount, Lot
from services.rules.domain.membership import MembershipTerms
from services.rules.domain.participant import Participant, PublishedProgramme, to_read
from services.rules.domain.sums import Contribution, Contributions, Measures
from services.rules.identify.queries import Queries
from services.rules.privacy import Vault
from services.rules.quotes.books import SQL
from services.rules.quotes.books import account_of as known_account

NO_MEMBER: Final = "no_member"
UNKNOWN_MEMBER: Final = "unknown_member"
MEMBER_ERASED: Final = "member_erased"

_NOBODY: Final = UUID(int=0)
_ARRIVING: Final = derive("quote")
"""What would arrive: it is never kept, so it needs no id of its own."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Whose a basket is. `code` says why nobody's account is found, or would take it in; then `holder` is None."""

    holder: Holder | None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """An account as it stands. `books` None: rules has heard nothing of it from the ledger yet.

    `lots` are those that lapse before the date that was asked for, or begin to count. `contributions` are what a
    decision at that time needs.
    """

    participant: Participant
    contributions: Contributions
    books: KnownAccount | None = None
    lots: Sequence[Lot] = field(default=())


class Members:
    """Reads across shards on one connection; nothing is changed."""

    def __init__(self, connection: asyncpg.Connection, queries: Queries, vault: Vault) -> None:
        self._connection = connection
        self._queries = queries
        self._vault = vault

    async def shown(self, tenant: str, programme: str, name: str | None, at: datetime, terms: MembershipTerms) -> Shown:
        """Whose account `type:value` stands for at `at`: decided by the very function that takes purchases in."""
        if name is None:
            return Shown(None, NO_MEMBER)
        identifier = await self._queries.identifier(tenant, programme, name)
        for event in take_in(Arrival(_ARRIVING, "purchase", at), identifier, terms):
            if isinstance(event, PassedOn):
                # Of a card that nobody holds yet, the member whom the purchase itself would make.
                return Shown(event.holder, None if identifier.holdings else UNKNOWN_MEMBER)
            if isinstance(event, TurnedAway):
                return Shown(None, event.refusal.code)
        return Shown(None, UNKNOWN_MEMBER)

    async def standing(
        self, tenant: str, holder: Holder, programme: PublishedProgramme, at: datetime, until: datetime
    ) -> Standing | None:
        """An account as it stands, with lots up to `until`; None where its member was erased.

        An account that is still on its way here from the card is as new as it was when it was opened.
        """
        shard = shard_of(str(holder.account_id))
        row = await self._connection.fetchrow(SQL.find_quoted, shard, holder.account_id, holder.member_id, until)
        if row is None:
            return newcomer(holder, tenant, programme.key, at)
        cipher = self._vault.opened(holder.member_id, row["master"], row["wrapped"])
        if cipher is None:
            return None
        sealed = sealed_by_member(row["known"]).get(holder.member_id)
        place = row["account_id"].bytes
        known = {holder.member_id: cipher.decrypt(b64decode(sealed), place)} if sealed else {}
        participant = participant_of(row, known)
        contributions = await _contributions(self._connection, shard, participant, programme, at)
        books = known_account(row["books"]) if row["books"] is not None else None
        return Standing(participant, contributions, books, [_lot(said) for said in orjson.loads(row["lots"] or "[]")])


def newcomer(holder: Holder | None, tenant: str, programme: str, at: datetime) -> Standing:
    """The account of somebody who joins at `at`: what a member who is not one yet would have."""
    member_id = holder.member_id if holder else _NOBODY
    account_id = holder.account_id if holder else account_of(tenant, programme, member_id)
    return Standing(Participant(account_id, member_id, tenant, programme, at), Contributions())


async def _contributions(
    connection: asyncpg.Connection,
    shard: int,
    participant: Participant,
    programme: PublishedProgramme,
    at: datetime,
) -> Contributions:
    """What counts in the bands that a decision at `at` needs, and for a late one the purchase before it."""
    account = participant.account_id
    bands = to_read(participant, programme, [at])
    found: list[Contribution] = []
    if bands:
        after, until = [band.after for band in bands], [band.until for band in bands]
        rows = await connection.fetch(DECISIONS.find_contributions, shard, [account] * len(bands), after, until)
        found = [_contribution(row) for row in rows]
    last = participant.last_purchase_at
    if last is not None and at < last:
        before = [
            _contribution(row)
            for row in await connection.fetch(DECISIONS.find_purchases_before, shard, [account], [at])
        ]
        found += [each for each in before if not any(band.after < each.at <= band.until for band in bands)]
    return Contributions.of(found)


def _contribution(row: asyncpg.Record) -> Contribution:
    return Contribution(row["counts_at"], Measures(row["qualifying"], row["spend"], row["purchases"]))


def _lot(said: list[Any]) -> Lot:
    currency, pending, available, held, activates_at, expires_at = said
    return Lot(currency, pending, available, held, _instant(activates_at), _instant(expires_at))


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
