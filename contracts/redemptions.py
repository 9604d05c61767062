"""Commands that retail systems send to the ledger over Kafka instead of HTTP; keyed by account."""

from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from contracts.amounts import Amount, DecimalPoints
from contracts.envelope import CloudEvent, Code, Identifier, Shape, Text

MAX_CONFIRMATION: Final = 4_096
"""Characters of a confirmation's token."""

ConfirmationToken = Annotated[str, Field(min_length=1, max_length=MAX_CONFIRMATION)]


class RetailCommand(Shape):
    """What every retail command says; `key` is the caller's idempotency key."""

    key: Identifier
    account_id: UUID
    programme: Code


class HoldRequest(RetailCommand):
    """Set points aside; `bill` and `redeemable` in money, as quoted.

    `partner` of a coalition is where they are spent; `confirmation` is a token as contracts.confirmations says.
    """

    currency: Code
    points: DecimalPoints
    bill: Amount | None = None
    redeemable: Amount | None = None
    reference: Identifier | None = None
    partner: Text = ""
    confirmation: ConfirmationToken | None = None
    time_out_s: Annotated[int, Field(gt=0)] | None = None


class PlaceHold(CloudEvent):
    """Set points aside for a purchase that is not finished."""

    type: Literal["bonus.hold.place.v1"] = "bonus.hold.place.v1"
    data: HoldRequest


class HoldCaptureRequest(RetailCommand):
    """Spend all or part of a hold; `partial` keep leaves the rest on hold."""

    hold_id: UUID
    points: DecimalPoints | None = None
    partial: Literal["release", "keep"] = "release"
    partner: Text = ""


class CaptureHold(CloudEvent):
    """Spend held points."""

    type: Literal["bonus.hold.capture.v1"] = "bonus.hold.capture.v1"
    data: HoldCaptureRequest


class HoldReleaseRequest(RetailCommand):
    """Give held points back."""

    hold_id: UUID


class ReleaseHold(CloudEvent):
    """Release a hold."""

    type: Literal["bonus.hold.release.v1"] = "bonus.hold.release.v1"
    data: HoldReleaseRequest


class RedemptionRequest(RetailCommand):
    """Spend points at once; `bill` and `redeemable` in money, as quoted.

    `partner` of a coalition is where they are spent; `confirmation` is a token as contracts.confirmations says.
    """

    currency: Code
    points: DecimalPoints
    bill: Amount | None = None
    redeemable: Amount | None = None
    reference: Identifier | None = None
    partner: Text = ""
    confirmation: ConfirmationToken | None = None


class RedeemPoints(CloudEvent):
    """Spend points."""

    type: Literal["bonus.points.redeem.v1"] = "bonus.points.redeem.v1"
    data: RedemptionRequest


class RedemptionReversalRequest(RetailCommand):
    """Give back all or part of a redemption to the lots it came from."""

    redemption_id: UUID
    points: DecimalPoints | None = None


class ReverseRedemption(CloudEvent):
    """Undo a redemption."""

    type: Literal["bonus.redemption.reverse.v1"] = "bonus.redemption.reverse.v1"
    data: RedemptionReversalRequest
