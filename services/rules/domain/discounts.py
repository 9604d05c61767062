"""Discounts: money off that a quote offers; a purchase that was made has them in its amounts already.

Discounts add, each of the full price, unless they share a `best_of` or one says `stop`. Money is rounded half up to the
smallest coin and shared over lines.
"""

from collections.abc import Sequence
from dataclasses import replace

from services.rules.domain.answers import Answers
from services.rules.domain.basket import POINTS_PAYMENT, BasketPayment
from services.rules.domain.earning import earned
from services.rules.domain.gifts import CountedLines, together
from services.rules.domain.outcome import Discount
from services.rules.domain.plan import Slice
from services.rules.domain.rounding import apportioned, rounded

COIN = 100
"""The smallest coin, in ten-thousandths of the currency."""


def discounts_of(running: Slice, counted: CountedLines, answers: Answers) -> tuple[Discount, ...]:
    """What each discount rule takes off which lines; together never more than a line costs."""
    gifts = earned(running, counted, answers).gifts
    if not gifts:
        return ()
    rows, denominator = together(gifts)
    left = [line.amount // COIN for _, line in counted.lines]
    found = []
    for gift, row in zip(gifts, rows, strict=True):
        coins = apportioned(rounded(sum(row), denominator * COIN, "half_up"), row, denominator * COIN)
        taken = [min(coin, most) for coin, most in zip(coins, left, strict=True)]
        left = [most - coin for coin, most in zip(taken, left, strict=True)]
        lines = [(line.line, coin * COIN) for (_, line), coin in zip(counted.lines, taken, strict=True) if coin]
        if lines:
            found.append(Discount(gift.key, sum(money for _, money in lines), tuple(lines)))
    return tuple(found)


def paid_at_most(payments: Sequence[BasketPayment], due: int) -> tuple[BasketPayment, ...]:
    """Payments that come to no more than the bill once a discount is off it: money gives way before points.

    The last payment gives way first; payments that leave something open, as a till may name them, stay as they are.
    """
    amounts = [payment.amount for payment in payments]
    over = sum(amounts) - due
    places = reversed(range(len(amounts)))
    for index in sorted(places, key=lambda place: payments[place].type == POINTS_PAYMENT):
        taken = max(min(amounts[index], over), 0)
        amounts[index] -= taken
        over -= taken
    return tuple([replace(payment, amount=amount) for payment, amount in zip(payments, amounts, strict=True)])
