"""What the purchase routes ask of the decisions; `services.rules.decide.queries` answers."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from services.rules.decide.outcomes import Outcome, Points
from services.runtime.postgres import Pool

__all__ = ["Outcome", "Outcomes", "Points"]


class Outcomes(Protocol):
    """Looks decisions up."""

    async def of_purchases(self, pool: Pool, wanted: Sequence[tuple[UUID, UUID]]) -> Mapping[UUID, Outcome]:
        """The decisions on purchases, by purchase key; `wanted` holds (account id, purchase key) of each."""
        ...
