"""Answers: JSON by orjson, entity tags, pages with opaque cursors.

Source: RFC 9110, HTTP Semantics, section 13 (conditional requests).
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import Query, Request
from starlette.responses import Response

from services.runtime.http.problems import Problem

_JSON: Final = "application/json"
_MARK_BYTES: Final = 8
_CURSOR_MAX: Final = 500


def answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:  # noqa: ANN401 - any JSON
    """Give a JSON answer without a detour: what orjson can write (dicts, lists, dataclasses, UUIDs, datetimes)."""
    return Response(orjson.dumps(content, default=_written), status, headers=headers, media_type=_JSON)


def _written(value: object) -> str:
    # The database driver has a UUID class of its own, which orjson does not take for one.
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"not JSON: {type(value).__name__}")


def entity_tag(*parts: object) -> str:
    """Give a strong entity tag of what decides the answer (a version, a position, a date)."""
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=12)
    return f'"{base64.urlsafe_b64encode(digest.digest()).decode()}"'


def is_fresh(request: Request, tag: str) -> bool:
    """Whether the caller holds this very answer already (`If-None-Match`)."""
    header = request.headers.get("if-none-match")
    if header is None:
        return False
    held = {each.strip().removeprefix("W/") for each in header.split(",")}
    return tag in held or "*" in held


def not_modified(tag: str) -> Response:
    """Say that what the caller holds is still so."""
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted: at most `limit` rows, after `cursor`."""

    limit: int
    cursor: str | None


async def page_of(
    request: Request,
    limit: Annotated[int | None, Query(ge=1, description="At most so many; the service has a maximum.")] = None,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Page:
    """Read `limit` and `cursor`: a dependency for list routes, `page: Annotated[Page, Depends(page_of)]`."""
    settings = request.app.state.settings
    wanted = settings.page_limit_default if limit is None else min(limit, settings.page_limit_max)
    return Page(wanted, cursor)


def encode_cursor(kind: str, values: Sequence[int | str]) -> str:
    """Make the cursor of a list: `kind` names the list and its filters, so that it fits no other."""
    payload = orjson.dumps(list(values))
    return base64.urlsafe_b64encode(_mark(kind, payload) + payload).decode().rstrip("=")


def decode_cursor(kind: str, cursor: str, *types: type[int] | type[str]) -> tuple[Any, ...]:
    """Give the values of a cursor, of these types. Problem 400 `cursor_invalid` for anything not made for `kind`."""
    try:
        if len(cursor) > _CURSOR_MAX:
            raise _invalid_cursor()
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        mark, payload = raw[:_MARK_BYTES], raw[_MARK_BYTES:]
        if mark != _mark(kind, payload):
            raise _invalid_cursor()
        values = orjson.loads(payload)
    except (ValueError, binascii.Error) as error:
        raise _invalid_cursor() from error
    if [type(value) for value in values] != list(types):
        raise _invalid_cursor()
    return tuple(values)


def _mark(kind: str, payload: bytes) -> bytes:
    return blake2b(payload, digest_size=_MARK_BYTES, key=blake2b(kind.encode(), digest_size=32).digest()).digest()


def _invalid_cursor() -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "cursor_invalid",
        "This cursor does not belong here",
        "give the `next_cursor` of the same list, unchanged, or leave it out",
        field="query.cursor",
    )
