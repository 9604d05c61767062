"""What an evaluation comes to: what to award, what to ask for, what to count, and why."""

from collections.abc import Mapping
from datetime import datetime

from services.rules.domain.value import value


@value(frozen=True, slots=True)
class Award:
    """Points of one lot, in the smallest unit. `rules` and `lines` are (rule, points) and (line number, points) shares.

    `rules` add up to `points`; `lines` too, unless nothing of it belongs to a line (an enrolment), when they are empty.
    `rule` is set where a rule's points stand in a lot of their own (own dates, or a budget). `activates_at` none: at
    once; `expires_at` none: never.
    """

    currency: str
    scale: int
    points: int
    rules: tuple[tuple[str, int], ...]
    lines: tuple[tuple[int, int], ...] = ()
    activates_at: datetime | None = None
    expires_at: datetime | None = None
    partner: str = ""
    rule: str | None = None


@value(frozen=True, slots=True)
class BudgetAsk:
    """An award to ask the budget of `rule` for; what is not granted must give `increments` back.

    `campaign` is whose budget it is: a rule's, told from its other campaigns by the day it begins. `total` is the whole
    budget; `partial` says whether less than the award may be granted.
    """

    rule: str
    campaign: str
    award: Award
    total: int
    partial: bool
    increments: Mapping[str, int]


@value(frozen=True, slots=True)
class AwardToOther:
    """Points for somebody else, named by `recipient` (as the fact says); the recipient's caps are looked at there."""

    rule: str
    recipient: str
    award: Award


@value(frozen=True, slots=True)
class Discount:
    """Money off, in ten-thousandths, that a quote offers; `lines` are (line number, money) and add up to `amount`."""

    rule: str
    amount: int
    lines: tuple[tuple[int, int], ...]


@value(frozen=True, slots=True)
class Cut:
    """Points that a cap took away: `capped_per_purchase`, `capped_per_day`, …; `rule` none: a cap of the programme."""

    code: str
    currency: str
    points: int
    rule: str | None = None


@value(frozen=True, slots=True)
class ConditionFailure:
    """A condition that could not be told at run time: its rule awarded nothing. To be counted in a metric."""

    rule: str
    message: str


@value(frozen=True, slots=True)
class Evaluation:
    """Everything that follows from one basket or occasion.

    `reason` is why nothing at all could be earned (`programme_suspended`, `card_category_not_eligible`), else None.
    `qualifying` is what counts for tiers: ten-thousandths of money, smallest units of points, or visits. `spend` is
    what the purchase adds to the member's own spend, in ten-thousandths, whatever the tiers count. `increments` are to
    be added to the member's counters when the awards are booked; budget asks carry their own. `explanation` is plain
    data for JSON; its shape is in docs/programmes.md.
    """

    awards: tuple[Award, ...]
    qualifying: int
    increments: Mapping[str, int]
    explanation: Mapping[str, object]
    budget_asks: tuple[BudgetAsk, ...] = ()
    for_others: tuple[AwardToOther, ...] = ()
    discounts: tuple[Discount, ...] = ()
    cuts: tuple[Cut, ...] = ()
    failures: tuple[ConditionFailure, ...] = ()
    reason: str | None = None
    spend: int = 0

    def points(self, currency: str) -> int:
        """What is awarded in one currency at once, budget asks left out."""
        return sum(award.points for award in self.awards if award.currency == currency)
