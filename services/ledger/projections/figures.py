"""Points moved, by what became of them, for operators: a counter in this process, after each commit."""

from typing import Final

from services.ledger.projections.totals import Totals
from services.runtime.telemetry.metrics import POINTS

_FROM: Final = {"issued": "issued", "adjusted": "adjusted", "transferred_in": "received"}
_TO: Final = {
    "redeemed": "redeemed", "expired": "expired", "reversed": "reversed", "transferred_out": "sent", "held": "held",
    "in_transit": "leaving", "debt": "settled", "adjusted": "adjusted",
}  # fmt: skip
_BACK: Final = {
    "redeemed": "restored", "expired": "revived", "reversed": "restored", "held": "released", "in_transit": "returned",
    "debt": "owed", "pending": "activated",
}  # fmt: skip


def kind_of(source: str, target: str) -> str:
    """What it is called that points go from one bucket to another, such as `issued`, `activated` or `redeemed`."""
    return _FROM.get(source) or _TO.get(target) or _BACK.get(source) or "moved"


def count_points(totals: Totals) -> None:
    """Add what a committed transaction moved."""
    for programme, currency, source, target, points in totals.moved():
        POINTS.labels(programme, currency, kind_of(source, target)).inc(points)
