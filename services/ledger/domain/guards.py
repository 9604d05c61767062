"""What a programme says about commands that come to the ledger directly, at one instant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

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

    def day(self, at: datetime) -> date:
        """The day of an instant, in the programme's zone."""
        return at.astimezone(ZoneInfo(self.zone)).date()

    def month(self, at: datetime) -> str:
        """The month of an instant, in the programme's zone: `2026-03`."""
        return at.astimezone(ZoneInfo(self.zone)).strftime("%Y-%m")


UNGUARDED: Final = Guards()


def guards_at(programme: ProgrammeState, at: datetime) -> Guards:
    """The terms in force at `at`: of the latest version that has started (of the first, before it)."""
    started = [version for version in programme.versions if version.starts_at <= at] or list(programme.versions[:1])
    if not started:
        return UNGUARDED
    version = max(started, key=lambda each: (each.starts_at, each.version))
    suspended = any(
        pause.starts_at <= at and (pause.ends_at is None or at < pause.ends_at) for pause in programme.suspensions
    )
    return Guards(
        zone=version.zone,
        currencies={terms.currency: terms for terms in version.currencies},
        redemption=version.redemption,
        debt_allowed=version.debt_allowed,
        transfer_month=version.transfer_month,
        suspended=suspended,
    )
