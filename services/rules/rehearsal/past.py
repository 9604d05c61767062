"""The past of accounts, streamed: decisions as they were recorded, opened and read, in the order they were taken.

Memory is bounded by a page of accounts and a batch of rows, however many there are of either.
"""

from base64 import b64decode
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson

from services.rules.decide.inputs import doing_in, receipt_in
from services.rules.decide.state import known_in, sealed_by_member
from services.rules.domain.participant import Participant
from services.rules.domain.rehearsing import AccountRehearsal, Plan, Recorded
from services.rules.domain.replay import Past, PastConflict, PastReturn, PastSelfReferral
from services.rules.domain.tally import NONE, Tally, given_in
from services.rules.privacy import Cipher, Vault
from services.runtime.postgres import Pool, statements

SQL = statements(__package__)

PAGE_ACCOUNTS: Final = 200
"""Accounts whose keys are held at once."""
BATCH_ROWS: Final = 500
"""Decisions that are read at once: some megabytes."""

_FIRST: Final = UUID(int=0)

_Batch = list[tuple[asyncpg.Record, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Part:
    """A shard of accounts of a tenant's programme."""

    shard: int
    tenant: str
    programme: str


class Rehearser:
    """Takes the accounts of a part through their past."""

    def __init__(self, pool: Pool, vault: Vault, plan: Plan) -> None:
        self._pool = pool
        self._vault = vault
        self._plan = plan
        self.decisions = 0
        """How many were decided again so far."""

    async def rehearse(self, part: Part) -> Tally:
        """What the accounts of a part come to."""
        tally = Tally()
        after = _FIRST
        while True:
            async with self._pool.acquire() as connection:
                rows = await connection.fetch(
                    SQL.accounts_after, part.shard, part.tenant, part.programme, after, self._plan.until, PAGE_ACCOUNTS
                )
                if not rows:
                    return tally
                await _Page(self, connection, part, rows, tally).run()
            after = rows[-1]["account_id"]

    @property
    def plan(self) -> Plan:
        """What is rehearsed."""
        return self._plan

    @property
    def vault(self) -> Vault:
        """Where keys are found."""
        return self._vault


class _Page:
    """Some accounts, one after the other."""

    def __init__(
        self,
        rehearser: Rehearser,
        connection: asyncpg.Connection,
        part: Part,
        rows: Sequence[asyncpg.Record],
        tally: Tally,
    ) -> None:
        self._rehearser = rehearser
        self._connection = connection
        self._part = part
        self._rows = {row["account_id"]: row for row in rows}
        self._tally = tally
        self._ciphers: dict[UUID, Cipher | None] = {}
        self._returned: frozenset[UUID] = frozenset()

    async def run(self) -> None:
        """Take every account of the page through its past; one that did nothing counts too."""
        shard, accounts = self._part.shard, list(self._rows)
        owners = {row["member_id"] for row in self._rows.values()}
        await self._find_keys(owners.union(*(sealed_by_member(row["known"]) for row in self._rows.values())))
        found = await self._connection.fetch(SQL.returned_of, shard, accounts)
        self._returned = frozenset(row["of_decision_id"] for row in found)
        account: AccountRehearsal | None = None
        waiting = dict(self._rows)
        async for batch in self._batches(accounts):
            await self._find_keys(row["member_id"] for row, _ in batch)
            granted = await self._granted(batch)
            for row, record in batch:
                if account is None or account.participant.account_id != row["account_id"]:
                    if account is not None:
                        account.close()
                    account = self._begin(waiting.pop(row["account_id"]))
                self._again(account, row, record, granted)
        if account is not None:
            account.close()
        for row in waiting.values():
            self._begin(row).close()

    async def _batches(self, accounts: Sequence[UUID]) -> AsyncIterator[_Batch]:
        """Rows in their order, each with its record read."""
        async with self._connection.transaction(readonly=True):
            cursor = await self._connection.cursor(SQL.past_of, self._part.shard, accounts, self._rehearser.plan.until)
            while rows := await cursor.fetch(BATCH_ROWS):
                yield [(row, orjson.loads(row["record"])) for row in rows]

    async def _find_keys(self, members: Iterable[UUID]) -> None:
        missing = {member for member in members if member not in self._ciphers}
        if missing:
            shard = self._part.shard
            found = await self._rehearser.vault.existing(self._connection, [shard], missing)
            self._ciphers.update({member: found.get((shard, member)) for member in missing})

    async def _granted(self, batch: _Batch) -> dict[str, int]:
        asking = [row["decision_id"] for row, record in batch if "asks" in record]
        if not asking:
            return {}
        rows = await self._connection.fetch(SQL.granted_of, self._part.shard, asking)
        return {str(row["ask_id"]): row["granted"] for row in rows}

    def _begin(self, row: asyncpg.Record) -> AccountRehearsal:
        account_id = row["account_id"]
        known = {}
        for member, text in sealed_by_member(row["known"]).items():
            cipher = self._ciphers.get(member)
            if cipher is not None:
                known[member] = known_in(cipher.decrypt(b64decode(text), account_id.bytes))
        participant = Participant(
            account_id, row["member_id"], self._part.tenant, self._part.programme, row["enrolled_at"], known
        )
        return AccountRehearsal(self._rehearser.plan, self._tally, participant, self._returned)

    def _again(
        self, account: AccountRehearsal, row: asyncpg.Record, record: Mapping[str, Any], granted: Mapping[str, int]
    ) -> None:
        self._rehearser.decisions += 1
        member_id, at = row["member_id"], row["occurred_at"]
        recorded = Recorded(record.get("tier") or NONE, given_in(record, granted), row["counts_at"], row["spend"])
        past = _past(row, record, self._ciphers.get(member_id))
        if past is None:
            account.unreadable(at, member_id, recorded)
        else:
            account.again(past, at, member_id, recorded)


def _past(row: asyncpg.Record, record: Mapping[str, Any], cipher: Cipher | None) -> Past | None:
    """What was decided on; None where nobody can read it any more."""
    if row["kind"] == "conflict":
        return PastConflict(row["decision_id"], row["cause_key"], row["occurred_at"], row["of_decision_id"])
    if row["kind"] == "self_referral":
        return PastSelfReferral(row["decision_id"], row["cause_key"], row["occurred_at"], row["of_decision_id"])
    if cipher is None:
        return None
    inputs = orjson.loads(cipher.decrypt(row["inputs"], row["decision_id"].bytes))
    if "receipt" in inputs:
        return receipt_in(inputs["receipt"], row)
    if "occasion" in inputs:
        return doing_in(inputs["occasion"], row)
    left = record.get("left", {})
    return PastReturn(
        row["decision_id"], row["cause_key"], row["cause_id"], row["occurred_at"], row["of_decision_id"],
        {line: (quantity, amount) for line, quantity, amount in inputs["remaining"]},
        left.get("payments"), left.get("points_back"),
    )  # fmt: skip
