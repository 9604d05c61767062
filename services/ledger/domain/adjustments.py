"""What an operator puts in or takes away, with a name and a reason."""

from datetime import datetime

from contracts.amounts import MAX_POINTS
from contracts.ids import lot_of
from services.ledger.domain.account import EMPTY_BALANCE, Account, Lot
from services.ledger.domain.accruals import too_large
from services.ledger.domain.commands import Adjust
from services.ledger.domain.decision import stamp
from services.ledger.domain.events import Event, Movement, PointsAdjusted
from services.ledger.domain.guards import Guards
from services.ledger.domain.lots import Purse, in_parts, total
from services.ledger.domain.refusals import (
    Refusal,
    amount_too_large,
    currency_unknown,
    ended,
    expires_before_now,
    insufficient_points,
    not_positive,
    unexplained,
)


def adjust(account: Account, command: Adjust, guards: Guards, now: datetime) -> list[Event] | Refusal:
    """Open a lot, or take available points soonest-expiring first, beyond them into debt where that is allowed.

    Refused: `account_closed`, `member_erased`, `reason_required`, `operator_required`, `not_positive` (zero),
    `unknown_currency`, `amount_too_large`, `expires_in_the_past`, `insufficient_points`.
    """
    refusal = ended(account) or _incomplete(account, command, guards)
    if refusal is not None:
        return refusal
    return _put_in(account, command, guards, now) if command.points > 0 else _take_away(account, command, guards, now)


def _incomplete(account: Account, command: Adjust, guards: Guards) -> Refusal | None:
    refusal = unexplained(command.reason, command.operator)
    if refusal is not None:
        return refusal
    if not command.points:
        return not_positive()
    if abs(command.points) > MAX_POINTS:
        return amount_too_large()
    if command.currency not in account.balances and command.currency not in guards.currencies:
        return currency_unknown(command.currency)
    return None


def _put_in(account: Account, command: Adjust, guards: Guards, now: datetime) -> list[Event] | Refusal:
    currency, points = command.currency, command.points
    if command.expires_at is not None and command.expires_at <= now:
        return expires_before_now(command.expires_at)
    if too_large(account.balances.get(currency, EMPTY_BALANCE), points):
        return amount_too_large()
    lot = Lot(
        lot_of(command.command_id, 0), currency, account.lots_opened + 1, command.command_id, now, now, None,
        command.expires_at, points,
    )  # fmt: skip
    if lot.lot_id in account.lots:
        return []
    movements = [Movement(currency, lot.lot_id, "adjusted", "available", points)]
    return _adjusted(command, now, _scales(account, command, guards), movements, lots=(lot,))


def _take_away(account: Account, command: Adjust, guards: Guards, now: datetime) -> list[Event] | Refusal:
    currency, points = command.currency, -command.points
    balance = account.balances.get(currency, EMPTY_BALANCE)
    movements = Purse(account, currency).take(points, "adjusted")
    owed = points - total(movements)
    if owed:
        if not (command.allow_debt or guards.debt_allowed):
            return insufficient_points(balance, points)
        if too_large(balance, owed):
            return amount_too_large()
        movements.append(Movement(currency, None, "debt", "adjusted", owed))
    return _adjusted(command, now, _scales(account, command, guards), movements)


def _scales(account: Account, command: Adjust, guards: Guards) -> tuple[tuple[str, int], ...]:
    """The decimals of a currency that the account has not seen yet."""
    currency = command.currency
    return () if currency in account.balances else ((currency, guards.currencies[currency].scale),)


def _adjusted(
    command: Adjust,
    now: datetime,
    scales: tuple[tuple[str, int], ...],
    movements: list[Movement],
    lots: tuple[Lot, ...] = (),
) -> list[Event]:
    return list(
        in_parts(
            PointsAdjusted,
            movements,
            currency=command.currency,
            points=command.points,
            reason=command.reason,
            operator=command.operator,
            lots=lots,
            scales=scales,
            **stamp(command, now),
        )
    )
