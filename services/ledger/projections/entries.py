"""Lines of a statement: one for each event and currency, with what changed and what was there after it.

The sum of a bucket's deltas over an account's lines is the bucket; what an account had at an instant is in the last
line known by then, less what counts only later.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from services.ledger.domain.account import Balance
from services.ledger.domain.events import Event, Movement

BUCKETS: Final = (
    "issued", "adjusted", "transferred_in", "transferred_out", "pending", "available", "held", "in_transit",
    "redeemed", "expired", "reversed", "debt",
)  # fmt: skip

COLUMNS: Final = (
    "shard", "account_id", "known_at", "version", "currency", "position", "type", "effective_at", "recorded_at",
    "scale", *BUCKETS, "pending_after", "available_after", "held_after", "transit_after", "debt_after", "why",
)  # fmt: skip

_GROW_WHEN_LEFT: Final = frozenset({"issued", "adjusted", "transferred_in", "debt"})
LEAVING: Final = {name: (place, 1 if name in _GROW_WHEN_LEFT else -1) for place, name in enumerate(BUCKETS)}
"""Where a bucket stands in `BUCKETS`, and by how much one point leaving it changes it; entering is the opposite."""

_BUCKETS: Final = len(BUCKETS)
NO_WORDS: Final = "{}"
_WORDS: Final = ("reason", "operator", "reference", "redemption_id", "hold_id", "policy")

EntryRow = tuple[Any, ...]


def entry_rows(  # noqa: PLR0913 - the coordinates of an event, all but three by name
    event: Event,
    balances: Sequence[tuple[str, Balance]],
    data: Mapping[str, Any],
    *,
    shard: int,
    account_id: UUID,
    version: int,
    position: int,
    known_at: datetime,
    now: datetime,
) -> list[EntryRow]:
    """The event's lines, as rows of `COLUMNS`; `balances` are those that it changed, `data` is as on the wire."""
    return [
        (
            shard, account_id, known_at, version, currency, position, event.type, event.effective_at, now,
            balance.scale, *deltas_of(event.movements, currency), balance.pending, balance.available, balance.held,
            balance.in_transit, balance.debt, in_json(why_of(data, currency)),
        )
        for currency, balance in balances
    ]  # fmt: skip


def deltas_of(movements: Sequence[Movement], currency: str) -> Sequence[int | None]:
    """What movements change in each of `BUCKETS`, in one currency; None where nothing changes."""
    deltas: list[int | None] = [None] * _BUCKETS
    for moved, _, source, target, points in movements:
        if moved == currency:
            place, sign = LEAVING[source]
            deltas[place] = (deltas[place] or 0) + sign * points
            place, sign = LEAVING[target]
            deltas[place] = (deltas[place] or 0) - sign * points
    return deltas


def why_of(data: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """Why an event's line in a currency is there: its source, the rules that gave of it, and what else it names.

    `data` is the event's data on the wire, with or without its ids and instants written out.
    """
    words: dict[str, Any] = {}
    if "source" in data:
        words["source"] = data["source"]
    if "lots" in data:
        given: dict[str, int] = {}
        for lot in data["lots"]:
            for share in lot.get("rules", ()) if lot["currency"] == currency else ():
                given[share["rule"]] = given.get(share["rule"], 0) + share["points"]
        if given:
            words["rules"] = given
    if "details" in data:
        details = data["details"]
        for name in _WORDS:
            if name in details:
                words[name] = details[name]
    return words


def in_json(words: Mapping[str, Any]) -> str:
    """The words of a line as they are kept."""
    return orjson.dumps(words, default=str).decode() if words else NO_WORDS
