"""What the aggregates of rules say to each other: identified receipts, links of identifiers, index entries.

These messages stay between processes of one service, but they cross Kafka, so their shapes are contracts too.
"""

from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from pydantic import Field

from contracts.activities import Activity, Enrolment, MemberFacts
from contracts.amounts import Amount, Points, Quantity, Scale
from contracts.envelope import CloudEvent, Code, Identifier, Instant, Shape, Text
from contracts.purchases import Purchase, Return


class Holder(Shape):
    """Who is meant: the account of one member (or household) in one programme."""

    account_id: UUID
    member_id: UUID
    programme: Code
    card_category: Text = ""


class IdentifiedPurchase(Shape):
    """A purchase whose account is known; `purchase_key` is derived from tenant, programme and purchase id."""

    purchase_key: UUID
    holder: Holder
    first_seen_at: Instant
    purchase: Purchase


class PurchaseIdentified(CloudEvent):
    """A purchase goes on to the participant; keyed by account."""

    type: Literal["bonus.receipt.identified.v1"] = "bonus.receipt.identified.v1"
    data: IdentifiedPurchase


class IdentifiedActivity(Shape):
    """An activity whose account is known."""

    activity_key: UUID
    holder: Holder
    activity: Activity


class ActivityIdentified(CloudEvent):
    """An activity goes on to the participant; keyed by account."""

    type: Literal["bonus.activity.identified.v1"] = "bonus.activity.identified.v1"
    data: IdentifiedActivity


class ParticipantFacts(Shape):
    """Facts that became known about a member go on to the participant."""

    holder: Holder
    facts: MemberFacts


class FactsIdentified(CloudEvent):
    """Keyed by account."""

    type: Literal["bonus.facts.identified.v1"] = "bonus.facts.identified.v1"
    data: ParticipantFacts


class NewParticipant(Shape):
    """A member joined a programme; `claimed` says that purchases waited for it under its identifier."""

    holder: Holder
    enrolment: Enrolment


class ParticipantEnrolled(CloudEvent):
    """The account's first message; keyed by account."""

    type: Literal["bonus.participant.enrolled.v1"] = "bonus.participant.enrolled.v1"
    data: NewParticipant


class IndexedReturn(Shape):
    """A return that fits its purchase: what is left of each line and what came back so far, this return included."""

    return_key: UUID
    purchase_key: UUID
    holder: Holder
    returned: Return
    remaining: tuple["RemainingLine", ...]


class RemainingLine(Shape):
    """What is left of a line after all returns so far."""

    line: int
    quantity: Quantity
    amount: Amount


class ReturnIndexed(CloudEvent):
    """A return goes on to the participant; keyed by account."""

    type: Literal["bonus.return.indexed.v1"] = "bonus.return.indexed.v1"
    data: IndexedReturn


class PurchaseConflict(Shape):
    """The same purchase id came under another identifier: what `holder` earned by it is taken back.

    `first_holder` is who the purchase stays with; null when the first one has no member that could earn by it.
    """

    purchase_key: UUID
    holder: Holder
    purchase_id: Identifier
    first_holder: Holder | None
    found_at: Instant


class PurchaseConflicted(CloudEvent):
    """The later award is taken back; keyed by account."""

    type: Literal["bonus.purchase.conflicted.v1"] = "bonus.purchase.conflicted.v1"
    data: PurchaseConflict


class IndexLine(NamedTuple):
    """A line as the index keeps it, `[1, 10000, 79800]` on the wire: number, quantity and amount in ten-thousandths.

    A year of purchases has ten lines for each of them: what stays between two workers is kept short.
    """

    line: int
    quantity: int
    amount: int


class IndexEntry(Shape):
    """Where a purchase belongs; `fingerprint` is the SHA-256 of its content, in hexadecimal.

    `holder` is null where nobody can earn by it: it named no member, or its identifier was blocked.
    """

    purchase_key: UUID
    purchase_id: Identifier
    programme: Code
    holder: Holder | None
    purchased_at: Instant
    fingerprint: Annotated[str, Field(min_length=64, max_length=64)]
    lines: tuple[IndexLine, ...]


class PurchaseIndexed(CloudEvent):
    """An identified purchase is entered into the index; keyed by purchase id."""

    type: Literal["bonus.purchase.indexed.v1"] = "bonus.purchase.indexed.v1"
    data: IndexEntry


class IdentifierLink(Shape):
    """An identifier belongs to a holder from `since` on.

    `moved_from` is the account that hands it over (a household is joined or left, members are merged): without it an
    identifier that somebody holds stays where it is. `enrolment` is told to the account first, if it is a new one.
    """

    identifier_type: Code
    identifier_value: Identifier
    holder: Holder
    since: Instant
    moved_from: UUID | None = None
    enrolment: dict[str, Any] | None = None


class IdentifierLinked(CloudEvent):
    """Keyed by the identifier."""

    type: Literal["bonus.identifier.linked.v1"] = "bonus.identifier.linked.v1"
    data: IdentifierLink


class IdentifierBlock(Shape):
    """An identifier no longer counts from `since` on."""

    identifier_type: Code
    identifier_value: Identifier
    programme: Code
    since: Instant
    reason: Text = ""


class IdentifierBlocked(CloudEvent):
    """Keyed by the identifier."""

    type: Literal["bonus.identifier.blocked.v1"] = "bonus.identifier.blocked.v1"
    data: IdentifierBlock


class AddressedAward(Shape):
    """Points for somebody else, named by an identifier: a referrer. Points are in the smallest unit.

    `points` is what it comes to now, before the caps of the one who receives. `award_key` stays the same when goods
    come back; `change_key` tells that news from the award itself, whose keys are equal. `giver_decision_id` is the
    decision that brought it: of no use but to an account that turns out to be the giver's own.
    """

    award_key: UUID
    change_key: UUID
    programme: Code
    identifier_type: Code
    identifier_value: Identifier
    occurred_at: Instant
    changed_at: Instant
    giver: Holder
    version: int
    rule: Code
    currency: Code
    scale: Scale
    points: Points
    activates_at: Instant | None = None
    expires_at: Instant | None = None
    giver_decision_id: UUID | None = None


class AwardAddressed(CloudEvent):
    """An award looks for its account; keyed by the identifier."""

    type: Literal["bonus.award.addressed.v1"] = "bonus.award.addressed.v1"
    data: AddressedAward


class IdentifiedAward(Shape):
    """An award whose account is known."""

    award_key: UUID
    holder: Holder
    award: AddressedAward


class AwardIdentified(CloudEvent):
    """An award by somebody else's purchase goes on to the participant, who has caps of its own; keyed by account."""

    type: Literal["bonus.award.identified.v1"] = "bonus.award.identified.v1"
    data: IdentifiedAward


class PurchaseVerdict(Shape):
    """What became of a purchase, a return or an activity that was not simply decided."""

    programme: Code | None = None
    subject_id: Identifier
    event_id: Identifier
    refusal: "VerdictReason"
    first: dict[str, Any] | None = None
    second: dict[str, Any] | None = None


class VerdictReason(Shape):
    """A reason for a program and for a person; `field` is a JSON path."""

    code: Code
    message: Annotated[str, Field(max_length=1_000)]
    field: str | None = None


class PurchaseRejected(CloudEvent):
    """A purchase, return or activity decodes but cannot be applied, or contradicts one that was; keyed as it came."""

    type: Literal["bonus.purchase.rejected.v1", "bonus.return.rejected.v1", "bonus.activity.rejected.v1"]
    data: PurchaseVerdict
