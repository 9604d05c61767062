"""What a decision may answer, and what the events of one command have in common."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.awards import (
    AccountOpening,
    Accrual,
    Merge,
    PurchaseRedemption,
    RedemptionRestore,
    Reversal,
    TierAssignment,
)
from services.ledger.domain.commands import Command
from services.ledger.domain.events import Event
from services.ledger.domain.refusals import Refusal, Waiting


@dataclass(frozen=True, slots=True)
class Onward:
    """A command for another account: points in transit, an answer, or what a merged account passes on."""

    to_account_id: UUID
    command: Command


@dataclass(frozen=True, slots=True)
class Shared:
    """Decided in part here, and for the rest by the account that took this one up."""

    events: list[Event]
    onward: Onward


AwardCommand = AccountOpening | Accrual | Reversal | PurchaseRedemption | RedemptionRestore | TierAssignment | Merge

Decision = list[Event] | Shared | Refusal | Waiting
"""Events (none: already so), or why not."""


def stamp(command: Command, now: datetime) -> dict[str, Any]:
    """The fields that every event of a command bears, where it counts from the moment it is decided."""
    return {
        "command_id": command.command_id,
        "occurred_at": command.occurred_at,
        "effective_at": now,
        "known_at": now,
        "source": getattr(command, "source", None),
        "decision_id": getattr(command, "decision_id", None),
        "standing": getattr(command, "standing", None),
    }


def consequence(command: Command, now: datetime) -> dict[str, Any]:
    """The fields of events that follow from a command's own."""
    return {**stamp(command, now), "standing": None}
