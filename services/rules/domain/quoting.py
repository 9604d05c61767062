"""A quote: what a basket would come to if it were bought now. Nothing is changed by it.

What would be earned is decided by the very function that decides the purchase, on the basket less its discounts: so the
award that follows is the same, when nothing happens in between.
"""

from dataclasses import dataclass, replace

from services.rules.domain.evaluation import offered
from services.rules.domain.facts import Facts
from services.rules.domain.next_steps import Step, next_steps
from services.rules.domain.outcome import Discount
from services.rules.domain.participant import Background, Decided, Participant, WindowView
from services.rules.domain.programme import ProgrammeVersion
from services.rules.domain.purchases import Buyer, Inputs, Receipt, facts_at, judge
from services.rules.domain.redeemable import Redeemable, redeemable
from services.rules.domain.standing import age


@dataclass(frozen=True, slots=True)
class Quote:
    """What a basket would come to.

    `receipt` is the purchase less its `discounts`, `decided` the decision on it; `facts` are those by which it is
    priced. `version` None: no version of the programme is in force, and nothing else is known. `redeemable` None: the
    programme lets nobody spend points.
    """

    version: ProgrammeVersion | None
    receipt: Receipt
    decided: Decided
    facts: Facts
    discounts: tuple[Discount, ...] = ()
    redeemable: Redeemable | None = None
    steps: tuple[Step, ...] = ()


def quoted(participant: Participant, receipt: Receipt, background: Background) -> Quote:
    """Quote a purchase. The background is as for `judge`, and must not be used again."""
    version = background.programme.in_force(receipt.basket.at)
    if version is None:
        decided = judge(participant, receipt, background)
        return Quote(None, receipt, decided, Facts(member_id=str(receipt.member_id)))
    basket, discounts = offered(version, receipt.basket, facts_before(participant, receipt, version, background))
    priced = replace(receipt, basket=basket)
    decided = judge(participant, priced, background)
    inputs = decided.decision.inputs
    if not isinstance(inputs, Inputs):
        raise TypeError("the decision on a purchase says what it was decided from")
    return Quote(
        version,
        priced,
        decided,
        inputs.facts,
        discounts,
        redeemable(version, basket, inputs.facts),
        next_steps(version, basket, inputs.facts, decided.decision.facts),
    )


def facts_before(
    participant: Participant, receipt: Receipt, version: ProgrammeVersion, background: Background
) -> Facts:
    """The facts as they stand before the purchase, by which discounts are offered."""
    at = receipt.basket.at
    aged, _ = age(participant, background, at)
    buyer = Buyer(receipt.member_id, receipt.card_category)
    view = WindowView(aged, background.contributions)
    return facts_at(view, version, buyer, at, background.programme.is_suspended(at))
