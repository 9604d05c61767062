"""Points on their way from one account to another, and the answer; keyed by the account that the message is for."""

from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from contracts.amounts import Points, Scale
from contracts.envelope import CloudEvent, Code, Instant, Refusal, Shape, Text

MAX_PARCELS: Final = 500
"""Lots that one message carries; more become parts of their own."""

TransferReason = Literal["transfer", "merge"]


class Parcel(Shape):
    """A part of a lot on its way; it keeps its dates and its origin."""

    lot_id: UUID
    currency: Code
    scale: Scale
    points: Points
    earned_at: Instant
    activates_at: Instant | None
    expires_at: Instant | None
    campaign: Code | None = None
    partner: Text = ""


class TransferPart(Shape):
    """Which transfer is meant: `transfer_id` is derived from what caused it, `part` counts its messages from 0."""

    transfer_id: UUID
    part: Annotated[int, Field(ge=0)] = 0
    programme: Code
    reason: TransferReason
    from_account_id: UUID
    to_account_id: UUID


class TransferOffer(TransferPart):
    """Points that left the sender's lots and are in transit."""

    sent_at: Instant
    parcels: Annotated[tuple[Parcel, ...], Field(min_length=1, max_length=MAX_PARCELS)]


class TransferOffered(CloudEvent):
    """Points come to the receiver; keyed by the receiving account."""

    type: Literal["bonus.transfer.offered.v1"] = "bonus.transfer.offered.v1"
    data: TransferOffer


class TransferAcceptance(TransferPart):
    """The receiver took the points up."""

    accepted_at: Instant


class TransferAccepted(CloudEvent):
    """The points are no longer in transit; keyed by the sending account."""

    type: Literal["bonus.transfer.accepted.v1"] = "bonus.transfer.accepted.v1"
    data: TransferAcceptance


class TransferRefusal(TransferPart):
    """The receiver cannot take the points."""

    refused_at: Instant
    refusal: Refusal


class TransferRefused(CloudEvent):
    """The points go back to the lots that they left; keyed by the sending account."""

    type: Literal["bonus.transfer.refused.v1"] = "bonus.transfer.refused.v1"
    data: TransferRefusal
