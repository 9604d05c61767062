"""Which event makes which message, and what the message says.

A notice holds facts, never sentences: points in the smallest unit of their currency, instants in ISO 8601, codes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from contracts.envelope import CloudEvent
from contracts.ledger_events import Happened, LedgerEvent
from contracts.member_events import BirthdayReached, TierLossAnnounced

Template = Literal[
    "welcome",
    "points-accrued",
    "points-activated",
    "points-redeemed",
    "points-expiring",
    "tier-changed",
    "tier-ending",
    "birthday",
    "confirmation",
]
Kind = Literal["account", "points", "tier", "greetings"]
"""What a member may mute as a whole."""

KIND_OF: Final[Mapping[Template, Kind]] = {
    "welcome": "account",
    "points-accrued": "points",
    "points-activated": "points",
    "points-redeemed": "points",
    "points-expiring": "points",
    "tier-changed": "tier",
    "tier-ending": "tier",
    "birthday": "greetings",
}
"""A confirmation is of no kind: whoever asked for a code wants it."""

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell: which template says it, with which facts."""

    template: Template
    facts: Facts

    @property
    def kind(self) -> Kind:
        """What a member would mute to not hear this."""
        return KIND_OF[self.template]


def is_old(effective_at: datetime, now: datetime, age_max: timedelta | None) -> bool:
    """Whether an event counts at a time too long ago to be told; no `age_max`: never.

    History that is read in later would otherwise reach members as news.
    """
    return age_max is not None and now - effective_at > age_max


def notice_of(event: CloudEvent) -> Notice | None:
    """What an event gives to tell; None if nothing."""
    if isinstance(event, LedgerEvent):
        maker = _MAKERS.get(event.type)
        return maker(event.data) if maker else None
    if isinstance(event, TierLossAnnounced):
        loss = event.data
        return Notice("tier-ending", {"tier": loss.tier, "until": loss.until.isoformat()})
    if isinstance(event, BirthdayReached):
        return Notice("birthday", {})
    return None


def _welcome(happened: Happened) -> Notice:
    return Notice("welcome", {"balances": _balances(happened)})


def _accrued(happened: Happened) -> Notice | None:
    amounts = []
    for currency in _currencies(happened):
        lots = [lot for lot in happened.lots if lot.currency == currency]
        amount = {
            **_amount(happened, currency, _moved(happened, currency, {"issued"})),
            "pending": _moved(happened, currency, {"issued"}, {"pending"}),
            "activates_at": _earliest(lot.activates_at for lot in lots),
            "expires_at": _earliest(lot.expires_at for lot in lots),
        }
        if amount["points"] > 0:
            amounts.append(amount)
    return _about_points("points-accrued", happened, amounts)


def _activated(happened: Happened) -> Notice | None:
    moved = [_amount(happened, currency, _moved(happened, currency, {"pending"})) for currency in _currencies(happened)]
    return _about_points("points-activated", happened, [amount for amount in moved if amount["points"] > 0])


def _redeemed(happened: Happened) -> Notice | None:
    moved = [
        _amount(happened, currency, _moved(happened, currency, {"available", "held"}, {"redeemed"}))
        for currency in _currencies(happened)
    ]
    return _about_points("points-redeemed", happened, [amount for amount in moved if amount["points"] > 0])


def _expiring(happened: Happened) -> Notice | None:
    details = happened.details
    amount = {**_amount(happened, details["currency"], details["points"]), "expires_at": details["lapses_at"]}
    return _about_points("points-expiring", happened, [amount])


def _tier_changed(happened: Happened) -> Notice | None:
    details = happened.details
    tier, previous = details.get("tier"), details.get("previous")
    if tier == previous:
        # The same tier for another period: nothing that a member would notice.
        return None
    return Notice("tier-changed", {"tier": tier, "previous": previous, "until": details.get("until")})


_MAKERS: Final[Mapping[str, Callable[[Happened], Notice | None]]] = {
    "bonus.account.opened.v1": _welcome,
    "bonus.points.accrued.v1": _accrued,
    "bonus.points.activated.v1": _activated,
    "bonus.points.redeemed.v1": _redeemed,
    "bonus.hold.captured.v1": _redeemed,
    "bonus.expiry.announced.v1": _expiring,
    "bonus.tier.changed.v1": _tier_changed,
}

TOLD_TYPES: Final = frozenset({*_MAKERS, "bonus.birthday.reached.v1", "bonus.tier.loss-announced.v1"})
"""Types of event that may give something to tell."""


def _about_points(template: Template, happened: Happened, amounts: list[Facts]) -> Notice | None:
    if not amounts:
        return None
    source = happened.source
    cause = {"kind": source.kind, "id": source.id, "store": source.store} if source else None
    return Notice(template, {"amounts": amounts, "balances": _balances(happened), "source": cause})


def _currencies(happened: Happened) -> list[str]:
    return list(dict.fromkeys(movement.currency for movement in happened.movements))


def _moved(happened: Happened, currency: str, sources: set[str], targets: set[str] | None = None) -> int:
    return sum(
        movement.points
        for movement in happened.movements
        if movement.currency == currency
        and movement.source in sources
        and (targets is None or movement.target in targets)
    )


def _amount(happened: Happened, currency: str, points: int) -> Facts:
    balance = happened.balances.get(currency)
    return {"currency": currency, "scale": balance.scale if balance else 0, "points": points}


def _balances(happened: Happened) -> list[Facts]:
    return [
        {
            "currency": currency,
            "scale": balance.scale,
            "available": balance.available,
            "pending": balance.pending,
            "debt": balance.debt,
        }
        for currency, balance in happened.balances.items()
    ]


def _earliest(instants: Iterable[datetime | None]) -> str | None:
    known = [instant for instant in instants if instant is not None]
    return min(known).isoformat() if known else None
