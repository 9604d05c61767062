"""What became of a purchase, for those who ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Points:
    """Points of one currency by a purchase, in the smallest unit; `scale` decimals. Returns are taken off `accrued`."""

    currency: str
    scale: int
    accrued: int
    redeemed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The decision on a purchase. `booked`: the ledger answered everything that the decision asked of it.

    `reason` is why nothing was awarded, where nothing was; `explanation` is as `GET /v1/decisions/{id}` gives it.
    """

    decision_id: UUID
    status: Literal["decided", "booked"]
    points: tuple[Points, ...]
    reason: str | None
    explanation: Mapping[str, Any]
