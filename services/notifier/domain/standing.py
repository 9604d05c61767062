"""What an account came to with an event, as its member's page shows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from contracts.ledger_events import LedgerEvent

MOVING_TYPES: Final = frozenset(
    {
        "bonus.account.opened.v1",
        "bonus.account.closed.v1",
        "bonus.account.merged.v1",
        "bonus.debt.settled.v1",
        "bonus.hold.captured.v1",
        "bonus.hold.placed.v1",
        "bonus.hold.released.v1",
        "bonus.hold.timed-out.v1",
        "bonus.points.accrued.v1",
        "bonus.points.activated.v1",
        "bonus.points.adjusted.v1",
        "bonus.points.expired.v1",
        "bonus.points.redeemed.v1",
        "bonus.points.restored.v1",
        "bonus.points.reversed.v1",
        "bonus.tier.changed.v1",
        "bonus.transfer.received.v1",
        "bonus.transfer.returned.v1",
        "bonus.transfer.sent.v1",
    }
)
"""Types of event after which an account looks different to its member."""

_ENDING_TYPES: Final = frozenset({"bonus.account.closed.v1", "bonus.account.merged.v1"})


@dataclass(frozen=True, slots=True)
class Standing:
    """An account after one of its events; points in the smallest unit. `tier`: None: not changed; empty: none."""

    account_id: UUID
    programme: str
    version: int
    balances: dict[str, dict[str, Any]]
    tier: str | None
    is_open: bool
    as_of: datetime


def standing_of(event: LedgerEvent) -> Standing | None:
    """What an event makes of its account; None for one that moves nothing."""
    if event.type not in MOVING_TYPES:
        return None
    happened = event.data
    balances = {
        currency: {
            "scale": balance.scale,
            "available": balance.available,
            "pending": balance.pending,
            "held": balance.held,
            "debt": balance.debt,
        }
        for currency, balance in happened.balances.items()
    }
    tier = (happened.details.get("tier") or "") if event.type == "bonus.tier.changed.v1" else None
    return Standing(
        happened.account_id,
        happened.programme,
        happened.version,
        balances,
        tier,
        event.type not in _ENDING_TYPES,
        happened.effective_at,
    )
