"""Budgets: a campaign has one home shard, where participants ask and are granted in order."""

from typing import Literal
from uuid import UUID

from contracts.amounts import Points, Scale
from contracts.awards import Accrual
from contracts.envelope import CloudEvent, Code, Shape

BudgetPolicy = Literal["partial", "all_or_nothing"]
"""What the last of a budget does: give what is there, or refuse and leave it for a smaller award."""


class BudgetQuestion(Shape):
    """What every message about a budget says. `ask_id` is derived from the decision and its rule."""

    ask_id: UUID
    programme: Code
    campaign: Code
    rule: Code
    account_id: UUID
    decision_id: UUID
    currency: Code
    scale: Scale


class BudgetAsk(BudgetQuestion):
    """A capped and rounded award asks for points. `award` is what the ledger is told once they are granted."""

    points: Points
    total: Points
    policy: BudgetPolicy
    award: Accrual


class BudgetAsked(CloudEvent):
    """Keyed by campaign."""

    type: Literal["bonus.budget.asked.v1"] = "bonus.budget.asked.v1"
    data: BudgetAsk


class BudgetGrant(BudgetQuestion):
    """What of an ask was granted; what was not gives its caps back to the participant."""

    asked: Points
    granted: Points
    left: Points


class BudgetGranted(CloudEvent):
    """Keyed by account: the answer goes back to the participant."""

    type: Literal["bonus.budget.granted.v1"] = "bonus.budget.granted.v1"
    data: BudgetGrant
