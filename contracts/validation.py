"""Checks a developer's own JSON against the contracts: one event, an array of events, or JSON Lines."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson
from pydantic import ValidationError

from contracts.catalogue import MODELS
from contracts.envelope import MAX_MESSAGE_BYTES
from contracts.problems import FieldProblem, json_path, problems_of

_DATA_FIELDS: Final = frozenset({"purchase_id", "return_id", "activity_id", "enrolled_at", "account_id"})


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one event: where it stands in the file, its type if it has one, and what is wrong with it."""

    place: str
    type: str | None
    problems: tuple[FieldProblem, ...]


def check(content: bytes) -> Iterator[Finding]:
    """One finding for each event in `content`, in order."""
    try:
        whole = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        lines = [(number, line) for number, line in enumerate(content.splitlines(), 1) if line.strip()]
        if len(lines) > 1 and _is_object(lines[0][1]):
            yield from (_check_line(number, line) for number, line in lines)
        else:
            place = f"line {error.lineno}, column {error.colno}"
            yield Finding(place, None, (FieldProblem("$", "not_json", f"this is not JSON: {error.msg}"),))
        return
    if isinstance(whole, list):
        yield from (_check_event(f"event {index}", event, ("$", index)) for index, event in enumerate(whole))
    else:
        yield _check_event("event", whole, ("$",))


def problems_of_event(event: object, root: tuple[str | int, ...] = ()) -> tuple[FieldProblem, ...]:
    """What is wrong with an event that was parsed already; nothing if it would be accepted."""
    if not isinstance(event, dict):
        return (FieldProblem(json_path(root), "not_a_cloud_event", "an event is an object: { … }"),)
    model = MODELS.get(event["type"]) if isinstance(event.get("type"), str) else None
    if model is None:
        return (_unknown_type(event, root),)
    if len(orjson.dumps(event)) > MAX_MESSAGE_BYTES:
        return (FieldProblem(json_path(root), "too_large", f"a message has at most {MAX_MESSAGE_BYTES} bytes"),)
    try:
        model.model_validate(event)
    except ValidationError as error:
        return problems_of(error, root)
    return ()


def _is_object(line: bytes) -> bool:
    """Whether the line looks like a whole event, so that the file is JSON Lines, however broken."""
    text = line.strip()
    return text.startswith(b"{") and text.endswith(b"}")


def _check_line(number: int, line: bytes) -> Finding:
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        place = f"line {number}, column {error.colno}"
        return Finding(place, None, (FieldProblem("$", "not_json", f"this is not JSON: {error.msg}"),))
    return _check_event(f"line {number}", event, ("$",))


def _check_event(place: str, event: object, path: tuple[str | int, ...]) -> Finding:
    named = event.get("type") if isinstance(event, dict) else None
    return Finding(place, named if isinstance(named, str) else None, problems_of_event(event, path[1:]))


def _unknown_type(event: dict[str, Any], root: tuple[str | int, ...]) -> FieldProblem:
    field = json_path((*root, "type"))
    if "type" not in event:
        hint = "; this looks like its data alone" if _DATA_FIELDS & event.keys() else ""
        return FieldProblem(field, "missing", f'a CloudEvent names its type: "bonus.purchase.completed.v1"{hint}')
    near = difflib.get_close_matches(str(event["type"]), MODELS, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return FieldProblem(field, "unknown_type", f"no message has this type{hint}")
