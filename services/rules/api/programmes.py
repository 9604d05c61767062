"""Routes: programmes as files. A draft is checked and kept, a version published, a programme suspended and resumed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Header, Request, Security
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from contracts.envelope import CODE_PATTERN, Instant
from services.rules.api.state import FromParts, Key, Reader
from services.rules.domain.refusals import Refusal
from services.rules.programme_file import ProgrammeError
from services.rules.programmes.queries import VersionRow, programmes_of, version_of, versions_of
from services.rules.programmes.store import (
    FILE_MAX_BYTES,
    Answer,
    FaultyFileError,
    Keyed,
    KeyReusedError,
    Place,
    ProgrammeStore,
)
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute
from services.runtime.http.idempotency import fingerprint, scope_of
from services.runtime.http.problems import Problem
from services.runtime.http.security import Caller, require

router = APIRouter(prefix="/v1/programmes", tags=["programmes"], route_class=JsonRoute)

Publisher = Annotated[Caller, Security(require("programmes:write"))]
Code = Annotated[str, InPath(max_length=64, pattern=CODE_PATTERN, description="The programme's name.")]
Number = Annotated[int, InPath(ge=1, le=2**31 - 1, description="The version's number.")]

_YAML: Final = "application/yaml"
_FILE_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {_YAML: {"schema": {"type": "string"}}}}
}
_NOT_FOUND: Final = frozenset({"unknown_version", "not_published"})
_CONFLICTS: Final = frozenset({"already_published", "suspended_already"})


class Publication(BaseModel):
    """When a version starts; left out: as soon as it may."""

    model_config = ConfigDict(extra="forbid")

    starts_at: Instant | None = None


class Pause(BaseModel):
    """From when to when a programme stands still; left out: from now, until it is resumed."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    since: Annotated[Instant | None, Field(alias="from")] = None
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that changes something: who sent it, under which key, and the store that does it."""

    caller: Caller
    key: str
    traceparent: str | None
    store: ProgrammeStore

    def place(self, programme: str) -> Place:
        """A programme of the caller's tenant."""
        return Place(self.caller.tenant, programme)

    def keyed(self, route: str, content: object) -> Keyed:
        """The key with what it is unique in, and the fingerprint of what was asked."""
        return Keyed(scope_of(self.caller, route), self.key, fingerprint(content), self.traceparent)


async def asked_of(request: Request, caller: Publisher, key: Key, parts: FromParts) -> Asked:
    """What a request that changes a programme stands on."""
    lead = timedelta(seconds=request.app.state.settings.programme_lead_s)
    store = ProgrammeStore(parts.reads, parts.identify.gate, lead=lead)
    return Asked(caller, key, request.scope.get("bonus.traceparent"), store)


FromAsked = Annotated[Asked, Depends(asked_of)]


@router.get("")
async def list_programmes(caller: Reader, parts: FromParts) -> Response:
    """The programmes that were published."""
    rows = await programmes_of(parts.reads, caller.tenant)
    return answer(
        {
            "programmes": [
                {"programme": row.programme, "revision": row.revision, "suspensions": row.suspensions} for row in rows
            ]
        }
    )


@router.get("/{programme}/versions")
async def list_versions(programme: Code, caller: Reader, parts: FromParts) -> Response:
    """The versions of a programme, drafts included, oldest first."""
    rows = await versions_of(parts.reads, caller.tenant, programme)
    if not rows:
        raise Problem(HTTPStatus.NOT_FOUND, "unknown_programme", "There is no such programme")
    return answer({"programme": programme, "versions": [_version_data(row) for row in rows]})


@router.get("/{programme}/versions/{version}")
async def get_version(programme: Code, version: Number, caller: Reader, parts: FromParts) -> Response:
    """One version with its file, as it was sent."""
    row = await version_of(parts.reads, caller.tenant, programme, version)
    if row is None:
        raise Problem(HTTPStatus.NOT_FOUND, "unknown_version", "There is no such version")
    return answer(_version_data(row) | {"programme": programme, "file": row.file})


