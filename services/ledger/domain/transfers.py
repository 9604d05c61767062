"""Points from one account to another: in transit until the receiver has answered, so on both sides or on neither.

The lots that leave keep their dates on the other side. A merge sends everything this way (see `merges`).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.ids import derive, lot_of
from contracts.ledger_events import Bucket
from services.ledger.domain.account import EMPTY_BALANCE, Account, Balance, Lot, Transit
from services.ledger.domain.account_events import TransferCompleted, TransferReceived, TransferReturned, TransferSent
from services.ledger.domain.accruals import too_large
from services.ledger.domain.commands import CompleteTransfer, ReceivePoints, ReturnTransfer, SendPoints
from services.ledger.domain.decision import stamp
from services.ledger.domain.events import MAX_SHARES, Activity, Carried, Event, Movement, PointsExpired
from services.ledger.domain.guards import Guards
from services.ledger.domain.inactivity import moved
from services.ledger.domain.lots import Purse, expiry_of_freed, in_parts, past
from services.ledger.domain.redemptions import acceptable_amount
from services.ledger.domain.refusals import (
    Refusal,
    account_unknown,
    amount_too_large,
    barred,
    ended,
    exceeds_monthly_transfers,
    insufficient_points,
    same_account,
    scale_differs,
)
from services.ledger.domain.value import value


def send(account: Account, command: SendPoints, guards: Guards, now: datetime) -> list[Event] | Refusal:
    """Put available points in transit, soonest-expiring first.

    Refused: `account_closed`, `member_erased`, `account_frozen`, `programme_suspended`, `same_account`, the amount's
    refusals, `exceeds_monthly_transfers` (what came back does not count), `insufficient_points`.
    """
    currency, points = command.currency, command.points
    refusal = (
        ended(account)
        or barred(account, suspended=guards.suspended)
        or (same_account() if command.to_account_id == account.account_id else None)
        or acceptable_amount(account, currency, points, guards)
    )
    if refusal is not None:
        return refusal
    balance = account.balances.get(currency, EMPTY_BALANCE)
    month = guards.month(now)
    sent = balance.sent if balance.sent_month == month else 0
    if guards.transfer_month is not None and sent + points > guards.transfer_month:
        return exceeds_monthly_transfers(guards.transfer_month, sent, balance.scale)
    if points > balance.available:
        return insufficient_points(balance, points)
    leaving = [
        (account.lots[lot_id], movement)
        for movement in Purse(account, currency).take(points, "in_transit")
        if (lot_id := movement.lot_id) is not None
    ]
    return list(dispatch(Route(command.to_account_id, currency, balance, month), leaving, stamp(command, now)))


@value(frozen=True, slots=True)
class Route:
    """Where points of one currency go, under the sender's balance; `month` counts them, `merge` takes all for ever."""

    to_account_id: UUID
    currency: str
    balance: Balance
    month: str = ""
    merge: bool = False


def dispatch(
    route: Route, leaving: Sequence[tuple[Lot, Movement]], shared: dict[str, Any], first: int = 0
) -> list[TransferSent]:
    """Events that put points of these lots in transit, as many as `MAX_SHARES` asks for, numbered from `first`."""
    starts = range(0, len(leaving), MAX_SHARES)
    return [_sent(route, leaving[start : start + MAX_SHARES], part, shared) for part, start in enumerate(starts, first)]


def send_debt(route: Route, part: int, shared: dict[str, Any]) -> TransferSent:
    """What is owed goes along in a merge: the survivor owes it from now on."""
    movement = Movement(route.currency, None, "transferred_in", "debt", route.balance.debt)
    return replace(_sent(route, (), part, shared), movements=(movement,), owed=route.balance.debt)


def _sent(route: Route, leaving: Sequence[tuple[Lot, Movement]], part: int, shared: dict[str, Any]) -> TransferSent:
    balance = route.balance
    active = Activity(route.currency, balance.inactivity, balance.active_at, balance.lapses_at, balance.notice_at)
    return TransferSent(
        movements=tuple(movement for _, movement in leaving),
        carried=tuple(_carried(lot, movement.points) for lot, movement in leaving),
        transfer_id=shared["command_id"],
        transit_id=derive("transit", shared["command_id"], str(part)),
        to_account_id=route.to_account_id,
        currency=route.currency,
        scale=balance.scale,
        merge=route.merge,
        month=route.month,
        last_active=active if balance.inactivity else None,
        part=part,
        **shared,
    )


