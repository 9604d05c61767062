"""What a decision was decided from, as its row keeps it: JSON, to be encrypted under the member's key.

Lines are lists in the order of `BasketLine`, their empty ends left out: a year of purchases has ten of them each.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

import orjson

from services.rules.domain.basket import Basket, BasketLine, BasketPayment, Occasion
from services.rules.domain.facts import Facts
from services.rules.domain.occasions import Doing
from services.rules.domain.programme import Duration
from services.rules.domain.purchases import Inputs, PointsPayment, Receipt

_LINE_DEFAULTS: Final[tuple[Any, ...]] = ("", "", "", 10_000, 0, 0, None, "", "", {})


def encode(inputs: object) -> bytes:
    """The bytes of a decision's inputs, whatever kind of decision it is."""
    if isinstance(inputs, Inputs):
        return orjson.dumps({"receipt": _receipt_data(inputs.receipt), "facts": _facts_data(inputs.facts)})
    if isinstance(inputs, tuple) and inputs and isinstance(inputs[0], Doing):
        doing, facts = inputs
        return orjson.dumps({"occasion": _occasion_data(doing), "facts": facts and _facts_data(facts)})
    return orjson.dumps({"remaining": inputs})


def decode(text: bytes, row: Mapping[str, Any]) -> Inputs:
    """The inputs of a decision on a purchase; `row` is what stands in the open."""
    data = orjson.loads(text)
    return Inputs(receipt_in(data["receipt"], row), _facts(data["facts"]))


def remaining_in(text: bytes) -> Sequence[tuple[int, int, int]]:
    """The lines that a decision which took something back left: number, quantity, amount."""
    found: Sequence[tuple[int, int, int]] = orjson.loads(text)["remaining"]
    return found


def receipt_in(receipt: Mapping[str, Any], row: Mapping[str, Any]) -> Receipt:
    """The receipt in the inputs of a decision; `row` is what stands in the open."""
    basket = Basket(
        lines=tuple([_line(line) for line in receipt["lines"]]),
        at=datetime.fromisoformat(receipt["at"]).astimezone(UTC),
        payments=tuple([BasketPayment(*payment) for payment in receipt["payments"]]),
        store=receipt["store"],
        channel=receipt["channel"],
    )
    with_points = tuple([_points_payment(*payment) for payment in receipt.get("points", ())])
    return Receipt(
        row["decision_id"], row["member_id"], row["cause_key"], row["cause_id"], basket, receipt["card_category"],
        with_points,
    )  # fmt: skip


def doing_in(occasion: Mapping[str, Any], row: Mapping[str, Any]) -> Doing:
    """What was done, in the inputs of a decision on something that is no purchase."""
    at = datetime.fromisoformat(occasion["at"]).astimezone(UTC)
    done = Occasion(occasion["event"], at, occasion["product"], occasion["attributes"])
    return Doing(
        row["decision_id"], row["member_id"], row["cause_key"], row["cause_id"], done, occasion["card_category"]
    )


def _receipt_data(receipt: Receipt) -> dict[str, Any]:
    basket = receipt.basket
    data: dict[str, Any] = {
        "at": basket.at,
        "store": basket.store,
        "channel": basket.channel,
        "card_category": receipt.card_category,
        "payments": [(payment.type, payment.amount) for payment in basket.payments],
        "lines": [_line_data(line) for line in basket.lines],
    }
    if receipt.points_payments:
        data["points"] = [tuple(payment) for payment in receipt.points_payments]
    return data


def _line_data(line: BasketLine) -> list[Any]:
    data = [line.line, line.sku, line.category, line.brand, line.quantity, line.amount]
    rest = (line.points_paid, line.tax, line.seller, line.partner, line.attributes)
    if any(rest):
        data += rest
        while data[-1] == _LINE_DEFAULTS[len(data) - 2]:
            data.pop()
    elif line.tax is not None:
        data += (0, line.tax)
    return data


def _line(data: list[Any]) -> BasketLine:
    return BasketLine(*data)


def _points_payment(amount: int, points: int | None, hold_id: str | None, redemption_id: str | None) -> PointsPayment:
    return PointsPayment(
        amount, points, UUID(hold_id) if hold_id else None, UUID(redemption_id) if redemption_id else None
    )


def _occasion_data(doing: Doing) -> dict[str, Any]:
    occasion = doing.occasion
    return {
        "event": occasion.event,
        "at": occasion.at,
        "product": occasion.product,
        "attributes": occasion.attributes,
        "card_category": doing.card_category,
    }


def _facts_data(facts: Facts) -> dict[str, Any]:
    data: dict[str, Any] = {
        "member_id": facts.member_id,
        "tier": facts.tier,
        "segments": sorted(facts.segments),
        "card_category": facts.card_category,
        "enrolled_at": facts.enrolled_at,
        "birthday": facts.birthday,
        "birthday_known_at": facts.birthday_known_at,
        "referred_by": facts.referred_by,
        "attributes": facts.attributes,
        "purchases": facts.purchases,
        "spend": facts.spend,
        "last_purchase_at": facts.last_purchase_at,
        "favourite_category": facts.favourite_category,
        "counters": facts.counters,
        "suspended": facts.suspended,
    }
    if facts.spend_in:
        data["spend_in"] = [(window.count, window.unit, amount) for window, amount in facts.spend_in.items()]
    if facts.purchases_in:
        data["purchases_in"] = [(window.count, window.unit, count) for window, count in facts.purchases_in.items()]
    return {name: value for name, value in data.items() if value}


def _facts(data: Mapping[str, Any]) -> Facts:
    said = data.get
    return Facts(
        member_id=said("member_id", ""),
        tier=said("tier"),
        segments=frozenset(said("segments", ())),
        card_category=said("card_category", ""),
        enrolled_at=_instant(said("enrolled_at")),
        birthday=date.fromisoformat(data["birthday"]) if said("birthday") else None,
        birthday_known_at=_instant(said("birthday_known_at")),
        referred_by=said("referred_by", ""),
        attributes=said("attributes", {}),
        purchases=said("purchases", 0),
        spend=said("spend", 0),
        last_purchase_at=_instant(said("last_purchase_at")),
        favourite_category=said("favourite_category", ""),
        spend_in={Duration(count, unit): amount for count, unit, amount in said("spend_in", ())},
        purchases_in={Duration(count, unit): times for count, unit, times in said("purchases_in", ())},
        counters=said("counters", {}),
        suspended=bool(said("suspended")),
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
