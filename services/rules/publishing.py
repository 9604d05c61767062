"""Messages that rules publishes: envelope and log entry around their data."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from services.rules.domain.identifier import Holder
from services.runtime.shard import LogEntry

SOURCE: Final = "urn:bonus:rules"

RECEIPT_IDENTIFIED: Final = "bonus.receipt.identified.v1"
ACTIVITY_IDENTIFIED: Final = "bonus.activity.identified.v1"
AWARD_IDENTIFIED: Final = "bonus.award.identified.v1"
FACTS_IDENTIFIED: Final = "bonus.facts.identified.v1"
PARTICIPANT_ENROLLED: Final = "bonus.participant.enrolled.v1"
IDENTIFIER_LINKED: Final = "bonus.identifier.linked.v1"
IDENTIFIER_BLOCKED: Final = "bonus.identifier.blocked.v1"
PURCHASE_INDEXED: Final = "bonus.purchase.indexed.v1"
RETURN_INDEXED: Final = "bonus.return.indexed.v1"
PURCHASE_CONFLICTED: Final = "bonus.purchase.conflicted.v1"

REJECTED: Final = {
    "purchase": "bonus.purchase.rejected.v1",
    "return": "bonus.return.rejected.v1",
    "activity": "bonus.activity.rejected.v1",
}
"""What was refused, to the type that says so."""


def entry(  # noqa: PLR0913 - the attributes of an envelope, all by name but two
    event_type: str,
    event_id: UUID,
    *,
    key: str,
    tenant: str,
    data: Mapping[str, Any],
    now: datetime,
    traceparent: str | None,
) -> LogEntry:
    """A log entry with its CloudEvent. `data` holds what JSON can say, UUIDs and aware instants included."""
    body = {
        "specversion": "1.0",
        "type": event_type,
        "id": event_id,
        "source": SOURCE,
        "time": now,
        "datacontenttype": "application/json",
        "tenant": tenant,
        "data": data,
    }
    return LogEntry(event_id, key, event_type, encoded(body), traceparent)


def encoded(data: Mapping[str, Any]) -> bytes:
    """The JSON of what a message says, UUIDs and aware instants included."""
    return orjson.dumps(data, default=_uuid)


def _uuid(value: object) -> str:
    """The driver's UUIDs are a subclass that the encoder does not take for one."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is nothing that a message can say")


def holder_data(holder: Holder) -> dict[str, Any]:
    """A holder as messages carry it."""
    return {
        "account_id": holder.account_id,
        "member_id": holder.member_id,
        "programme": holder.programme,
        "card_category": holder.card_category,
    }
