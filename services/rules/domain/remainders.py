"""What is left of a purchase when goods come back: the lines, what still pays for them, and the points that come back.

What was paid comes back as the return says, else pro rata. Rounding is of the whole that came back so far, half up, so
that the parts add up: 50 points on three equal lines come back as 17, 16 and 17.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from contracts.amounts import TEN_THOUSANDTHS
from services.rules.domain.basket import POINTS_PAYMENT, Basket, BasketLine, BasketPayment
from services.rules.domain.budgets import Asked
from services.rules.domain.facts import ONESELF
from services.rules.domain.programme import Currency, ProgrammeVersion
from services.rules.domain.purchases import Inputs, paying_currency, points_of
from services.rules.domain.sums import Measures


class Refund(NamedTuple):
    """How a part was paid back: money in ten-thousandths, points as the till wrote them, in ten-thousandths."""

    type: str
    amount: int
    points: int | None = None


@dataclass(frozen=True, slots=True)
class GoodsReturned:
    """A return that fits its purchase. `remaining` is quantity and amount by line number, after all returns so far.

    `refunds` None: pro rata.
    """

    decision_id: UUID
    return_key: UUID
    return_id: str
    at: datetime
    remaining: Mapping[int, tuple[int, int]]
    refunds: tuple[Refund, ...] | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a purchase after all returns so far.

    `payments` are what still pays, one for each of the basket's, in ten-thousandths; `points_back` what came back of
    each points payment, `taken` what was reversed by currency, both in smallest units; `measures` what still counts.
    """

    payments: tuple[int, ...]
    points_back: tuple[int, ...]
    taken: Mapping[str, int]
    measures: Measures


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase as its decision recorded it. `awarded` by currency; `left_before` None: nothing came back so far."""

    inputs: Inputs
    version: int | None
    awarded: Mapping[str, int]
    counted: Mapping[str, int]
    measures: Measures
    left_before: Left | None = None
    asks: tuple[Asked, ...] = ()
    """What was asked of budgets, as it is now."""
    gave_others: bool = False
    """Whether it brought points to others too."""
    remaining_before: Mapping[int, tuple[int, int]] | None = None
    """Quantity and amount of each line that is left; None: nothing came back so far."""

    @property
    def left(self) -> Left:
        """What was left before the return at hand."""
        if self.left_before is not None:
            return self.left_before
        receipt = self.inputs.receipt
        payments = tuple(payment.amount for payment in receipt.basket.payments)
        return Left(payments, (0,) * len(receipt.points_payments), {}, self.measures)

    @property
    def remaining(self) -> Mapping[int, tuple[int, int]]:
        """Quantity and amount by line number, before the return at hand."""
        if self.remaining_before is not None:
            return self.remaining_before
        return {line.line: (line.quantity, line.amount) for line in self.inputs.receipt.basket.lines}


def bought_after(
    bought: Bought, left: Mapping[str, Any], remaining: Iterable[Sequence[int]], asks: Iterable[Asked] = ()
) -> Bought:
    """A purchase once some of it was taken back, as the record of that decision says.

    `remaining` is (line, quantity, amount) of what that decision left; `asks` are as it left them.
    """
    return replace(
        bought,
        inputs=referring_oneself(bought.inputs) if left.get("oneself") else bought.inputs,
        left_before=Left(
            tuple(left["payments"]), tuple(left["points_back"]), left["taken"], Measures(*left["measures"])
        ),
        remaining_before={line: (quantity, amount) for line, quantity, amount in remaining},
        asks=tuple(asks),
    )


def referring_oneself(inputs: Inputs) -> Inputs:
    """The same inputs, once it is known that the member named oneself as the referrer."""
    return inputs._replace(facts=replace(inputs.facts, referred_by=ONESELF))


def remaining_basket(bought: Bought, goods: GoodsReturned, version: ProgrammeVersion) -> Basket:
    """The basket that is left, and what still pays for it."""
    original = bought.inputs.receipt.basket
    lines = tuple(
        _line_left(line, *goods.remaining[line.line])
        for line in original.lines
        if any(goods.remaining.get(line.line, (0, 0)))
    )
    left = replace(original, lines=lines)
    if goods.refunds is None:
        amounts = [_share(payment.amount, left.total, original.total) for payment in original.payments]
        amounts = [min(now, then) for now, then in zip(amounts, bought.left.payments, strict=True)]
    else:
        amounts = _refunded(bought.left.payments, original.payments, goods.refunds, paying_currency(version))
    payments = zip(original.payments, amounts, strict=True)
    return replace(left, payments=tuple(BasketPayment(payment.type, amount) for payment, amount in payments))


def points_back(bought: Bought, basket: Basket, goods: GoodsReturned, version: ProgrammeVersion) -> tuple[int, ...]:
    """What came back of each points payment, this return included; never less than before, never more than was paid."""
    receipt, before, currency = bought.inputs.receipt, bought.left.points_back, paying_currency(version)
    paid = [points_of(payment, currency) for payment in receipt.points_payments]
    if goods.refunds is None:
        total = receipt.basket.total
        due = [_share(points, total - basket.total, total) if basket.lines else points for points in paid]
        return tuple(min(max(now, then), points) for now, then, points in zip(due, before, paid, strict=True))
    rest = sum(_points_of(refund, currency) for refund in goods.refunds if refund.type == POINTS_PAYMENT)
    result = []
    for then, points in zip(before, paid, strict=True):
        more = min(rest, points - then)
        result.append(then + more)
        rest -= more
    return tuple(result)


def _line_left(line: BasketLine, quantity: int, amount: int) -> BasketLine:
    tax = None if line.tax is None else _share(line.tax, amount, line.amount)
    paid = _share(line.points_paid, amount, line.amount)
    return replace(line, quantity=quantity, amount=amount, points_paid=paid, tax=tax)


def _refunded(
    left: Sequence[int], payments: Sequence[BasketPayment], refunds: Sequence[Refund], currency: Currency
) -> list[int]:
    """What still pays once the named refunds are taken off the payments of their type, first to last."""
    amounts = list(left)
    for refund in refunds:
        rest = refund.amount or _share(refund.points or 0, currency.worth, TEN_THOUSANDTHS)
        for index, payment in enumerate(payments):
            if payment.type == refund.type and rest > 0:
                taken = min(rest, amounts[index])
                amounts[index] -= taken
                rest -= taken
    return amounts


def _points_of(refund: Refund, currency: Currency) -> int:
    if refund.points is not None:
        return refund.points * int(10**currency.scale) // TEN_THOUSANDTHS
    return refund.amount * int(10**currency.scale) // currency.worth if currency.worth else 0


def _share(whole: int, part: int, of: int) -> int:
    """`whole` times `part` / `of`, rounded half up; all of it where there is nothing to share by."""
    if of == 0:
        return whole
    return (2 * whole * part + of) // (2 * of)
