"""Routes: a code that is sent to a member, and the token that a right one gives for the ledger."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from contracts.amounts import DecimalPoints, points_from_decimal
from contracts.envelope import Code, Identifier
from services.notifier.api.contacts import Body, erased
from services.notifier.api.state import FromParts, Parts, Writer
from services.notifier.handlers.confirmations import (
    NotReachableError,
    TooManyConfirmationsError,
    Wish,
    place_of,
)
from services.notifier.handlers.contacts import MemberErasedError
from services.notifier.handlers.deliveries import Request as KeyedRequest
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute
from services.runtime.http.idempotency import fingerprint, idempotency_key, scope_of
from services.runtime.http.problems import Problem
from services.runtime.http.security import Caller

router = APIRouter(prefix="/v1/confirmations", tags=["confirmations"], route_class=JsonRoute)

_REFUSED: Final[dict[str, tuple[int, str]]] = {
    "wrong_code": (HTTPStatus.UNPROCESSABLE_ENTITY, "This is not the code that was sent"),
    "confirmation_expired": (HTTPStatus.GONE, "The code is no longer good; ask for a new one"),
    "too_many_attempts": (HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong codes; ask for a new one"),
}
_UNREACHABLE: Final = {
    "no_contact": "nothing is known of how to reach this member",
    "undeliverable": "the member's address was refused for good",
    "channel_refused": "the member wants no mail",
}


class ConfirmationBody(Body):
    """What a member is to confirm. `till` is who may spend the points: the caller, if left out."""

    member_id: UUID
    account_id: UUID
    programme: Code
    currency: Code
    points: DecimalPoints
    till: Identifier | None = None


class ConfirmationAnswer(BaseModel):
    """A code was made and is on its way."""

    confirmation_id: str
    channel: str
    expires_at: datetime


class VerifyBody(Body):
    """The code, as the member said it."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=20)]


class VerifiedAnswer(BaseModel):
    """What the ledger asks for as `confirmation`, and until when it takes it."""

    token: str = Field(description="a JWT; contracts/confirmations.py says what it holds")
    expires_at: datetime


Key = Annotated[str, Depends(idempotency_key)]


@router.post("", response_model=ConfirmationAnswer, status_code=HTTPStatus.CREATED)
async def ask_confirmation(
    body: ConfirmationBody, caller: Writer, parts: FromParts, key: Key, http: Request
) -> Response:
    """Send a code to the member, by which he confirms that this amount may be spent at this till.

    Problems: 404 `programme_unknown`, 409 `not_reachable`, 410 `member_erased`, 429 `too_many_confirmations`,
    503 `confirmations_off`.
    """
    _signing(parts)
    wish = await _wish(body, caller, parts)
    own = fingerprint(body.model_dump(mode="json"))
    request = KeyedRequest(scope_of(caller, "confirmations"), key, own, http.scope.get("bonus.traceparent"))
    try:
        kept = await parts.confirmations.ask(caller.tenant, wish, request)
    except MemberErasedError as error:
        raise erased() from error
    except NotReachableError as error:
        reason = str(error)
        raise Problem(
            HTTPStatus.CONFLICT, "not_reachable", "No code can be sent", _UNREACHABLE[reason], facts={"reason": reason}
        ) from error
    except TooManyConfirmationsError as error:
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS, "too_many_confirmations", "Too many codes were sent to this member lately"
        ) from error
    if kept.fingerprint != own:
        raise kept.conflict(own)
    return answer(orjson.loads(kept.answer), kept.status)


@router.post("/{confirmation_id}/verify", response_model=VerifiedAnswer)
async def verify_confirmation(
    confirmation_id: Annotated[str, StringConstraints(max_length=60)],
    body: VerifyBody,
    caller: Writer,
    parts: FromParts,
    key: Key,
) -> Response:
    """Say the code; a right one gives a signed token for the ledger, good for a short time.

    Problems: 404 `confirmation_unknown`, 410 `confirmation_expired`, 422 `wrong_code` with `attempts_left`,
    429 `too_many_attempts`, 503 `confirmations_off`.
    """
    _signing(parts)
    place = place_of(confirmation_id)
    if place is None:
        raise _unknown()
    own = fingerprint(body.model_dump())
    request = KeyedRequest(scope_of(caller, f"confirmations {confirmation_id} verify"), key, own)
    kept = await parts.confirmations.verify(caller.tenant, *place, body.code, request)
    if kept is None:
        raise _unknown()
    if kept.fingerprint != own:
        raise kept.conflict(own)
    return _said(parts, orjson.loads(kept.answer))


def _said(parts: Parts, heard: dict[str, Any]) -> Response:
    if heard["outcome"] != "confirmed":
        status, title = _REFUSED[heard["outcome"]]
        facts = {"attempts_left": heard["attempts_left"]}
        field = "$.code" if heard["outcome"] == "wrong_code" else None
        raise Problem(status, heard["outcome"], title, field=field, facts=facts)
    expires_at = datetime.fromtimestamp(heard["claims"]["exp"], UTC)
    return answer({"token": parts.confirmations.token(heard["claims"]), "expires_at": expires_at})


async def _wish(body: ConfirmationBody, caller: Caller, parts: Parts) -> Wish:
    words = await parts.programmes.words(caller.tenant, body.programme)
    if not words.scales:
        raise Problem(HTTPStatus.NOT_FOUND, "programme_unknown", "No such programme was published", field="$.programme")
    scale = words.scales.get(body.currency)
    if scale is None:
        known = ", ".join(words.scales)
        raise _invalid("$.currency", "currency_unknown", f"the programme has {known}")
    points = points_from_decimal(body.points, scale)
    if points is None or points <= 0:
        raise _invalid("$.points", "points_invalid", f"write an amount above zero with at most {scale} decimals")
    till = body.till or caller.subject
    return Wish(body.member_id, body.account_id, body.programme, body.currency, points, scale, till)


def _signing(parts: Parts) -> None:
    if not parts.confirmations.signs:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "confirmations_off",
            "Amounts cannot be confirmed here",
            "this service was given no key to sign with (BONUS_CONFIRMATION_KEY)",
        )


def _invalid(field: str, code: str, detail: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, "The request is not valid", detail, field=field)


def _unknown() -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "confirmation_unknown", "No such code was sent")
