"""A working copy of an account, owned by one caller: what `evolve` builds a later version in.

It copies nothing that does not change, builds each changed lot once, and leaves the account it started from as it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.ledger.domain.account import EMPTY_BALANCE, NEVER, Account, Balance, Hold, Lot, Redemption, Transit
from services.ledger.domain.books import BooksDoNotBalanceError
from services.ledger.domain.events import Activity, Event, Movement

_GROWS_WHEN_LEFT: Final = frozenset({"issued", "adjusted", "transferred_in", "debt"})
_BUCKETS: Final = (
    "issued", "adjusted", "transferred_in", "transferred_out", "pending", "available", "held", "in_transit",
    "redeemed", "expired", "reversed", "debt",
)  # fmt: skip
_DEBT: Final = 12
_DEBT_SINCE: Final = 13
_INACTIVITY: Final = slice(14, 18)
_LAPSES_AT: Final = 16
_NOTICE_AT: Final = 17
_SENT_MONTH: Final = 18
_SENT: Final = 19

_LEAVE: Final = {name: (place, 1 if name in _GROWS_WHEN_LEFT else -1) for place, name in enumerate(_BUCKETS, start=1)}
"""Where a bucket stands in a balance's working values, and what leaving it with one point does to it."""

_SEQUENCE: Final = 2
LOT_EXPIRES_AT: Final = 7
_POINTS: Final = 8
_WITHDRAWN: Final = 16
_TAKEN_BACK: Final = 17
_WRITTEN_OFF: Final = 18
LOT_PARTNER: Final = 20
_LOT_BUCKETS: Final = ("pending", "available", "held", "in_transit", "redeemed", "expired", "reversed")
_LOT_PLACE: Final = {name: place for place, name in enumerate(_LOT_BUCKETS, start=_POINTS + 1)}
"""Where a bucket stands in a lot's working values; what goes anywhere else is withdrawn."""


