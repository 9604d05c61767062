"""What retail systems say: purchases and returns."""

from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from contracts.amounts import Amount, DecimalPoints, Quantity, format_decimal
from contracts.envelope import MAX_ID_LENGTH, CloudEvent, Code, Identifier, Shape

MAX_LINES: Final = 2_000
MAX_PAYMENTS: Final = 50

IdentifierType = Literal["member", "card", "phone", "email", "external"]
Text = Annotated[str, StringConstraints(max_length=MAX_ID_LENGTH)]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


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
    quantity: Quantity = 10_000
    amount: Amount
    discount: Amount = 0
    points_paid: Amount = 0
    tax: Amount | None = None
    seller: Text = ""
    partner: Text = ""
    attributes: dict[str, Any] = Field(default_factory=dict)

    @field_validator("quantity")
    @classmethod
    def _quantity_not_negative(cls, quantity: int) -> int:
        if quantity < 0:
            raise PydanticCustomError("negative_quantity", "a quantity is zero or more; send a return to take back")
        return quantity


class Payment(Shape):
    """How a part was paid. A points payment names the hold or the redemption that backs it."""

    type: Code
    amount: Amount
    points: DecimalPoints | None = None
    hold_id: UUID | None = None
    redemption_id: UUID | None = None


class Purchase(Shape):
    """A finished purchase. Lines and the points paid off them add up to the payments."""

    purchase_id: Identifier
    programme: Code
    purchased_at: AwareDatetime
    member: MemberIdentifier | None = None
    store: Text = ""
    channel: Text = ""
    currency: CurrencyCode
    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=MAX_LINES)]
    payments: Annotated[tuple[Payment, ...], Field(max_length=MAX_PAYMENTS)]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        numbers = {line.line for line in self.lines}
        if len(numbers) != len(self.lines):
            raise PydanticCustomError("line_repeated", "each line has a number of its own")
        due = sum(line.amount + line.points_paid for line in self.lines)
        paid = sum(payment.amount for payment in self.payments)
        if due != paid:
            raise PydanticCustomError(
                "does_not_add_up",
                "lines and points paid come to {due}, payments to {paid}",
                {"due": format_decimal(due), "paid": format_decimal(paid)},
            )
        return self


class PurchaseCompleted(CloudEvent):
    """A purchase was made; published by the till or the web shop, keyed by the member's identifier."""

    type: Literal["bonus.purchase.completed.v1"] = "bonus.purchase.completed.v1"
    data: Purchase


class ReturnLine(Shape):
    """What came back of one line of the purchase."""

    line: Annotated[int, Field(ge=0, le=1_000_000)]
    quantity: Quantity
    amount: Amount


class Refund(Shape):
    """How a part was paid back."""

    type: Code
    amount: Amount
    points: DecimalPoints | None = None


class Return(Shape):
    """Goods brought back. Without `refunds`, what was paid with points comes back pro rata."""

    return_id: Identifier
    purchase_id: Identifier
    programme: Code
    returned_at: AwareDatetime
    lines: Annotated[tuple[ReturnLine, ...], Field(min_length=1, max_length=MAX_LINES)]
    refunds: Annotated[tuple[Refund, ...], Field(max_length=MAX_PAYMENTS)] | None = None


class PurchaseReturned(CloudEvent):
    """Goods of a purchase came back; keyed by the purchase id."""

    type: Literal["bonus.purchase.returned.v1"] = "bonus.purchase.returned.v1"
    data: Return
