"""What members do besides buying, and what becomes known about them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from contracts.envelope import CloudEvent, Code, Day, Identifier, Instant, Shape, Text
from contracts.purchases import MemberIdentifier


class Enrolment(Shape):
    """A member joins a programme under one or more identifiers; the first is the message's key."""

    programme: Code
    enrolled_at: Instant
    identifiers: Annotated[tuple[MemberIdentifier, ...], Field(min_length=1, max_length=20)]
    member_id: UUID | None = None
    birthday: Day | None = None
    card_category: Text = ""
    language: Text = ""
    referred_by: MemberIdentifier | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)


class MemberEnrolled(CloudEvent):
    """Someone became a member."""

    type: Literal["bonus.member.enrolled.v1"] = "bonus.member.enrolled.v1"
    data: Enrolment


class GivenTier(Shape):
    """A tier that a member is given by hand, or has elsewhere: until this instant, then judged like any other."""

    tier: Code
    until: Instant


class MemberFacts(Shape):
    """Facts about a member that became known at `known_at`; what is left out stays as it was."""

    member: MemberIdentifier
    programme: Code
    known_at: Instant
    birthday: Day | None = None
    segments: tuple[Code, ...] | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)
    tier: GivenTier | None = None


class MemberUpdated(CloudEvent):
    """Facts about a member changed."""

    type: Literal["bonus.member.updated.v1"] = "bonus.member.updated.v1"
    data: MemberFacts


class Activity(Shape):
    """A review, a referral, a check-in, a survey, or any action that a programme names."""

    activity_id: Identifier
    programme: Code
    name: Code
    occurred_at: Instant
    member: MemberIdentifier
    product: Text = ""
    attributes: dict[str, Any] = Field(default_factory=dict)


class ActivityRecorded(CloudEvent):
    """A member did something that a programme may reward."""

    type: Literal["bonus.activity.recorded.v1"] = "bonus.activity.recorded.v1"
    data: Activity
