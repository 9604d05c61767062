"""Routes: returns by those who have no Kafka."""

from http import HTTPStatus
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from contracts.purchases import PurchaseReturned, Return
from services.rules.api.documents import body_of
from services.rules.api.intake import FromPost, refuse
from services.rules.api.state import FromParts
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute

router = APIRouter(prefix="/v1/returns", tags=["returns"], route_class=JsonRoute)

TYPES: Final = ("bonus.purchase.returned.v1",)
TAKEN_IN: Final = frozenset({"applied", "waiting", "nobody", "purchase_unknown"})
"""Codes under which a return is known."""


@router.post("", status_code=HTTPStatus.ACCEPTED, openapi_extra=body_of(Return, PurchaseReturned))
async def post_return(posted: FromPost, parts: FromParts) -> Response:
    """Take in a return: its data, or a whole CloudEvent. One that comes before its purchase waits for it.

    The status is `applied`, `waiting`, or `nobody` where nobody earned by the purchase. Problems: 422 `unknown_line`,
    `returns_more_than_bought` and what else cannot be applied, 409 `conflict` with both facts.
    """
    message = posted.message(TYPES, parts)
    verdict = await posted.submit(parts.index, message, parts)
    refuse(posted, verdict, TAKEN_IN)
    data = message.content["data"]
    said = {
        "return_id": data["return_id"],
        "purchase_id": data["purchase_id"],
        "programme": data["programme"],
        "status": verdict.answer["status"],
    }
    return answer(said, HTTPStatus.ACCEPTED)
