"""Routes: what an operator does to an account, and how far the books have come."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, StringConstraints
from starlette.responses import Response

from contracts.amounts import DecimalPoints, points_from_decimal
from contracts.envelope import Code, Instant
from services.ledger.api.state import FromParts, Reader
from services.ledger.api.submission import Body, Done, Submission, operating, problem_of
from services.ledger.domain import commands
from services.ledger.domain.refusals import currency_unknown
from services.ledger.intake import too_many_decimals
from services.ledger.queries import SQL
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute

router = APIRouter(prefix="/v1", tags=["operations"], route_class=JsonRoute)

Reason = Code
"""A code, not a text: the log holds nothing personal."""


class AdjustmentBody(Body):
    """Points to put in, or (below zero) to take away, and why."""

    currency: Code
    points: DecimalPoints
    reason: Reason
    allow_debt: bool = False
    expires_at: Instant | None = None


class ReasonBody(Body):
    """Why."""

    reason: Reason


class ShardAnswer(BaseModel):
    """How far a shard has come: its last event, its hash, and the last event that was published."""

    shard: int
    head: int
    hash: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    recorded_at: str | None
    published: int


class ShardsAnswer(BaseModel):
    """Every shard."""

    items: list[ShardAnswer]


@router.post("/accounts/{account_id}/adjustments", response_model=Done, status_code=HTTPStatus.CREATED)
async def adjust(body: AdjustmentBody, submission: Annotated[Submission, Depends(operating("adjustment"))]) -> Response:
    """Put points in or take them away by hand. The operator is the caller.

    Problems: 409 `insufficient_points` unless `allow_debt`; 422 `unknown_currency`, `too_many_decimals`.
    """
    scale = await submission.scale(body.currency)
    if scale is None:
        raise problem_of(currency_unknown(body.currency))
    points = points_from_decimal(body.points, scale)
    if points is None:
        raise problem_of(too_many_decimals(scale))
    command = commands.Adjust(
        **submission.base,
        currency=body.currency,
        points=points,
        reason=body.reason,
        operator=submission.caller.subject,
        allow_debt=body.allow_debt,
        expires_at=body.expires_at,
    )
    return await submission.command(command, dict(body))


@router.post("/accounts/{account_id}/freeze", response_model=Done, status_code=HTTPStatus.CREATED)
async def freeze(body: ReasonBody, submission: Annotated[Submission, Depends(operating("freeze"))]) -> Response:
    """No redemptions from now on; accruals go on."""
    command = commands.Freeze(**submission.base, reason=body.reason, operator=submission.caller.subject)
    return await submission.command(command, dict(body))


@router.post("/accounts/{account_id}/unfreeze", response_model=Done, status_code=HTTPStatus.CREATED)
async def unfreeze(body: ReasonBody, submission: Annotated[Submission, Depends(operating("unfreeze"))]) -> Response:
    """Redemptions again."""
    command = commands.Unfreeze(**submission.base, reason=body.reason, operator=submission.caller.subject)
    return await submission.command(command, dict(body))


@router.post("/accounts/{account_id}/close", response_model=Done, status_code=HTTPStatus.CREATED)
async def close(body: ReasonBody, submission: Annotated[Submission, Depends(operating("close"))]) -> Response:
    """End the account for good: what is left on it lapses. Problems: 409 `hold_open`, `transfer_open`."""
    command = commands.Close(**submission.base, reason=body.reason, operator=submission.caller.subject)
    return await submission.command(command, dict(body))


@router.get("/shards", response_model=ShardsAnswer)
async def list_shards(caller: Reader, parts: FromParts) -> Response:
    """How far every shard has come, and what of it was published."""
    _ = caller
    rows = await parts.reads.fetch(SQL.heads)
    items = [
        {
            "shard": row["shard"],
            "head": row["head"],
            "hash": row["hash"].hex(),
            "recorded_at": row["recorded_at"],
            "published": row["published"],
        }
        for row in rows
    ]
    return answer({"items": items})
