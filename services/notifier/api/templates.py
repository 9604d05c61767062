"""Routes: what a template makes of facts, to look at."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from starlette.responses import Response

from contracts.envelope import Code
from services.notifier.api.contacts import NAME_MAX, Body
from services.notifier.api.state import FromParts, Reader
from services.notifier.domain.message import Template
from services.notifier.rendering import RenderingError, example, render
from services.notifier.words import ProgrammeWords
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute
from services.runtime.http.problems import Problem

router = APIRouter(prefix="/v1/templates", tags=["templates"], route_class=JsonRoute)


class PreviewBody(Body):
    """What to write. Without `facts` those of an example are taken, without `programme` one without a name."""

    language: Literal["pl", "ru", "en"] = "en"
    programme: Code | None = None
    name: Annotated[str, StringConstraints(max_length=NAME_MAX)] = ""
    facts: dict[str, Any] | None = Field(default=None, description="as the delivery would hold them")


class PreviewAnswer(BaseModel):
    """A message as it would be sent."""

    subject: str
    text: str
    html: str


@router.post("/{name}/preview", response_model=PreviewAnswer)
async def preview(name: Template, body: PreviewBody, caller: Reader, parts: FromParts) -> Response:
    """Write a message and send it to nobody. Problem 422 `facts_invalid`."""
    words = await parts.programmes.words(caller.tenant, body.programme) if body.programme else ProgrammeWords("example")
    facts = example(name) if body.facts is None else body.facts
    try:
        rendered = render(name, body.language, facts, words, body.name)
    except RenderingError as error:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "facts_invalid",
            "The template cannot say these facts",
            str(error),
            field="$.facts",
        ) from error
    return answer({"subject": rendered.subject, "text": rendered.text, "html": rendered.html})
