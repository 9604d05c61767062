"""What was asked and answered, as far as the log tells: which messages lead to which events, and with what figures.

The log has what came of a command, not the message itself. Source of what is told: services/ledger/answers.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from contracts.amounts import MAX_DECIMALS, format_points
from contracts.topics import AWARDS, MEMBER_EVENTS, REDEMPTIONS, TRANSFERS
from services.ledger.onward import FORWARDED
from services.ledger.verify.entry import Data, Entry

_OPERATORS: Final = frozenset({"adjustment", "freeze", "unfreeze", "close", "transfer"})
"""What is asked over HTTP alone."""

ASKING: Final = frozenset({*AWARDS.types, *REDEMPTIONS.types, *TRANSFERS.types, *MEMBER_EVENTS.types, *_OPERATORS})
"""Every message that may have a verdict."""

_LEADS_TO: Final[Mapping[str, Sequence[str]]] = {
    "bonus.points.accrued.v1": ("bonus.points.accrue.v1",),
    "bonus.points.reversed.v1": ("bonus.points.reverse.v1",),
    "bonus.points.redeemed.v1": ("bonus.points.redeem.v1", "bonus.purchase.redeem.v1"),
    "bonus.redemption.matched.v1": ("bonus.purchase.redeem.v1",),
    "bonus.points.restored.v1": ("bonus.redemption.restore.v1", "bonus.redemption.reverse.v1"),
    "bonus.points.adjusted.v1": ("adjustment",),
    "bonus.hold.placed.v1": ("bonus.hold.place.v1",),
    "bonus.hold.captured.v1": ("bonus.hold.capture.v1", "bonus.purchase.redeem.v1"),
    "bonus.tier.changed.v1": ("bonus.tier.change.v1",),
    "bonus.standing.noted.v1": ("bonus.tier.change.v1",),
    "bonus.account.frozen.v1": ("freeze",),
    "bonus.account.unfrozen.v1": ("unfreeze",),
    "bonus.account.closed.v1": ("close",),
    "bonus.account.erased.v1": ("bonus.member.erased.v1",),
    "bonus.merge.accepted.v1": ("bonus.accounts.merge.v1",),
    "bonus.transfer.received.v1": ("bonus.transfer.offered.v1",),
    "bonus.transfer.completed.v1": ("bonus.transfer.accepted.v1",),
    "bonus.transfer.returned.v1": ("bonus.transfer.refused.v1",),
}
"""What may be behind an event, beside a command that came from another account; the others come of several."""

BEHIND: Final[Mapping[str, frozenset[str]]] = {
    kind: frozenset({FORWARDED, *asking}) for kind, asking in _LEADS_TO.items()
}

USUALLY: Final[Mapping[str, str]] = {
    "bonus.account.opened.v1": "bonus.account.open.v1",
    "bonus.hold.released.v1": "bonus.hold.release.v1",
    "bonus.redemption.forwarded.v1": "bonus.purchase.redeem.v1",
    "bonus.transfer.sent.v1": "transfer",
    **{kind: asking[0] for kind, asking in _LEADS_TO.items()},
}
"""What most often leads to an event, where its own message is not known any more; else it came from another account."""

NEVER_IDLE: Final = frozenset(
    {"bonus.points.accrue.v1", "bonus.points.redeem.v1", "bonus.hold.place.v1", "adjustment", "transfer"}
)
"""Messages that are refused, or change something: no verdict on them stands without an event."""

_NAMED: Final = ("redemption_id", "hold_id", "transfer_id", "expires_at", "currency", "reason", "operator", "reference")
_MEASURED: Final[Mapping[str, tuple[str, str]]] = {
    "bonus.points.redeemed.v1": ("target", "redeemed"),
    "bonus.points.restored.v1": ("source", "redeemed"),
    "bonus.hold.placed.v1": ("target", "held"),
    "bonus.hold.captured.v1": ("target", "redeemed"),
    "bonus.hold.released.v1": ("source", "held"),
    "bonus.transfer.sent.v1": ("target", "in_transit"),
}
"""Which movements of an event are what was asked for: out of a bucket, or into one."""

_SAYS_HOW_MUCH: Final = frozenset({"bonus.points.redeem.v1", "bonus.hold.place.v1", "transfer"})
"""Messages on which as many points are moved, in that currency, as they asked for."""


def answer_of(events: Sequence[Entry]) -> dict[str, Any]:
    """What the answer to a command that was applied must say, from its events; it says more."""
    first, last = events[0].data, events[-1].data
    answer: dict[str, Any] = {"command_id": first.command_id, "account_id": first.account_id}
    answer |= {name: first.details[name] for name in _NAMED if name in first.details}
    moved = [(_MEASURED[each.type], each.data.movements) for each in events if each.type in _MEASURED]
    (end, bucket), movements = next((each for each in moved if each[1]), (("", ""), []))
    if movements:
        points = sum(each.points for _, more in moved for each in more if getattr(each, end) == bucket)
        currency = answer.setdefault("currency", movements[0].currency)
        if currency in last.balances:
            answer["points"] = format_points(points, last.balances[currency].scale)
    return answer


def balances_of(data: Data) -> dict[str, dict[str, str]]:
    """The balances after an event, as an answer has them."""
    return {
        currency: {
            "pending": format_points(after.pending, after.scale),
            "available": format_points(after.available, after.scale),
            "held": format_points(after.held, after.scale),
            "debt": format_points(after.debt, after.scale),
        }
        for currency, after in data.balances.items()
    }


def asked_otherwise(
    kind: str, request: Mapping[str, Any], events: Sequence[Entry], answer: Mapping[str, Any]
) -> Iterator[str]:
    """Fields of a request of this type that are not what came of it; `answer` as from `answer_of`."""
    if kind in _SAYS_HOW_MUCH:
        if "currency" in answer and request.get("currency") != answer["currency"]:
            yield "currency"
        if "points" in answer and _decimal(request.get("points")) != Decimal(answer["points"]):
            yield "points"
    for name in ("reference", "operator", "reason", "to_account_id"):
        if name in request:
            booked = {each.data.details.get(name) for each in events} - {None}
            if booked and request[name] not in booked:
                yield name


def _decimal(points: Any) -> Decimal | None:  # noqa: ANN401  # any JSON
    """Points of a request: a decimal as text, as sent, or ten-thousandths, as read."""
    try:
        return Decimal(points) if isinstance(points, str) else Decimal(points).scaleb(-MAX_DECIMALS)
    except (TypeError, ArithmeticError, ValueError):
        return None
