"""Routes: rehearsals. A version of a programme on the recorded purchases of a period, in the background."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final, Self
from uuid import UUID

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.responses import HTMLResponse, Response

from contracts.envelope import Instant
from contracts.ids import command_of_request
from contracts.problems import FieldProblem
from contracts.shards import shard_of
from services.rules.api.programmes import Code, Publisher, invalid_file
from services.rules.api.state import FromParts, InPage, Key, OfProgramme, Parts, Reader
from services.rules.domain.programme import ProgrammeVersion
from services.rules.programme_file import load
from services.rules.programmes.queries import version_of
from services.rules.programmes.store import FILE_MAX_BYTES
from services.rules.rehearsal.page import page_of
from services.rules.rehearsal.plan import Asked
from services.rules.rehearsal.store import Place, Rehearsals, said_of
from services.rules.settings import RulesSettings
from services.runtime.http.answers import answer, decode_cursor, encode_cursor
from services.runtime.http.application import JsonRoute, invalid
from services.runtime.http.idempotency import KeptAnswer, fingerprint
from services.runtime.http.languages import LANGUAGES, asked_for
from services.runtime.http.problems import Problem

router = APIRouter(tags=["rehearsals"], route_class=JsonRoute)

Version = Annotated[int | None, Field(ge=1, le=2**31 - 1)]

_HTML: Final = "text/html"
_TOP: Final[Place] = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1))
_ROUTE: Final = "POST programmes/rehearsals"
_NO_SCRIPTS: Final = "default-src 'none'; style-src 'unsafe-inline'"
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The rehearsal; with `Accept: text/html` a page to show, which needs nothing from elsewhere.",
        "content": {"application/json": {"schema": {"type": "object"}}, _HTML: {"schema": {"type": "string"}}},
    }
}


class RehearsalBody(BaseModel):
    """A version by its number, or the text of a file, on the purchases of a period whose end is left out."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    version: Version = None
    file: Annotated[str | None, Field(max_length=FILE_MAX_BYTES, description="A programme file, YAML.")] = None
    since: Annotated[Instant, Field(alias="from")]
    until: Instant
    against: Annotated[Version, Field(description="A published version; left out: what was decided live.")] = None

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        if (self.version is None) == (self.file is None):
            raise PydanticCustomError("missing", "name a version, or send a file", {"field": "version"})
        if self.until <= self.since:
            raise PydanticCustomError("out_of_range", "a period ends after it begins", {"field": "until"})
        return self


@router.post("/v1/programmes/{programme}/rehearsals", status_code=HTTPStatus.ACCEPTED)
async def post_rehearsal(  # noqa: PLR0913, PLR0917 - the parts of a request
    request: Request, programme: Code, body: RehearsalBody, key: Key, caller: Publisher, parts: FromParts
) -> Response:
    """Rehearse a version, drafts too, on the recorded purchases of a period; done in the background.

    The version takes over at `from`; what lies before is judged as it was, so that members begin where they stood.
    Progress and report stand under the address in `Location`.

    Problems: 404 `unknown_version`, 422 `programme_invalid`, `another_programme`, `period_too_long`, 409
    `idempotency_key_reused`.
    """
    settings: RulesSettings = request.app.state.settings
    if body.until - body.since > timedelta(days=settings.rehearsal_days_max):
        raise invalid([FieldProblem("$.until", "period_too_long", f"at most {settings.rehearsal_days_max} days")])
    file = await _file(parts, caller.tenant, programme, body)
    if body.against is not None:
        other = await version_of(parts.reads, caller.tenant, programme, body.against)
        if other is None or other.state != "published":
            raise Problem(HTTPStatus.NOT_FOUND, "unknown_version", "There is no such version", field="$.against")
    print_ = fingerprint([programme, body.model_dump(mode="json")])
    rehearsal_id = command_of_request(caller.tenant, caller.subject, _ROUTE, key)
    asked = Asked(
        shard_of(str(rehearsal_id)), rehearsal_id, caller.tenant, programme, file, body.version, body.against,
        body.since.astimezone(UTC), body.until.astimezone(UTC),
    )  # fmt: skip
    kept = await Rehearsals(parts.reads).ask(asked, print_, caller.subject, parts.clock())
    if kept.fingerprint != print_:
        first = KeptAnswer("", key, kept.fingerprint, HTTPStatus.ACCEPTED, b"", kept.asked_at)
        raise first.conflict(print_)
    return answer(said_of(kept), HTTPStatus.ACCEPTED, {"Location": f"/v1/rehearsals/{rehearsal_id}"})


@router.get("/v1/rehearsals")
async def list_rehearsals(
    page: InPage,
    caller: Reader,
    parts: FromParts,
    programme: OfProgramme = None,
) -> Response:
    """Rehearsals with how far they have come, the latest asked for first; reports stand under their own addresses."""
    kind = f"rehearsals {caller.tenant} {programme}"
    before = _TOP
    if page.cursor is not None:
        asked_at, rehearsal_id = decode_cursor(kind, page.cursor, str, str)
        before = (datetime.fromisoformat(asked_at), UUID(rehearsal_id))
    found = await Rehearsals(parts.reads).latest(caller.tenant, programme, before, page.limit + 1)
    shown, next_cursor = found[: page.limit], None
    if len(found) > page.limit:
        last = shown[-1]
        next_cursor = encode_cursor(kind, [last.asked_at.isoformat(), str(last.asked.rehearsal_id)])
    listed = [{name: value for name, value in said_of(each).items() if name != "report"} for each in shown]
    return answer({"rehearsals": listed, "next_cursor": next_cursor})


@router.get("/v1/rehearsals/{rehearsal_id}", responses=_RESPONSES)
async def get_rehearsal(
    rehearsal_id: UUID,
    request: Request,
    caller: Reader,
    parts: FromParts,
    accept_language: Annotated[str | None, Header(description=f"One of {', '.join(LANGUAGES)}.")] = None,
) -> Response:
    """How far a rehearsal has come, and its report once it is done. Problem 404 `rehearsal_unknown`."""
    kept = await Rehearsals(parts.reads).find(caller.tenant, rehearsal_id)
    if kept is None:
        raise Problem(HTTPStatus.NOT_FOUND, "rehearsal_unknown", "No such rehearsal was asked for")
    if _HTML in request.headers.get("accept", "").partition(",")[0]:
        language = asked_for(accept_language)
        headers = {"Content-Language": language, "Vary": "Accept, Accept-Language"}
        return HTMLResponse(
            page_of(said_of(kept), language), headers=headers | {"Content-Security-Policy": _NO_SCRIPTS}
        )
    return answer(said_of(kept), headers={"Vary": "Accept, Accept-Language"})


async def _file(parts: Parts, tenant: str, programme: str, body: RehearsalBody) -> str:
    """The text that is rehearsed, once it was found without a fault."""
    if body.version is not None:
        row = await version_of(parts.reads, tenant, programme, body.version)
        if row is None or row.file is None:
            raise Problem(HTTPStatus.NOT_FOUND, "unknown_version", "There is no such version", field="$.version")
        return row.file
    loaded = load(body.file or "")
    if not isinstance(loaded, ProgrammeVersion):
        raise invalid_file(loaded)
    if loaded.key != programme:
        raise invalid([FieldProblem("$.file", "another_programme", f"the file is of programme {loaded.key!r}")])
    return body.file or ""
