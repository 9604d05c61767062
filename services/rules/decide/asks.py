"""What a decision asks of budgets, as the messages of `contracts.budgets`; the home of the campaign answers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from contracts.ids import event_of
from services.rules.decide.awards import said_to_ledger
from services.rules.domain.commands import AskBudget
from services.rules.domain.participant import Participant
from services.rules.domain.programme import ProgrammeVersion
from services.rules.publishing import entry
from services.runtime.shard import LogEntry

ASKED: Final = "bonus.budget.asked.v1"


def campaign_key(tenant: str, programme: str, campaign: str) -> str:
    """The key of a campaign's home, which decides its shard."""
    return f"{tenant}/{programme}/{campaign}"


def award_of(participant: Participant, command: AskBudget, version: ProgrammeVersion | None) -> Mapping[str, Any]:
    """What the ledger is told once all of it is granted."""
    _, said = said_to_ledger(participant, command.accrual, version)
    return said


def entry_of(
    participant: Participant, command: AskBudget, award: Mapping[str, Any], now: datetime, traceparent: str | None
) -> LogEntry:
    """The log entry of an ask, on its way to the campaign's home."""
    data = {
        "ask_id": command.command_id,
        "programme": participant.programme,
        "campaign": command.campaign,
        "rule": command.rule,
        "account_id": participant.account_id,
        "decision_id": command.accrual.decision_id,
        "currency": command.award.currency,
        "scale": command.award.scale,
        "points": command.award.points,
        "total": command.total,
        "policy": "partial" if command.partial else "all_or_nothing",
        "award": award,
    }
    home = campaign_key(participant.tenant, participant.programme, command.campaign)
    return entry(
        ASKED, event_of(ASKED, command.command_id), key=home,
        tenant=participant.tenant, data=data, now=now, traceparent=traceparent,
    )  # fmt: skip
