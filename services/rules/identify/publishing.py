"""What identification publishes: receipts, activities, facts and awards to the account, index entries, links."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.ids import event_of
from services.rules.domain.identifier import Holder
from services.rules.identify.taken import Taken
from services.rules.incoming import Origin
from services.rules.publishing import (
    ACTIVITY_IDENTIFIED,
    AWARD_IDENTIFIED,
    FACTS_IDENTIFIED,
    IDENTIFIER_LINKED,
    PARTICIPANT_ENROLLED,
    PURCHASE_INDEXED,
    RECEIPT_IDENTIFIED,
    entry,
    holder_data,
)
from services.runtime.shard import LogEntry


def passed_on(taken: Taken, holder: Holder, now: datetime) -> LogEntry:
    """A purchase, an activity, facts or somebody's award on its way to the account."""
    data: dict[str, Any]
    if taken.arrival.kind == "purchase":
        event_type = RECEIPT_IDENTIFIED
        data = {"purchase_key": taken.key, "holder": holder_data(holder), "first_seen_at": now, "purchase": taken.data}
    elif taken.arrival.kind == "activity":
        event_type = ACTIVITY_IDENTIFIED
        data = {"activity_key": taken.key, "holder": holder_data(holder), "activity": taken.data}
    elif taken.arrival.kind == "award":
        event_type = AWARD_IDENTIFIED
        data = {"award_key": taken.data["award_key"], "holder": holder_data(holder), "award": taken.data}
    else:
        event_type = FACTS_IDENTIFIED
        data = {"holder": holder_data(holder), "facts": taken.data}
    origin = taken.origin
    return entry(
        event_type,
        event_of(event_type, taken.key),
        key=str(holder.account_id),
        tenant=origin.tenant,
        data=data,
        now=now,
        traceparent=origin.traceparent,
    )


def indexed(taken: Taken, holder: Holder | None, now: datetime) -> LogEntry:
    """A purchase for the index. The event is of the purchase as it came under this identifier, so that it is one."""
    lines = taken.purchase.lines if taken.purchase else ()
    print_ = taken.fingerprint.hex()
    return entry(
        PURCHASE_INDEXED,
        # Under another identifier the same id comes again with another content, and both must be heard.
        event_of(PURCHASE_INDEXED, taken.key, print_, *([str(holder.account_id)] if holder else [])),
        key=taken.subject_id,
        tenant=taken.origin.tenant,
        data={
            "purchase_key": taken.key,
            "purchase_id": taken.subject_id,
            "programme": taken.programme,
            "holder": holder_data(holder) if holder else None,
            "purchased_at": taken.arrival.at,
            "fingerprint": print_,
            "lines": [(line.line, line.quantity, line.amount) for line in lines],
        },
        now=now,
        traceparent=taken.origin.traceparent,
    )


def enrolled(
    holder: Holder, enrolment: Mapping[str, Any], fingerprint: bytes, origin: Origin, now: datetime
) -> LogEntry:
    """The account's first word."""
    return entry(
        PARTICIPANT_ENROLLED,
        event_of(PARTICIPANT_ENROLLED, holder.account_id, fingerprint.hex()),
        key=str(holder.account_id),
        tenant=origin.tenant,
        data={"holder": holder_data(holder), "enrolment": enrolment},
        now=now,
        traceparent=origin.traceparent,
    )


def linked(  # noqa: PLR0913 - what a link says, the last by name
    name: str, holder: Holder, since: datetime, origin: Origin, now: datetime, *, moved_from: UUID | None = None
) -> LogEntry:
    """An identifier of a member, `type:value`, told where that identifier is; `moved_from` is who hands it over."""
    kind, _, value = name.partition(":")
    return entry(
        IDENTIFIER_LINKED,
        event_of(IDENTIFIER_LINKED, holder.account_id, name, since.isoformat()),
        key=name,
        tenant=origin.tenant,
        data={"identifier_type": kind, "identifier_value": value, "holder": holder_data(holder), "since": since}
        | ({"moved_from": moved_from} if moved_from else {}),
        now=now,
        traceparent=origin.traceparent,
    )
