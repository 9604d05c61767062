"""Budgets: what a campaign may pay in all. Its home grants in order; the account keeps what became of each ask.

A budget is the campaign's, whoever asks: what it granted is never taken out of the sum again, so returns do not refill
it. How much there is in all is what the version says that judged the purchase.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from contracts.ids import command_of, derive
from services.rules.domain.counting import counts_points

CAMPAIGN_MAX_LENGTH: Final = 64


def campaign_of(rule: str, began: date | None) -> str:
    """The name of a rule's campaign: a rule that comes again next year has a budget of its own then."""
    if began is None:
        return rule
    name = f"{rule}.{began.isoformat()}"
    # Two names of the greatest length must not become one.
    return name if len(name) <= CAMPAIGN_MAX_LENGTH else derive("campaign", rule, began.isoformat()).hex


def ask_of(decision_id: UUID, rule: str, partner: str = "") -> UUID:
    """The ask of a rule in a decision; in a coalition each partner's lines ask for themselves."""
    return derive("ask", decision_id, rule, partner)


def grant(*, asked: int, total: int, granted_before: int, partial: bool) -> int:
    """What a budget gives to the next that asks; never more than is left, and all of it while the budget covers it."""
    left = max(total - granted_before, 0)
    if asked <= left:
        return asked
    return left if partial else 0


@dataclass(frozen=True, slots=True)
class Asked:
    """An ask as the account keeps it. Points are in the smallest unit.

    `remains` is what the rest of the basket would ask for after returns (None: nothing came back), `granted` what the
    budget gave (None: no answer yet), `taken` what was reversed of that.
    """

    ask_id: UUID
    rule: str
    partner: str
    currency: str
    points: int
    increments: Mapping[str, int]
    remains: int | None = None
    granted: int | None = None
    taken: int = 0

    @property
    def accrual_id(self) -> UUID:
        """The command that tells the ledger of what was granted."""
        return command_of("accrue", self.ask_id)

    @property
    def due_back(self) -> int:
        """What must be taken back now: of what was granted all that the rest of the basket is not worth."""
        if self.granted is None or self.remains is None:
            return 0
        return max(self.granted - self.remains - self.taken, 0)


def asks_left(asks: Iterable[Asked], remaining: Mapping[tuple[str, str], int]) -> tuple[tuple[Asked, int], ...]:
    """The asks of a purchase once some of it came back, each with what is reversed of it now.

    `remaining` is what the rest would ask for, by rule and partner. What comes back can only make it less.
    """
    found = []
    for ask in asks:
        rest = min(remaining.get((ask.rule, ask.partner), 0), ask.points if ask.remains is None else ask.remains)
        left = replace(ask, remains=rest)
        found.append((replace(left, taken=left.taken + left.due_back), left.due_back))
    return tuple(found)


def given_back(ask: Asked, granted: int) -> dict[str, int]:
    """The counters that go back to the participant when only `granted` of an ask was granted.

    Points go back as far as they were not granted; a time was used if anything was.
    """
    if not granted:
        return dict(ask.increments)
    missing = ask.points - granted
    counted = {key: min(count, missing) for key, count in ask.increments.items() if counts_points(key)}
    return {key: count for key, count in counted.items() if count}


def still_counted(ask: Asked) -> dict[str, int]:
    """What an ask still counts for, once its answer gave back what was not granted."""
    if ask.granted is None:
        return dict(ask.increments)
    back = given_back(ask, ask.granted) if ask.granted < ask.points else {}
    counted = {key: count - back.get(key, 0) for key, count in ask.increments.items()}
    return {key: count for key, count in counted.items() if count}
