"""Messages that come over HTTP: the same as over Kafka, decided in the same way.

A body is either a whole CloudEvent or its `data` alone; the event around it is then made from the Idempotency-Key, so
that the same request is the same event. What is decided is known by its business record for ever, so a request that
is sent again needs no answer kept: it is decided again, to the same end. The key is put down only to tell that
it was used for something else.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Body, Depends, Request
from pydantic import ValidationError

from contracts.catalogue import MODELS
from contracts.ids import command_of_request
from contracts.problems import FieldProblem, problems_of
from contracts.shards import shard_of
from services.rules.api.state import Key, Parts, Writer
from services.runtime.http.application import invalid
from services.runtime.http.idempotency import KeptAnswer, fingerprint, scope_of
from services.runtime.http.problems import Problem
from services.runtime.http.security import Caller
from services.runtime.messages import Message
from services.runtime.postgres import statements
from services.runtime.shard import Verdict
from services.runtime.writer import ShardWriter

SQL = statements(__package__)

_ENVELOPE: Final = "specversion"
_IN_DATA: Final = "$.data"


@dataclass(frozen=True, slots=True)
class Posted:
    """A request that sends a message: who, where to, under which key."""

    request: Request
    caller: Caller
    key: str
    body: dict[str, Any]

    @property
    def is_event(self) -> bool:
        """Whether the body is a whole CloudEvent."""
        return _ENVELOPE in self.body

    @property
    def route(self) -> str:
        """The route's template and method."""
        path: str = self.request.scope["route"].path
        return f"{self.request.method} {path}"

    def field(self, path: str | None) -> str | None:
        """Where a field stands in the body as it was sent."""
        if path is None or self.is_event:
            return path
        return "$" + path.removeprefix(_IN_DATA) if path.startswith(_IN_DATA) else None

    def message(self, types: tuple[str, ...], parts: Parts) -> Message:
        """The message of the body, of one of `types`; the first where it is not a whole CloudEvent.

        Problems 422: what is wrong with the body. 403 `tenant_foreign`.
        """
        content = self.body if self.is_event else self._wrapped(types[0], parts)
        event_type = content.get("type")
        if event_type not in types:
            listed = ", ".join(types)
            raise invalid([FieldProblem("$.type", "unknown_type", f"here a message is one of {listed}")])
        if content.setdefault("tenant", self.caller.tenant) != self.caller.tenant:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "tenant_foreign",
                "Not allowed",
                "the token is of another tenant",
                field="$.tenant",
            )
        try:
            event = MODELS[event_type].model_validate(content)
        except ValidationError as error:
            problems = [
                FieldProblem(self.field(each.field) or "$", each.code, each.message) for each in problems_of(error)
            ]
            raise invalid(problems) from None
        traceparent = self.request.scope.get("bonus.traceparent")
        return Message(
            type=event.type,
            id=event.id,
            source=event.source,
            tenant=event.tenant,
            content=content,
            event=event,
            traceparent=traceparent,
        )

    async def submit(self, writer: ShardWriter, message: Message, parts: Parts) -> Verdict:
        """Have the message decided. Problem 409 `idempotency_key_reused`."""
        await self.claim(parts)
        return await writer.submit(message)

    def told(self, event_type: str, data: dict[str, Any], parts: Parts, number: str = "") -> Message:
        """A message of our own making that follows from the request; `number` tells several of one type apart."""
        route = f"{self.route} {event_type} {number}"
        event_id = command_of_request(self.caller.tenant, self.caller.subject, route, self.key)
        content = self._wrapped(event_type, parts) | {"id": str(event_id), "data": data}
        event = MODELS[event_type].model_validate(content)
        traceparent = self.request.scope.get("bonus.traceparent")
        return Message(
            type=event.type,
            id=event.id,
            source=event.source,
            tenant=event.tenant,
            content=content,
            event=event,
            traceparent=traceparent,
        )

    def _wrapped(self, event_type: str, parts: Parts) -> dict[str, Any]:
        caller = self.caller
        return {
            "specversion": "1.0",
            "type": event_type,
            "id": str(command_of_request(caller.tenant, caller.subject, self.route, self.key)),
            "source": "urn:bonus:http",
            "time": parts.clock().isoformat(),
            "datacontenttype": "application/json",
            "tenant": caller.tenant,
            "data": self.body,
        }

    async def claim(self, parts: Parts) -> None:
        """Put the key down for this request. Problem 409 `idempotency_key_reused`."""
        scope, asked = scope_of(self.caller, self.route), fingerprint(self.body)
        shard = shard_of(f"{scope}\x1f{self.key}")
        row = await parts.reads.fetchrow(SQL.claim_key, shard, scope, self.key, asked, parts.clock())
        if row is not None:
            return
        row = await parts.reads.fetchrow(SQL.find_key, shard, scope, self.key)
        if row is not None and row["fingerprint"] != asked:
            raise KeptAnswer(**dict(row.items())).conflict(asked)


def posted_of(request: Request, body: Annotated[dict[str, Any], Body()], key: Key, caller: Writer) -> Posted:
    """A request whose body is a message: a dependency, `posted: FromPost`."""
    return Posted(request, caller, key, body)


FromPost = Annotated[Posted, Depends(posted_of)]


def refuse(posted: Posted, verdict: Verdict, taken_in: frozenset[str]) -> None:
    """Raise the problem of a verdict: 409 for conflicts with both facts, 422 with the reason for what is refused.

    `taken_in` are the codes of what is known here whatever comes of it: no problems.
    """
    if verdict.kind not in ("refused", "conflict", "duplicate") or verdict.code in taken_in or verdict.code is None:
        return
    answer = verdict.answer or {}
    is_conflict = verdict.kind == "conflict" or verdict.code in ("conflict", "identifier_taken")
    raise Problem(
        HTTPStatus.CONFLICT if is_conflict else HTTPStatus.UNPROCESSABLE_ENTITY,
        verdict.code,
        "It contradicts what is known" if is_conflict else "It cannot be applied",
        answer.get("message"),
        field=posted.field(answer.get("field")),
        facts={name: answer[name] for name in ("first", "second") if name in answer},
    )
