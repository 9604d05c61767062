"""What happened to every account, event by event, without what the clock of a run put in."""

from typing import Any

import orjson

from tests.e2e.system import System

History = dict[str, list[dict[str, Any]]]

_EVENTS = (
    "select account_id, body from ledger.event where account_id is not null order by account_id, version, position"
)
_OF_THE_CLOCK = ("known_at",)
_OF_THE_CLOCK_IN_LOTS = ("booked_at",)


async def history(system: System) -> History:
    """Every account's events in order, each under its id with everything that it says."""
    found: History = {}
    for row in await system.connection.fetch(_EVENTS):
        found.setdefault(str(row["account_id"]), []).append(_timeless(orjson.loads(row["body"])))
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
            return f"event {number}: {one} instead of {other}"
    return f"{len(found)} events instead of {len(expected)}"


def _timeless(event: dict[str, Any]) -> dict[str, Any]:
    data = {name: value for name, value in event["data"].items() if name not in _OF_THE_CLOCK}
    if "lots" in data:
        data["lots"] = [
            {name: value for name, value in lot.items() if name not in _OF_THE_CLOCK_IN_LOTS} for lot in data["lots"]
        ]
    return {"type": event["type"], "id": event["id"], "data": data}
