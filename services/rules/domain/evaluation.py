"""The evaluation: what a basket, or something else that a member did, earns under one version of a programme.

A pure function, exact to the end: the same one serves live decisions, quotes, dry runs, rehearsals, and what is left of
a basket after a return.
"""

from services.rules.domain.basket import Basket, BasketLine, BasketPayment, Occasion
from services.rules.domain.facts import Facts
from services.rules.domain.outcome import (
    Award,
    AwardToOther,
    BudgetAsk,
    ConditionFailure,
    Cut,
    Discount,
    Evaluation,
)
from services.rules.domain.programme import ProgrammeVersion

__all__ = [
    "Award",
    "AwardToOther",
    "Basket",
    "BasketLine",
    "BasketPayment",
    "BudgetAsk",
    "ConditionFailure",
    "Cut",
    "Discount",
    "Evaluation",
    "Facts",
    "Occasion",
    "evaluate",
]


def evaluate(programme: ProgrammeVersion, subject: Basket | Occasion, facts: Facts) -> Evaluation:
    """What `subject` earns. Total over valid programmes: it never raises for what a member or a till did."""
    raise NotImplementedError
