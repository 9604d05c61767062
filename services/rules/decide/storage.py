"""The tables of the participant aggregate: a batch's state is loaded, and what it came to is written, set-wise."""

from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from services.rules.decide import inputs
from services.rules.decide.state import known_of, participant_of, sealed_by_member, state_of
from services.rules.domain.budgets import Asked
from services.rules.domain.participant import Decision, Participant
from services.rules.domain.records import awarded_in
from services.rules.domain.referrals import Had
from services.rules.domain.remainders import Bought, bought_after
from services.rules.domain.sums import Band, Contribution, Contributions, Measures
from services.rules.publishing import encoded
from services.runtime.postgres import statements
from services.runtime.privacy import Cipher, Vault
from services.runtime.rows import Table
from services.runtime.shard import ShardTransaction

SQL = statements(__package__)

_DECISIONS: Final = Table(
    "decision",
    {
        "shard": "int", "decision_id": "uuid", "account_id": "uuid", "member_id": "uuid", "number": "bigint",
        "kind": "text", "cause_key": "uuid", "cause_id": "text", "of_decision_id": "uuid",
        "occurred_at": "timestamptz", "counts_at": "timestamptz", "qualifying": "bigint", "spend": "bigint",
        "purchases": "smallint", "decided_at": "timestamptz", "programme_version": "int", "reason": "text",
        "record": "bytea", "inputs": "bytea",
    },
)  # fmt: skip


_ASK_COLUMNS: Final = (
    "shard", "ask_id", "decision_id", "account_id", "rule", "partner", "currency", "asked", "counted", "award",
    "remains", "taken", "asked_at",
)  # fmt: skip


@dataclass(slots=True)
class Seat:
    """A participant in a batch.

    `known` is what is personal as its row has it, sealed, by member; `news` says of whom more has become known.
    """

    participant: Participant
    known: dict[UUID, str] = field(default_factory=dict)
    news: set[UUID] = field(default_factory=set)
    waiting: int = 0
    due_at: datetime | None = None
    contributions: Contributions = field(default_factory=Contributions)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that has waited, and what for. `content` None: its member was erased meanwhile."""

    account_id: UUID
    member_id: UUID
    waits_for: UUID
    decision_id: UUID
    content: dict[str, Any] | None
    traceparent: str | None


class Keys:
    """The ciphers of a batch's members in this shard; members who were erased have none."""

    def __init__(self, vault: Vault, transaction: ShardTransaction) -> None:
        self._vault = vault
        self._transaction = transaction
        self._ciphers: dict[UUID, Cipher | None] = {}

    async def make(self, members: Collection[UUID]) -> None:
        """Find members' keys; of those who have none here it makes new ones."""
        found = await self._vault.ciphers(self._transaction.connection, self._transaction.shard, members)
        self._ciphers.update({member: found.get(member) for member in members})

    async def find(self, members: Iterable[UUID]) -> None:
        """Find the keys of members about whom something is kept here already."""
        missing = {member for member in members if member not in self._ciphers}
        if missing:
            shard = self._transaction.shard
            found = await self._vault.existing(self._transaction.connection, [shard], missing)
            self._ciphers.update({member: found.get((shard, member)) for member in missing})

    def __contains__(self, member_id: object) -> bool:
        return isinstance(member_id, UUID) and self._ciphers.get(member_id) is not None

    def of(self, member_id: UUID) -> Cipher:
        """The cipher of a member who is among them; KeyError for anybody else."""
        cipher = self._ciphers[member_id]
        if cipher is None:
            raise KeyError(member_id)
        return cipher


