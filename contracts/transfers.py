"""Points on their way from one account to another, and the answer; keyed by the account that the message is for."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from contracts.amounts import Points, Scale
from contracts.awards import Inactivity
from contracts.envelope import CloudEvent, Code, Instant, Refusal, Shape, Text

MAX_PARCELS: Final = 500
"""Lots that one message carries; more become parts of their own."""

TransferReason = Literal["transfer", "merge"]


class Parcel(Shape):
    """A part of a lot on its way; it keeps its dates and its origin (`accrual_id`, the command that earned it)."""

    lot_id: UUID
    accrual_id: UUID | None = None
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


class LastActive(Shape):
    """From when inactivity is reckoned at the sender, so that a merge does not wake points that were about to lapse."""

    inactivity: Inactivity | None = None
    active_at: Instant | None = None
    lapses_at: Instant | None = None
    notice_at: Instant | None = None


class TransferOffer(TransferPart):
    """Points of one currency that left the sender's lots and are in transit; `owed` is debt that goes along."""

    sent_at: Instant
    currency: Code | None = None
    scale: Scale | None = None
    parcels: Annotated[tuple[Parcel, ...], Field(max_length=MAX_PARCELS)]
    owed: Points = 0
    last_active: LastActive | None = None


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


class ForwardedCommand(Shape):
    """A command that one account has for another; `kind` says which, `command` has its fields."""

    command_id: UUID
    account_id: UUID
    from_account_id: UUID
    programme: Code
    kind: Code
    command: dict[str, Any]


class CommandForwarded(CloudEvent):
    """What a merged account passes on, and how two accounts agree on a merge; keyed by the account it is for."""

    type: Literal["bonus.command.forwarded.v1"] = "bonus.command.forwarded.v1"
    data: ForwardedCommand