def receive(account: Account, command: ReceivePoints, now: datetime) -> list[Event] | Refusal:
    """Open lots for points that arrive; what lapsed on the way expires at once. An empty list: they are here already.

    Debt that comes along opens no lot: only the record of decided commands tells a second delivery of it.

    Refused: `account_unknown`, `account_closed`, `member_erased`, `scale_differs`, `amount_too_large`; a merge that was
    agreed is not refused any more.
    """
    currency = command.currency
    balance = account.balances.get(currency, EMPTY_BALANCE)
    refusal = None if command.merge else _unacceptable(account, command, balance)
    if refusal is not None:
        return refusal
    lots = tuple(_arriving(account, command, index, now) for index in range(len(command.carried)))
    if lots and lots[0].lot_id in account.lots:
        return []
    movements = [
        Movement(
            currency, lot.lot_id, "transferred_in", "pending" if _is_pending(lot, now) else "available", lot.points
        )
        for lot in lots
    ]
    if command.owed:
        movements.append(Movement(currency, None, "debt", "transferred_out", command.owed))
    shared = stamp(command, now)
    received = TransferReceived(
        movements=tuple(movements),
        lots=lots,
        activity=_activity(balance, command, now),
        scales=((currency, command.scale),),
        transit_id=command.transit_id,
        from_account_id=command.from_account_id,
        currency=currency,
        merge=command.merge,
        **shared,
    )
    dead = [
        Movement(currency, lot.lot_id, "available", "expired", lot.points)
        for lot in lots
        if past(lot, now) and not _is_pending(lot, now)
    ]
    return [received, *(in_parts(PointsExpired, dead, **shared) if dead else [])]


def complete(account: Account, command: CompleteTransfer, now: datetime) -> list[Event]:
    """The points arrived on the other side. An empty list: nothing of this is in transit."""
    transit = account.transits.get(command.transit_id)
    if transit is None:
        return []
    movements = _from_transit(transit, "transferred_out")
    return [TransferCompleted(movements=movements, transit_id=transit.transit_id, **stamp(command, now))]


def take_home(account: Account, command: ReturnTransfer, now: datetime) -> list[Event]:
    """The other side refused: the points are back in their lots. An empty list: nothing of this is in transit."""
    transit = account.transits.get(command.transit_id)
    if transit is None:
        return []
    movements = _from_transit(transit, "available")
    shared = stamp(command, now)
    returned = TransferReturned(movements=movements, transit_id=transit.transit_id, reason=command.reason, **shared)
    return [returned, *expiry_of_freed(account, movements, now, **shared)]


def _carried(lot: Lot, points: int) -> Carried:
    return Carried(
        lot.lot_id, lot.accrual_id, points, lot.earned_at, lot.activates_at, lot.expires_at, lot.campaign, lot.partner
    )


def _arriving(account: Account, command: ReceivePoints, index: int, now: datetime) -> Lot:
    """The lot that carried points open; only a merge keeps the accrual they came from."""
    carried = command.carried[index]
    return Lot(
        lot_of(command.command_id, index), command.currency, account.lots_opened + index + 1,
        carried.accrual_id if command.merge else command.command_id, carried.earned_at, now, carried.activates_at,
        carried.expires_at, carried.points, campaign=carried.campaign, partner=carried.partner,
    )  # fmt: skip


def _is_pending(lot: Lot, now: datetime) -> bool:
    return lot.activates_at is not None and lot.activates_at > now


def _unacceptable(account: Account, command: ReceivePoints, balance: Balance) -> Refusal | None:
    if account.status == "unopened":
        return account_unknown(account.account_id)
    if balance is not EMPTY_BALANCE and balance.scale != command.scale:
        return scale_differs(command.currency, balance.scale, command.scale)
    if too_large(balance, sum(carried.points for carried in command.carried)):
        return amount_too_large()
    return ended(account)


def _activity(balance: Balance, command: ReceivePoints, now: datetime) -> tuple[Activity, ...]:
    """Points that lapse by inactivity go on to do so; a merged member was active when either account was."""
    active = command.last_active
    if active is None or active.active_at is None or (balance.inactivity is not None and not command.merge):
        return ()
    return moved(balance, command.currency, active.active_at, now, balance.inactivity or active.inactivity)


def _from_transit(transit: Transit, target: Bucket) -> tuple[Movement, ...]:
    return tuple(Movement(transit.currency, lot_id, "in_transit", target, points) for lot_id, points in transit.shares)
