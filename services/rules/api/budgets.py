"""Routes: what is left of the budgets of a programme's campaigns."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from contracts.amounts import format_points
from contracts.envelope import CODE_PATTERN
from services.rules.api.state import FromParts, Reader
from services.rules.budgets.queries import BudgetRow, budgets_of
from services.rules.programmes.queries import published_programme_of
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute
from services.runtime.http.problems import Problem

router = APIRouter(prefix="/v1/programmes", tags=["programmes"], route_class=JsonRoute)

Code = Annotated[str, Path(max_length=64, pattern=CODE_PATTERN, description="The programme's name.")]


@router.get("/{programme}/budgets")
async def list_budgets(programme: Code, caller: Reader, parts: FromParts) -> Response:
    """The budgets of the programme's campaigns: what there is in all, what was granted, and what is left.

    Problem 404 `unknown_programme`.
    """
    published = await published_programme_of(parts.reads, caller.tenant, programme)
    if published is None:
        raise Problem(HTTPStatus.NOT_FOUND, "unknown_programme", "There is no such programme")
    rows = await budgets_of(parts.reads, caller.tenant, published, parts.clock())
    return answer({"programme": programme, "budgets": [_data(row) for row in rows]})


def _data(row: BudgetRow) -> dict[str, Any]:
    points = {"total": row.total, "granted": row.granted, "left": row.left}
    return {
        "campaign": row.campaign,
        "rule": row.rule,
        "currency": row.currency,
        **{name: format_points(value, row.scale) for name, value in points.items()},
        "asks": row.asks,
        "cut": row.cut,
        "updated_at": row.recorded_at,
    }
