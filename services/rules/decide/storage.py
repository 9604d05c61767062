"""The tables of the participant aggregate: a batch's state is loaded, and what it came to is written, set-wise."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from services.rules.decide import inputs
from services.rules.decide.state import known_of, participant_of, state_of
from services.rules.domain.participant import Decision, Participant
from services.rules.domain.records import awarded_in
from services.rules.domain.remainders import Bought, Left
from services.rules.domain.sums import Band, Contribution, Contributions, Measures
from services.runtime.postgres import statements
from services.runtime.privacy import Cipher, Vault
from services.runtime.shard import ShardTransaction

SQL = statements(__package__)

_DECISION_COLUMNS: Final = (
    "shard", "decision_id", "account_id", "number", "kind", "cause_key", "cause_id", "of_decision_id", "occurred_at",
    "counts_at", "qualifying", "spend", "purchases", "decided_at", "programme_version", "reason", "record", "inputs",
)  # fmt: skip


@dataclass(slots=True)
class Seat:
    """A participant in a batch. `known` is its sealed row, kept as long as nothing personal changes."""

    participant: Participant
    known: bytes | None = None
    waiting: int = 0
    tier_due_at: datetime | None = None
    contributions: Contributions = field(default_factory=Contributions)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that has waited, and what for."""

    account_id: UUID
    waits_for: UUID
    decision_id: UUID
    content: dict[str, Any]
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Keys:
    """The ciphers of a batch's accounts; accounts of members who were erased are not among them."""

    by_account: Mapping[UUID, Cipher]

    def of(self, account_id: UUID) -> Cipher:
        """The cipher under which everything personal of an account is kept."""
        return self.by_account[account_id]


