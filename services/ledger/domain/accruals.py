"""Points earned: lots open, pending or available at once."""

from datetime import datetime

from contracts.amounts import MAX_POINTS
from contracts.awards import Accrual, Grant, Inactivity
from contracts.ids import lot_of
from contracts.ledger_events import Bucket
from services.ledger.domain.account import EMPTY_BALANCE, Account, Balance, Lot
from services.ledger.domain.events import Activity, Event, Movement, PointsAccrued
from services.ledger.domain.inactivity import moved
from services.ledger.domain.refusals import Refusal, amount_too_large, ended, scale_differs


def accrue(account: Account, command: Accrual, now: datetime) -> list[Event] | Refusal:
    """Open a lot for each grant, as of the time of its cause.

    A grant of zero opens no lot. A debt is settled afterwards, from what is available. An empty list: these lots are
    open already. Refused: `account_closed`, `member_erased`, `scale_differs`, `amount_too_large`.
    """
    refusal = ended(account) or _unacceptable(account, command)
    if refusal is not None:
        return refusal
    effective_at = min(command.occurred_at, now)
    lots: list[Lot] = []
    movements: list[Movement] = []
    for index, grant in enumerate(command.grants):
        if not grant.points:
            continue
        lot_id = lot_of(command.command_id, index)
        if lot_id in account.lots:
            return []
        lot = Lot(
            lot_id, grant.currency, account.lots_opened + len(lots) + 1, command.command_id, command.occurred_at, now,
            grant.activates_at, grant.expires_at, grant.points, campaign=grant.campaign, partner=grant.partner,
        )  # fmt: skip
        lots.append(lot)
        opens: Bucket = "pending" if grant.activates_at and grant.activates_at > effective_at else "available"
        movements.append(Movement(grant.currency, lot_id, "issued", opens, grant.points))
    accrued = PointsAccrued(
        movements=tuple(movements),
        lots=tuple(lots),
        activity=_activity(account, command.grants, effective_at, now),
        scales=tuple([(each.currency, each.scale) for each in command.grants if each.currency not in account.balances]),
        rules=tuple([grant.rules for grant in command.grants if grant.points]),
        command_id=command.command_id,
        occurred_at=command.occurred_at,
        effective_at=effective_at,
        known_at=now,
        source=command.source,
        decision_id=command.decision_id,
        standing=command.standing,
    )
    return [accrued]


def too_large(balance: Balance, more: int) -> bool:
    """Whether the books could no longer carry `more` points of a currency."""
    return balance.issued + max(balance.adjusted, 0) + balance.transferred_in + balance.debt + more > MAX_POINTS


def _unacceptable(account: Account, command: Accrual) -> Refusal | None:
    """Why these grants cannot be booked, whatever the account."""
    more: dict[str, int] = {}
    scales: dict[str, int] = {}
    for grant in command.grants:
        balance = account.balances.get(grant.currency)
        scale = scales.setdefault(grant.currency, balance.scale if balance else grant.scale)
        if scale != grant.scale:
            return scale_differs(grant.currency, scale, grant.scale)
        more[grant.currency] = more.get(grant.currency, 0) + grant.points
    for currency, points in more.items():
        if too_large(account.balances.get(currency, EMPTY_BALANCE), points):
            return amount_too_large()
    return None


def _activity(account: Account, grants: tuple[Grant, ...], at: datetime, now: datetime) -> tuple[Activity, ...]:
    """What inactivity reckons with in each currency that the grants touch; the last terms named hold."""
    terms: dict[str, Inactivity | None] = {}
    for grant in grants:
        if grant.points:
            terms[grant.currency] = grant.inactivity or terms.get(grant.currency)
    return tuple(
        [
            activity
            for currency, inactivity in terms.items()
            for activity in moved(account.balances.get(currency, EMPTY_BALANCE), currency, at, now, inactivity)
        ]
    )
