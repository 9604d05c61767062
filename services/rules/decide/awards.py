"""What a decision tells the ledger, as the messages of `contracts.awards`.

Written as plain data: what is said here was computed a moment ago, and a test holds it against the models.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from contracts.ids import event_of
from services.rules.domain.commands import (
    Accrue,
    AddressAward,
    AskBudget,
    Cause,
    ChangeTier,
    Command,
    OpenAccount,
    Redeem,
    Restore,
    Reverse,
    Standing,
)
from services.rules.domain.outcome import Award
from services.rules.domain.participant import Participant
from services.rules.domain.programme import Currency, Duration, ProgrammeVersion
from services.rules.publishing import entry
from services.runtime.shard import LogEntry

OPEN: Final = "bonus.account.open.v1"
ACCRUE: Final = "bonus.points.accrue.v1"
REVERSE: Final = "bonus.points.reverse.v1"
REDEEM: Final = "bonus.purchase.redeem.v1"
RESTORE: Final = "bonus.redemption.restore.v1"
CHANGE_TIER: Final = "bonus.tier.change.v1"

_MONTHS: Final = {"months": 1, "years": 12}
_DAYS: Final = {"days": 1, "weeks": 7}

Said = dict[str, Any]


def entries(
    participant: Participant,
    commands: Sequence[Command],
    version: ProgrammeVersion | None,
    now: datetime,
    traceparent: str | None,
) -> Iterator[LogEntry]:
    """The log entries of a decision's commands, in their order."""
    key = str(participant.account_id)
    for command in commands:
        if isinstance(command, AskBudget | AddressAward):
            # Not for the ledger yet: see `asks` and `others`.
            continue
        event_type, data = said_to_ledger(participant, command, version)
        yield entry(
            event_type, event_of(event_type, command.command_id), key=key, tenant=participant.tenant, data=data,
            now=now, traceparent=traceparent,
        )  # fmt: skip


def said_to_ledger(participant: Participant, command: Command, version: ProgrammeVersion | None) -> tuple[str, Said]:
    """The type and the data of a command's message."""
    event_type, said = _WRITERS[type(command)](command, version)
    return event_type, {
        "command_id": command.command_id,
        "account_id": participant.account_id,
        "member_id": participant.member_id,
        "programme": participant.programme,
        "occurred_at": command.occurred_at,
        **said,
    }


def _opened(command: OpenAccount, _: ProgrammeVersion | None) -> tuple[str, Said]:
    return OPEN, {"currencies": [{"currency": key, "scale": scale} for key, scale in command.currencies]}


def _accrued(command: Accrue, version: ProgrammeVersion | None) -> tuple[str, Said]:
    return ACCRUE, {
        "decision_id": command.decision_id,
        "source": _source(command.cause),
        "grants": [_grant(award, version) for award in command.awards],
        "spent_policy": command.spent_policy,
        "standing": standing_data(command.standing),
    }


def _grant(award: Award, version: ProgrammeVersion | None) -> Said:
    grant: Said = {
        "currency": award.currency,
        "scale": award.scale,
        "points": award.points,
        "activates_at": award.activates_at,
        "expires_at": award.expires_at,
        "rules": [{"rule": rule, "points": points} for rule, points in award.rules],
    }
    if award.rule is not None:
        grant["campaign"] = award.rule
    if award.partner:
        grant["partner"] = award.partner
    inactivity = inactivity_of(version.currency(award.currency), version.zone) if version else None
    if inactivity is not None:
        grant["inactivity"] = inactivity
    return grant


def inactivity_of(currency: Currency, zone: str) -> Said | None:
    """After what silence all points of a currency lapse; None: never."""
    if currency.inactive is None:
        return None
    notice = currency.inactivity_notice
    return {
        "months": _counted(currency.inactive, _MONTHS),
        "days": _counted(currency.inactive, _DAYS),
        "notice_days": _counted(notice, _DAYS) if notice else 0,
        "zone": zone,
    }


def _counted(duration: Duration, units: Mapping[str, int]) -> int:
    return duration.count * units.get(duration.unit, 0)


def _reversed(command: Reverse, _: ProgrammeVersion | None) -> tuple[str, Said]:
    return REVERSE, {
        "decision_id": command.decision_id,
        "accrual_id": command.accrual_id,
        "source": _source(command.cause),
        "currency": command.currency,
        "points": command.points,
        "spent_policy": command.spent_policy,
        "standing": standing_data(command.standing),
    }


def _redeemed(command: Redeem, version: ProgrammeVersion | None) -> tuple[str, Said]:
    partner = next((each.key for each in version.partners if command.cause.store in each.stores), "") if version else ""
    return REDEEM, {
        "source": _source(command.cause),
        "currency": command.currency,
        "scale": command.scale,
        "points": command.points,
        "hold_id": command.hold_id,
        "redemption_id": command.redemption_id,
        "unbacked": command.unbacked,
        **({"partner": partner} if partner else {}),
    }


def _restored(command: Restore, _: ProgrammeVersion | None) -> tuple[str, Said]:
    return RESTORE, {
        "redemption_id": command.redemption_id,
        "source": _source(command.cause),
        "currency": command.currency,
        "points": command.points,
        "restore_for_s": command.restore_for_s,
    }


def _tier_changed(command: ChangeTier, _: ProgrammeVersion | None) -> tuple[str, Said]:
    return CHANGE_TIER, {
        "tier": command.tier,
        "previous": command.previous,
        "since": command.since,
        "until": command.until,
        "reason": command.reason,
        "cause": command.cause,
        "standing": standing_data(command.standing),
    }


def _source(cause: Cause) -> Said:
    return {"kind": cause.kind, "id": cause.id, "store": cause.store}


def standing_data(standing: Standing | None) -> Said | None:
    """A standing as contracts have it."""
    if standing is None:
        return None
    return {
        "tier": standing.tier,
        "since": standing.since,
        "until": standing.until,
        "qualifying": standing.qualifying,
        "next_tier": standing.next_tier,
        "missing": standing.missing,
    }


_WRITERS: Final[Mapping[type[Command], Callable[[Any, ProgrammeVersion | None], tuple[str, Said]]]] = {
    OpenAccount: _opened,
    Accrue: _accrued,
    Reverse: _reversed,
    Redeem: _redeemed,
    Restore: _restored,
    ChangeTier: _tier_changed,
}
