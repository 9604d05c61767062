"""Totals of days, against what the movements add up to."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from services.ledger.domain.events import Movement
from services.ledger.projections.totals import WITHOUT_LOT
from services.ledger.verify.entry import Entry, stamp
from services.ledger.verify.replay import Replayed
from services.ledger.verify.rows import Findings, Portions

Totals = defaultdict[tuple[Any, ...], list[int]]
"""Points and movements, by the key of a row of `daily_total` without its shard; days as texts."""

_DAY: Final = len("2026-03-05")


def add_to_totals(totals: Totals, entry: Entry, movements: Sequence[Movement], replayed: Replayed) -> None:
    """Count an event's movements; `replayed` is its account after it."""
    if not movements:
        return
    data = entry.data
    effective_on, recorded_on = stamp(data.effective_at)[:_DAY], entry.recorded_as[:_DAY]
    spent_with = data.details.get("partner", "") if data.details else ""
    for currency, lot_id, source, target, points in movements:
        expires_in, earned_with = WITHOUT_LOT if lot_id is None else replayed.origin(lot_id)
        sums = totals[
            replayed.tenant, replayed.programme, currency, effective_on, recorded_on, source, target, expires_in,
            earned_with, spent_with,
        ]  # fmt: skip
        sums[0] += points
        sums[1] += 1


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
