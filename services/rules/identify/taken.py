"""What comes in, read once: each message as what identification needs to know of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from contracts.activities import ActivityRecorded, MemberEnrolled, MemberUpdated
from contracts.ids import activity_key, derive, member_of_event, purchase_key
from contracts.problems import FieldProblem
from contracts.purchases import Purchase, PurchaseCompleted
from contracts.receipts import AwardAddressed, IdentifierBlocked, IdentifierLinked
from services.rules.domain.identifier import Arrival, Block, Enrol, Holder, Link
from services.rules.incoming import Mark, Origin, fingerprint_of, is_code, is_id
from services.rules.refusals.refused import RefusedKind
from services.runtime.messages import Message

PURCHASE_COMPLETED: Final = "bonus.purchase.completed.v1"
PURCHASE_CLAIMED: Final = "rules.purchase.claimed"
KEPT_UNCLAIMED: Final = "rules.kept.unclaimed"
"""Not contracts: what the API and the sweeper hand to their own processor."""


@dataclass(slots=True)
class Taken:
    """A purchase, an activity or facts, as it came.

    `name` is the identifier it came under, `type:value`; None where a purchase names no member. `subject_id` is its id
    in the words of its sender; `data` is what the message carries, unknown fields included; `purchase` the same,
    validated, for a purchase.
    """

    arrival: Arrival
    programme: str
    subject_id: str
    name: str | None
    fingerprint: bytes
    origin: Origin
    data: dict[str, Any]
    purchase: Purchase | None = None
    kept: bool = False
    """Whether it waited here since an earlier transaction."""
    kept_until: datetime | None = None
    """The first instant at which who joins is too late to have it; None where there is none."""

    @property
    def key(self) -> UUID:
        """Its business key."""
        return self.arrival.key

    @property
    def total(self) -> int:
        """The bill of a purchase in ten-thousandths; 0 for what has none."""
        return sum(payment.amount for payment in self.purchase.payments) if self.purchase else 0

    @property
    def mark(self) -> Mark:
        """What tells this message from every other about the same thing."""
        return (self.arrival.key, self.origin.source, self.origin.id)

    @property
    def refused_kind(self) -> RefusedKind:
        """How it is called where it is refused."""
        return "purchase" if self.arrival.kind == "purchase" else "activity"


@dataclass(slots=True)
class Enrolling:
    """An enrolment. `others` are the identifiers beside the first, as `type:value`."""

    key: UUID
    command: Enrol
    programme: str
    name: str
    others: tuple[str, ...]
    sent_at: datetime
    fingerprint: bytes
    origin: Origin
    data: dict[str, Any]

    @property
    def mark(self) -> Mark:
        """What tells this message from every other."""
        return (self.origin.as_subject, self.origin.source, self.origin.id)


@dataclass(slots=True)
class Linking:
    """An identifier to put on an account, or to take out of use."""

    command: Link | Block
    programme: str
    name: str
    origin: Origin
    enrolment: dict[str, Any] | None = None
    """What the account hears first, where it is a new one."""

    @property
    def mark(self) -> Mark:
        """What tells this message from every other."""
        return (self.origin.as_subject, self.origin.source, self.origin.id)


@dataclass(slots=True)
class Claiming:
    """Somebody shows the receipt of a purchase that named no member. It comes over HTTP alone."""

    key: UUID
    purchase_id: str
    programme: str
    holder: Holder
    origin: Origin


@dataclass(slots=True)
class Unclaimed:
    """Something kept that can no longer be claimed. It comes from the sweeper alone."""

    key: UUID


@dataclass(slots=True)
class Faulty:
    """A message whose `data` is not what its type says. `key` is of its subject where that can be told."""

    key: UUID
    kind: RefusedKind
    programme: str | None
    subject_id: str
    origin: Origin
    problems: tuple[FieldProblem, ...] = field(repr=False)


Reading = Taken | Enrolling | Linking | Claiming | Unclaimed | Faulty


def key_of(message: Message) -> str:
    """The identifier that decides the shard; for a purchase without a member its own id, for a faulty message any."""
    data = message.content.get("data")
    key = _key_in(data) if isinstance(data, dict) else None
    if message.event is None and not is_id(key):
        # What is wrong may be the identifier itself: too long for a key, or with characters that no column takes.
        return message.id
    return key or message.id


def identifier_in(message: Message) -> str | None:
    """The identifier, `type:value`, that a message is about, whether or not it can be read; None: it names none."""
    data = message.content.get("data") if isinstance(message.content, dict) else None
    key = _key_in(data) if isinstance(data, dict) else None
    if is_id(key) and ":" in key:
        return key
    sent = (message.record_key or b"").decode(errors="replace")
    return sent if is_id(sent) and ":" in sent else None


def _key_in(data: dict[str, Any]) -> str | None:
    if "identifier_type" in data:
        return f"{data['identifier_type']}:{data.get('identifier_value')}"
    identifiers = data.get("identifiers")
    member = identifiers[0] if isinstance(identifiers, list) and identifiers else data.get("member")
    if isinstance(member, dict):
        return f"{member.get('type')}:{member.get('value')}"
    purchase_id = data.get("purchase_id")
    return purchase_id if isinstance(purchase_id, str) else None


def read(message: Message) -> Reading:
    """Read a message of one of the types that identification takes."""
    origin = Origin.of(message)
    event = message.event
    if isinstance(event, PurchaseCompleted):
        return purchase_taken(message.content["data"], event.data, origin)
    if event is None:
        return _faulty(message, origin)
    data = message.content["data"]
    if isinstance(event, MemberEnrolled):
        return _enrolling(event, data, origin)
    if isinstance(event, MemberUpdated):
        facts = event.data
        print_ = fingerprint_of(data)
        key = derive("facts", origin.tenant, facts.programme, facts.member.key, print_.hex())
        arrival = Arrival(key, "facts", facts.known_at)
        return Taken(arrival, facts.programme, message.id, facts.member.key, print_, origin, data)
    if isinstance(event, ActivityRecorded):
        activity = event.data
        key = activity_key(origin.tenant, activity.programme, activity.activity_id)
        arrival = Arrival(key, "activity", activity.occurred_at)
        name = activity.member.key
        return Taken(arrival, activity.programme, activity.activity_id, name, fingerprint_of(data), origin, data)
    return _addressed(event, data, origin) if isinstance(event, AwardAddressed) else _linking(event, origin)


def purchase_taken(data: dict[str, Any], purchase: Purchase, origin: Origin) -> Taken:
    """A purchase as it came, and the same validated."""
    key = purchase_key(origin.tenant, purchase.programme, purchase.purchase_id)
    name = purchase.member.key if purchase.member else None
    return Taken(
        Arrival(key, "purchase", purchase.purchased_at),
        purchase.programme,
        purchase.purchase_id,
        name,
        fingerprint_of(data),
        origin,
        data,
        purchase,
    )


def _enrolling(event: MemberEnrolled, data: dict[str, Any], origin: Origin) -> Enrolling:
    enrolment = event.data
    first, *others = (identifier.key for identifier in enrolment.identifiers)
    print_ = fingerprint_of(data)
    # One enrolment is its content: sent again under another event it is the same, and it makes the same member.
    key = derive("enrolment", origin.tenant, enrolment.programme, first, print_.hex())
    named = enrolment.member_id is not None
    member_id = enrolment.member_id or member_of_event(origin.tenant, origin.source, origin.id)
    command = Enrol(member_id, named, enrolment.enrolled_at, enrolment.card_category)
    unique = tuple(dict.fromkeys(name for name in others if name != first))
    return Enrolling(key, command, enrolment.programme, first, unique, event.time, print_, origin, data)


def _addressed(event: AwardAddressed, data: dict[str, Any], origin: Origin) -> Taken:
    """An award for whoever holds an identifier, as of the purchase that brought it."""
    award = event.data
    name = f"{award.identifier_type}:{award.identifier_value}"
    arrival = Arrival(award.change_key, "award", award.occurred_at)
    return Taken(arrival, award.programme, str(award.change_key), name, fingerprint_of(data), origin, data)


def _linking(event: object, origin: Origin) -> Linking:
    if isinstance(event, IdentifierLinked):
        linked = event.data
        holder = Holder(
            linked.holder.account_id, linked.holder.member_id, linked.holder.programme, linked.holder.card_category
        )
        name = f"{linked.identifier_type}:{linked.identifier_value}"
        command = Link(holder, linked.since, linked.moved_from)
        return Linking(command, holder.programme, name, origin, linked.enrolment)
    if isinstance(event, IdentifierBlocked):
        blocked = event.data
        name = f"{blocked.identifier_type}:{blocked.identifier_value}"
        return Linking(Block(blocked.since), blocked.programme, name, origin)
    raise TypeError(f"{type(event).__name__} is nothing that identification takes")


def _faulty(message: Message, origin: Origin) -> Faulty:
    data = message.content.get("data")
    found = data if isinstance(data, dict) else {}
    kind: RefusedKind = "purchase" if message.type == PURCHASE_COMPLETED else "activity"
    programme, subject_id = found.get("programme"), found.get(f"{kind}_id")
    key = origin.as_subject
    if not is_id(subject_id):
        subject_id = message.id
    elif is_code(programme):
        named = purchase_key if kind == "purchase" else activity_key
        key = named(origin.tenant, programme, subject_id)
    return Faulty(key, kind, programme if is_code(programme) else None, subject_id, origin, message.problems)