class Working:
    """An account on its way from one version to a later one.

    The fields of Account that change seldom are its own; balances and lots that change are lists of their fields.
    """

    __slots__ = (
        "_account", "_balances", "_built", "_lots", "_owned", "due_from", "erased", "holds", "lots_opened", "member_id",
        "merged_into", "merging_from", "programme", "redemption_day", "redemptions", "redemptions_on_day", "standing",
        "status", "tenant", "tier", "transits", "version",
    )  # fmt: skip

    def __init__(self, account: Account) -> None:
        self._account = account
        self._balances: dict[str, list[Any]] = {}
        self._built: dict[str, Balance] = {}
        self._lots: dict[UUID, list[Any]] = {}
        self._owned: set[str] = set()
        self.tenant, self.programme, self.member_id = account.tenant, account.programme, account.member_id
        self.status, self.erased = account.status, account.erased
        self.version, self.lots_opened = account.version, account.lots_opened
        self.holds, self.redemptions, self.transits = account.holds, account.redemptions, account.transits
        self.tier, self.standing = account.tier, account.standing
        self.merged_into, self.merging_from = account.merged_into, account.merging_from
        self.redemption_day, self.redemptions_on_day = account.redemption_day, account.redemptions_on_day
        self.due_from = account.due_from

    def begin(self) -> None:
        """One more event is coming."""
        self.version += 1
        self._built.clear()

    def open(self, lots: Iterable[Lot]) -> None:
        """Take in lots that are opened, and what changed in the terms of others."""
        for lot in lots:
            self.open_values(_lot_values(lot))

    def open_values(self, lot: list[Any]) -> None:
        """Take in one, as the values of Lot's fields in their order."""
        lot_id = lot[0]
        values = self.lot(lot_id)
        if values is None:
            self._lots[lot_id] = lot
        else:
            values[LOT_EXPIRES_AT] = lot[LOT_EXPIRES_AT]
        self.lots_opened = max(self.lots_opened, lot[_SEQUENCE])

    def move(self, movements: Iterable[Movement], at: datetime) -> None:
        """Apply movements that count from `at`."""
        for currency, lot_id, source, target, points in movements:
            values = self.balance(currency)
            place, sign = _LEAVE[source]
            values[place] += sign * points
            if place == _DEBT and (values[_DEBT_SINCE] is None or values[_DEBT_SINCE] < at):
                values[_DEBT_SINCE] = at
            place, sign = _LEAVE[target]
            values[place] -= sign * points
            if lot_id is not None and (lot := self.lot(lot_id)) is not None:
                if source in _LOT_PLACE:
                    lot[_LOT_PLACE[source]] -= points
                lot[_LOT_PLACE.get(target, _WITHDRAWN)] += points

    def balance(self, currency: str, scale: int | None = None) -> list[Any]:
        """The working values of a balance, in the order of Balance's fields."""
        values = self._balances.get(currency)
        if values is None:
            values = _balance_values(self._account.balances.get(currency, EMPTY_BALANCE))
            self._balances[currency] = values
        if scale is not None:
            values[0] = scale
        return values

    def lot(self, lot_id: UUID) -> list[Any] | None:
        """The working values of a lot, in the order of Lot's fields; None where it is not loaded."""
        values = self._lots.get(lot_id)
        if values is None:
            lot = self._account.lots.get(lot_id)
            if lot is None:
                return None
            values = self._lots[lot_id] = _lot_values(lot)
        return values

    def keep_hold(self, hold: Hold) -> None:
        """Take in a hold, new or changed."""
        self._own("holds")[hold.hold_id] = hold

    def keep_redemption(self, redemption: Redemption) -> None:
        """Take in a redemption, new or changed."""
        self._own("redemptions")[redemption.redemption_id] = redemption

    def keep_transit(self, transit: Transit) -> None:
        """Take in points on their way."""
        self._own("transits")[transit.transit_id] = transit

    def drop_transit(self, transit_id: UUID) -> None:
        """Points are on their way no more."""
        self._own("transits").pop(transit_id, None)

    def _own(self, name: str) -> dict[UUID, Any]:
        """A part of the account to be changed: copied from what others see once, however many events follow."""
        if name not in self._owned:
            setattr(self, name, dict(getattr(self, name)))
            self._owned.add(name)
        own: dict[UUID, Any] = getattr(self, name)
        return own

    def count_taken_back(self, lot_id: UUID, points: int, written_off: int) -> None:
        """A reversal counted points of this lot."""
        values = self.lot(lot_id)
        if values is not None:
            values[_TAKEN_BACK] += points
            values[_WRITTEN_OFF] += written_off

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
        if len(movements) == 1:
            return ((movements[0].currency, self._balance(movements[0].currency)),)
        currencies = sorted({movement.currency for movement in movements})
        return tuple((currency, self._balance(currency)) for currency in currencies)

    def _balance(self, currency: str) -> Balance:
        balance = self._built.get(currency)
        if balance is None:
            balance = self._built[currency] = Balance(*self._balances[currency])
        return balance

    def check(self) -> None:
        """Raises BooksDoNotBalanceError unless every changed balance and lot adds up, with nothing below zero."""
        for currency, values in self._balances.items():
            came_in = values[1] + values[2] + values[3] - values[4]
            if came_in != sum(values[5:_DEBT]) - values[_DEBT] or min(values[5:_DEBT_SINCE]) < 0:
                raise BooksDoNotBalanceError(currency, Balance(*values))
        for values in self._lots.values():
            buckets = values[_POINTS + 1 : _TAKEN_BACK]
            if values[_POINTS] != sum(buckets) or min(buckets) < 0:
                raise BooksDoNotBalanceError(Lot(*values))

    def lots(self) -> Mapping[UUID, Sequence[Any]]:
        """Every lot as it stands now, as the values of Lot's fields in their order."""
        before = self._account.lots
        if not before:
            return self._lots
        return {lot_id: _lot_values(lot) for lot_id, lot in before.items() if lot_id not in self._lots} | self._lots

    def without_lots(self) -> Account:
        """The account as it stands now, but for its lots, of which there may be very many."""
        before = self._account
        balances = {**before.balances, **{currency: self._balance(currency) for currency in self._balances}}
        return self._made(balances, {}, self.due_from)

    def next_instant(self) -> datetime:
        """When time alone next changes anything of it; `NEVER` where it does not."""
        instant = next_instant(self.without_lots().balances, {}, self.holds)
        for values in self.lots().values():
            _, _, _, _, _, _, activates_at, expires_at, _, pending, available, *_ = values
            if pending and activates_at is not None and activates_at < instant:
                instant = activates_at
            if (pending or available) and expires_at is not None and expires_at < instant:
                instant = expires_at
        return instant

    def account(self, *, again: bool = False) -> Account:
        """The account as it stands now; `again`: look through all that is loaded for what is due next."""
        before = self._account
        lots, balances, due_from = before.lots, before.balances, self.due_from
        if self._lots:
            lots = dict(lots)
            for lot_id, values in self._lots.items():
                lot = lots[lot_id] = Lot(*values)
                due_from = min(due_from, due_instant(lot))
        if self._balances:
            balances = dict(balances)
            for currency, values in self._balances.items():
                balances[currency] = self._balance(currency)
                due_from = min(due_from, values[_LAPSES_AT] or NEVER, values[_NOTICE_AT] or NEVER)
        if self.holds is not before.holds:
            due_from = min((due_from, *(hold.expires_at for hold in self.holds.values() if hold.state == "open")))
        if again:
            due_from = next_instant(balances, lots, self.holds)
        return self._made(balances, lots, due_from)

    def _made(self, balances: Mapping[str, Balance], lots: Mapping[UUID, Lot], due_from: datetime) -> Account:
        before = self._account
        # The account made now stays as it is: what follows is written into copies.
        self._owned.clear()
        return Account(
            before.account_id, self.tenant, self.programme, self.member_id, self.status, self.erased, self.version,
            self.lots_opened, balances, lots, self.holds, self.redemptions, self.transits, self.tier, self.standing,
            self.merged_into, self.merging_from, self.redemption_day, self.redemptions_on_day,
            before.decided_commands, due_from,
        )  # fmt: skip


