"""A working copy of an account, owned by one caller: what `evolve` builds a later version in.

It copies nothing that does not change, builds each changed lot once, and leaves the account it started from as it was.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.ledger.domain.account import EMPTY_BALANCE, NEVER, Account, Balance, Lot
from services.ledger.domain.events import Activity, Event, Movement

_GROWS_WHEN_LEFT: Final = frozenset({"issued", "adjusted", "transferred_in", "debt"})
_BUCKETS: Final = (
    "issued", "adjusted", "transferred_in", "transferred_out", "pending", "available", "held", "in_transit",
    "redeemed", "expired", "reversed", "debt",
)  # fmt: skip
_DEBT: Final = 12
_DEBT_SINCE: Final = 13
_INACTIVITY: Final = slice(14, 18)
_SENT_MONTH: Final = 18
_SENT: Final = 19

_LEAVE: Final = {name: (place, 1 if name in _GROWS_WHEN_LEFT else -1) for place, name in enumerate(_BUCKETS, start=1)}
"""Where a bucket stands in a balance's working values, and what leaving it with one point does to it."""

_LOT_BUCKETS: Final = ("pending", "available", "held", "in_transit", "redeemed", "expired", "reversed")
_LOT_PLACE: Final = {name: place for place, name in enumerate(_LOT_BUCKETS)}
_WITHDRAWN: Final = 7
_TAKEN_BACK: Final = 8
_WRITTEN_OFF: Final = 9


