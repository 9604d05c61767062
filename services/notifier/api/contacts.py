"""Routes: how a member is reached, and what he wants to hear."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from services.notifier.api.state import FromParts, Reader, Writer
from services.notifier.contact import EMAIL_MAX, EMAIL_PATTERN, Contact, is_email
from services.notifier.domain.message import Kind
from services.notifier.handlers.contacts import Contacts, MemberErasedError
from services.notifier.recipients import StoredRecipient
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute
from services.runtime.http.problems import Problem

NAME_MAX: Final = 200

router = APIRouter(prefix="/v1/members/{member_id}", tags=["members"], route_class=JsonRoute)


def _email(text: str) -> str:
    if not is_email(text):
        raise PydanticCustomError("not_an_email", "write an address such as zofia@example.com")
    return text


Email = Annotated[
    str,
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "maxLength": EMAIL_MAX, "pattern": EMAIL_PATTERN, "examples": ["a@example.com"]}),
]


class Body(BaseModel):
    """A request's body: a field that is not known is more likely a mistake than a wish."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ContactBody(Body):
    """How a member is reached and addressed."""

    email: Email
    name: Annotated[str, StringConstraints(max_length=NAME_MAX, pattern=r"^[^\x00-\x1F\x7F]*$")] = ""


class PreferencesBody(Body):
    """What a member wants to hear; what is left out is the default."""

    language: Literal["pl", "ru", "en"] | None = Field(default=None, description="none: the service's default")
    email: bool = Field(default=True, description="whether mail may be sent at all")
    muted: frozenset[Kind] = Field(default=frozenset(), description="kinds of message that are not wanted")


class Undeliverable(BaseModel):
    """Since when the address counts as refused for good, and the mail system's code."""

    since: datetime
    code: str


class ContactsAnswer(BaseModel):
    """What is known of a member."""

    member_id: UUID
    email: str | None
    name: str
    undeliverable: Undeliverable | None
    preferences: PreferencesBody


@router.put("/contacts", response_model=ContactsAnswer)
async def put_contacts(member_id: UUID, body: ContactBody, caller: Writer, parts: FromParts) -> Response:
    """Keep how a member is reached, encrypted under a key of his own. Problem 410 `member_erased`."""
    try:
        await parts.contacts.put(caller.tenant, member_id, Contact(body.email, body.name))
    except MemberErasedError as error:
        raise erased() from error
    return await _known(parts.contacts, caller.tenant, member_id)


@router.get("/contacts", response_model=ContactsAnswer)
async def get_contacts(member_id: UUID, caller: Reader, parts: FromParts) -> Response:
    """What is known of a member. Problems: 404 `no_contacts`, 410 `member_erased`."""
    return await _known(parts.contacts, caller.tenant, member_id)


@router.delete("/contacts", status_code=HTTPStatus.NO_CONTENT)
async def delete_contacts(member_id: UUID, caller: Writer, parts: FromParts) -> Response:
    """Forget how a member is reached. What waits to be sent to him is not sent any more."""
    await parts.contacts.remove(caller.tenant, member_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.put("/preferences", response_model=PreferencesBody)
async def put_preferences(member_id: UUID, body: PreferencesBody, caller: Writer, parts: FromParts) -> Response:
    """Keep what a member wants to hear, whether or not it is known how to reach him. Problem 410 `member_erased`."""
    try:
        await parts.contacts.put_preferences(
            caller.tenant, member_id, language=body.language, email_allowed=body.email, muted=frozenset(body.muted)
        )
    except MemberErasedError as error:
        raise erased() from error
    return answer(_preferences(body.language, email=body.email, muted=frozenset(body.muted)))


async def _known(contacts: Contacts, tenant: str, member_id: UUID) -> Response:
    try:
        recipient, contact = await contacts.find(tenant, member_id)
    except MemberErasedError as error:
        raise erased() from error
    if recipient is None:
        raise Problem(HTTPStatus.NOT_FOUND, "no_contacts", "Nothing is known of how to reach this member")
    return answer(
        {
            "member_id": member_id,
            "email": contact.email if contact else None,
            "name": contact.name if contact else "",
            "undeliverable": _undeliverable(recipient),
            "preferences": _preferences(recipient.language, email=recipient.email_allowed, muted=recipient.muted),
        }
    )


def _undeliverable(recipient: StoredRecipient) -> dict[str, object] | None:
    if recipient.undeliverable_since is None:
        return None
    return {"since": recipient.undeliverable_since, "code": recipient.undeliverable_code}


def _preferences(language: str | None, *, email: bool, muted: frozenset[str]) -> dict[str, object]:
    return {"language": language, "email": email, "muted": sorted(muted)}


def erased() -> Problem:
    """The answer about a member of whom nothing is kept any more."""
    return Problem(HTTPStatus.GONE, "member_erased", "This member was erased", "nothing more is kept about them")
