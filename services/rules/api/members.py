"""Routes: members, the identifiers that they hold, and the programmes that they are in."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from contracts.activities import Enrolment
from contracts.envelope import Code, Instant, Text
from contracts.purchases import MemberIdentifier
from services.rules.api.documents import body_of
from services.rules.api.holdings import holdings_of, in_programme, refuse_erased
from services.rules.api.intake import Posted, refuse
from services.rules.api.state import FromParts, Key, Parts, Reader, Writer
from services.rules.identify.erasure import erase
from services.rules.identify.queries import HoldingRow, mask
from services.rules.publishing import IDENTIFIER_BLOCKED, IDENTIFIER_LINKED
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute
from services.runtime.http.problems import Problem
from services.runtime.http.security import Caller

router = APIRouter(prefix="/v1/members", tags=["members"], route_class=JsonRoute)

ENROLLED: Final = "bonus.member.enrolled.v1"


class BlockBody(BaseModel):
    """An identifier to take out of use: nothing that is done from `since` on counts; left out: from now on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    identifier: MemberIdentifier
    since: Instant | None = None
    reason: Text = ""


class IdentifierBody(BaseModel):
    """A new identifier of a member from `since` on (left out: now), and one that it stands in for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    programme: Code
    identifier: MemberIdentifier | None = None
    card_category: Text = ""
    since: Instant | None = None
    blocks: BlockBody | None = Field(default=None, description="The old one: lost, stolen, worn out.")

    @model_validator(mode="after")
    def _says_something(self) -> "IdentifierBody":
        if self.identifier is None and self.blocks is None:
            raise PydanticCustomError("missing", "name a new identifier, or one to block", {"field": "identifier"})
        return self


@router.get("")
async def find_members(
    identifier: Annotated[
        str,
        Query(max_length=220, pattern=r"^(member|card|phone|email|external):.+$", description="`card:770001234567`"),
    ],
    caller: Reader,
    parts: FromParts,
) -> Response:
    """Members who hold an identifier, or held it, with the programmes in which they do; the last holder last."""
    holdings = await parts.queries.holdings_of_identifier(caller.tenant, identifier)
    return answer({"members": [{"member_id": each.member_id, **_held(each)} for each in holdings]})


@router.get("/{member_id}")
async def get_member(member_id: UUID, caller: Reader, parts: FromParts) -> Response:
    """A member's programmes with their accounts, and every identifier.

    Problems: 404 `member_unknown`, 410 `member_erased`.
    """
    holdings = await holdings_of(parts, caller, member_id)
    accounts = {(each.programme, each.account_id): each.since for each in reversed(holdings)}
    return answer(
        {
            "member_id": member_id,
            "accounts": [
                {"programme": programme, "account_id": account_id, "since": since}
                for (programme, account_id), since in sorted(accounts.items(), key=lambda each: (each[1], each[0]))
            ],
            "identifiers": [_held(each) | _named(each) for each in holdings],
        }
    )


@router.put("/{member_id}", openapi_extra=body_of(Enrolment))
async def put_member(
    request: Request,
    member_id: UUID,
    body: Annotated[dict[str, Any], Body()],
    caller: Writer,
    parts: FromParts,
) -> Response:
    """Enrol a member in a programme, or tell what is new about it: identifiers, birthday, attributes.

    The body is an enrolment; `enrolled_at` left out is now, `identifiers` may be left out. Problems: 422 with what is
    wrong, 409 `identifier_taken`, 410 `member_erased`.
    """
    own = {"type": "member", "value": str(member_id)}
    said = {"enrolled_at": parts.clock().isoformat()} | body | {"member_id": str(member_id)}
    given = said.get("identifiers", [])
    said["identifiers"] = [own, *(each for each in given if each != own)] if isinstance(given, list) else given
    refuse_erased(await parts.queries.holdings_of_member(caller.tenant, member_id))
    posted = Posted(request, caller, f"{member_id} {parts.clock().isoformat()}", said)
    message = posted.message((ENROLLED,), parts)
    enrolment: Enrolment = message.event.data  # type: ignore[union-attr]  # `message` gives what it validated
    for index, each in enumerate(enrolment.identifiers[1:]):
        await _refuse_taken(parts, caller, member_id, enrolment.programme, each, f"$.identifiers[{index}]")
    verdict = await parts.identify.submit(message)
    refuse(posted, verdict, frozenset({"identified"}))
    known = verdict.answer
    return answer({"member_id": member_id, "programme": enrolment.programme, "account_id": str(known["account_id"])})


@router.post("/{member_id}/identifiers", status_code=HTTPStatus.CREATED)
async def post_identifier(  # noqa: PLR0913, PLR0917 - the parts of a request
    request: Request, member_id: UUID, body: IdentifierBody, key: Key, caller: Writer, parts: FromParts
) -> Response:
    """Put a new identifier on a member, block an old one, or both; the balance stays where it is.

    Problems: 404 `member_unknown`, 410 `member_erased`, 409 `not_in_programme`, `identifier_taken`,
    `identifier_not_held`.
    """
    holdings = await holdings_of(parts, caller, member_id)
    holding = in_programme(holdings, body.programme)
    posted = Posted(request, caller, key, body.model_dump(mode="json"))
    await posted.claim(parts)
    now = parts.clock()
    if body.blocks is not None and body.blocks.identifier.key not in {each.name for each in holdings}:
        raise Problem(
            HTTPStatus.CONFLICT, "identifier_not_held", "The member does not hold it", field="$.blocks.identifier"
        )
    if body.identifier is not None:
        await _link(posted, body.identifier, body, holding, parts, now)
    if body.blocks is not None:
        await _block(posted, body.blocks, body.programme, parts, now)
    return answer({"member_id": member_id, "account_id": holding.account_id}, HTTPStatus.CREATED)


@router.delete("/{member_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete_member(request: Request, member_id: UUID, caller: Writer, parts: FromParts) -> Response:
    """Erase a member: identifiers go out of use, and what is personal becomes unreadable for ever, in every service.

    Balances and the books stay as they are. Done again it changes nothing. Problem 404 `member_unknown`.
    """
    holdings = await parts.queries.holdings_of_member(caller.tenant, member_id)
    if not holdings:
        raise Problem(HTTPStatus.NOT_FOUND, "member_unknown", "No such member")
    now = parts.clock()
    posted = Posted(request, caller, f"{member_id} {now.isoformat()}", {})

    async def block(holding: HoldingRow) -> None:
        kind, _, value = (holding.name or "").partition(":")
        data = {"identifier_type": kind, "identifier_value": value, "programme": holding.programme}
        said = data | {"since": now.isoformat(), "reason": "member_erased"}
        number = f"{holding.programme} {holding.name}"
        await parts.identify.submit(posted.told(IDENTIFIER_BLOCKED, said, parts, number))

    await erase(
        holdings,
        tenant=caller.tenant,
        block=block,
        writer=parts.identify,
        vault=parts.vault,
        pool=parts.reads,
        traceparent=request.scope.get("bonus.traceparent"),
    )
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _link(  # noqa: PLR0913, PLR0917 - one step of a route
    posted: Posted, identifier: MemberIdentifier, body: IdentifierBody, holding: HoldingRow, parts: Parts, now: datetime
) -> None:
    data = {
        "identifier_type": identifier.type,
        "identifier_value": identifier.value,
        "holder": {
            "account_id": str(holding.account_id),
            "member_id": str(holding.member_id),
            "programme": holding.programme,
            "card_category": body.card_category,
        },
        "since": (body.since or now).isoformat(),
    }
    verdict = await parts.identify.submit(posted.told(IDENTIFIER_LINKED, data, parts))
    refuse(posted, verdict, frozenset())


async def _block(posted: Posted, blocks: BlockBody, programme: str, parts: Parts, now: datetime) -> None:
    data = {
        "identifier_type": blocks.identifier.type,
        "identifier_value": blocks.identifier.value,
        "programme": programme,
        "since": (blocks.since or now).isoformat(),
        "reason": blocks.reason,
    }
    await parts.identify.submit(posted.told(IDENTIFIER_BLOCKED, data, parts))


async def _refuse_taken(  # noqa: PLR0913, PLR0917 - one check of a route
    parts: Parts, caller: Caller, member_id: UUID, programme: str, identifier: MemberIdentifier, field: str
) -> None:
    """Tell the caller at once what the identifier itself would say later: somebody else holds it."""
    holdings = await parts.queries.holdings_of_identifier(caller.tenant, identifier.key)
    last = next((each for each in reversed(holdings) if each.programme == programme), None)
    if last is not None and last.member_id != member_id and last.blocked_since is None:
        raise Problem(HTTPStatus.CONFLICT, "identifier_taken", "Another member holds it", field=field)


def _held(holding: HoldingRow) -> dict[str, Any]:
    return {
        "programme": holding.programme,
        "account_id": holding.account_id,
        "identifier": mask(holding.name) if holding.name is not None else None,
        "card_category": holding.card_category,
        "since": holding.since,
        "blocked_since": holding.blocked_since,
    }


def _named(holding: HoldingRow) -> dict[str, Any]:
    """The identifier in full, for who asks for the member itself."""
    kind, _, value = (holding.name or "").partition(":")
    return {"type": kind or None, "value": value or None}
