"""What comes to participants, as identification and the index publish it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from contracts import ids

MEMBER = ids.derive("member", "test")
ACCOUNT = ids.account_of("default", "club", MEMBER)


def holder(account: UUID = ACCOUNT, member: UUID = MEMBER, programme: str = "club", card: str = "") -> dict[str, Any]:
    """Whose it is."""
    return {"account_id": str(account), "member_id": str(member), "programme": programme, "card_category": card}


def enrolled(whose: Mapping[str, Any] | None = None, at: str = "2026-01-01T09:00:00Z", **more: Any) -> dict[str, Any]:
    """A member joined."""
    whose = whose or holder()
    enrolment = {
        "programme": whose["programme"],
        "enrolled_at": at,
        "identifiers": [{"type": "card", "value": "770001"}],
        **more,
    }
    return _event(
        "bonus.participant.enrolled.v1", f"joined-{whose['account_id']}", {"holder": whose, "enrolment": enrolment}
    )


def bought(  # noqa: PLR0913 - what a receipt may say, all by name but two
    purchase_id: str,
    *amounts: str,
    at: str = "2026-03-01T12:00:00+01:00",
    whose: Mapping[str, Any] | None = None,
    payments: Sequence[Mapping[str, Any]] | None = None,
    event_id: str = "",
    categories: Sequence[str] = (),
) -> dict[str, Any]:
    """A purchase of one line for each amount."""
    whose = whose or holder()
    named = [*categories, *([""] * len(amounts))]
    lines = [
        {"line": number, "category": category, "quantity": "1", "amount": amount}
        for number, (amount, category) in enumerate(zip(amounts, named, strict=False), start=1)
    ]
    purchase = {
        "purchase_id": purchase_id,
        "programme": whose["programme"],
        "purchased_at": at,
        "store": "krakow-12",
        "currency": "PLN",
        "lines": lines,
        "payments": payments or [{"type": "card", "amount": amount} for amount in amounts],
    }
    data = {
        "purchase_key": str(key(purchase_id, str(whose["programme"]))),
        "holder": whose,
        "first_seen_at": "2026-06-01T12:00:00Z",
        "purchase": purchase,
    }
    return _event("bonus.receipt.identified.v1", event_id or f"bought-{purchase_id}", data)


def returned(  # noqa: PLR0913 - what a return may say, all by name but two
    purchase_id: str,
    remaining: Mapping[int, tuple[str, str]],
    *,
    return_id: str = "",
    at: str = "2026-03-05T12:00:00+01:00",
    refunds: Sequence[Mapping[str, Any]] | None = None,
    whose: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Goods came back; `remaining` is quantity and amount of every line that the purchase has."""
    whose = whose or holder()
    return_id = return_id or f"return-of-{purchase_id}"
    said = {
        "return_id": return_id,
        "purchase_id": purchase_id,
        "programme": whose["programme"],
        "returned_at": at,
        "lines": [{"line": line, "quantity": "0", "amount": "0"} for line in remaining],
        "refunds": refunds,
    }
    data = {
        "return_key": str(ids.return_key("default", str(whose["programme"]), return_id)),
        "purchase_key": str(key(purchase_id, str(whose["programme"]))),
        "holder": whose,
        "returned": {name: value for name, value in said.items() if value is not None},
        "remaining": [
            {"line": line, "quantity": quantity, "amount": amount} for line, (quantity, amount) in remaining.items()
        ],
    }
    return _event("bonus.return.indexed.v1", f"returned-{return_id}", data)


def conflicted(purchase_id: str, whose: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The purchase came under another identifier first."""
    whose = whose or holder()
    data = {
        "purchase_key": str(key(purchase_id, str(whose["programme"]))),
        "holder": whose,
        "purchase_id": purchase_id,
        "first_holder": None,
        "found_at": "2026-05-01T12:00:00Z",
    }
    return _event("bonus.purchase.conflicted.v1", f"conflict-{purchase_id}", data)


def learned(known_at: str, whose: Mapping[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    """Facts became known."""
    whose = whose or holder()
    said = {"member": {"type": "card", "value": "770001"}, "programme": whose["programme"], "known_at": known_at}
    return _event("bonus.facts.identified.v1", f"facts-{known_at}", {"holder": whose, "facts": said | facts})


def did(activity_id: str, name: str, product: str = "", at: str = "2026-03-01T12:00:00Z") -> dict[str, Any]:
    """A member did something."""
    whose = holder()
    activity = {
        "activity_id": activity_id,
        "programme": whose["programme"],
        "name": name,
        "occurred_at": at,
        "member": {"type": "card", "value": "770001"},
        "product": product,
    }
    data = {
        "activity_key": str(ids.activity_key("default", str(whose["programme"]), activity_id)),
        "holder": whose,
        "activity": activity,
    }
    return _event("bonus.activity.identified.v1", f"did-{activity_id}", data)


def key(purchase_id: str, programme: str = "club") -> UUID:
    """A purchase's business key."""
    return ids.purchase_key("default", programme, purchase_id)


def decision(purchase_id: str, account: UUID = ACCOUNT) -> UUID:
    """The decision on a purchase."""
    return ids.decision_of(account, key(purchase_id))


def _event(event_type: str, event_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": event_type,
        "id": event_id,
        "source": "urn:bonus:rules",
        "time": "2026-06-01T12:00:00Z",
        "datacontenttype": "application/json",
        "tenant": "default",
        "data": data,
    }
