"""Routes: two accounts of one person become one."""

from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from contracts.envelope import Code
from contracts.ids import command_of_request, event_of
from contracts.shards import shard_of
from services.rules.api.holdings import holdings_of, in_programme
from services.rules.api.intake import Posted
from services.rules.api.state import FromParts, Key, Writer
from services.rules.identify.queries import HoldingRow
from services.rules.publishing import entry
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute
from services.runtime.http.problems import Problem

router = APIRouter(prefix="/v1/members/{member_id}/merge", tags=["members"], route_class=JsonRoute)

MERGE: Final = "bonus.accounts.merge.v1"


class MergeBody(BaseModel):
    """The member whose account is taken up, and in which programme."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    programme: Code
    merged_member_id: UUID


def _posted(request: Request, body: Annotated[MergeBody, Body()], key: Key, caller: Writer) -> Posted:
    return Posted(
        request, caller, key, body.model_dump(mode="json") | {"member_id": str(request.path_params["member_id"])}
    )


@router.post("", status_code=HTTPStatus.ACCEPTED)
async def post_merge(
    member_id: UUID, body: MergeBody, posted: Annotated[Posted, Depends(_posted)], parts: FromParts
) -> Response:
    """Have this member's account take up another's for ever: points, lots with their dates, and what comes later.

    The ledger decides: an account that is taking up another is not merged itself until that ends. When it has, the
    identifiers follow. Problems: 404 `member_unknown`, 410 `member_erased`, 409 `not_in_programme`, `same_account`.
    """
    caller = posted.caller
    survivor = in_programme(await holdings_of(parts, caller, member_id), body.programme)
    merged = in_programme(await holdings_of(parts, caller, body.merged_member_id), body.programme)
    if survivor.account_id == merged.account_id:
        raise Problem(
            HTTPStatus.CONFLICT, "same_account", "Both buy for one account already", field="$.merged_member_id"
        )
    await posted.claim(parts)
    command_id = command_of_request(caller.tenant, caller.subject, posted.route, posted.key)
    async with parts.identify.transaction(shard_of(str(survivor.account_id))) as transaction:
        transaction.append(
            entry(
                MERGE,
                event_of(MERGE, command_id),
                key=str(survivor.account_id),
                tenant=caller.tenant,
                data=_command(command_id, survivor, merged) | {"occurred_at": transaction.now},
                now=transaction.now,
                traceparent=posted.request.scope.get("bonus.traceparent"),
            )
        )
    said = {"command_id": command_id, "account_id": survivor.account_id, "merged_account_id": merged.account_id}
    return answer(said, HTTPStatus.ACCEPTED)


def _command(command_id: UUID, survivor: HoldingRow, merged: HoldingRow) -> dict[str, Any]:
    return {
        "command_id": command_id,
        "account_id": survivor.account_id,
        "member_id": survivor.member_id,
        "programme": survivor.programme,
        "from_account_id": merged.account_id,
        "from_member_id": merged.member_id,
    }
