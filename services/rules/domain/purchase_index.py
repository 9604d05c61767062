"""A purchase index entry: whose a purchase is, its lines, and what came back of each.

Returns start here and go on to the participant with what is left of the basket. They wait here when they come before
their purchase. The same purchase under another identifier is found here: the first stands, what the other earned is
taken back. Quantities and amounts are in ten-thousandths.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from contracts.amounts import format_decimal
from services.rules.domain.identifier import Holder
from services.rules.domain.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Entry:
    """A purchase as the index gets it. `holder` None: nobody can earn by it. `fingerprint` is of its content."""

    holder: Holder | None
    fingerprint: bytes
    purchased_at: datetime
    lines: tuple[tuple[int, int, int], ...]
    """Line number, quantity, amount."""


@dataclass(frozen=True, slots=True)
class Return:
    """Goods that come back: line number, quantity, amount."""

    key: UUID
    lines: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class IndexedPurchase:
    """State. `returned` is what came back so far, quantity and amount, line by line as in `entry.lines`."""

    entry: Entry | None = None
    returned: tuple[tuple[int, int], ...] = ()
    waiting: tuple[Return, ...] = ()
    nobodys: tuple[Return, ...] = ()
    """Returns that were counted while the purchase belonged to nobody."""

    @property
    def remaining(self) -> tuple[tuple[int, int, int], ...]:
        """What is left of each line: its number, quantity, amount."""
        lines = self.entry.lines if self.entry else ()
        return tuple(
            (line, quantity - back_quantity, amount - back_amount)
            for (line, quantity, amount), (back_quantity, back_amount) in zip(lines, self.returned, strict=True)
        )


# Events


@dataclass(frozen=True, slots=True)
class Indexed:
    """The purchase is known from now on."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Contradicted:
    """The same purchase came again with other content; `later` must not keep what it earned by it, if it is another."""

    later: Entry
    first: Entry

    @property
    def loser(self) -> Holder | None:
        """Whose award is taken back; None where the second one is the same account, or nobody's."""
        if self.later.holder is None:
            return None
        if self.first.holder is not None and self.first.holder.account_id == self.later.holder.account_id:
            return None
        return self.later.holder


@dataclass(frozen=True, slots=True)
class Claimed:
    """The purchase belonged to nobody, and now to `holder`."""

    holder: Holder


@dataclass(frozen=True, slots=True)
class Returned:
    """Goods came back; `remaining` is what is left after it: line number, quantity, amount."""

    back: Return
    holder: Holder | None
    remaining: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class ReturnKept:
    """Its purchase is not known yet."""

    back: Return


@dataclass(frozen=True, slots=True)
class ReturnRefused:
    """It does not fit its purchase."""

    back: Return
    refusal: Refusal


Event = Indexed | Contradicted | Claimed | Returned | ReturnKept | ReturnRefused


def evolve(purchase: IndexedPurchase, event: Event) -> IndexedPurchase:
    """What an event makes of the state."""
    match event:
        case Indexed(entry):
            return IndexedPurchase(entry, ((0, 0),) * len(entry.lines))
        case Claimed(holder) if purchase.entry is not None:
            # What came back meanwhile is told to the holder return by return, so it is counted anew.
            entry = replace(purchase.entry, holder=holder)
            return IndexedPurchase(entry, ((0, 0),) * len(entry.lines))
        case Returned(back, holder):
            nobodys = purchase.nobodys if holder else (*purchase.nobodys, back)
            return replace(purchase, returned=_with(purchase, back), nobodys=nobodys)
        case ReturnKept(back):
            return replace(purchase, waiting=(*purchase.waiting, back))
        case _:
            return purchase


def fold(purchase: IndexedPurchase, events: Iterable[Event]) -> IndexedPurchase:
    """The state after several events."""
    for event in events:
        purchase = evolve(purchase, event)
    return purchase


# Decisions


def enter(entry: Entry, purchase: IndexedPurchase) -> list[Event]:
    """Enter a purchase, and let the returns that came before it go on.

    The same entry again changes nothing, except that a purchase which belonged to nobody may be claimed once.
    """
    known = purchase.entry
    if known is None:
        return _followed_by(Indexed(entry), purchase, purchase.waiting)
    if known.fingerprint != entry.fingerprint:
        return [Contradicted(entry, known)]
    if known.holder is None and entry.holder is not None:
        return _followed_by(Claimed(entry.holder), purchase, purchase.nobodys)
    return []


def _followed_by(first: Event, purchase: IndexedPurchase, returns: Iterable[Return]) -> list[Event]:
    events = [first]
    after = evolve(purchase, first)
    for back in returns:
        event = take_back(back, after)
        events.append(event)
        after = evolve(after, event)
    return events


def take_back(back: Return, purchase: IndexedPurchase) -> Event:
    """Take a return in. Refused: `unknown_line`, `returns_more_than_bought`."""
    if purchase.entry is None:
        return ReturnKept(back)
    refusal = _misfit(back.lines, purchase.remaining)
    if refusal is not None:
        return ReturnRefused(back, refusal)
    event = Returned(back, purchase.entry.holder, ())
    return replace(event, remaining=evolve(purchase, event).remaining)


def _misfit(lines: Sequence[tuple[int, int, int]], remaining: Sequence[tuple[int, int, int]]) -> Refusal | None:
    left = {line: (quantity, amount) for line, quantity, amount in remaining}
    for index, (line, quantity, amount) in enumerate(lines):
        if line not in left:
            return Refusal.unknown_line(line, index)
        quantity_left, amount_left = left[line]
        if quantity > quantity_left:
            return Refusal.returns_more_than_bought(line, index, "quantity", format_decimal(quantity_left, 0))
        # A deposit is a line below zero: what comes back of it lies between it and nothing.
        if not min(0, amount_left) <= amount <= max(0, amount_left):
            return Refusal.returns_more_than_bought(line, index, "amount", format_decimal(amount_left))
    return None


def _with(purchase: IndexedPurchase, back: Return) -> tuple[tuple[int, int], ...]:
    lines = purchase.entry.lines if purchase.entry else ()
    came = {line: (quantity, amount) for line, quantity, amount in back.lines}
    nothing = (0, 0)
    return tuple(
        (quantity + came.get(line, nothing)[0], amount + came.get(line, nothing)[1])
        for (line, _, _), (quantity, amount) in zip(lines, purchase.returned, strict=True)
    )