def next_instant(balances: Mapping[str, Balance], lots: Mapping[UUID, Lot], holds: Mapping[UUID, Hold]) -> datetime:
    """When time alone next changes any of these; `NEVER` where it does not."""
    instant = NEVER
    for lot in lots.values():
        instant = min(instant, due_instant(lot))
    for hold in holds.values():
        if hold.state == "open":
            instant = min(instant, hold.expires_at)
    for balance in balances.values():
        instant = min(instant, balance.lapses_at or NEVER, balance.notice_at or NEVER)
    return instant


def due_instant(lot: Lot) -> datetime:
    """When time alone next changes a lot; `NEVER` where it does not."""
    if lot.pending:
        return min(lot.activates_at or NEVER, lot.expires_at or NEVER)
    return lot.expires_at or NEVER if lot.available else NEVER


def _balance_values(balance: Balance) -> list[Any]:
    return [
        balance.scale, balance.issued, balance.adjusted, balance.transferred_in, balance.transferred_out,
        balance.pending, balance.available, balance.held, balance.in_transit, balance.redeemed, balance.expired,
        balance.reversed, balance.debt, balance.debt_since, balance.inactivity, balance.active_at, balance.lapses_at,
        balance.notice_at, balance.sent_month, balance.sent,
    ]  # fmt: skip


def _lot_values(lot: Lot) -> list[Any]:
    return [
        lot.lot_id, lot.currency, lot.sequence, lot.accrual_id, lot.earned_at, lot.booked_at, lot.activates_at,
        lot.expires_at, lot.points, lot.pending, lot.available, lot.held, lot.in_transit, lot.redeemed, lot.expired,
        lot.reversed, lot.withdrawn, lot.taken_back, lot.written_off, lot.campaign, lot.partner,
    ]  # fmt: skip
