"""What happened to every account, event by event, without what the clock of a run put in."""

import re
from collections.abc import Iterator
from typing import Any

import orjson

from tests.e2e.system import System

History = dict[str, list[dict[str, Any]]]

_EVENTS = (
    "select account_id, body from ledger.event where account_id is not null order by account_id, version, position"
)
_OF_THE_RUN = re.compile(r"(202[6-9]|20[3-9][0-9])-[0-9]{2}-[0-9]{2}(T.*)?")
"""An instant or a day of the run itself: whatever the stream brings lies before."""


async def history(system: System) -> History:
    """Every account's events in order, each under its id with everything that it says."""
    found: History = {}
    for row in await system.connection.fetch(_EVENTS):
        found.setdefault(str(row["account_id"]), []).append(_essence(orjson.loads(row["body"])))
    return found


def differences(found: History, expected: History) -> dict[str, str]:
    """Accounts whose histories differ, and how: the first event that does."""
    told = {}
    for account in found.keys() | expected.keys():
        pair = found.get(account, []), expected.get(account, [])
        if pair[0] != pair[1]:
            told[account] = _first_difference(*pair)
    return told


def _first_difference(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> str:
    for number, (one, other) in enumerate(zip(found, expected, strict=False), 1):
        if one != other:
            return f"event {number}, {one['type']}: {'; '.join(_unequal('$', one, other))}"
    return f"{len(found)} events instead of {len(expected)}"


def _unequal(path: str, one: object, other: object) -> Iterator[str]:
    """Where two values differ, place by place."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(one.keys() | other.keys()):
            yield from _unequal(f"{path}.{name}", one.get(name), other.get(name))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from _unequal(f"{path}[{number}]", *pair)
    elif one != other:
        yield f"{path}: {one} instead of {other}"


def _essence(event: dict[str, Any]) -> dict[str, Any]:
    """What an event says. `known_at` says when the books came to know of it, where that is not when they wrote it."""
    data = {name: value for name, value in event["data"].items() if name != "known_at"}
    essence: dict[str, Any] = _timeless({"type": event["type"], "id": event["id"], "data": data})
    return essence


def _timeless(value: Any) -> Any:
    """The same with what the clock of the run put in made alike."""
    if isinstance(value, dict):
        return {name: _timeless(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_timeless(each) for each in value]
    return "of the run" if isinstance(value, str) and _OF_THE_RUN.fullmatch(value) else value
