"""Statement lines as they follow from the bytes of an event."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.ledger.domain.events import Movement
from services.ledger.projections.entries import deltas_of, in_json, why_of
from services.ledger.verify.replay import instant

Line = tuple[Any, ...]
"""In the order of the statement `entries`."""


def expected_lines(
    position: int, account_id: UUID, content: Mapping[str, Any], movements: Sequence[Movement], known_at: datetime
) -> list[Line]:
    """The lines of an event, one for each currency in which it moved points."""
    data = content["data"]
    balances = data.get("balances")
    if not balances:
        return []
    effective_at, recorded_at = instant(data["effective_at"]), instant(content["time"])
    return [
        (
            position, currency, account_id, known_at, data["version"], content["type"], effective_at, recorded_at,
            after["scale"], *deltas_of(movements, currency), after["pending"], after["available"], after["held"],
            after["in_transit"], after["debt"], in_json(why_of(data, currency)),
        )
        for currency, after in sorted(balances.items())
    ]  # fmt: skip


def wrong_in(expected: Line, found: Line) -> list[tuple[Any, Any]]:
    """Where a line differs from what it should be: what was expected and what was found."""
    *mine, why = expected
    *its, words = found
    wrong = [(one, other) for one, other in zip(mine, its, strict=True) if one != other]
    # The same words may have been written in another order by an earlier release.
    if why != words and orjson.loads(why) != orjson.loads(words):
        wrong.append((why, words))
    return wrong
