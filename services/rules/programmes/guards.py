"""What the other services are told of a programme: all its versions with their instants, as contracts have it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from contracts.amounts import format_decimal
from contracts.ids import derive, event_of
from services.rules.domain.programme import Currency, Duration, ProgrammeVersion, Redeem
from services.rules.domain.publication import Programme
from services.rules.publishing import entry
from services.runtime.shard import LogEntry

PUBLISHED: Final = "bonus.programme.published.v1"
_SECONDS: Final = {"minutes": 60, "hours": 3_600, "days": 86_400, "weeks": 604_800}
_MONTH_S: Final = 30 * 86_400


def announcement(
    tenant: str, programme: Programme, versions: Sequence[ProgrammeVersion], now: datetime, traceparent: str | None
) -> LogEntry:
    """The log entry that tells everybody of a programme as it is now; `versions` are those published."""
    cause = derive("programme", tenant, programme.key)
    data = {
        "programme": programme.key,
        "revision": programme.revision,
        "versions": [guards_of(version) for version in versions],
        "suspensions": [{"starts_at": each.starts_at, "ends_at": each.ends_at} for each in programme.suspensions],
    }
    return entry(
        PUBLISHED, event_of(PUBLISHED, cause, str(programme.revision)), key=key_of(tenant, programme.key),
        tenant=tenant, data=data, now=now, traceparent=traceparent,
    )  # fmt: skip


def key_of(tenant: str, programme: str) -> str:
    """The key of everything about a programme."""
    return f"{tenant}/{programme}"


def guards_of(version: ProgrammeVersion) -> dict[str, Any]:
    """The part of a version that commands which come to the ledger directly are checked by."""
    return {
        "version": version.version,
        "starts_at": version.starts_at,
        "zone": version.zone,
        "money": version.money,
        "currencies": [_currency(currency) for currency in version.currencies],
        "redemption": None if version.redeem is None else _redemption(version.redeem),
        "debt_allowed": version.debt_allowed,
        "transfer_month": version.transfers.per_month if version.transfers else None,
        "name": dict(version.texts.name),
        "tiers": {level.tier: dict(level.name) for level in version.tiers.levels} if version.tiers else {},
    }


def _currency(currency: Currency) -> dict[str, Any]:
    return {
        "currency": currency.key,
        "scale": currency.scale,
        "worth": format_decimal(currency.worth),
        "name": dict(currency.many),
    }


def _redemption(redeem: Redeem) -> dict[str, Any]:
    return {
        "currency": redeem.currency,
        "share_of_bill": redeem.share_of_bill.as_integer_ratio(),
        "step": redeem.step,
        "at_least": redeem.at_least,
        "per_day": redeem.per_day,
        "confirm_above": redeem.confirm_above,
        "unbacked": redeem.unbacked,
        "hold_s": _seconds(redeem.hold),
    }


def _seconds(duration: Duration) -> int:
    """How long points are held: a month is 30 days, a year twelve of them; nobody holds points by the calendar."""
    if duration.unit in _SECONDS:
        return duration.count * _SECONDS[duration.unit]
    return duration.count * _MONTH_S * (12 if duration.unit == "years" else 1)
