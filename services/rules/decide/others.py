"""What a decision brings to somebody else, on its way to whoever holds the identifier by which they are named."""

from datetime import datetime
from typing import Final

from contracts.ids import event_of
from services.rules.domain.commands import AddressAward
from services.rules.domain.participant import Participant
from services.rules.publishing import entry
from services.runtime.shard import LogEntry

ADDRESSED: Final = "bonus.award.addressed.v1"


def entry_of(participant: Participant, command: AddressAward, now: datetime, traceparent: str | None) -> LogEntry:
    """The log entry of an award for somebody else, or of what a return makes of it."""
    kind, _, value = command.recipient.partition(":")
    award = command.award
    data = {
        "award_key": command.award_key,
        "change_key": command.command_id,
        "programme": participant.programme,
        "identifier_type": kind,
        "identifier_value": value,
        "occurred_at": command.occurred_at,
        "changed_at": command.changed_at,
        "giver": {
            "account_id": participant.account_id,
            "member_id": command.member_id,
            "programme": participant.programme,
        },
        "version": command.version,
        "rule": command.rule,
        "currency": award.currency,
        "scale": award.scale,
        "points": award.points,
        "activates_at": award.activates_at,
        "expires_at": award.expires_at,
        "giver_decision_id": command.decision_id,
    }
    return entry(
        ADDRESSED, event_of(ADDRESSED, command.command_id), key=command.recipient, tenant=participant.tenant,
        data=data, now=now, traceparent=traceparent,
    )  # fmt: skip