class Working:
    """An account on its way from one version to a later one."""

    __slots__ = (
        "_account", "_balances", "_lots", "_terms", "decided_commands", "due_from", "erased", "holds", "lots_opened",
        "member_id", "merged_into", "merging_from", "programme", "redemption_day", "redemptions", "redemptions_on_day",
        "standing", "status", "tenant", "tier", "transits", "version",
    )  # fmt: skip

    def __init__(self, account: Account) -> None:
        self._account = account
        self._balances: dict[str, list[Any]] = {}
        self._lots: dict[UUID, list[int]] = {}
        self._terms: dict[UUID, Lot] = {}
        self.tenant, self.programme, self.member_id = account.tenant, account.programme, account.member_id
        self.status, self.erased = account.status, account.erased
        self.version, self.lots_opened = account.version, account.lots_opened
        self.holds, self.redemptions, self.transits = account.holds, account.redemptions, account.transits
        self.tier, self.standing = account.tier, account.standing
        self.merged_into, self.merging_from = account.merged_into, account.merging_from
        self.redemption_day, self.redemptions_on_day = account.redemption_day, account.redemptions_on_day
        self.due_from = account.due_from

    def open(self, lots: Iterable[Lot]) -> None:
        """Take in the terms of lots opened or changed."""
        for lot in lots:
            self._terms[lot.lot_id] = lot
            self.lots_opened = max(self.lots_opened, lot.sequence)

    def move(self, movements: Iterable[Movement], at: datetime) -> None:
        """Apply movements that count from `at`."""
        for currency, lot_id, source, target, points in movements:
            values = self._balances.get(currency) or self.balance(currency)
            place, sign = _LEAVE[source]
            values[place] += sign * points
            if place == _DEBT and (values[_DEBT_SINCE] is None or values[_DEBT_SINCE] < at):
                values[_DEBT_SINCE] = at
            place, sign = _LEAVE[target]
            values[place] -= sign * points
            if lot_id is not None:
                self._move_in_lot(lot_id, source, target, points)

    def _move_in_lot(self, lot_id: UUID, source: str, target: str, points: int) -> None:
        buckets = self._lots.get(lot_id) or self.lot(lot_id)
        if buckets is None:
            return
        if source in _LOT_PLACE:
            buckets[_LOT_PLACE[source]] -= points
        buckets[_LOT_PLACE.get(target, _WITHDRAWN)] += points

    def balance(self, currency: str, scale: int | None = None) -> list[Any]:
        """The working values of a balance, in the order of Balance's fields."""
        values = self._balances.get(currency)
        if values is None:
            values = _values(self._account.balances.get(currency, EMPTY_BALANCE))
            self._balances[currency] = values
        if scale is not None:
            values[0] = scale
        return values

    def lot(self, lot_id: UUID) -> list[int] | None:
        """The working buckets of a lot, in the order of Lot's fields; None where it is not loaded."""
        buckets = self._lots.get(lot_id)
        if buckets is None:
            lot = self._account.lots.get(lot_id)
            if lot is not None:
                buckets = [
                    lot.pending, lot.available, lot.held, lot.in_transit, lot.redeemed, lot.expired, lot.reversed,
                    lot.withdrawn, lot.taken_back, lot.written_off,
                ]  # fmt: skip
            elif lot_id in self._terms:
                buckets = [0] * 10
            else:
                return None
            self._lots[lot_id] = buckets
        return buckets

    def count_taken_back(self, lot_id: UUID, points: int, written_off: int) -> None:
        """A reversal counted points of this lot."""
        buckets = self.lot(lot_id)
        if buckets is not None:
            buckets[_TAKEN_BACK] += points
            buckets[_WRITTEN_OFF] += written_off

    def count_sent(self, currency: str, month: str, points: int) -> None:
        """Points were transferred out in a month, or (below zero) came back."""
        values = self.balance(currency)
        if values[_SENT_MONTH] == month:
            values[_SENT] += points
        elif points > 0:
            values[_SENT_MONTH], values[_SENT] = month, points

    def reckon(self, activity: Activity) -> None:
        """From when and until when inactivity is reckoned in a currency."""
        self.balance(activity.currency)[_INACTIVITY] = activity[1:]

    def currencies(self) -> list[str]:
        """The currencies of the account."""
        return sorted({*self._account.balances, *self._balances})

    def balances_after(self, event: Event) -> tuple[tuple[str, Balance], ...]:
        """The balances that an event just applied moved points in."""
        movements = event.movements
        if not movements:
            return ()
        if len(movements) == 1:
            currency = movements[0].currency
            return ((currency, Balance(*self._balances[currency])),)
        currencies = sorted({movement.currency for movement in movements})
        return tuple((currency, Balance(*self._balances[currency])) for currency in currencies)

    def changed_lots(self) -> Iterable[UUID]:
        """The lots that events touched."""
        return self._lots

    def account(self) -> Account:
        """The account as it stands now."""
        before = self._account
        due_from = self.due_from
        lots = before.lots
        if self._lots or self._terms:
            for lot_id in self._terms:
                self.lot(lot_id)
            lots = dict(lots)
            for lot_id, buckets in self._lots.items():
                terms = self._terms.get(lot_id) or lots[lot_id]
                lot = _lot(terms, buckets)
                lots[lot_id] = lot
                due_from = min(due_from, due_instant(lot))
        balances = before.balances
        if self._balances:
            balances = dict(balances)
            for currency, values in self._balances.items():
                balance = balances[currency] = Balance(*values)
                due_from = min(due_from, balance.lapses_at or NEVER, balance.notice_at or NEVER)
        for hold in self.holds.values() if self.holds is not before.holds else ():
            if hold.state == "open":
                due_from = min(due_from, hold.expires_at)
        return Account(
            before.account_id, self.tenant, self.programme, self.member_id, self.status, self.erased, self.version,
            self.lots_opened, balances, lots, self.holds, self.redemptions, self.transits, self.tier, self.standing,
            self.merged_into, self.merging_from, self.redemption_day, self.redemptions_on_day,
            before.decided_commands, due_from,
        )  # fmt: skip


def due_instant(lot: Lot) -> datetime:
    """When time alone next changes a lot; `NEVER` where it does not."""
    expires_at = lot.expires_at or NEVER
    if lot.pending:
        return min(lot.activates_at or NEVER, expires_at)
    return expires_at if lot.available else NEVER


def _values(balance: Balance) -> list[Any]:
    return [
        balance.scale, balance.issued, balance.adjusted, balance.transferred_in, balance.transferred_out,
        balance.pending, balance.available, balance.held, balance.in_transit, balance.redeemed, balance.expired,
        balance.reversed, balance.debt, balance.debt_since, balance.inactivity, balance.active_at, balance.lapses_at,
        balance.notice_at, balance.sent_month, balance.sent,
    ]  # fmt: skip


def _lot(terms: Lot, buckets: Sequence[Any]) -> Lot:
    pending, available, held, in_transit, redeemed, expired, reversed_, withdrawn, taken_back, written_off = buckets
    return Lot(
        terms.lot_id, terms.currency, terms.sequence, terms.accrual_id, terms.earned_at, terms.booked_at,
        terms.activates_at, terms.expires_at, terms.points, pending, available, held, in_transit, redeemed, expired,
        reversed_, withdrawn, taken_back, written_off, terms.campaign, terms.partner,
    )  # fmt: skip
