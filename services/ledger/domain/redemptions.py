"""Points spent at once, and what the programme says about spending."""

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from contracts.amounts import MAX_POINTS, points_from_decimal
from contracts.programmes import RedemptionGuards
from services.ledger.domain.account import EMPTY_BALANCE, Account
from services.ledger.domain.commands import Redeem
from services.ledger.domain.decision import stamp
from services.ledger.domain.events import Event, PointsRedeemed
from services.ledger.domain.guards import Guards
from services.ledger.domain.inactivity import moved
from services.ledger.domain.lots import Purse, in_parts
from services.ledger.domain.refusals import (
    Refusal,
    amount_too_large,
    barred,
    below_minimum,
    bill_required,
    confirmation_refused,
    confirmation_required,
    currency_unknown,
    ended,
    exceeds_share_of_bill,
    insufficient_points,
    not_a_multiple,
    not_positive,
    too_many_redemptions,
)

Spending = TypeVar("Spending", bound=Redeem)


def redeem(account: Account, command: Redeem, guards: Guards, now: datetime) -> list[Event] | Refusal:
    """Spend points, soonest-expiring first. An empty list: this redemption stands already.

    Refused as `may_spend` says.
    """
    if command.command_id in account.redemptions:
        return []
    command = confirmed_if_needed(command, guards)
    refusal = may_spend(account, command, guards, now)
    if refusal is not None:
        return refusal
    currency = command.currency
    return list(
        in_parts(
            PointsRedeemed,
            Purse(account, currency).take(command.points, "redeemed"),
            redemption_id=command.made_id,
            currency=currency,
            day=guards.day(now),
            reference=command.reference,
            partner=command.partner,
            activity=moved(account.balances[currency], currency, now, now),
            **stamp(command, now),
        )
    )


def may_spend(account: Account, command: Redeem, guards: Guards, now: datetime) -> Refusal | None:
    """Why these points may not be spent or set aside now; None if they may.

    Asked in the order in which a person would: the account, the programme, the amount and its limits, the balance.
    """
    balance = account.balances.get(command.currency, EMPTY_BALANCE)
    refusal = (
        ended(account)
        or barred(account, suspended=guards.suspended)
        or acceptable_amount(account, command.currency, command.points, guards)
        or _confirmed(account, command, guards, balance.scale)
        or _within_limits(command, guards, balance.scale)
        or _within_day(account, command.currency, guards, now)
    )
    if refusal is not None:
        return refusal
    return insufficient_points(balance, command.points) if command.points > balance.available else None


def acceptable_amount(account: Account, currency: str, points: int, guards: Guards) -> Refusal | None:
    """Why this is no amount that one may spend or send; None if it is."""
    if points <= 0:
        return not_positive()
    if points > MAX_POINTS:
        return amount_too_large()
    if currency not in account.balances and currency not in guards.currencies:
        return currency_unknown(currency)
    return None


def _limits(currency: str, guards: Guards) -> RedemptionGuards | None:
    """The programme's limits in this currency."""
    limits = guards.redemption
    return limits if limits is not None and limits.currency == currency else None


def confirmed_if_needed(command: Spending, guards: Guards) -> Spending:
    """The command without a confirmation that the programme does not ask for, which so may be used another time."""
    if command.confirmation is None or _confirm_above(command, guards) is not None:
        return command
    return replace(command, confirmation=None)


def _confirm_above(command: Redeem, guards: Guards) -> int | None:
    """Above how many points the programme wants these confirmed; None: it does not."""
    limits = _limits(command.currency, guards)
    above = None if limits is None else limits.confirm_above
    return above if above is not None and command.points > above else None


def _confirmed(account: Account, command: Redeem, guards: Guards, scale: int) -> Refusal | None:
    """Why the member's confirmation does not allow this; None if it does, or none is needed."""
    above = _confirm_above(command, guards)
    if above is None:
        return None
    confirmation = command.confirmation
    if confirmation is None:
        return confirmation_required(above, scale)
    if confirmation.problem is not None:
        return confirmation_refused(confirmation.problem)
    if points_from_decimal(confirmation.points, scale) != command.points:
        return confirmation_refused("confirmation_differs")
    used = command.made_id in account.redemptions or command.made_id in account.holds
    return confirmation_refused("confirmation_used") if used else None


def _within_limits(command: Redeem, guards: Guards, scale: int) -> Refusal | None:
    limits = _limits(command.currency, guards)
    if limits is None:
        return None
    points = command.points
    if limits.at_least is not None and points < limits.at_least:
        return below_minimum(limits.at_least, scale)
    if limits.step is not None and points % limits.step:
        return not_a_multiple(limits.step, scale)
    return _within_share(command, limits, guards)


def _within_share(command: Redeem, limits: RedemptionGuards, guards: Guards) -> Refusal | None:
    """Points are worth at most a share of what may be paid with points: of the bill, unless the quote said less."""
    terms = guards.currencies.get(command.currency)
    if limits.share_of_bill is None or terms is None:
        return None
    part, whole = limits.share_of_bill
    base = command.bill if command.redeemable is None else command.redeemable
    if base is None:
        # Where points may pay all of a bill, what is spent without one is no share of anything.
        return None if part >= whole else bill_required()
    if command.bill is not None:
        base = min(base, command.bill)
    unit = 10**terms.scale
    if command.points * terms.worth * whole <= base * part * unit:
        return None
    most = max(base, 0) * part * unit // (whole * terms.worth) if terms.worth else 0
    return exceeds_share_of_bill(base, limits.share_of_bill, most, terms.scale)


def _within_day(account: Account, currency: str, guards: Guards, now: datetime) -> Refusal | None:
    limits = _limits(currency, guards)
    if limits is None or limits.per_day is None or account.redemption_day != guards.day(now):
        return None
    return too_many_redemptions(limits.per_day) if account.redemptions_on_day >= limits.per_day else None
