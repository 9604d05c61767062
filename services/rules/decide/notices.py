"""What is noticed about a member without a purchase, for those who tell people: see `contracts.member_events`."""

from datetime import datetime
from typing import Final

from contracts.ids import event_of
from services.rules.domain.celebrations import Birthday
from services.rules.domain.participant import Participant
from services.rules.publishing import entry
from services.runtime.shard import LogEntry

BIRTHDAY_REACHED: Final = "bonus.birthday.reached.v1"


def birthday(participant: Participant, reached: Birthday, now: datetime, traceparent: str | None) -> LogEntry:
    """It is a member's birthday; the year of birth stays here."""
    account_id, member_id = participant.account_id, reached.member_id
    data = {
        "account_id": account_id,
        "member_id": member_id,
        "programme": participant.programme,
        "effective_at": reached.begins_at,
        "day": reached.day,
    }
    return entry(
        BIRTHDAY_REACHED, event_of(BIRTHDAY_REACHED, account_id, str(member_id), str(reached.day.year)),
        key=str(account_id), tenant=participant.tenant, data=data, now=now, traceparent=traceparent,
    )  # fmt: skip