class Storage:
    """Reads and writes within one shard's transaction. What is personal is sealed under the member's key."""

    async def seats(self, transaction: ShardTransaction, accounts: Collection[UUID], keys: Keys) -> dict[UUID, Seat]:
        """The participants that there are."""
        rows = await transaction.connection.fetch(SQL.find_participants, transaction.shard, list(accounts))
        known = {row["account_id"]: sealed_by_member(row["known"]) for row in rows}
        await keys.find(member for sealed in known.values() for member in sealed)
        return {row["account_id"]: _seat(row, known[row["account_id"]], keys) for row in rows}

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
        await keys.find(row["member_id"] for row in rows)
        return [_waiting(row, keys) for row in rows]

    async def bought(
        self, transaction: ShardTransaction, decisions: Collection[UUID], keys: Keys
    ) -> dict[UUID, Bought | None]:
        """The purchases behind these decisions, with what came back of them; None: its member was erased."""
        if not decisions:
            return {}
        found: dict[UUID, Bought | None] = {}
        rows = await transaction.connection.fetch(SQL.find_bought, transaction.shard, list(decisions))
        await keys.find(row["member_id"] for row in rows)
        for row in rows:
            if row["of_decision_id"] is None:
                readable = row["member_id"] in keys
                found[row["decision_id"]] = _bought(row, keys.of(row["member_id"])) if readable else None
                continue
            bought = found[row["of_decision_id"]]
            found[row["of_decision_id"]] = bought and _less(bought, row, keys.of(row["member_id"]))
        asks = await self._asks(transaction, found)
        return {each: bought and replace(bought, asks=asks.get(each, ())) for each, bought in found.items()}

    async def _asks(self, transaction: ShardTransaction, decisions: Collection[UUID]) -> dict[UUID, tuple[Asked, ...]]:
        """What these decisions asked of budgets."""
        asks: dict[UUID, tuple[Asked, ...]] = {}
        for row in await transaction.connection.fetch(SQL.find_asks, transaction.shard, list(decisions)):
            asks[row["decision_id"]] = (*asks.get(row["decision_id"], ()), asked_of(row))
        return asks

    async def had(self, transaction: ShardTransaction, decisions: Collection[UUID | None]) -> dict[UUID, Had]:
        """What was received by somebody else's purchases, by decision, less what was taken back since."""
        found: dict[UUID, Had] = {}
        if not decisions:
            return found
        for row in await transaction.connection.fetch(SQL.find_received, transaction.shard, list(decisions)):
            record = orjson.loads(row["record"])
            if row["of_decision_id"] is None:
                [award] = record.get("awards") or [{"currency": "", "scale": 0, "points": 0}]
                found[row["decision_id"]] = Had(
                    UUID(int=row["member_id"].int), row["programme_version"], award["currency"], award["scale"],
                    award["points"], 0,
                )  # fmt: skip
            else:
                before = found[row["of_decision_id"]]
                taken = before.taken + sum(record.get("taken", {}).values())
                found[row["of_decision_id"]] = before._replace(taken=taken)
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
        rows = [_row(seat, keys) for seat in seats]
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
            _decision_row(transaction, account_id, decision, keys.of(decision.member_id))
            for account_id, decision in decisions
        ]
        await transaction.add(_DECISIONS, rows)

    async def save_asks(
        self,
        transaction: ShardTransaction,
        asks: Mapping[UUID, tuple[Decision, Asked]],
        awards: Mapping[UUID, Mapping[str, Any]],
    ) -> None:
        """Write what was asked of budgets, and what returns make of it; `awards` are those of new asks."""
        new = [(decision, ask) for decision, ask in asks.values() if ask.ask_id in awards]
        if new:
            rows = [_ask_row(transaction, decision, ask, awards[ask.ask_id]) for decision, ask in new]
            await transaction.connection.copy_records_to_table("budget_ask", records=rows, columns=_ASK_COLUMNS)
        changed = [ask for _, ask in asks.values() if ask.ask_id not in awards]
        if changed:
            columns = zip(*[(ask.ask_id, ask.remains, ask.taken) for ask in changed], strict=True)
            await transaction.connection.execute(SQL.change_asks, transaction.shard, *map(list, columns))

    async def keep_waiting(self, transaction: ShardTransaction, rows: Sequence[Waiting], keys: Keys) -> None:
        """Keep messages that came too early."""
        if not rows:
            return
        bodies = [keys.of(row.member_id).encrypt(orjson.dumps(row.content), row.decision_id.bytes) for row in rows]
        await transaction.connection.execute(
            SQL.keep_waiting, transaction.shard, [row.account_id for row in rows], [row.member_id for row in rows],
            [row.waits_for for row in rows], [row.decision_id for row in rows], transaction.now,
            [row.traceparent for row in rows], bodies,
        )  # fmt: skip

    async def drop_waiting(self, transaction: ShardTransaction, rows: Collection[Waiting]) -> None:
        """Forget messages that wait no longer."""
        if rows:
            accounts, decisions = [row.account_id for row in rows], [row.decision_id for row in rows]
            await transaction.connection.execute(SQL.drop_waiting, transaction.shard, accounts, decisions)


