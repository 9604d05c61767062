"""A replay: the recorded decisions of one account again, in their order, under another programme.

The functions that decide are those that decided live; only the programme is another one. Sums, tiers, counters and what
came back follow from it, as they would have.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from contracts.amounts import TEN_THOUSANDTHS
from services.rules.domain.basket import POINTS_PAYMENT
from services.rules.domain.budgets import Asked
from services.rules.domain.occasions import Doing, do
from services.rules.domain.participant import Background, Decided, Participant, PublishedProgramme
from services.rules.domain.purchases import Inputs, Receipt, judge, paying_currency
from services.rules.domain.records import awarded_in
from services.rules.domain.remainders import Bought, GoodsReturned, Refund, bought_after
from services.rules.domain.returns import (
    Conflict,
    SelfReferral,
    take_back,
    take_back_conflict,
    take_back_self_referral,
)
from services.rules.domain.sums import Contributions


class PastReturn(NamedTuple):
    """Goods that came back, as it was recorded: what remained of each line, and what still paid for them after it.

    `payments` and `points_back` are in the order of the purchase's payments; None where nothing was recorded of them.
    """

    decision_id: UUID
    key: UUID
    id: str
    at: datetime
    of: UUID
    remaining: Mapping[int, tuple[int, int]]
    payments: Sequence[int] | None
    points_back: Sequence[int] | None


class PastConflict(NamedTuple):
    """A purchase that turned out to be another account's."""

    decision_id: UUID
    key: UUID
    at: datetime
    of: UUID


class PastSelfReferral(NamedTuple):
    """A purchase whose referrer turned out to be the member oneself."""

    decision_id: UUID
    key: UUID
    at: datetime
    of: UUID


Past = Receipt | Doing | PastReturn | PastConflict | PastSelfReferral


@dataclass(slots=True)
class Replay:
    """State. `returned` are the purchases of which something came back: the others need not be remembered."""

    participant: Participant
    programme: PublishedProgramme
    returned: Collection[UUID] = ()
    _contributions: Contributions = field(default_factory=Contributions)
    _bought: dict[UUID, Bought] = field(default_factory=dict)
    _recorded: dict[UUID, tuple[Sequence[int], Sequence[int]]] = field(default_factory=dict)

    def again(self, past: Past) -> Decided | None:
        """Decide once more; None for a return of a purchase that could not be decided again."""
        background = Background(self.programme, self._contributions)
        match past:
            case Receipt():
                decided = judge(self.participant, past, background)
                if past.decision_id in self.returned:
                    self._keep(past, decided)
            case Doing():
                decided = do(self.participant, past, background)
            case PastReturn() if past.of in self._bought:
                bought = self._bought[past.of]
                decided = take_back(self.participant, self._goods(past, bought), bought, background)
                self._bought[past.of] = _after(bought, decided)
            case PastConflict() if past.of in self._bought:
                bought = self._bought[past.of]
                conflict = Conflict(past.decision_id, past.key, past.at)
                decided = take_back_conflict(self.participant, conflict, bought, background)
                self._bought[past.of] = _after(bought, decided)
            case PastSelfReferral() if past.of in self._bought:
                bought = self._bought[past.of]
                found = SelfReferral(past.decision_id, past.key, past.at)
                taken = take_back_self_referral(self.participant, found, bought, background)
                if taken is None:
                    return None
                decided = taken
                self._bought[past.of] = _after(bought, decided)
            case _:
                return None
        self.participant = decided.participant
        return decided

    def _keep(self, receipt: Receipt, decided: Decided) -> None:
        decision = decided.decision
        if not isinstance(decision.inputs, Inputs):
            raise TypeError("the decision on a purchase says what it was decided from")
        counted: Any = decision.facts.get("counted", {})
        bought = Bought(
            decision.inputs, decision.programme_version, awarded_in(decision.facts), counted, decision.measures,
            asks=tuple([_granted(each) for each in decided.asks]),
        )  # fmt: skip
        self._bought[receipt.decision_id] = bought
        self._recorded[receipt.decision_id] = (bought.left.payments, bought.left.points_back)

    def _goods(self, past: PastReturn, bought: Bought) -> GoodsReturned:
        """The return as it was sent, as far as it was recorded: what was refunded follows from what paid after it."""
        refunds = None
        if past.payments is not None and past.points_back is not None:
            before, back = self._recorded[past.of]
            refunds = self._refunds(past, bought, before, back)
            self._recorded[past.of] = (past.payments, past.points_back)
        return GoodsReturned(past.decision_id, past.key, past.id, past.at, past.remaining, refunds)

    def _refunds(
        self, past: PastReturn, bought: Bought, before: Sequence[int], back: Sequence[int]
    ) -> tuple[Refund, ...]:
        payments = bought.inputs.receipt.basket.payments
        version = self.programme.version(bought.version) if bought.version is not None else None
        scale = 10 ** paying_currency(version).scale if version else 1
        points = [now - then for now, then in zip(past.points_back or (), back, strict=False)]
        with_points = iter(points)
        found = []
        for payment, then, now in zip(payments, before, past.payments or (), strict=False):
            given = next(with_points, 0) if payment.type == POINTS_PAYMENT else None
            said = None if given is None else given * TEN_THOUSANDTHS // scale
            found.append(Refund(payment.type, max(then - now, 0), said))
        return tuple(found)


def _granted(asked: Asked) -> Asked:
    """An ask as if its budget granted all of it: whether there is enough is known once everybody was replayed."""
    return replace(asked, granted=asked.points)


def _after(bought: Bought, decided: Decided) -> Bought:
    """A purchase once some of it came back."""
    left: Any = decided.decision.facts["left"]
    remaining: Any = decided.decision.inputs
    return bought_after(bought, left, remaining, decided.asks or bought.asks)
