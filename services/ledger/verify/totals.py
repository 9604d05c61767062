"""Totals of days, against what the movements add up to."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from services.ledger.domain.events import Movement
from services.ledger.projections.totals import WITHOUT_LOT, day_of
from services.ledger.verify.entry import instant
from services.ledger.verify.replay import Replayed
from services.ledger.verify.rows import Findings, Portions

Totals = defaultdict[tuple[Any, ...], list[int]]
"""Points and movements, by the key of a row of `daily_total` without its shard; days as texts."""


DAYS_KEPT: Final = 1_024
"""Instants whose days are remembered: events of one transaction share theirs."""


def add_to_totals(
    totals: Totals, content: Mapping[str, Any], movements: Sequence[Movement], replayed: Replayed
) -> None:
    """Count an event's movements; `replayed` is its account after it."""
    if not movements:
        return
    data = content["data"]
    effective_on, recorded_on = day_in(data["effective_at"]), day_in(content["time"])
    spent_with = data["details"].get("partner", "") if "details" in data else ""
    for currency, lot_id, source, target, points in movements:
        expires_in, earned_with = WITHOUT_LOT if lot_id is None else replayed.origin(lot_id)
        sums = totals[
            replayed.tenant, replayed.programme, currency, effective_on, recorded_on, source, target, expires_in,
            earned_with, spent_with,
        ]  # fmt: skip
        sums[0] += points
        sums[1] += 1


@lru_cache(DAYS_KEPT)
def day_in(text: str) -> str:
    """The day in UTC of an instant as the log writes it."""
    return text[:10] if text.endswith("+00:00") else day_of(instant(text)).isoformat()


async def compare_totals(portions: Portions, totals: Totals, findings: Findings) -> None:
    """Compare the table with them; they are used up."""
    while rows := await portions.take():
        for row in rows:
            *words, points, movements = row
            key = (*words[:3], *(day.isoformat() for day in words[3:5]), *words[5:])
            expected = totals.pop(key, [0, 0])
            if expected != [points, movements]:
                findings.differs("altered", "daily_total", " ".join(key), expected, [points, movements])
    for key, expected in totals.items():
        findings.differs("missing", "daily_total", " ".join(key), expected)
