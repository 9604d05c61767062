"""Routes that members reach by their own links: their page, and the end of their mail with one click.

Source: RFC 8058, Signaling One-Click Functionality for List Email Headers. Links are their own credentials, so there is
no bearer token; and mail systems send no Idempotency-Key, so what a POST does is the same however often it is sent.
"""

from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.notifier.api.state import FromParts, Parts
from services.notifier.handlers.contacts import MemberErasedError
from services.notifier.links import Purpose
from services.notifier.page import mail_page, member_page, notice_page, page_words

FORM_MAX_BYTES: Final = 1_000
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
}
_FORM: Final = {
    "requestBody": {
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "List-Unsubscribe": {"const": "One-Click"},
                        "mail": {"enum": ["on", "off"], "description": "on: have mail come again"},
                    },
                }
            }
        }
    }
}

router = APIRouter(tags=["members"], default_response_class=HTMLResponse)


@router.get("/m/{token}", response_class=HTMLResponse)
async def show_page(token: str, parts: FromParts) -> Response:
    """A member's page: his accounts, what happened lately, and whether he is written to."""
    member = _member(parts, "page", token)
    if member is None:
        return _not_good(parts)
    try:
        seen = await parts.pages.seen(*member, "../v1/unsubscribe/" + parts.links.token("unsubscribe", *member))
    except MemberErasedError:
        return _erased(parts)
    return _html(member_page(seen))


@router.get("/v1/unsubscribe/{token}", response_class=HTMLResponse)
async def ask_unsubscribe(token: str, parts: FromParts) -> Response:
    """Ask whether mail is to end. Nothing changes by looking: mail systems follow links on their own."""
    member = _member(parts, "unsubscribe", token)
    if member is None:
        return _not_good(parts)
    return await _mail_page(parts, *member, token)


@router.post("/v1/unsubscribe/{token}", response_class=HTMLResponse, openapi_extra=_FORM)
async def unsubscribe(token: str, request: Request, parts: FromParts) -> Response:
    """End a member's mail with one click; `mail=on` has it come again."""
    member = _member(parts, "unsubscribe", token)
    if member is None:
        return _not_good(parts)
    form = parse_qs((await request.body())[:FORM_MAX_BYTES].decode(errors="replace"))
    try:
        await parts.pages.allow_mail(*member, allowed=form.get("mail") == ["on"])
    except MemberErasedError:
        return _erased(parts)
    return await _mail_page(parts, *member, token)


async def _mail_page(parts: Parts, tenant: str, member_id: UUID, token: str) -> Response:
    try:
        seen = await parts.pages.seen(tenant, member_id, token)
    except MemberErasedError:
        return _erased(parts)
    return _html(mail_page(seen.language, mail_allowed=seen.mail_allowed, action=token))


def _member(parts: Parts, purpose: Purpose, token: str) -> tuple[str, UUID] | None:
    return parts.links.member_of(purpose, token)


def _not_good(parts: Parts) -> Response:
    words = page_words(parts.pages.language)
    return _html(notice_page(parts.pages.language, words["unknown_title"], words["unknown"]), HTTPStatus.NOT_FOUND)


def _erased(parts: Parts) -> Response:
    words = page_words(parts.pages.language)
    return _html(notice_page(parts.pages.language, words["unknown_title"], words["erased"]), HTTPStatus.GONE)


def _html(content: str, status: int = HTTPStatus.OK) -> Response:
    return HTMLResponse(content, status, headers=_HEADERS)
