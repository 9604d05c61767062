"""What a member holds, as routes need it: or the problem that there is no such member, or no longer."""

from collections.abc import Sequence
from http import HTTPStatus
from uuid import UUID

from services.rules.api.state import Parts
from services.rules.identify.queries import HoldingRow
from services.runtime.http.problems import Problem
from services.runtime.http.security import Caller


async def holdings_of(parts: Parts, caller: Caller, member_id: UUID) -> Sequence[HoldingRow]:
    """Every identifier that a member holds or held. Problems: 404 `member_unknown`, 410 `member_erased`."""
    holdings = await parts.queries.holdings_of_member(caller.tenant, member_id)
    if not holdings:
        raise Problem(HTTPStatus.NOT_FOUND, "member_unknown", "No such member")
    refuse_erased(holdings)
    return holdings


def refuse_erased(holdings: Sequence[HoldingRow]) -> None:
    """Raise 410 `member_erased` for what a member held who was erased since."""
    if holdings and all(each.name is None for each in holdings):
        raise Problem(HTTPStatus.GONE, "member_erased", "This member was erased")


def in_programme(holdings: Sequence[HoldingRow], programme: str) -> HoldingRow:
    """The last identifier that a member was given in a programme: its account is the one that the member buys for now.

    Problem 409 `not_in_programme`.
    """
    for holding in reversed(holdings):
        if holding.programme == programme:
            return holding
    raise Problem(HTTPStatus.CONFLICT, "not_in_programme", "The member is not in this programme", field="$.programme")
