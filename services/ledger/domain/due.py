"""What time alone does to an account: activation, expiry, time-outs of holds, lapse by inactivity.

Transitions come in the order of their instants, under ids derived from what is due and when, so that whoever finds them
first, and however late, writes the same. At one instant holds time out first, then points activate, then debts are
settled, then points expire.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import Any, Final
from uuid import UUID

from contracts.ids import transition_of
from contracts.ledger_events import Bucket
from services.ledger.domain.account import NEVER, Account, Hold, Lot
from services.ledger.domain.events import (
    Activity,
    DebtSettled,
    Event,
    ExpiryAnnounced,
    HoldTimedOut,
    Movement,
    PointsActivated,
    PointsExpired,
)
from services.ledger.domain.holds import let_go
from services.ledger.domain.lots import in_parts, soonest, terms
from services.ledger.domain.transfers import Route, dispatch
from services.ledger.domain.working import next_instant

_TIME_OUT: Final = 0
_ACTIVATE: Final = 1
_EXPIRE: Final = 2
_LAPSE: Final = 3
_ANNOUNCE: Final = 4
_TOGETHER: Final = frozenset({_ACTIVATE, _EXPIRE})
"""What shares an event with its like of the same instant."""

_OWNED: Final = frozenset({"pending", "available", "held"})
"""Where points are that a member still has, and that would lapse."""

_OPEN: Final[tuple[Bucket, Bucket]] = ("pending", "available")

_Entry = tuple[datetime, int, Any, Any]
"""When, what, what comes first among its like, and the hold, lot or currency meant."""


def due(account: Account, now: datetime) -> list[Event]:
    """The transitions whose instant has come."""
    queue = _queue(account, now)
    return _Course(account, queue, now).run() if queue else []


def next_due(account: Account) -> datetime | None:
    """The earliest instant at which something loaded becomes due; None: nothing does."""
    instant = next_instant(account.balances, account.lots, account.holds)
    return None if instant == NEVER else instant


def _queue(account: Account, now: datetime) -> list[_Entry]:
    queue: list[_Entry] = []
    for lot in account.lots.values():
        if lot.pending and lot.activates_at is not None and lot.activates_at <= now:
            queue.append((lot.activates_at, _ACTIVATE, lot.sequence, lot))
        if lot.expires_at is not None and lot.expires_at <= now and (lot.pending or lot.available):
            queue.append((lot.expires_at, _EXPIRE, lot.sequence, lot))
    queue += [
        (hold.expires_at, _TIME_OUT, hold.hold_id, hold)
        for hold in account.holds.values()
        if hold.state == "open" and hold.expires_at <= now
    ]
    for currency, balance in account.balances.items():
        if balance.lapses_at is not None and balance.lapses_at <= now:
            queue.append((balance.lapses_at, _LAPSE, currency, currency))
        if balance.notice_at is not None and balance.notice_at <= now:
            queue.append((balance.notice_at, _ANNOUNCE, currency, currency))
    heapify(queue)
    return queue


class _Course:
    """One run through time: it follows what the transitions before left in the lots."""

    def __init__(self, account: Account, queue: list[_Entry], now: datetime) -> None:
        self._account = account
        self._queue = queue
        self._now = now
        self._events: list[Event] = []
        self._pending: dict[UUID, int] = {}
        self._available: dict[UUID, int] = {}
        self._held: dict[UUID, int] = {}
        self._retimed: dict[UUID, datetime] = {}
        self._debt = {currency: balance.debt for currency, balance in account.balances.items() if balance.debt}

    def run(self) -> list[Event]:
        """Take one instant and kind after the other."""
        queue = self._queue
        while queue:
            at, kind, _, subject = heappop(queue)
            subjects = [subject]
            while queue and queue[0][0] == at and queue[0][1] == kind and kind in _TOGETHER:
                subjects.append(heappop(queue)[3])
            if kind == _ACTIVATE:
                self._activate(at, subjects)
            elif kind == _EXPIRE:
                self._expire(at, subjects)
            elif kind == _TIME_OUT:
                self._time_out(at, subject)
            elif kind == _LAPSE:
                self._lapse(at, subject)
            else:
                self._announce(at, subject)
        return self._events

    def _left(self, lot: Lot) -> tuple[int, int]:
        """What is pending and available in a lot by now."""
        return self._pending.get(lot.lot_id, lot.pending), self._available.get(lot.lot_id, lot.available)

    def _activate(self, at: datetime, lots: list[Lot]) -> None:
        moving = [(lot, self._left(lot)) for lot in lots]
        moving = [(lot, left) for lot, left in moving if left[0]]
        if not moving:
            return
        movements = []
        for lot, (pending, available) in moving:
            self._pending[lot.lot_id], self._available[lot.lot_id] = 0, available + pending
            movements.append(Movement(lot.currency, lot.lot_id, "pending", "available", pending))
        stamp = _stamp("activate", moving[0][0].lot_id, at, [lot for lot, _ in moving])
        self._events += in_parts(PointsActivated, movements, **stamp)
        if self._debt:
            self._settle([lot for lot, _ in moving], stamp)

    def _settle(self, lots: Iterable[Lot], stamp: dict[str, Any]) -> None:
        """What has just become available pays what is owed, from the moment it was owed."""
        movements = []
        effective_at = stamp["effective_at"]
        for lot in sorted(lots, key=soonest):
            paid = min(self._debt.get(lot.currency, 0), self._left(lot)[1])
            if paid:
                self._debt[lot.currency] -= paid
                self._available[lot.lot_id] = self._left(lot)[1] - paid
                movements.append(Movement(lot.currency, lot.lot_id, "available", "debt", paid))
                effective_at = max(effective_at, self._account.balances[lot.currency].debt_since or effective_at)
        if movements:
            known_at = max(stamp["known_at"], effective_at)
            self._events += in_parts(
                DebtSettled, movements, **{**stamp, "effective_at": effective_at, "known_at": known_at}
            )

    def _expire(self, at: datetime, lots: list[Lot]) -> None:
        expiring = [lot for lot in lots if any(self._left(lot))]
        movements = self._lapsing(expiring)
        if movements:
            self._events += in_parts(PointsExpired, movements, **_stamp("expire", expiring[0].lot_id, at, expiring))

    def _lapsing(self, lots: Iterable[Lot]) -> list[Movement]:
        """All that is pending or available in these lots expires."""
        movements = []
        for lot in lots:
            for bucket, points in zip(_OPEN, self._left(lot), strict=True):
                if points:
                    movements.append(Movement(lot.currency, lot.lot_id, bucket, "expired", points))
            self._pending[lot.lot_id] = self._available[lot.lot_id] = 0
        return movements

    def _time_out(self, at: datetime, hold: Hold) -> None:
        movements = let_go(hold)
        stamp = _stamp("time-out", hold.hold_id, at, ())
        self._events += in_parts(HoldTimedOut, movements, hold_id=hold.hold_id, **stamp)
        live = []
        for movement in movements:
            lot = self._account.lots.get(movement.lot_id) if movement.lot_id else None
            if lot is None:
                continue
            self._available[lot.lot_id] = self._left(lot)[1] + movement.points
            self._held[lot.lot_id] = self._held.get(lot.lot_id, lot.held) - movement.points
            expires_at = self._retimed.get(lot.lot_id, lot.expires_at)
            if expires_at is not None and expires_at <= self._now:
                # It was sheltered until now; past its date it expires with the hold, else at its own date.
                heappush(self._queue, (max(at, expires_at), _EXPIRE, lot.sequence, lot))
            if expires_at is None or expires_at > at:
                live.append(lot)
        self._settle(live, stamp)
        self._send_on(live, stamp)

    def _send_on(self, lots: list[Lot], stamp: dict[str, Any]) -> None:
        """What becomes available on a merged account goes where the rest went."""
        into = self._account.merged_into
        leaving = [
            (lot, Movement(lot.currency, lot.lot_id, "available", "in_transit", self._left(lot)[1]))
            for lot in sorted(lots, key=soonest)
            if into is not None and self._left(lot)[1]
        ]
        if into is not None and leaving:
            currency = leaving[0][0].currency
            for lot, _ in leaving:
                self._available[lot.lot_id] = 0
            route = Route(into, currency, self._account.balances[currency], merge=True)
            self._events += dispatch(route, leaving, stamp)

    def _lapse(self, at: datetime, currency: str) -> None:
        """Nobody earned or spent for long: everything expires, and what is on hold does when it is released."""
        lots = sorted(
            (lot for lot in self._account.lots.values() if lot.currency == currency), key=lambda lot: lot.sequence
        )
        # A hold that timed out on the way shelters nothing any more, whoever finds out about both at once.
        sheltered = [
            lot
            for lot in lots
            if self._held.get(lot.lot_id, lot.held) and (lot.expires_at is None or lot.expires_at > at)
        ]
        for lot in sheltered:
            self._retimed[lot.lot_id] = at
        expiring = [lot for lot in lots if any(self._left(lot))]
        first, *others = in_parts(
            PointsExpired,
            self._lapsing(expiring),
            reason="inactive",
            **_stamp(f"lapse-{currency}", self._account.account_id, at, expiring),
        )
        over = Activity(currency, self._account.balances[currency].inactivity, None, None, None)
        first = replace(first, activity=(over,), lots=tuple(terms(lot, at) for lot in sheltered))
        self._events += [first, *others]

    def _announce(self, at: datetime, currency: str) -> None:
        """Tell the member, once, what will lapse."""
        balance = self._account.balances[currency]
        gone = sum(
            movement.points
            for event in self._events
            for movement in event.movements
            if movement.currency == currency and movement.source in _OWNED and movement.target not in _OWNED
        )
        announced = ExpiryAnnounced(
            currency=currency,
            points=balance.pending + balance.available + balance.held - gone,
            lapses_at=balance.lapses_at or at,
            activity=(Activity(currency, balance.inactivity, balance.active_at, balance.lapses_at, None),),
            **_stamp(f"announce-{currency}", self._account.account_id, at, ()),
        )
        self._events.append(announced)


def _stamp(kind: str, subject: UUID, at: datetime, lots: Iterable[Lot]) -> dict[str, Any]:
    """What the events of one transition share; it is known from when its lots were booked, if that was later."""
    return {
        "command_id": transition_of(kind, subject, at),
        "occurred_at": at,
        "effective_at": at,
        "known_at": max((at, *(lot.booked_at for lot in lots))),
    }