def _seat(row: Mapping[str, Any], sealed: dict[UUID, str], keys: Keys) -> Seat:
    readable = {member: text for member, text in sealed.items() if member in keys}
    place = row["account_id"].bytes
    known = {member: keys.of(member).decrypt(b64decode(text), place) for member, text in readable.items()}
    return Seat(participant_of(row, known), sealed, waiting=row["waiting"], due_at=row["due_at"])


def _row(seat: Seat, keys: Keys) -> tuple[Any, ...]:
    participant = seat.participant
    for member in seat.news:
        text = known_of(participant.known[member])
        seat.known[member] = b64encode(keys.of(member).encrypt(text, participant.account_id.bytes)).decode()
    return (
        participant.account_id, participant.tenant, participant.programme, participant.member_id,
        participant.enrolled_at, participant.decisions, seat.waiting,
        participant.history[-1].tier if participant.history else None, seat.due_at, state_of(participant),
        orjson.dumps(seat.known, option=orjson.OPT_NON_STR_KEYS),
    )  # fmt: skip


def _waiting(row: Mapping[str, Any], keys: Keys) -> Waiting:
    content = None
    if row["member_id"] in keys:
        content = orjson.loads(keys.of(row["member_id"]).decrypt(row["body"], row["decision_id"].bytes))
    return Waiting(
        row["account_id"], row["member_id"], row["waits_for"], row["decision_id"], content, row["traceparent"]
    )


def _decision_row(
    transaction: ShardTransaction, account_id: UUID, decision: Decision, cipher: Cipher
) -> tuple[Any, ...]:
    return (
        transaction.shard, decision.decision_id, account_id, decision.member_id, decision.number, decision.kind,
        decision.cause_key, decision.cause_id, decision.of_decision_id, decision.occurred_at, decision.counts_at,
        *decision.measures, transaction.now, decision.programme_version, decision.reason,
        orjson.dumps(decision.facts), cipher.encrypt(inputs.encode(decision.inputs), decision.decision_id.bytes),
    )  # fmt: skip


def _ask_row(
    transaction: ShardTransaction, decision: Decision, ask: Asked, award: Mapping[str, Any]
) -> tuple[Any, ...]:
    # What came back in the same batch names the purchase's decision.
    return (
        transaction.shard, ask.ask_id, decision.of_decision_id or decision.decision_id, award["account_id"], ask.rule,
        ask.partner, ask.currency, ask.points, orjson.dumps(ask.increments), encoded(award), ask.remains, ask.taken,
        transaction.now,
    )  # fmt: skip


def _by_account(rows: Iterable[Mapping[str, Any]]) -> dict[UUID, list[Contribution]]:
    found: dict[UUID, list[Contribution]] = {}
    for row in rows:
        measures = Measures(row["qualifying"], row["spend"], row["purchases"])
        found.setdefault(row["account_id"], []).append(Contribution(row["counts_at"], measures))
    return found


def contributions_of(rows: Iterable[Mapping[str, Any]]) -> Contributions:
    """What counts for one participant, from its rows."""
    return Contributions.of(each for found in _by_account(rows).values() for each in found)


def _bought(row: Mapping[str, Any], cipher: Cipher) -> Bought:
    record = orjson.loads(row["record"])
    text = cipher.decrypt(row["inputs"], row["decision_id"].bytes)
    return Bought(
        inputs.decode(text, row),
        row["programme_version"],
        awarded_in(record),
        record.get("counted", {}),
        Measures(row["qualifying"], row["spend"], row["purchases"]),
        gave_others="others" in record,
    )


def _less(bought: Bought, row: Mapping[str, Any], cipher: Cipher) -> Bought:
    left = orjson.loads(row["record"])["left"]
    return bought_after(bought, left, inputs.remaining_in(cipher.decrypt(row["inputs"], row["decision_id"].bytes)))


def asked_of(row: Mapping[str, Any]) -> Asked:
    """An ask from its row."""
    # The driver's UUIDs are a subclass, which no record can hold.
    ask_id = UUID(int=row["ask_id"].int)
    return Asked(
        ask_id, row["rule"], row["partner"], row["currency"], row["asked"], orjson.loads(row["counted"]),
        row["remains"], row["granted"], row["taken"],
    )  # fmt: skip
