"""What retail systems say: purchases and returns."""

from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from contracts.amounts import TEN_THOUSANDTHS, Amount, DecimalPoints, Quantity, format_decimal
from contracts.envelope import CloudEvent, Code, Identifier, Instant, Shape, Text

MAX_LINES: Final = 2_000
MAX_PAYMENTS: Final = 50
MAX_TOTAL: Final = 10**12 * TEN_THOUSANDTHS
"""Lines of a purchase come to less than this, in ten-thousandths, so that no sum leaves 64 bits."""

CURRENCY_PATTERN: Final = r"^[A-Z]{3}$"
POINTS: Final = "points"
"""The payment type that says: paid with points."""

IdentifierType = Literal["member", "card", "phone", "email", "external"]
CurrencyCode = Annotated[str, StringConstraints(pattern=CURRENCY_PATTERN)]


def _quantity_not_negative(quantity: int) -> int:
    if quantity < 0:
        raise PydanticCustomError("negative_quantity", "a quantity is zero or more; send a return to take back")
    return quantity


def _refuse_repeated(numbers: list[int]) -> None:
    if len(set(numbers)) != len(numbers):
        raise PydanticCustomError("line_repeated", "each line has a number of its own", {"field": "lines"})


def _refuse_negative(amount: int) -> None:
    if amount < 0:
        raise PydanticCustomError("negative_points", "what is paid with points is zero or more", {"field": "amount"})


def _points_not_negative(points: int) -> int:
    if points < 0:
        raise PydanticCustomError("negative_points", "points are zero or more; send a return to give points back")
    return points


PositiveQuantity = Annotated[Quantity, AfterValidator(_quantity_not_negative)]
PointsPaid = Annotated[Amount, AfterValidator(_points_not_negative)]
PointsSpent = Annotated[DecimalPoints, AfterValidator(_points_not_negative)]


class MemberIdentifier(Shape):
    """How a till names a member: the card that was shown, a phone number, an id of another system."""

    type: IdentifierType
    value: Identifier

    @property
    def key(self) -> str:
        """The message key, which decides the shard: `card:770001234567`."""
        return f"{self.type}:{self.value}"


class Line(Shape):
    """One line of a receipt; `amount` is what the customer pays for it after discounts."""

    line: Annotated[int, Field(ge=0, le=1_000_000)]
    sku: Text = ""
    category: Text = ""
    brand: Text = ""
    name: Text = ""
    quantity: PositiveQuantity = 10_000
    amount: Amount
    discount: Amount = 0
    points_paid: PointsPaid = 0
    tax: Amount | None = None
    seller: Text = ""
    partner: Text = ""
    attributes: dict[str, Any] = Field(default_factory=dict)


class Payment(Shape):
    """How a part was paid. A points payment names the hold or the redemption that backs it."""

    type: Code
    amount: Amount
    points: PointsSpent | None = None
    hold_id: UUID | None = None
    redemption_id: UUID | None = None

    @model_validator(mode="after")
    def _points_are_paid_not_received(self) -> Self:
        if self.type == POINTS:
            _refuse_negative(self.amount)
        return self


class Purchase(Shape):
    """A finished purchase. Lines and the points paid off them add up to the payments."""

    purchase_id: Identifier
    programme: Code
    purchased_at: Instant
    member: MemberIdentifier | None = None
    store: Text = ""
    channel: Text = ""
    currency: CurrencyCode
    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=MAX_LINES)]
    payments: Annotated[tuple[Payment, ...], Field(max_length=MAX_PAYMENTS)]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        _refuse_repeated([line.line for line in self.lines])
        if sum(abs(line.amount) + line.points_paid for line in self.lines) >= MAX_TOTAL:
            raise PydanticCustomError("too_much", "no purchase comes to that much", {"field": "lines"})
        due = sum(line.amount + line.points_paid for line in self.lines)
        paid = sum(payment.amount for payment in self.payments)
        if due != paid:
            raise PydanticCustomError(
                "does_not_add_up",
                "lines and points paid come to {due}, payments to {paid}",
                {"due": format_decimal(due), "paid": format_decimal(paid), "field": "payments"},
            )
        return self


class PurchaseCompleted(CloudEvent):
    """A purchase was made; published by the till or the web shop, keyed by the member's identifier."""

    type: Literal["bonus.purchase.completed.v1"] = "bonus.purchase.completed.v1"
    data: Purchase


class ReturnLine(Shape):
    """What came back of one line of the purchase."""

    line: Annotated[int, Field(ge=0, le=1_000_000)]
    quantity: PositiveQuantity
    amount: Amount


class Refund(Shape):
    """How a part was paid back."""

    type: Code
    amount: Amount
    points: PointsSpent | None = None

    @model_validator(mode="after")
    def _points_are_given_not_taken(self) -> Self:
        if self.type == POINTS:
            _refuse_negative(self.amount)
        return self


class Return(Shape):
    """Goods brought back. Without `refunds`, what was paid with points comes back pro rata."""

    return_id: Identifier
    purchase_id: Identifier
    programme: Code
    returned_at: Instant
    lines: Annotated[tuple[ReturnLine, ...], Field(min_length=1, max_length=MAX_LINES)]
    refunds: Annotated[tuple[Refund, ...], Field(max_length=MAX_PAYMENTS)] | None = None

    @model_validator(mode="after")
    def _each_line_once(self) -> Self:
        _refuse_repeated([line.line for line in self.lines])
        return self


class PurchaseReturned(CloudEvent):
    """Goods of a purchase came back; keyed by the purchase id."""

    type: Literal["bonus.purchase.returned.v1"] = "bonus.purchase.returned.v1"
    data: Return
