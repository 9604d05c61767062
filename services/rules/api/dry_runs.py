"""Routes: dry runs. Any version of a programme, or a file that nobody has kept yet, on one event."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from contracts.catalogue import MODELS
from contracts.ids import account_of, derive
from contracts.problems import FieldProblem, problems_of
from services.rules.api.programmes import Code, invalid_file
from services.rules.api.quotes import terms_of
from services.rules.api.state import FromParts, Parts, Reader
from services.rules.domain.identifier import Holder
from services.rules.domain.membership import MembershipTerms
from services.rules.domain.participant import Decided, PublishedProgramme
from services.rules.domain.programme import ProgrammeVersion
from services.rules.explanation.document import document
from services.rules.explanation.words import Told, in_words
from services.rules.programme_file import load
from services.rules.programmes.queries import any_version
from services.rules.programmes.store import FILE_MAX_BYTES
from services.rules.quotes.dry_run import ACTIVITY, ENROLMENT, PURCHASE, TYPES, alone, reading_of, tried
from services.rules.quotes.members import MEMBER_ERASED, Members, Shown, Standing, newcomer
from services.runtime.http.answers import answer
from services.runtime.http.application import JsonRoute, invalid
from services.runtime.http.languages import LANGUAGES, asked_for
from services.runtime.http.problems import Problem
from services.runtime.http.security import Caller

router = APIRouter(prefix="/v1/programmes", tags=["programmes"], route_class=JsonRoute)

_TIME_OF: Final[Mapping[str, str]] = {PURCHASE: "purchased_at", ENROLMENT: "enrolled_at", ACTIVITY: "occurred_at"}
_NEWCOMERS: Final = frozenset({"no_member", "unknown_member"})


class TriedEvent(BaseModel):
    """An event as it would be sent: its type and its data; the rest of the envelope may be left out."""

    model_config = ConfigDict(extra="ignore")

    type: str = Field(description=f"One of {', '.join(TYPES)}.")
    data: dict[str, Any]


class DryRun(BaseModel):
    """A version by its number, or the text of a file, and the event to try it on."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int | None, Field(ge=1, le=2**31 - 1)] = None
    file: Annotated[str | None, Field(max_length=FILE_MAX_BYTES, description="A programme file, YAML.")] = None
    event: TriedEvent

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.version is None) == (self.file is None):
            raise PydanticCustomError("missing", "name a version, or send a file", {"field": "version"})
        return self


@router.post("/{programme}/dry-runs")
async def post_dry_run(
    programme: Code,
    body: DryRun,
    caller: Reader,
    parts: FromParts,
    accept_language: Annotated[str | None, Header(description=f"One of {', '.join(LANGUAGES)}.")] = None,
) -> Response:
    """What a version, drafts too, would decide on one purchase, enrolment or activity, explained; nothing is changed.

    The version is taken as in force for ever; the account is taken as it stands. Of a card that nobody holds it is
    told what one who joins at that time would get (`code` is `unknown_member`, or `no_member`).

    Problems: 404 `unknown_version`, 422 `programme_invalid`, `another_programme`, and what is wrong with the event.
    """
    version = await _version(parts, caller.tenant, programme, body)
    event_type, data = _checked(body.event, caller, parts, programme)
    at = datetime.fromisoformat(data[_TIME_OF[event_type]]).astimezone(UTC)
    published = alone(version, ())
    terms = terms_of(published, at, data["currency"]) if event_type == PURCHASE else MembershipTerms.of(version)
    shown, standing = await _whose(parts, caller, published, terms, (event_type, data, at))
    found: dict[str, Any] = {"programme": programme, "version": body.version, "code": shown.code}
    if standing is None or (shown.holder is None and shown.code not in _NEWCOMERS):
        return answer(found | {"code": shown.code or MEMBER_ERASED})
    participant = standing.participant
    holder = shown.holder or Holder(participant.account_id, participant.member_id, programme)
    reading = reading_of(event_type, data, caller.tenant, holder)
    decided = tried(participant, reading, published, standing.contributions)
    language = asked_for(accept_language)
    known = shown.holder is not None and shown.code is None
    found |= {
        "account_id": holder.account_id if known else None,
        "member_id": holder.member_id if known else None,
        "code": shown.code or decided.decision.reason,
    }
    said = found | _said(decided)
    said["text"] = in_words(_told(decided, version), version, language)
    return answer(said, headers={"Content-Language": language})


def _said(decided: Decided) -> dict[str, Any]:
    decision = decided.decision
    return {
        "kind": decision.kind,
        "occurred_at": decision.occurred_at,
        "qualifying": decision.measures.qualifying,
        "explanation": document(decision.facts),
    }


def _told(decided: Decided, version: ProgrammeVersion) -> Told:
    decision = decided.decision
    return Told(
        decision.number, decision.kind, decision.cause_id, decision.occurred_at, version.key,
        decision.programme_version, decision.reason, decision.facts,
    )  # fmt: skip


async def _whose(
    parts: Parts,
    caller: Caller,
    published: PublishedProgramme,
    terms: MembershipTerms,
    event: tuple[str, Mapping[str, Any], datetime],
) -> tuple[Shown, Standing | None]:
    """Who it belongs to and how that account stands; an enrolment is always of somebody new."""
    event_type, data, at = event
    tenant, key = caller.tenant, published.key
    if event_type == ENROLMENT:
        member_id = derive("member", "dry-run")
        holder = Holder(account_of(tenant, key, member_id), member_id, key, data.get("card_category", ""))
        return Shown(holder, "unknown_member"), newcomer(holder, tenant, key, at)
    member = data.get("member")
    name = f"{member['type']}:{member['value']}" if member else None
    async with parts.reads.acquire() as connection:
        members = Members(connection, parts.queries.on(connection), parts.vault)
        shown = await members.shown(tenant, key, name, at, terms)
        if shown.holder is None or shown.code is not None:
            return shown, newcomer(shown.holder, tenant, key, at)
        return shown, await members.standing(tenant, shown.holder, published, at, at)


async def _version(parts: Parts, tenant: str, programme: str, body: DryRun) -> ProgrammeVersion:
    if body.version is not None:
        found = await any_version(parts.reads, tenant, programme, body.version)
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "unknown_version", "There is no such version")
        return found
    loaded = load(body.file or "")
    if not isinstance(loaded, ProgrammeVersion):
        raise invalid_file(loaded)
    if loaded.key != programme:
        reason = f"the file is of programme {loaded.key!r}"
        raise invalid([FieldProblem("$.file", "another_programme", reason)])
    return loaded


def _checked(event: TriedEvent, caller: Caller, parts: Parts, programme: str) -> tuple[str, dict[str, Any]]:
    """Type and data of the event, once it was validated as it would be when it is sent."""
    if event.type not in TYPES:
        raise invalid([FieldProblem("$.event.type", "unknown_type", f"here an event is one of {', '.join(TYPES)}")])
    now = parts.clock()
    content = {
        "specversion": "1.0",
        "type": event.type,
        "id": "dry-run",
        "source": "urn:bonus:http",
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "tenant": caller.tenant,
        "data": event.data,
    }
    try:
        model: Any = MODELS[event.type].model_validate(content)
    except ValidationError as error:
        raise invalid(
            [
                FieldProblem(each.field.replace("$", "$.event", 1), each.code, each.message)
                for each in problems_of(error)
            ]
        ) from None
    if model.data.programme != programme:
        raise invalid([FieldProblem("$.event.data.programme", "another_programme", "the path names another programme")])
    return event.type, event.data
