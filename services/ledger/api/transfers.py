"""Routes: points for another account of the programme."""

from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from contracts.amounts import DecimalPoints, points_from_decimal
from contracts.envelope import Code
from services.ledger.api.submission import Body, Done, Submission, problem_of, writing
from services.ledger.domain.commands import SendPoints
from services.ledger.domain.refusals import account_unknown, currency_unknown
from services.ledger.intake import too_many_decimals
from services.runtime.http.application import JsonRoute

SEND: Final = "transfer"

router = APIRouter(prefix="/v1/accounts/{account_id}", tags=["transfers"], route_class=JsonRoute)


class TransferBody(Body):
    """How many points go to which account."""

    to_account_id: UUID
    currency: Code
    points: DecimalPoints


@router.post("/transfers", response_model=Done, status_code=HTTPStatus.CREATED)
async def transfer(body: TransferBody, submission: Annotated[Submission, Depends(writing(SEND))]) -> Response:
    """Send points to another account: in transit at once, there when it has taken them up, back if it cannot.

    Problems: 404 `account_unknown`, also for the receiver; 409 `insufficient_points`, `exceeds_monthly_transfers`,
    `account_frozen`, `programme_suspended`; 422 `same_account`, `unknown_currency`, `too_many_decimals`.
    """
    scale = await submission.scale(body.currency)
    if scale is None:
        raise problem_of(currency_unknown(body.currency))
    points = points_from_decimal(body.points, scale)
    if points is None:
        raise problem_of(too_many_decimals(scale))
    sender = await submission.parts.owner(submission.caller, submission.account_id)
    receiver = await submission.parts.owner(submission.caller, body.to_account_id)
    if receiver != sender:
        raise problem_of(account_unknown(body.to_account_id))
    command = SendPoints(**submission.base, to_account_id=body.to_account_id, currency=body.currency, points=points)
    return await submission.command(command, dict(body))
