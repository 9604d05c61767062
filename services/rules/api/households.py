"""Routes: households, whose members share one account.

A household is an account that others than its own member buy for. Who joins brings every identifier along; what was
bought before stays where it is, and so does the balance when somebody leaves.
"""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.ids import account_of
from services.rules.api.intake import Posted, refuse
from services.rules.api.state import FromParts, Parts, Writer
from services.rules.domain.identifier import Holder
from services.rules.identify.queries import HoldingRow
from services.rules.publishing import IDENTIFIER_LINKED
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute
from services.runtime.http.problems import Problem
from services.runtime.http.security import Caller

router = APIRouter(prefix="/v1/households/{account_id}/members", tags=["households"], route_class=JsonRoute)

_OWN: Final = "member:"


@router.put("/{member_id}")
async def join_household(
    request: Request, account_id: UUID, member_id: UUID, caller: Writer, parts: FromParts
) -> Response:
    """Let a member of the programme buy for this account from now on. Done again it changes nothing.

    Problems: 404 `account_unknown`, 410 `member_erased`, 409 `not_in_programme`.
    """
    programme, holdings = await _members_holdings(parts, caller, account_id, member_id)
    holder = Holder(account_id, member_id, programme)
    await _move(_posted(request, caller, member_id, parts), parts, holdings, holder, leaves=False)
    return answer({"account_id": account_id, "member_id": member_id, "programme": programme})


@router.delete("/{member_id}")
async def leave_household(
    request: Request, account_id: UUID, member_id: UUID, caller: Writer, parts: FromParts
) -> Response:
    """Let a member buy for an account of their own again; the balance stays with the household. Answers that account.

    Problems: 404 `account_unknown`, 410 `member_erased`, 409 `not_in_programme`, `owns_the_account`.
    """
    programme, holdings = await _members_holdings(parts, caller, account_id, member_id)
    own = account_of(caller.tenant, programme, member_id)
    if own == account_id:
        raise Problem(HTTPStatus.CONFLICT, "owns_the_account", "It is this member's own account: the others may leave")
    shared = [each for each in holdings if each.account_id == account_id]
    holder = Holder(own, member_id, programme)
    await _move(_posted(request, caller, member_id, parts), parts, shared, holder, leaves=True)
    return answer({"account_id": own, "member_id": member_id, "programme": programme})


async def _members_holdings(
    parts: Parts, caller: Caller, account_id: UUID, member_id: UUID
) -> tuple[str, Sequence[HoldingRow]]:
    """The programme, and the identifiers that the member has in it and that are in use."""
    programme = await parts.queries.programme_of(caller.tenant, account_id)
    if programme is None:
        raise Problem(HTTPStatus.NOT_FOUND, "account_unknown", "No such account")
    holdings = await parts.queries.holdings_of_member(caller.tenant, member_id)
    in_programme = {each.identifier: each for each in holdings if each.programme == programme}
    if not in_programme:
        raise Problem(HTTPStatus.CONFLICT, "not_in_programme", "The member is not in this programme")
    if all(each.name is None for each in holdings):
        raise Problem(HTTPStatus.GONE, "member_erased", "This member was erased")
    return programme, [each for each in in_programme.values() if each.blocked_since is None and each.name is not None]


def _posted(request: Request, caller: Caller, member_id: UUID, parts: Parts) -> Posted:
    return Posted(request, caller, f"{request.url.path} {member_id} {parts.clock().isoformat()}", {})


async def _move(posted: Posted, parts: Parts, holdings: Sequence[HoldingRow], holder: Holder, *, leaves: bool) -> None:
    now = parts.clock()
    for number, holding in enumerate(holdings):
        if holding.account_id == holder.account_id:
            continue
        message = posted.told(IDENTIFIER_LINKED, _link(holding, holder, now, leaves=leaves), parts, str(number))
        refuse(posted, await parts.identify.submit(message), frozenset())


def _link(holding: HoldingRow, holder: Holder, now: datetime, *, leaves: bool) -> dict[str, Any]:
    name = holding.name or ""
    kind, _, value = name.partition(":")
    data: dict[str, Any] = {
        "identifier_type": kind,
        "identifier_value": value,
        "holder": {
            "account_id": str(holder.account_id),
            "member_id": str(holder.member_id),
            "programme": holder.programme,
            "card_category": holding.card_category,
        },
        "since": now.isoformat(),
        "moved_from": str(holding.account_id),
    }
    if leaves and name.startswith(_OWN):
        # Whoever leaves may never have had an account of their own: then this is its first word.
        data["enrolment"] = {
            "programme": holder.programme,
            "enrolled_at": now.isoformat(),
            "identifiers": [{"type": kind, "value": value}],
            "member_id": str(holder.member_id),
        }
    return data
