"""Routes: purchases whose receipt a member shows, because the card was forgotten."""

from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from contracts.envelope import Code, Identifier
from contracts.ids import purchase_key
from services.rules.api.holdings import holdings_of, in_programme
from services.rules.api.intake import Posted
from services.rules.api.purchases import purchase_address
from services.rules.api.state import FromParts, Key, Writer
from services.rules.domain.identifier import Holder
from services.rules.identify.taken import PURCHASE_CLAIMED, Claiming
from services.rules.incoming import Origin
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute
from services.runtime.http.problems import Problem
from services.runtime.messages import Message

router = APIRouter(prefix="/v1/members/{member_id}/claims", tags=["members"], route_class=JsonRoute)

SOURCE: Final = "urn:bonus:http"
_REFUSED: Final = {
    "purchase_unknown": HTTPStatus.NOT_FOUND,
    "not_claimable": HTTPStatus.CONFLICT,
    "claim_window_passed": HTTPStatus.UNPROCESSABLE_ENTITY,
}


class ClaimBody(BaseModel):
    """The receipt that a member shows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    programme: Code
    purchase_id: Identifier


def _posted(request: Request, body: Annotated[ClaimBody, Body()], key: Key, caller: Writer) -> Posted:
    return Posted(request, caller, key, body.model_dump(mode="json"))


@router.post("", status_code=HTTPStatus.ACCEPTED)
async def post_claim(
    member_id: UUID, body: ClaimBody, posted: Annotated[Posted, Depends(_posted)], parts: FromParts
) -> Response:
    """Give a member a purchase that named none. What comes of it stands under the address in `Location`.

    Problems: 404 `member_unknown`, `purchase_unknown`, 410 `member_erased`, 409 `not_in_programme`, `not_claimable`,
    422 `claim_window_passed`.
    """
    caller = posted.caller
    holding = in_programme(await holdings_of(parts, caller, member_id), body.programme)
    await posted.claim(parts)
    verdict = await parts.identify.submit(_message(posted, body, Holder(holding.account_id, member_id, body.programme)))
    if verdict.kind == "refused":
        code = verdict.code or ""
        raise Problem(_REFUSED[code], code, "It cannot be claimed", verdict.answer["message"], field="$.purchase_id")
    said = {"purchase_id": body.purchase_id, "programme": body.programme, "account_id": holding.account_id}
    return answer(said, HTTPStatus.ACCEPTED, {"Location": purchase_address(body.purchase_id, body.programme)})


def _message(posted: Posted, body: ClaimBody, holder: Holder) -> Message:
    tenant = posted.caller.tenant
    traceparent = posted.request.scope.get("bonus.traceparent")
    return Message(
        type=PURCHASE_CLAIMED,
        id=posted.key,
        source=SOURCE,
        tenant=tenant,
        key=body.purchase_id,
        traceparent=traceparent,
        payload=Claiming(
            purchase_key(tenant, body.programme, body.purchase_id),
            body.purchase_id,
            body.programme,
            holder,
            Origin(tenant, SOURCE, posted.key, body.purchase_id, traceparent),
        ),
    )
