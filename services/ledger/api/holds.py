"""Routes: points set aside for a purchase that is not finished."""

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.responses import Response

from contracts.amounts import DecimalPoints
from contracts.envelope import Text
from contracts.redemptions import HoldCaptureRequest, HoldReleaseRequest, HoldRequest
from services.ledger.api.redemptions import RedemptionBody
from services.ledger.api.submission import Body, Done, Submission, writing
from services.runtime.http.application import JsonRoute

router = APIRouter(prefix="/v1/accounts/{account_id}/holds", tags=["holds"], route_class=JsonRoute)

PLACE: Final = "bonus.hold.place.v1"
CAPTURE: Final = "bonus.hold.capture.v1"
RELEASE: Final = "bonus.hold.release.v1"


class HoldBody(RedemptionBody):
    """Points to set aside, and for how long; as long as the programme says if `time_out_s` is left out."""

    time_out_s: Annotated[int, Field(gt=0, le=2**31 - 1)] | None = None


class CaptureBody(Body):
    """How much to spend; all of it if `points` is left out. `partial` keep leaves the rest on hold."""

    points: DecimalPoints | None = None
    partial: Literal["release", "keep"] = "release"
    partner: Text = ""


class ReleaseBody(Body):
    """Nothing to say: a release may come without a body, or with an empty object."""


@router.post("", response_model=Done, status_code=HTTPStatus.CREATED)
async def place_hold(body: HoldBody, submission: Annotated[Submission, Depends(writing(PLACE))]) -> Response:
    """Set points aside. They are refused as a redemption would be."""
    return await submission.retail(HoldRequest.model_construct(**submission.named, **dict(body)), dict(body))


@router.post("/{hold_id}/capture", response_model=Done, status_code=HTTPStatus.CREATED)
async def capture_hold(
    hold_id: UUID, body: CaptureBody, submission: Annotated[Submission, Depends(writing(CAPTURE))]
) -> Response:
    """Spend all or part of a hold.

    Problems: 404 `hold_unknown`; 409 `exceeds_hold`, `hold_captured`, `hold_released`, `hold_expired`.
    """
    asked = {"hold_id": hold_id, **dict(body)}
    return await submission.retail(HoldCaptureRequest.model_construct(**submission.named, **asked), asked)


@router.post("/{hold_id}/release", response_model=Done, status_code=HTTPStatus.CREATED)
async def release_hold(
    hold_id: UUID, submission: Annotated[Submission, Depends(writing(RELEASE))], body: ReleaseBody | None = None
) -> Response:
    """Give back what is still on hold.

    Problems: 404 `hold_unknown`; 409 `hold_captured`, `hold_released`, `hold_expired`.
    """
    _ = body
    asked: dict[str, Any] = {"hold_id": hold_id}
    return await submission.retail(HoldReleaseRequest.model_construct(**submission.named, **asked), asked)
