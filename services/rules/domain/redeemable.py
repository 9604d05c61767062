"""What points may pay of a bill, and why not more; the till is told the same figures that the ledger checks.

Limits are checked in the order minimum, step, share of the bill.
"""

from dataclasses import dataclass
from typing import Literal

from services.rules.domain.basket import Basket
from services.rules.domain.exclusions import redeemable_lines, with_partners
from services.rules.domain.facts import Facts
from services.rules.domain.programme import Currency, ProgrammeVersion, Redeem
from services.rules.domain.situation import Situation

RedemptionFault = Literal["below_minimum", "not_a_multiple", "exceeds_share_of_bill"]


@dataclass(frozen=True, slots=True)
class Redeemable:
    """Money in ten-thousandths: the whole `bill`, and the part of it on which points may be spent.

    `most` is the largest number of points, in the smallest unit, that the limits allow; 0 if not even the least is
    allowed.
    """

    currency: str
    bill: int
    redeemable: int
    most: int


def redeemable(programme: ProgrammeVersion, basket: Basket, facts: Facts) -> Redeemable | None:
    """What the basket's bill allows, whatever the balance; None if the programme lets nobody spend points."""
    terms = programme.redeem
    if terms is None:
        return None
    situation = Situation.of(programme, basket, facts)
    basket = with_partners(basket, situation.partner)
    lines = [basket.lines[index] for index in redeemable_lines(situation, basket)]
    money = max(sum(line.amount + line.points_paid for line in lines), 0)
    currency = programme.currency(terms.currency)
    return Redeemable(terms.currency, basket.total, money, most_points(terms, currency, money))


def most_points(terms: Redeem, currency: Currency, money: int) -> int:
    """The largest number of points for a redeemable amount of money, in whole steps."""
    share = _share(terms, currency, money)
    whole = share - share % terms.step
    return whole if whole >= max(terms.at_least, 1) else 0


def within_balance(terms: Redeem, allowed: Redeemable, available: int) -> int:
    """The largest number of points that the limits and the balance both allow."""
    most = min(allowed.most, available)
    whole = most - most % terms.step
    return whole if whole >= max(terms.at_least, 1) else 0


def redemption_fault(terms: Redeem, currency: Currency, points: int, money: int) -> RedemptionFault | None:
    """Why so many points may not be spent on a redeemable amount of money; None if they may."""
    if points < terms.at_least:
        return "below_minimum"
    if points % terms.step:
        return "not_a_multiple"
    return "exceeds_share_of_bill" if points > _share(terms, currency, money) else None


def _share(terms: Redeem, currency: Currency, money: int) -> int:
    """The share of the bill in points, rounded down: money through the worth of one point."""
    smallest_units: int = 10**currency.scale
    numerator = max(money, 0) * terms.share_of_bill.numerator * smallest_units
    return numerator // (terms.share_of_bill.denominator * currency.worth)
