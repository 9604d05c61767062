"""How many points a member may spend on a basket, and why not more: what the programme allows and what the books hold.

The codes are those with which the ledger would refuse more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from services.rules.domain.facts import Facts
from services.rules.domain.known_account import KnownAccount, Lot, available_at
from services.rules.domain.moments import zone_of
from services.rules.domain.programme import ProgrammeVersion, Redeem
from services.rules.domain.purchases import PointsPayment, points_of
from services.rules.domain.redeemable import Redeemable, redemption_fault, within_balance

EXCEEDS_SHARE = "exceeds_share_of_bill"
INSUFFICIENT = "insufficient_points"


@dataclass(frozen=True, slots=True)
class Spendable:
    """Points in the smallest unit. `allowed` has the bill and what the programme allows of it, whatever the balance.

    `most` may be spent; `code` is why not more. `available` is None where nothing is known of the account.
    """

    allowed: Redeemable
    terms: Redeem
    available: int | None
    most: int
    code: str


class Asked(NamedTuple):
    """A payment with points that the basket names: so many `points`; `code` None: it may be made."""

    points: int
    code: str | None


@dataclass(frozen=True, slots=True)
class Purse:
    """What an account holds at an instant, as far as rules has heard; `account` None: nothing yet."""

    account: KnownAccount | None
    lots: Sequence[Lot]
    at: datetime

    def available(self, currency: str) -> int | None:
        """What may be spent of a currency; None where nothing is known."""
        return None if self.account is None else available_at(self.account, self.lots, currency, self.at)


def spendable(version: ProgrammeVersion, allowed: Redeemable | None, facts: Facts, purse: Purse) -> Spendable | None:
    """How many points may be spent; None if the programme lets nobody spend points."""
    terms = version.redeem
    if terms is None or allowed is None:
        return None
    available = purse.available(terms.currency)
    closed = _closed(version, terms, facts, purse)
    if closed is not None:
        return Spendable(allowed, terms, available, 0, closed)
    if available is None:
        return Spendable(allowed, terms, None, 0, INSUFFICIENT)
    most = within_balance(terms, allowed, available)
    return Spendable(allowed, terms, available, most, EXCEEDS_SHARE if most == allowed.most else INSUFFICIENT)


def asked(
    version: ProgrammeVersion, found: Spendable, payments: Sequence[PointsPayment], purse: Purse
) -> tuple[Asked, ...]:
    """Whether the payments with points that a basket names may be made, each by itself."""
    currency = version.currency(found.terms.currency)
    held = purse.account.holds if purse.account else {}
    result = []
    for payment in payments:
        points = points_of(payment, currency)
        hold = held.get(payment.hold_id) if payment.hold_id else None
        if hold is not None and purse.at < hold.expires_at:
            code = "exceeds_hold" if points > hold.points else None
        elif found.code not in (EXCEEDS_SHARE, INSUFFICIENT):
            code = found.code
        else:
            code = redemption_fault(found.terms, currency, points, found.allowed.redeemable)
            if code is None and points > (found.available or 0):
                code = INSUFFICIENT
        result.append(Asked(points, code))
    return tuple(result)


def _closed(version: ProgrammeVersion, terms: Redeem, facts: Facts, purse: Purse) -> str | None:
    """Why nothing at all may be spent, whatever the basket."""
    if facts.suspended:
        return "programme_suspended"
    account = purse.account
    if account is None:
        return None
    if account.status != "open":
        return f"account_{account.status}"
    day = purse.at.astimezone(zone_of(version.zone)).date()
    if terms.per_day is not None and account.redemptions_on(day) >= terms.per_day:
        return "too_many_redemptions"
    return None
