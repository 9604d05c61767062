"""Routes: what was told to a member, and mail that came back."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends
from pydantic import BaseModel, StringConstraints
from starlette.responses import Response

from contracts.shards import SHARDS
from services.notifier.api.contacts import Body
from services.notifier.api.state import FromParts, Reader, Writer
from services.notifier.channels.email import place_of
from services.notifier.handlers.contacts import Place
from services.notifier.handlers.deliveries import Request as KeyedRequest
from services.runtime.http.answers import Page, answer, decode_cursor, encode_cursor, page_of
from services.runtime.http.application import JsonRoute
from services.runtime.http.idempotency import fingerprint, idempotency_key, scope_of
from services.runtime.http.problems import Problem

MESSAGE_ID_MAX: Final = 400

router = APIRouter(prefix="/v1", tags=["deliveries"], route_class=JsonRoute)


class DeliveryAnswer(BaseModel):
    """One message and what became of it."""

    delivery_id: UUID
    account_id: UUID
    programme: str
    event_id: str
    template: str
    channel: str
    language: str
    state: str
    attempts: int
    code: str
    created_at: datetime
    changed_at: datetime


class DeliveriesAnswer(BaseModel):
    """A page of messages, newest first."""

    items: list[DeliveryAnswer]
    next_cursor: str | None


class BounceBody(Body):
    """A message that came back for good: its Message-ID, and the status code of the report (RFC 3463), or the reply."""

    message_id: Annotated[str, StringConstraints(max_length=MESSAGE_ID_MAX)]
    code: Annotated[str, StringConstraints(pattern=r"^5(\.[0-9]{1,3}\.[0-9]{1,3}|[0-9]{2})$")]


class BounceAnswer(BaseModel):
    """What was recorded."""

    delivery_id: UUID
    state: str
    code: str


@router.get("/members/{member_id}/deliveries", response_model=DeliveriesAnswer)
async def list_deliveries(
    member_id: UUID, caller: Reader, parts: FromParts, page: Annotated[Page, Depends(page_of)]
) -> Response:
    """What was told to a member, newest first."""
    kind = f"deliveries {caller.tenant} {member_id}"
    rows = await parts.contacts.deliveries(caller.tenant, member_id, _place(kind, page), page.limit + 1)
    # The driver's UUIDs are a type of its own, which orjson does not write.
    items = [
        dict(row.items()) | {name: str(row[name]) for name in ("delivery_id", "account_id")}
        for row in rows[: page.limit]
    ]
    last = items[-1] if len(rows) > page.limit else None
    cursor = None
    if last is not None:
        microseconds = int(last["created_at"].timestamp()) * 1_000_000 + last["created_at"].microsecond
        cursor = encode_cursor(kind, [microseconds, str(last["delivery_id"])])
    return answer({"items": items, "next_cursor": cursor})


def _place(kind: str, page: Page) -> Place | None:
    if page.cursor is None:
        return None
    microseconds, delivery_id = decode_cursor(kind, page.cursor, int, str)
    seconds, rest = divmod(microseconds, 1_000_000)
    return Place(datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest), UUID(delivery_id))


@router.post("/bounces", response_model=BounceAnswer)
async def record_bounce(
    body: BounceBody, caller: Writer, parts: FromParts, key: Annotated[str, Depends(idempotency_key)]
) -> Response:
    """Record that a message came back. Its member's address is not used again until it is changed.

    Problem 404 `delivery_unknown`.
    """
    place = place_of(body.message_id)
    if place is None or not 0 <= place[0] < SHARDS:
        raise _unknown()
    own = fingerprint(body.model_dump())
    request = KeyedRequest(scope_of(caller, "bounces"), key, own)
    kept = await parts.deliveries.bounce(*place, caller.tenant, body.code, request)
    if kept is None:
        raise _unknown()
    if kept.fingerprint != own:
        raise kept.conflict(own)
    return answer(orjson.loads(kept.answer), kept.status)


def _unknown() -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "delivery_unknown", "No message was sent under this Message-ID")
