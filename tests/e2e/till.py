"""What a till and a web shop say: CloudEvents, as any retail system would send them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid4

import orjson

from contracts.ids import derive
from contracts.shards import murmur2
from contracts.topics import ACTIVITIES, AWARDS, PURCHASES, RETURNS

SOURCE: Final = "urn:store:krakow-12:till-3"
ENROLMENT_SOURCE: Final = "urn:shop:web"

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message ready to be sent: the topic without its prefix, the key, the bytes."""

    topic: str
    key: str
    value: bytes

    def partition(self, partitions: int) -> int:
        """Where Kafka's default partitioner puts it."""
        return (murmur2(self.key.encode()) & 0x7FFFFFFF) % partitions


def event(event_type: str, data: Fields, sent_at: datetime, event_id: str = "", **attributes: str) -> bytes:
    """A CloudEvent in structured mode; without an id it is an event of its own."""
    envelope = {
        "specversion": "1.0",
        "type": event_type,
        "id": event_id or str(uuid4()),
        "source": SOURCE,
        "time": sent_at,
        "datacontenttype": "application/json",
        "data": data,
    }
    return orjson.dumps(envelope | attributes)


def line(number: int, amount: str, category: str = "", quantity: str = "1", **fields: object) -> Fields:
    """A line of a receipt."""
    return {
        "line": number,
        "sku": f"sku-{number}",
        "category": category,
        "quantity": quantity,
        "amount": amount,
    } | fields


def lines_of(lines: Sequence[str | Fields]) -> list[Fields]:
    """Lines of a receipt; a bare amount is a line of its own, numbered by its place."""
    return [line(number, each) if isinstance(each, str) else each for number, each in enumerate(lines, 1)]


def by_points(amount: str, **backing: str) -> Fields:
    """A payment with points that are worth one of the currency each."""
    return {"type": "points", "amount": amount, "points": amount} | backing


def paid_by_card(amount: str) -> Fields:
    """A payment with money."""
    return {"type": "card", "amount": amount}


def purchase_data(  # noqa: PLR0913 - what a receipt has
    programme: str,
    purchase_id: str,
    card: str,
    at: datetime,
    lines: Sequence[str | Fields],
    *,
    payments: Sequence[Fields] | None = None,
    currency: str,
    **fields: object,
) -> Fields:
    """The data of a purchase; without `payments` it is paid by card."""
    written = lines_of(lines)
    total = sum(Decimal(each["amount"]) + Decimal(str(each.get("points_paid", "0"))) for each in written)
    return {
        "purchase_id": purchase_id,
        "programme": programme,
        "purchased_at": at.isoformat(),
        "member": {"type": "card", "value": card},
        "store": "krakow-12",
        "channel": "store",
        "currency": currency,
        "lines": written,
        "payments": [paid_by_card(str(total))] if payments is None else list(payments),
    } | fields


def return_data(  # noqa: PLR0913, PLR0917 - what a return has
    programme: str,
    return_id: str,
    purchase_id: str,
    at: datetime,
    lines: Sequence[tuple[int, str, str]],
    refunds: Sequence[Fields] | None = None,
) -> Fields:
    """The data of a return; lines as (number, quantity, amount)."""
    data: Fields = {
        "return_id": return_id,
        "purchase_id": purchase_id,
        "programme": programme,
        "returned_at": at.isoformat(),
        "lines": [{"line": number, "quantity": quantity, "amount": amount} for number, quantity, amount in lines],
    }
    return data if refunds is None else data | {"refunds": list(refunds)}


def purchase(data: Fields, sent_at: datetime, event_id: str = "") -> Outgoing:
    """A purchase for its topic, keyed by the card."""
    member = data["member"]
    value = event("bonus.purchase.completed.v1", data, sent_at, event_id)
    return Outgoing(PURCHASES.name, f"{member['type']}:{member['value']}", value)


def returned(data: Fields, sent_at: datetime, event_id: str = "") -> Outgoing:
    """A return for its topic, keyed by the purchase."""
    return Outgoing(RETURNS.name, data["purchase_id"], event("bonus.purchase.returned.v1", data, sent_at, event_id))


def enrolment(  # noqa: PLR0913, PLR0917 - what an enrolment has
    programme: str, card: str, at: datetime, sent_at: datetime, event_id: str, facts: Mapping[str, object]
) -> Outgoing:
    """A member joins under a card."""
    data = {
        "programme": programme,
        "enrolled_at": at.isoformat(),
        "identifiers": [{"type": "card", "value": card}],
        **facts,
    }
    value = event("bonus.member.enrolled.v1", data, sent_at, event_id, source=ENROLMENT_SOURCE)
    return Outgoing(ACTIVITIES.name, f"card:{card}", value)


def news(programme: str, card: str, known_at: datetime, sent_at: datetime, facts: Mapping[str, object]) -> Outgoing:
    """Facts about the member who holds a card."""
    data = {
        "member": {"type": "card", "value": card},
        "programme": programme,
        "known_at": known_at.isoformat(),
        **facts,
    }
    return Outgoing(ACTIVITIES.name, f"card:{card}", event("bonus.member.updated.v1", data, sent_at))


def lot(points: int, expires_at: datetime | None = None, activates_at: datetime | None = None) -> Fields:
    """A lot of an award, in hundredths of a point."""
    return {
        "currency": "points",
        "scale": 2,
        "points": points,
        "activates_at": activates_at,
        "expires_at": expires_at,
        "rules": [{"rule": "gift", "points": points}],
    }


def award(  # noqa: PLR0913, PLR0917 - what an award has
    programme: str, name: str, account_id: UUID, member_id: UUID, at: datetime, grants: Sequence[Fields]
) -> Outgoing:
    """Points awarded, as rules tell the ledger."""
    data = {
        "command_id": derive("accrue", name, account_id),
        "account_id": account_id,
        "member_id": member_id,
        "programme": programme,
        "occurred_at": at,
        "decision_id": derive("decision", name, account_id),
        "source": {"kind": "manual", "id": name},
        "grants": list(grants),
    }
    return Outgoing(AWARDS.name, str(account_id), event("bonus.points.accrue.v1", data, at))
