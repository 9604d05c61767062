"""Routes: points spent at once, and what is given back of them."""

from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from contracts.amounts import Amount, DecimalPoints
from contracts.envelope import Code, Identifier, Text
from contracts.redemptions import ConfirmationToken, RedemptionRequest, RedemptionReversalRequest
from services.ledger.api.submission import Body, Done, Submission, writing
from services.runtime.http.application import JsonRoute

router = APIRouter(prefix="/v1/accounts/{account_id}", tags=["redemptions"], route_class=JsonRoute)

REDEEM: Final = "bonus.points.redeem.v1"
REVERSE: Final = "bonus.redemption.reverse.v1"


class RedemptionBody(Body):
    """Points to spend; `bill` and `redeemable` in money, as quoted, where the programme limits the share of it.

    `partner` of a coalition is where they are spent. `confirmation` is the member's, as the notifier's
    `POST /v1/confirmations/{id}/verify` answers it, where the programme asks for one.
    """

    currency: Code
    points: DecimalPoints
    bill: Amount | None = None
    redeemable: Amount | None = None
    reference: Identifier | None = None
    partner: Text = ""
    confirmation: ConfirmationToken | None = None


class ReversalBody(Body):
    """How much of a redemption to give back; all that is left of it if `points` is left out."""

    points: DecimalPoints | None = None


@router.post("/redemptions", response_model=Done, status_code=HTTPStatus.CREATED)
async def redeem(body: RedemptionBody, submission: Annotated[Submission, Depends(writing(REDEEM))]) -> Response:
    """Spend points, soonest-expiring first.

    Problems: 404 `account_unknown`; 409 `insufficient_points`, `account_frozen`, `account_closed`,
    `programme_suspended`, `too_many_redemptions`, `confirmation_required`, `confirmation_used`,
    `idempotency_key_reused`; 422 `below_minimum`, `not_a_multiple`,
    `exceeds_share_of_bill`, `bill_required`, `bill_negative`, `unknown_currency`, `too_many_decimals`,
    `not_positive`, `confirmation_invalid`, `confirmation_expired`, `confirmation_differs`.
    """
    return await submission.retail(RedemptionRequest.model_construct(**submission.named, **dict(body)), dict(body))


@router.post("/redemptions/{redemption_id}/reversals", response_model=Done, status_code=HTTPStatus.CREATED)
async def reverse(
    redemption_id: UUID, body: ReversalBody, submission: Annotated[Submission, Depends(writing(REVERSE))]
) -> Response:
    """Give back points of a redemption to the lots that they came from, the latest-expiring first.

    Problems: 404 `account_unknown`, `redemption_unknown`; 409 `exceeds_redemption`, `nothing_to_restore`.
    """
    asked = {"redemption_id": redemption_id, **dict(body)}
    return await submission.retail(RedemptionReversalRequest.model_construct(**submission.named, **asked), asked)
