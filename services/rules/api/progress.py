"""Routes: how far a member is on the way to the next tier."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from contracts.amounts import format_decimal, format_points
from contracts.envelope import CODE_PATTERN
from services.rules.api.holdings import holdings_of
from services.rules.api.state import FromParts, Reader
from services.rules.decide.progress import progress_at
from services.rules.domain.participant import PublishedProgramme
from services.rules.domain.progress import Progress
from services.rules.domain.tiers import TierTerms
from services.rules.programmes.queries import published_programme_of
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute
from services.runtime.http.problems import Problem

router = APIRouter(prefix="/v1/members", tags=["members"], route_class=JsonRoute)

Programme = Annotated[str | None, Query(max_length=64, pattern=CODE_PATTERN, description="This programme alone.")]


@router.get("/{member_id}/progress")
async def get_progress(member_id: UUID, caller: Reader, parts: FromParts, programme: Programme = None) -> Response:
    """The member's tier in each programme that has tiers: since when, until when, and what is missing to the next.

    `by` is the first instant at which something that counts now no longer does. Problems: 404 `member_unknown`,
    410 `member_erased`, 404 `not_in_programme`.
    """
    holdings = await holdings_of(parts, caller, member_id)
    accounts = {each.programme: each.account_id for each in holdings if programme in (None, each.programme)}
    if programme is not None and not accounts:
        raise Problem(HTTPStatus.NOT_FOUND, "not_in_programme", "The member is not in this programme")
    found = []
    now = parts.clock()
    for key, account_id in sorted(accounts.items()):
        published = await published_programme_of(parts.reads, caller.tenant, key)
        progress = await progress_at(parts.reads, account_id, published, now) if published else None
        if progress is not None and published is not None:
            found.append({"programme": key, "account_id": account_id} | _data(progress, published))
    return answer({"member_id": member_id, "progress": found})


def _data(progress: Progress, programme: PublishedProgramme) -> dict[str, Any]:
    standing, terms = progress.standing, programme.terms_at(progress.at)
    following = None
    if standing.next_tier is not None:
        following = {
            "tier": standing.next_tier,
            "missing": _amount(standing.missing or 0, terms, programme),
            "by": progress.by,
        }
    return {
        "as_of": progress.at,
        "counts": terms.tiers.by if terms else None,
        "tier": standing.tier,
        "since": standing.since,
        "until": standing.until,
        "qualifying": _amount(standing.qualifying, terms, programme),
        "next": following,
    }


def _amount(amount: int, terms: TierTerms | None, programme: PublishedProgramme) -> str:
    """An amount in the unit by which tiers are reached: money, points or visits."""
    if terms is None or terms.tiers.by == "spend":
        return format_decimal(amount)
    if terms.tiers.by == "visits":
        return str(amount)
    return format_points(amount, programme.versions[-1].currency(terms.tiers.currency).scale)
