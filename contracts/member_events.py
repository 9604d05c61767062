"""What rules notice about members without a purchase: days of the calendar, silence, erasure; keyed by account."""

from typing import Literal
from uuid import UUID

from contracts.awards import Standing
from contracts.envelope import CloudEvent, Code, Day, Instant, Shape


class Noticed(Shape):
    """Whom it is about. `effective_at` is when it counts, which may lie before it was noticed."""

    account_id: UUID
    member_id: UUID
    programme: Code
    effective_at: Instant


class Birthday(Noticed):
    """The day of the year that is celebrated; the year of birth stays with rules."""

    day: Day


class BirthdayReached(CloudEvent):
    """It is the member's birthday, in the programme's zone."""

    type: Literal["bonus.birthday.reached.v1"] = "bonus.birthday.reached.v1"
    data: Birthday


class Lapse(Noticed):
    """Nothing was bought since `last_purchase_at`."""

    last_purchase_at: Instant


class MemberLapsed(CloudEvent):
    """A member has gone quiet for as long as the programme waits."""

    type: Literal["bonus.member.lapsed.v1"] = "bonus.member.lapsed.v1"
    data: Lapse


class TierLoss(Noticed):
    """The tier ends at `until` unless what is missing is bought before."""

    tier: Code
    until: Instant
    standing: Standing


class TierLossAnnounced(CloudEvent):
    """A tier is about to be lost."""

    type: Literal["bonus.tier.loss-announced.v1"] = "bonus.tier.loss-announced.v1"
    data: TierLoss


class MemberErased(CloudEvent):
    """A member asked to be forgotten: every service destroys the keys under which it keeps what is personal."""

    type: Literal["bonus.member.erased.v1"] = "bonus.member.erased.v1"
    data: Noticed