class Storage:
    """Reads and writes within one shard's transaction. What is personal is sealed under the member's key."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def keys(self, transaction: ShardTransaction, members: Mapping[UUID, UUID]) -> Keys:
        """The keys of these accounts, given the member of each."""
        subjects = set(members.values())
        ciphers = await self._vault.ciphers(transaction.connection, transaction.shard, subjects)
        return Keys({account: ciphers[member] for account, member in members.items() if member in ciphers})

    async def seats(self, transaction: ShardTransaction, keys: Keys) -> dict[UUID, Seat]:
        """The participants that there are; without those who were erased."""
        rows = await transaction.connection.fetch(SQL.find_participants, transaction.shard, list(keys.by_account))
        return {row["account_id"]: _seat(row, keys.of(row["account_id"])) for row in rows}

    async def known(self, transaction: ShardTransaction, decisions: Collection[UUID]) -> set[UUID]:
        """Which of these decisions were taken before."""
        if not decisions:
            return set()
        rows = await transaction.connection.fetch(SQL.known_decisions, transaction.shard, list(decisions))
        return {row["decision_id"] for row in rows}

    async def waiting(self, transaction: ShardTransaction, accounts: Collection[UUID], keys: Keys) -> list[Waiting]:
        """What waits for these accounts, in the order in which it came."""
        if not accounts:
            return []
        rows = await transaction.connection.fetch(SQL.find_waiting, transaction.shard, list(accounts))
        found = []
        for row in rows:
            body = keys.of(row["account_id"]).decrypt(row["body"], row["decision_id"].bytes)
            content = orjson.loads(body)
            found.append(Waiting(row["account_id"], row["waits_for"], row["decision_id"], content, row["traceparent"]))
        return found

    async def bought(
        self, transaction: ShardTransaction, decisions: Collection[UUID], keys: Keys
    ) -> dict[UUID, Bought]:
        """The purchases behind these decisions, with what came back of them."""
        if not decisions:
            return {}
        found: dict[UUID, Bought] = {}
        for row in await transaction.connection.fetch(SQL.find_bought, transaction.shard, list(decisions)):
            if row["of_decision_id"] is None:
                found[row["decision_id"]] = _bought(row, keys.of(row["account_id"]))
            else:
                found[row["of_decision_id"]] = _with_left(found[row["of_decision_id"]], row)
        return found

    async def load_contributions(
        self, transaction: ShardTransaction, seats: Mapping[UUID, Seat], bands: Mapping[UUID, Sequence[Band]]
    ) -> None:
        """Put what counts in these bands into the seats."""
        wanted = [(account, *band) for account, found in bands.items() for band in found]
        if not wanted:
            return
        rows = await transaction.connection.fetch(
            SQL.find_contributions, transaction.shard, *map(list, zip(*wanted, strict=True))
        )
        for account, found in _by_account(rows).items():
            seats[account].contributions = Contributions.of(found)

    async def load_purchases_before(
        self,
        transaction: ShardTransaction,
        seats: Mapping[UUID, Seat],
        late: Sequence[tuple[UUID, datetime]],
        bands: Mapping[UUID, Sequence[Band]],
    ) -> None:
        """Put the purchase before each late one into its seat, where the bands did not bring it."""
        if not late:
            return
        rows = await transaction.connection.fetch(
            SQL.find_purchases_before, transaction.shard, *map(list, zip(*late, strict=True))
        )
        for account, found in _by_account(rows).items():
            for contribution in set(found):
                if not any(band.after < contribution.at <= band.until for band in bands.get(account, ())):
                    seats[account].contributions.add(contribution)

    async def save_seats(self, transaction: ShardTransaction, seats: Iterable[Seat], keys: Keys) -> None:
        """Write participants as the batch left them."""
        rows = [_row(seat, keys.of(seat.participant.account_id)) for seat in seats]
        if rows:
            columns = map(list, zip(*rows, strict=True))
            await transaction.connection.execute(SQL.save_participants, transaction.shard, *columns, transaction.now)

    async def add_decisions(
        self,
        transaction: ShardTransaction,
        decisions: Sequence[tuple[UUID, Decision]],
        keys: Keys,
    ) -> None:
        """Write decisions; their inputs are sealed."""
        if not decisions:
            return
        rows = [
            _decision_row(transaction, account_id, decision, keys.of(account_id)) for account_id, decision in decisions
        ]
        await transaction.connection.copy_records_to_table("decision", records=rows, columns=_DECISION_COLUMNS)

    async def keep_waiting(self, transaction: ShardTransaction, rows: Sequence[Waiting], keys: Keys) -> None:
        """Keep messages that came too early."""
        if not rows:
            return
        bodies = [keys.of(row.account_id).encrypt(orjson.dumps(row.content), row.decision_id.bytes) for row in rows]
        await transaction.connection.execute(
            SQL.keep_waiting, transaction.shard, [row.account_id for row in rows], [row.waits_for for row in rows],
            [row.decision_id for row in rows], transaction.now, [row.traceparent for row in rows], bodies,
        )  # fmt: skip

    async def drop_waiting(self, transaction: ShardTransaction, rows: Collection[Waiting]) -> None:
        """Forget messages that wait no longer."""
        if rows:
            accounts, decisions = [row.account_id for row in rows], [row.decision_id for row in rows]
            await transaction.connection.execute(SQL.drop_waiting, transaction.shard, accounts, decisions)


def _seat(row: Mapping[str, Any], cipher: Cipher) -> Seat:
    known = cipher.decrypt(row["known"], row["account_id"].bytes)
    return Seat(participant_of(row, known), row["known"], row["waiting"], row["tier_due_at"])


def _row(seat: Seat, cipher: Cipher) -> tuple[Any, ...]:
    participant = seat.participant
    if seat.known is None:
        seat.known = cipher.encrypt(known_of(participant), participant.account_id.bytes)
    return (
        participant.account_id, participant.tenant, participant.programme, participant.member_id,
        participant.enrolled_at, participant.decisions, seat.waiting,
        participant.history[-1].tier if participant.history else None, seat.tier_due_at, state_of(participant),
        seat.known,
    )  # fmt: skip


def _decision_row(
    transaction: ShardTransaction, account_id: UUID, decision: Decision, cipher: Cipher
) -> tuple[Any, ...]:
    return (
        transaction.shard, decision.decision_id, account_id, decision.number, decision.kind,
        decision.cause_key, decision.cause_id, decision.of_decision_id, decision.occurred_at, decision.counts_at,
        *decision.measures, transaction.now, decision.programme_version, decision.reason,
        orjson.dumps(decision.facts), cipher.encrypt(inputs.encode(decision.inputs), decision.decision_id.bytes),
    )  # fmt: skip


def _by_account(rows: Iterable[Mapping[str, Any]]) -> dict[UUID, list[Contribution]]:
    found: dict[UUID, list[Contribution]] = {}
    for row in rows:
        measures = Measures(row["qualifying"], row["spend"], row["purchases"])
        found.setdefault(row["account_id"], []).append(Contribution(row["counts_at"], measures))
    return found


def _bought(row: Mapping[str, Any], cipher: Cipher) -> Bought:
    decision_id = row["decision_id"]
    record = orjson.loads(row["record"])
    text = cipher.decrypt(row["inputs"], decision_id.bytes)
    return Bought(
        inputs.decode(text, decision_id, row["cause_key"], row["cause_id"]),
        row["programme_version"],
        awarded_in(record),
        record.get("counted", {}),
        Measures(row["qualifying"], row["spend"], row["purchases"]),
    )


def _with_left(bought: Bought, row: Mapping[str, Any]) -> Bought:
    return bought_after(bought, orjson.loads(row["record"])["left"])


def bought_after(bought: Bought, left: Mapping[str, Any]) -> Bought:
    """A purchase once some of it came back, as the record of that decision says."""
    return Bought(
        bought.inputs, bought.version, bought.awarded, bought.counted, bought.measures,
        Left(tuple(left["payments"]), tuple(left["points_back"]), left["taken"], Measures(*left["measures"])),
    )  # fmt: skip
