"""The demo's messages, as a till would send them: enrolments, purchases, returns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from contracts.topics import ACTIVITIES, PURCHASES, RETURNS
from examples.demo.dataset import Year

PROGRAMME: Final = "demo-year"
CURRENCY: Final = "PLN"
ENROLMENT_SOURCE: Final = "urn:demo:enrolment"
_CHUNK_BASKETS: Final = 4_096


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message ready to be sent."""

    topic: str
    key: str
    value: bytes


def card_of(household_id: int) -> str:
    """The household's card number."""
    return f"7700{household_id:08d}"


def enrolment_id(household_id: int) -> str:
    """The id of the event by which the household joined."""
    return f"enrol-{household_id}"


def money(cents: int) -> str:
    """A decimal string with two decimals."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def envelope(event_type: str, event_id: str, source: str, sent_at: datetime, data: dict[str, Any]) -> bytes:
    """A CloudEvent in structured mode."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "type": event_type,
            "id": event_id,
            "source": source,
            "time": sent_at,
            "datacontenttype": "application/json",
            "data": data,
        }
    )


def enrolments(year: Year, sent_at: datetime) -> Iterator[Outgoing]:
    """Every household joins at the very start of the year, under its card."""
    for household in year.households:
        card = card_of(household)
        data = {
            "programme": PROGRAMME,
            "enrolled_at": year.starts_at,
            "identifiers": [{"type": "card", "value": card}],
        }
        value = envelope("bonus.member.enrolled.v1", enrolment_id(household), ENROLMENT_SOURCE, sent_at, data)
        yield Outgoing(ACTIVITIES.name, f"card:{card}", value)


def purchases(year: Year, clock: Callable[[], datetime], first: int = 0, last: int | None = None) -> Iterator[Outgoing]:
    """The baskets `first` to `last` in order of time; `clock()` gives the instant of sending."""
    total = year.baskets.height if last is None else min(last, year.baskets.height)
    for start in range(first, total, _CHUNK_BASKETS):
        chunk = year.baskets.slice(start, min(_CHUNK_BASKETS, total - start))
        lines = _line_dicts(year, chunk["first"][0], int(chunk["size"].sum()))
        sent_at = clock()
        offset = 0
        for basket in chunk.select("purchase_id", "household_id", "store_id", "at", "size").iter_rows(named=True):
            own = lines[offset : offset + basket["size"]]
            offset += basket["size"]
            yield _purchase(basket, own, sent_at)


def _line_dicts(year: Year, first: int, count: int) -> list[dict[str, Any]]:
    rows = year.lines.slice(first, count).drop("basket_id").iter_rows()
    return [
        {"line": line, "sku": sku, "category": category, "brand": brand, "quantity": quantity,
         "amount": money(cents), "discount": money(discount), "cents": cents}
        for line, sku, category, brand, quantity, cents, discount in rows
    ]  # fmt: skip


def _purchase(basket: dict[str, Any], lines: list[dict[str, Any]], sent_at: datetime) -> Outgoing:
    purchase_id, store = basket["purchase_id"], basket["store_id"]
    card = card_of(basket["household_id"])
    total = sum(line.pop("cents") for line in lines)
    data = {
        "purchase_id": purchase_id,
        "programme": PROGRAMME,
        "purchased_at": basket["at"],
        "member": {"type": "card", "value": card},
        "store": f"store-{store}",
        "channel": "store",
        "currency": CURRENCY,
        "lines": lines,
        "payments": [{"type": "card", "amount": money(total)}],
    }
    value = envelope("bonus.purchase.completed.v1", purchase_id, f"urn:store:{store}", sent_at, data)
    return Outgoing(PURCHASES.name, f"card:{card}", value)


def returned(purchase_id: str, lines: list[tuple[int, str, int]], at: datetime, sent_at: datetime) -> Outgoing:
    """A return of `lines`: (line, quantity, cents) each."""
    data = {
        "return_id": f"return-of-{purchase_id}",
        "purchase_id": purchase_id,
        "programme": PROGRAMME,
        "returned_at": at,
        "lines": [{"line": line, "quantity": quantity, "amount": money(cents)} for line, quantity, cents in lines],
    }
    value = envelope("bonus.purchase.returned.v1", f"return-{purchase_id}", "urn:demo:returns", sent_at, data)
    return Outgoing(RETURNS.name, purchase_id, value)
