"""Routes: a programme's terms for members, written from its file."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, Response

from contracts.envelope import Instant
from services.rules.api.programmes import Code
from services.rules.api.state import FromParts, Parts, Reader
from services.rules.domain.programme import ProgrammeVersion
from services.rules.programmes.queries import published_version, version_in_force
from services.rules.terms import as_html, as_markdown, terms_of
from services.runtime.http.application import JsonRoute
from services.runtime.http.languages import Language, asked_for
from services.runtime.http.problems import Problem

router = APIRouter(prefix="/v1/programmes", tags=["programmes"], route_class=JsonRoute)

_MARKDOWN: Final = "text/markdown"
_HTML: Final = "text/html"
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The page: Markdown, or HTML with `Accept: text/html`.",
        "content": {_MARKDOWN: {"schema": {"type": "string"}}, _HTML: {"schema": {"type": "string"}}},
    }
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which terms, and in which language."""

    language: Annotated[Language | None, Query(description="Left out: as `Accept-Language` prefers.")] = None
    at: Annotated[Instant | None, Query(description="By which instant; left out: now.")] = None
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="A published version, whatever `at`.")] = None


@router.get("/{programme}/terms", responses=_RESPONSES)
async def get_terms(
    programme: Code, request: Request, caller: Reader, parts: FromParts, wanted: Annotated[Wanted, Depends()]
) -> Response:
    """How members earn, what it is worth, when it counts and lapses, levels, limits and offers with their dates.

    Problems: 404 `unknown_programme`, `unknown_version`.
    """
    found = await _version(parts, caller.tenant, programme, wanted)
    language = wanted.language or asked_for(request.headers.get("accept-language"))
    page = terms_of(found, language)
    headers = {"Content-Language": language, "Vary": "Accept, Accept-Language"}
    if _HTML in request.headers.get("accept", ""):
        return HTMLResponse(as_html(page), headers=headers)
    return Response(as_markdown(page), media_type=_MARKDOWN, headers=headers)


async def _version(parts: Parts, tenant: str, programme: str, wanted: Wanted) -> ProgrammeVersion:
    if wanted.version is not None:
        found = await published_version(parts.reads, tenant, programme, wanted.version)
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "unknown_version", "There is no such version, or it is a draft")
        return found
    found = await version_in_force(parts.reads, tenant, programme, wanted.at or parts.clock())
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "unknown_programme", "There is no such programme, or only drafts of it")
    return found
