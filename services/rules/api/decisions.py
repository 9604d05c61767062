"""Routes: a decision, as data and in words."""

from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header, Request
from starlette.responses import PlainTextResponse, Response

from contracts.amounts import format_decimal
from services.rules.api.state import FromParts, Parts, Reader
from services.rules.decide.queries import DecisionRow, Decisions
from services.rules.domain.programme import ProgrammeVersion
from services.rules.explanation.document import document
from services.rules.explanation.words import Told, in_words
from services.rules.programmes.queries import published_version
from services.runtime.http.answers import answer, entity_tag, is_fresh, not_modified
from services.runtime.http.application import JsonRoute
from services.runtime.http.languages import LANGUAGES, asked_for
from services.runtime.http.problems import Problem

router = APIRouter(prefix="/v1/decisions", tags=["decisions"], route_class=JsonRoute)

_TEXT: Final = "text/plain"
_EXAMPLE: Final = "Purchase krakow-12/3/000451 of 5 March 2026, 17:04.\nEarned: 0.40 points. They do not expire.\n"
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The decision; with `Accept: text/plain` in words, in the language of `Accept-Language`.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            _TEXT: {"schema": {"type": "string"}, "example": _EXAMPLE},
        },
    }
}


@router.get("/{decision_id}", responses=_RESPONSES)
async def get_decision(
    decision_id: UUID,
    request: Request,
    caller: Reader,
    parts: FromParts,
    accept_language: Annotated[str | None, Header(description=f"One of {', '.join(LANGUAGES)}.")] = None,
) -> Response:
    """A decision with everything it was made from: what each rule gave or why not, line by line, caps, rounding, dates.

    Problem 404 `decision_unknown`.
    """
    found = await Decisions().find(parts.reads, parts.vault, caller.tenant, decision_id)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "decision_unknown", "No such decision was taken")
    if _wants_text(request):
        language = asked_for(accept_language)
        version = await _version(parts, caller.tenant, found)
        headers = {"Content-Language": language, "Vary": "Accept, Accept-Language"}
        return PlainTextResponse(in_words(told(found), version, language), headers=headers)
    tag = entity_tag(found.decision_id, found.status, found.inputs is None)
    if is_fresh(request, tag):
        return not_modified(tag)
    return answer(_data(found), headers={"ETag": tag, "Vary": "Accept, Accept-Language"})


def told(row: DecisionRow) -> Told:
    """The decision as it is put into words."""
    return Told(row.number, row.kind, row.cause_id, row.occurred_at, row.programme, row.version, row.reason, row.record)


def _wants_text(request: Request) -> bool:
    accepted = [part.partition(";")[0].strip() for part in request.headers.get("accept", "").split(",")]
    wanted = [each for each in accepted if each in (_TEXT, "text/*", "application/json", "*/*", "application/*")]
    return bool(wanted) and wanted[0] in (_TEXT, "text/*")


async def _version(parts: Parts, tenant: str, row: DecisionRow) -> ProgrammeVersion | None:
    if row.version is None:
        return None
    return await published_version(parts.reads, tenant, row.programme, row.version)


def _data(row: DecisionRow) -> dict[str, Any]:
    return {
        "decision_id": row.decision_id,
        "account_id": row.account_id,
        "number": row.number,
        "kind": row.kind,
        "cause": {"key": row.cause_key, "id": row.cause_id},
        "of_decision_id": row.of_decision_id,
        "occurred_at": row.occurred_at,
        "decided_at": row.decided_at,
        "programme": row.programme,
        "version": row.version,
        "status": row.status,
        "code": row.reason or row.refused,
        "qualifying": row.qualifying,
        "spend": format_decimal(row.spend),
        "explanation": document(row.record),
        "inputs": row.inputs,
        "inputs_erased": row.inputs is None,
    }
