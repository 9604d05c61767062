"""What is judged: a basket, or something else that a member did. Amounts and quantities are in ten-thousandths."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from services.rules.domain.programme import EventName
from services.rules.domain.value import value

POINTS_PAYMENT = "points"


@value(frozen=True, slots=True)
class BasketLine:
    """One line: `amount` is what is paid for it after discounts, `points_paid` what points already took off it.

    `tax` is the tax contained in `amount`; None where the till does not say.
    """

    line: int
    sku: str = ""
    category: str = ""
    brand: str = ""
    quantity: int = 10_000
    amount: int = 0
    points_paid: int = 0
    tax: int | None = None
    seller: str = ""
    partner: str = ""
    attributes: Mapping[str, object] = field(default_factory=dict)


@value(frozen=True, slots=True)
class BasketPayment:
    """How a part of the basket was paid: `points` is paid with points, other types as the till names them."""

    type: str
    amount: int


@value(frozen=True, slots=True)
class Basket:
    """A purchase made at `at`, or what is left of it after returns: remaining lines, and what still pays for them."""

    lines: tuple[BasketLine, ...]
    at: datetime
    payments: tuple[BasketPayment, ...] = ()
    store: str = ""
    channel: str = ""
    partner: str = ""

    @property
    def total(self) -> int:
        """The bill: what the lines cost before points take anything off, after discounts."""
        return sum(line.amount + line.points_paid for line in self.lines)


@value(frozen=True, slots=True)
class Occasion:
    """Something other than a purchase: `event` is `enrolment`, `birthday` or `activity.NAME`."""

    event: EventName
    at: datetime
    product: str = ""
    attributes: Mapping[str, object] = field(default_factory=dict)
