"""Routes: the operators' list of what was refused."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from contracts.envelope import CODE_PATTERN
from services.rules.api.state import FromParts, InPage, OfProgramme, Reader
from services.rules.refusals.queries import Of, Place, RefusalRow, latest_refusals
from services.runtime.http.answers import answer, decode_cursor, encode_cursor
from services.runtime.http.application import JsonRoute

router = APIRouter(prefix="/v1/refusals", tags=["refusals"], route_class=JsonRoute)

_TOP: Final[Place] = (datetime(9999, 1, 1, tzinfo=UTC), 0)


@router.get("")
async def list_refusals(
    page: InPage,
    caller: Reader,
    parts: FromParts,
    programme: OfProgramme = None,
    code: Annotated[
        str | None, Query(max_length=64, pattern=CODE_PATTERN, description="For this reason alone: `conflict`.")
    ] = None,
) -> Response:
    """Purchases, returns and activities that were refused, the latest first; of conflicts both facts."""
    kind = f"refusals {caller.tenant} {programme} {code}"
    before = _TOP
    if page.cursor is not None:
        at, ordinal = decode_cursor(kind, page.cursor, str, int)
        before = (datetime.fromisoformat(at), ordinal)
    rows = await latest_refusals(parts.reads, Of(caller.tenant, programme, code), before, page.limit + 1)
    shown = rows[: page.limit]
    next_cursor = None
    if len(rows) > page.limit:
        next_cursor = encode_cursor(kind, [shown[-1].refused_at.isoformat(), shown[-1].ordinal])
    return answer({"refusals": [_listed(row) for row in shown], "next_cursor": next_cursor})


def _listed(row: RefusalRow) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "subject_id": row.subject_id,
        "programme": row.programme,
        "code": row.code,
        "message": row.message,
        "field": row.field,
        "event_source": row.event_source,
        "event_id": row.event_id,
        "refused_at": row.refused_at,
        **(row.facts or {}),
    }
