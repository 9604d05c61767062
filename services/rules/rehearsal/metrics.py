"""What operators see of rehearsals, at the process that does them."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_MINUTE: Final = 60
_BUCKETS: Final = (1, 5, 15, 30, _MINUTE, 90, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 60 * _MINUTE, 240 * _MINUTE)

OPEN: Final = Gauge("bonus_rehearsals_open", "Rehearsals that were asked for and have not ended.")
ENDED: Final = Counter("bonus_rehearsals_total", "Rehearsals that ended, done or failed.", ["state"])
SECONDS: Final = Histogram(
    "bonus_rehearsal_seconds", "From the first part of a rehearsal to its end.", buckets=_BUCKETS
)
DECISIONS: Final = Counter("bonus_rehearsal_decisions_total", "Decisions that were taken again.")
PARTS_LOST: Final = Counter("bonus_rehearsal_parts_lost_total", "Parts whose process ended, or lost its database.")
