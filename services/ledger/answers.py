"""What a caller is told of a command: kept with its verdict, and told again as often as it is asked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from contracts.amounts import format_points
from services.ledger.domain.account import Account
from services.ledger.domain.account_events import TransferSent
from services.ledger.domain.decide import Outcome
from services.ledger.domain.events import (
    Event,
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    PointsAdjusted,
    PointsRedeemed,
    PointsRestored,
)
from services.ledger.domain.refusals import Refusal
from services.ledger.intake import Ask

_NAMED = ("redemption_id", "hold_id", "transfer_id", "expires_at", "currency", "reason", "operator", "reference")


def answer_of(ask: Ask, outcome: Outcome, position: int, now: datetime) -> str:
    """The answer to a command that was applied, as JSON: what it made, and the balances after it.

    `position` is that of the account's last event in its shard: with it a reader can ask for what it has written.
    """
    account = outcome.account
    answer: dict[str, Any] = {
        "command_id": ask.command_id,
        "account_id": account.account_id,
        "version": account.version,
        "position": position,
        "recorded_at": now,
    }
    own = [each.event for each in outcome.recorded if each.event.command_id == ask.command_id]
    for event in own:
        for name in _NAMED:
            value = getattr(event, name, None)
            if value is not None:
                answer.setdefault(name, value)
    moved = next((each for each in own if type(each) in _MEASURED and each.movements), None)
    if moved is not None:
        currency = answer.setdefault("currency", moved.movements[0].currency)
        answer["points"] = _moved(account, own, currency, *_MEASURED[type(moved)])
    answer["balances"] = balances_of(account)
    return orjson.dumps(answer, default=str).decode()


def refusal_of(refusal: Refusal) -> str:
    """The answer to a command that was refused, as JSON."""
    return orjson.dumps({"message": refusal.message, "facts": dict(refusal.facts)}).decode()


def balances_of(account: Account) -> Mapping[str, Mapping[str, str]]:
    """Balances as people read them, by currency."""
    return {
        currency: {
            "pending": format_points(balance.pending, balance.scale),
            "available": format_points(balance.available, balance.scale),
            "held": format_points(balance.held, balance.scale),
            "debt": format_points(balance.debt, balance.scale),
        }
        for currency, balance in sorted(account.balances.items())
    }


def _moved(account: Account, events: list[Event], currency: str, source: str | None, target: str | None) -> str:
    """How many points the command took, set aside or gave back; what else it set in motion is not among them."""
    points = sum(
        movement.points
        for event in events
        if type(event) in _MEASURED
        for movement in event.movements
        if source in {None, movement.source} and target in {None, movement.target}
    )
    return format_points(points, account.balances[currency].scale)


_MEASURED: Final[Mapping[type[Event], tuple[str | None, str | None]]] = {
    PointsRedeemed: (None, "redeemed"),
    PointsRestored: ("redeemed", None),
    PointsAdjusted: (None, None),
    HoldPlaced: (None, "held"),
    HoldCaptured: (None, "redeemed"),
    HoldReleased: ("held", None),
    TransferSent: (None, "in_transit"),
}
"""Which movements of an event are what the command asked for: from which bucket, to which one."""


def account_elsewhere(account_id: UUID) -> Refusal:
    """The account belongs to another tenant or programme than the command says; to its sender there is none such."""
    return Refusal("account_unknown", "There is no such account.", {"account_id": str(account_id)})
