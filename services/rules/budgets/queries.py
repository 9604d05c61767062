"""What people ask of budgets: how much of each campaign's is left."""

from dataclasses import dataclass
from datetime import datetime

from contracts.shards import SHARDS
from services.rules.budgets.storage import SQL
from services.rules.domain.budgets import campaign_of
from services.rules.domain.participant import PublishedProgramme
from services.rules.domain.programme import ProgrammeVersion
from services.runtime.postgres import Pool


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """A campaign's budget, in the smallest unit. `asks` is how many came, `cut` how many of them did not get all."""

    campaign: str
    rule: str
    currency: str
    scale: int
    total: int
    granted: int = 0
    asks: int = 0
    cut: int = 0
    recorded_at: datetime | None = None

    @property
    def left(self) -> int:
        """What may still be granted."""
        return max(self.total - self.granted, 0)


async def budgets_of(pool: Pool, tenant: str, programme: PublishedProgramme, now: datetime) -> list[BudgetRow]:
    """Every campaign's budget: those that were asked, and those that the version in force at `now` promises."""
    rows = await pool.fetch(SQL.budgets_of, list(range(SHARDS)), tenant, programme.key)
    found = {row["campaign"]: BudgetRow(**dict(row.items())) for row in rows}
    version = programme.in_force(now)
    for promised in _promised(version) if version else ():
        found.setdefault(promised.campaign, promised)
    return sorted(found.values(), key=lambda row: row.campaign)


def _promised(version: ProgrammeVersion) -> list[BudgetRow]:
    found = []
    for rule in version.rules:
        if rule.budget is not None:
            campaign = campaign_of(rule.key, rule.starts_at.date() if rule.starts_at else None)
            scale = version.currency(rule.budget.currency).scale
            found.append(BudgetRow(campaign, rule.key, rule.budget.currency, scale, rule.budget.total))
    return found
