"""The decide worker: messages to participants of one shard in, decisions and what they tell the ledger out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from prometheus_client import Counter

from contracts.envelope import DEFAULT_TENANT
from services.rules.decide.batch import Batch, Loaded
from services.rules.decide.readings import Due, Reading, key_of, read, read_content
from services.rules.decide.storage import Keys, Seat, Storage
from services.rules.domain.celebrations import birthdays_until
from services.rules.domain.occasions import Joining
from services.rules.domain.participant import Decision, PublishedProgramme, to_read
from services.rules.domain.purchases import Receipt
from services.rules.domain.referrals import Lessening
from services.rules.domain.returns import reread_from
from services.runtime.messages import Message
from services.runtime.privacy import Vault
from services.runtime.shard import ShardTransaction, Verdict

CONDITION_FAILURES: Final = Counter(
    "bonus_condition_failures_total", "Conditions that failed at run time: their rule gave nothing.", ["rule"]
)


class PublishedProgrammes(Protocol):
    """Where decisions ask for a programme; the store of programmes answers, as a rule from memory."""

    async def published(self, tenant: str, programme: str) -> PublishedProgramme:
        """The published versions; none where the store itself, asked now, knows of none."""
        ...


class DecideProcessor:
    """Decides on purchases, returns, activities and enrolments; see `services.rules.domain.participant`."""

    name = "decide"
    trusts: Final = True
    """Its messages were validated where they came in and published by this service: see `decoding.decode`."""

    def __init__(self, programmes: PublishedProgrammes, vault: Vault) -> None:
        self._programmes = programmes
        self._vault = vault
        self._storage = Storage()

    def key_of(self, message: Message) -> str:
        """The account."""
        return key_of(message)

    async def process(self, transaction: ShardTransaction, messages: Sequence[Message]) -> Sequence[Verdict]:
        """Decide the messages, each once, in their order."""
        readings = [read(message) for message in messages]
        storage = self._storage
        keys = Keys(self._vault, transaction)
        await keys.make({each.member_id for each in readings if not isinstance(each.subject, Due)})
        loaded, expected = await self._load(transaction, readings, keys)
        await self._load_sums(transaction, loaded, expected)
        batch = Batch(loaded, transaction.now)
        verdicts = [batch.decide(reading) for reading in readings]
        changes = batch.changes
        for entry in changes.entries:
            transaction.append(entry)
        await storage.add_decisions(transaction, changes.decisions, keys)
        await storage.save_asks(transaction, changes.asks, changes.awards_asked)
        await storage.drop_waiting(transaction, changes.released)
        await storage.keep_waiting(transaction, list(changes.kept.values()), keys)
        await storage.save_seats(transaction, changes.seats.values(), keys)
        for _, decision in changes.decisions:
            _count_failures(decision)
        return verdicts

    async def _load(
        self, transaction: ShardTransaction, readings: Sequence[Reading], keys: Keys
    ) -> tuple[Loaded, Sequence[Reading]]:
        """The state of a batch, and all that may be decided in it: its messages, and what has waited for them."""
        storage = self._storage
        seats = await storage.seats(transaction, {each.account_id for each in readings}, keys)
        known = await storage.known(transaction, [each.decision_id for each in readings if each.decision_id])
        joining = {each.account_id for each in readings if isinstance(each.subject, Joining)}
        waited_for = joining | {account for account, seat in seats.items() if seat.waiting}
        waiting = await storage.waiting(transaction, waited_for, keys)
        expected = [*readings]
        for row in waiting:
            if row.content is not None:
                tenant = row.content.get("tenant", DEFAULT_TENANT)
                expected.append(read_content(row.content, tenant, row.traceparent))
        own = {each.decision_id for each in expected if isinstance(each.subject, Receipt)} - known
        of = {each.of for each in expected if each.of is not None and not isinstance(each.subject, Lessening)} - own
        bought = await storage.bought(transaction, of, keys)
        had = await storage.had(transaction, {each.of for each in expected if isinstance(each.subject, Lessening)})
        programmes = {
            place: await self._programmes.published(*place)
            for place in {(each.tenant, each.programme) for each in expected}
        }
        return Loaded(keys, programmes, seats, known, bought, waiting, had), expected

    async def _load_sums(self, transaction: ShardTransaction, loaded: Loaded, expected: Sequence[Reading]) -> None:
        """Read the contributions that the sums of this batch need; as a rule none."""
        instants: dict[UUID, list[datetime]] = {}
        latest = {account: seat.participant.last_purchase_at for account, seat in loaded.seats.items()}
        late: list[tuple[UUID, datetime]] = []
        for each in expected:
            if each.account_id not in latest or each.decision_id in loaded.known:
                continue
            instants.setdefault(each.account_id, []).append(each.at)
            bought = loaded.bought.get(each.of) if each.of is not None else None
            if bought is not None:
                since = reread_from(loaded.seats[each.account_id].participant, bought.inputs.receipt.basket.at)
                instants[each.account_id] += [since] if since is not None else []
            if isinstance(each.subject, Due):
                seat = loaded.seats[each.account_id]
                birthdays = birthdays_until(seat.participant, _programme_of(loaded, seat), each.at)
                instants[each.account_id] += [birthday.begins_at for birthday in birthdays]
            if isinstance(each.subject, Receipt):
                last = latest[each.account_id]
                if last is not None and each.at < last:
                    late.append((each.account_id, each.at))
                else:
                    latest[each.account_id] = each.at
        bands = {
            account: to_read(loaded.seats[account].participant, _programme_of(loaded, loaded.seats[account]), moments)
            for account, moments in instants.items()
        }
        await self._storage.load_contributions(transaction, loaded.seats, bands)
        await self._storage.load_purchases_before(transaction, loaded.seats, late, bands)


def _programme_of(loaded: Loaded, seat: Seat) -> PublishedProgramme:
    return loaded.programmes[seat.participant.tenant, seat.participant.programme]


def _count_failures(decision: Decision) -> None:
    evaluation: Mapping[str, Any] = decision.facts.get("evaluation", {})  # type: ignore[assignment]  # as records has it
    for failure in evaluation.get("failed", ()):
        CONDITION_FAILURES.labels(failure["rule"]).inc()