@router.post("/{programme}/versions", status_code=HTTPStatus.CREATED, openapi_extra=_FILE_BODY)
async def post_version(
    programme: Code,
    request: Request,
    asked: FromAsked,
    content_type: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """Check a programme file (YAML) and keep it as a draft.

    Problems: 422 `programme_invalid` with every fault by line and column, 422 `another_programme`, 413, 415.
    """
    file = await _file(request, content_type)
    keyed = asked.keyed(f"POST programmes/{programme}/versions", file)
    try:
        drafted = await asked.store.draft(asked.place(programme), file, asked.caller.subject, keyed)
    except FaultyFileError as error:
        raise invalid_file(error.errors) from error
    except KeyReusedError as error:
        raise error.kept.conflict(keyed.fingerprint) from error
    said = _said(drafted)
    place = f"/v1/programmes/{programme}/versions/{said.said['version']}"
    return answer(said.said, HTTPStatus.CREATED, {"Location": place})


@router.post("/{programme}/versions/{version}/publish")
async def publish_version(
    programme: Code, version: Number, asked: FromAsked, publication: Annotated[Publication | None, Body()] = None
) -> Response:
    """Let a version start, at `starts_at` or as soon as it may; every service hears of it.

    Problems: 404 `unknown_version`, 409 `already_published`, 422 `starts_too_early`.
    """
    starts_at = publication.starts_at if publication else None
    keyed = asked.keyed(f"POST programmes/{programme}/versions/{version}/publish", starts_at)
    return await _done(
        asked.store.publish(asked.place(programme), version, starts_at, asked.caller.subject, keyed), keyed
    )


@router.post("/{programme}/versions/{version}/rollback")
async def roll_back(
    programme: Code, version: Number, asked: FromAsked, publication: Annotated[Publication | None, Body()] = None
) -> Response:
    """Let the file of an earlier version start again, as the next version, at `starts_at` or as soon as it may.

    Problems: 404 `unknown_version`, `not_published`, 422 `starts_too_early`.
    """
    starts_at = publication.starts_at if publication else None
    keyed = asked.keyed(f"POST programmes/{programme}/versions/{version}/rollback", starts_at)
    return await _done(
        asked.store.roll_back(asked.place(programme), version, starts_at, asked.caller.subject, keyed), keyed
    )


@router.post("/{programme}/suspend")
async def suspend_programme(
    programme: Code, asked: FromAsked, pause: Annotated[Pause | None, Body()] = None
) -> Response:
    """Let a programme stand still: nothing is earned or redeemed by what is bought then.

    Problems: 404 `not_published`, 409 `suspended_already`, 422 `in_the_past`, `ends_before_it_starts`.
    """
    since, until = (pause.since, pause.until) if pause else (None, None)
    keyed = asked.keyed(f"POST programmes/{programme}/suspend", [since, until])
    return await _done(asked.store.suspend(asked.place(programme), since, until, keyed), keyed)


@router.post("/{programme}/resume")
async def resume_programme(programme: Code, asked: FromAsked) -> Response:
    """Let a programme go on now; suspensions that are still to come are called off. Problem 404 `not_published`."""
    keyed = asked.keyed(f"POST programmes/{programme}/resume", None)
    return await _done(asked.store.resume(asked.place(programme), keyed), keyed)


def invalid_file(errors: Sequence[ProgrammeError]) -> Problem:
    """The problem of a file that is no programme: the first fault in words, all of them by line and column."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "programme_invalid",
        "This is no programme that can run",
        str(errors[0]),
        field=errors[0].path,
        facts={
            "errors": [
                {
                    "line": each.line,
                    "column": each.column,
                    "field": each.path,
                    "code": each.code,
                    "message": each.message,
                    "suggestion": each.suggestion,
                }
                for each in errors
            ]
        },
    )


async def _done(change: Any, keyed: Keyed) -> Response:  # noqa: ANN401 - a coroutine of the store
    try:
        return answer(_said(await change).said)
    except KeyReusedError as error:
        raise error.kept.conflict(keyed.fingerprint) from error


def _said(result: Answer | Refusal) -> Answer:
    if isinstance(result, Answer):
        return result
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if result.code in _NOT_FOUND:
        status = HTTPStatus.NOT_FOUND
    elif result.code in _CONFLICTS:
        status = HTTPStatus.CONFLICT
    raise Problem(status, result.code, "The programme stays as it is", result.message, field=result.field)


async def _file(request: Request, content_type: str | None) -> str:
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type not in (_YAML, "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain"):
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not_yaml", f"Send the file as {_YAML}")
    body = await request.body()
    if len(body) > FILE_MAX_BYTES:
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "file_too_large", f"At most {FILE_MAX_BYTES} bytes")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "not_utf8", "A programme file is text in UTF-8") from error


def _version_data(row: VersionRow) -> dict[str, Any]:
    return {
        "version": row.version,
        "state": row.state,
        "content_hash": row.content_hash,
        "drafted_at": row.drafted_at,
        "drafted_by": row.drafted_by,
        "starts_at": row.starts_at,
        "published_at": row.published_at,
        "published_by": row.published_by,
    }
