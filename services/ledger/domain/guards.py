"""What a programme says about commands that come to the ledger directly, at one instant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts.programmes import CurrencyTerms, ProgrammeState, RedemptionGuards


@dataclass(frozen=True, slots=True)
class Guards:
    """The terms in force; without a published programme nothing is limited but the books themselves."""

    zone: str = "UTC"
    currencies: Mapping[str, CurrencyTerms] = field(default_factory=dict)
    redemption: RedemptionGuards | None = None
    debt_allowed: bool = False
    transfer_month: int | None = None
    suspended: bool = False


UNGUARDED = Guards()


def guards_at(programme: ProgrammeState, at: datetime) -> Guards:
    """The terms in force at `at`: of the latest version that has started (of the first, before it)."""
    raise NotImplementedError
