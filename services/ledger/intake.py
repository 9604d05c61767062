"""From messages to what is asked of an account: awards, commands of retail systems, requests over HTTP, the sweepers'.

A command of a retail system names points as a decimal string; how many decimals its currency has, the programme or the
account's books say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import orjson

from contracts import ids
from contracts.amounts import points_from_decimal
from contracts.envelope import CloudEvent
from contracts.member_events import MemberErased
from contracts.redemptions import (
    CaptureHold,
    HoldCaptureRequest,
    HoldReleaseRequest,
    HoldRequest,
    PlaceHold,
    RedeemPoints,
    RedemptionRequest,
    RedemptionReversalRequest,
    ReleaseHold,
    RetailCommand,
    ReverseRedemption,
)
from contracts.topics import MEMBER_EVENTS
from services.ledger.confirmations import NO_CONFIRMATIONS, Confirmations
from services.ledger.domain import commands
from services.ledger.domain.account import Account, Hold, Redemption
from services.ledger.domain.commands import Command, Confirmation
from services.ledger.domain.needs import Needs, needs
from services.ledger.domain.refusals import Refusal, bill_negative, currency_unknown, not_positive
from services.ledger.onward import command_in, receiver_of
from services.runtime.messages import Message, invalid_data

CATCH_UP: Final = "bonus.internal.catch-up.v1"
"""The type of a sweeper's message: nothing is asked, what is due is written down."""

NOTHING: Final = Needs()
"""What is asked of an account that is only brought up to date."""

_OF_MEMBERS: Final = frozenset(MEMBER_EVENTS.types)
"""What rules notice about members; only an erasure concerns the books."""

_RETAIL: Final = (RedeemPoints, PlaceHold, CaptureHold, ReleaseHold, ReverseRedemption)


@dataclass(frozen=True, slots=True)
class Request:
    """What an API hands over: a command that is ready, of an account that exists.

    `asked` is what the caller asked, as JSON that is equal when the same is asked again. `decimals`: see `Ask`.
    """

    tenant: str
    programme: str
    command: Command
    asked: str
    decimals: int | None = None


@dataclass(slots=True)
class Ask:
    """What a message asks of which account. `command` None: no more than to catch up with what is due.

    `asked` is there where a caller waits for an answer and may ask again, under the same key, for something else.
    `refusal` says that it cannot even be put into a command. `decimals` are points in ten-thousandths for a command
    whose currency is that of the hold or redemption that it names. `resumed`: it has waited for another.
    """

    message: Message
    command_id: UUID
    account_id: UUID
    tenant: str
    programme: str
    member_id: UUID | None
    command: Command | None
    asked: str | None = None
    refusal: Refusal | None = None
    decimals: int | None = None
    resumed: bool = False
    needs: Needs = NOTHING

    def __post_init__(self) -> None:
        """Say what deciding it reads."""
        if self.command is not None:
            self.needs = needs(self.command)


@dataclass(frozen=True, slots=True)
class Scales:
    """Decimals of the currencies of one account and its programme, by their names."""

    known: dict[tuple[str, str, str], int]

    def of(self, tenant: str, programme: str, currency: str) -> int | None:
        """How many decimals a currency has; None where nobody has said so yet."""
        return self.known.get((tenant, programme, currency))


def account_key(message: Message) -> str:
    """The account that a message is for, which decides its shard. Raises `MessageFault`."""
    if isinstance(message.payload, Request):
        return str(message.payload.command.account_id)
    if message.type == CATCH_UP:
        return message.key
    if message.event is None:
        raise invalid_data(message.problems)
    receiver = receiver_of(message.event)
    if receiver is not None:
        return str(receiver)
    return str(message.event.data.account_id)  # type: ignore[attr-defined]  # every type of our topics has it


def ask_of(message: Message, scales: Scales, now: datetime, confirmations: Confirmations = NO_CONFIRMATIONS) -> Ask:
    """What a message asks at `now`. Raises `MessageFault` for one whose data is not what its type says."""
    payload = message.payload
    if isinstance(payload, Request):
        command = payload.command
        return Ask(
            message, command.command_id, command.account_id, payload.tenant, payload.programme, None, command,
            payload.asked, decimals=payload.decimals,
        )  # fmt: skip
    if message.type == CATCH_UP:
        account_id = UUID(message.key)
        return Ask(message, account_id, account_id, message.tenant, "", None, None)
    event = message.event
    if event is None:
        raise invalid_data(message.problems)
    if isinstance(event, _RETAIL):
        return _retail_ask(message, event, scales, now, confirmations)
    return _from_services(message, event)


def _from_services(message: Message, event: CloudEvent) -> Ask:
    """What rules or another account ask."""
    if isinstance(event, MemberErased):
        return _erasure(message, event)
    data = event.data  # type: ignore[attr-defined]  # every type of our topics has it
    if message.type in _OF_MEMBERS:
        return Ask(message, data.account_id, data.account_id, message.tenant, "", None, None)
    if receiver_of(event) is not None:
        command, programme = command_in(event)
        return Ask(message, command.command_id, command.account_id, message.tenant, programme, None, command)
    return Ask(message, data.command_id, data.account_id, message.tenant, data.programme, data.member_id, data)


def command_id_of(tenant: str, caller: str, account_id: UUID, kind: str, key: str) -> UUID:
    """The command that a caller's key names, over Kafka or HTTP: keys belong to a caller, an account and a kind."""
    return ids.command_of_request(tenant, caller, f"{kind}/{account_id}", key)


def _erasure(message: Message, event: MemberErased) -> Ask:
    data = event.data
    command_id = ids.derive("erase", data.account_id, message.source, message.id)
    command = commands.Erase(command_id=command_id, account_id=data.account_id, occurred_at=data.effective_at)
    return Ask(message, command_id, data.account_id, message.tenant, data.programme, None, command)


def _retail_ask(
    message: Message,
    event: Any,  # noqa: ANN401  # one of _RETAIL
    scales: Scales,
    now: datetime,
    confirmations: Confirmations,
) -> Ask:
    data: RetailCommand = event.data
    currency = currency_of(data)
    confirmation = confirmations.read(
        getattr(data, "confirmation", None), tenant=message.tenant, account_id=data.account_id,
        programme=data.programme, currency=currency, till=message.source, now=now,
    )  # fmt: skip
    command_id = command_id_of(message.tenant, message.source, data.account_id, message.type, data.key)
    base = {"command_id": command_id, "account_id": data.account_id, "occurred_at": event.time}
    scale = scales.of(message.tenant, data.programme, currency)
    command, decimals, refusal = command_of(data, base, scale, confirmation)
    return Ask(
        message, command_id, data.account_id, message.tenant, data.programme, None, command,
        orjson.dumps(without_token(message.content["data"]), option=orjson.OPT_SORT_KEYS).decode(), refusal, decimals,
    )  # fmt: skip


def without_token(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was asked, with a fingerprint of the confirmation in its place: the log holds nothing that could be used."""
    token = asked.get("confirmation")
    if not isinstance(token, str):
        return asked
    return {**asked, "confirmation": sha256(token.encode()).hexdigest()}


def currency_of(data: RetailCommand) -> str:
    """The currency that a command names; empty where it is that of a hold or redemption."""
    return data.currency if isinstance(data, HoldRequest | RedemptionRequest) else ""


def command_of(
    data: RetailCommand, base: dict[str, Any], scale: int | None, confirmation: Confirmation | None = None
) -> tuple[Command | None, int | None, Refusal | None]:
    """The domain's command, points that wait for their currency (see `Ask.decimals`), or why there is none.

    `base` has the fields of `Direct`; `scale` is that of the currency that the command names.
    """
    match data:
        case HoldRequest() | RedemptionRequest():
            return _spending(data, base, scale, confirmation)
        case HoldReleaseRequest():
            return commands.ReleaseHold(**base, hold_id=data.hold_id), None, None
        case HoldCaptureRequest():
            keep = data.partial == "keep"
            capture = commands.CaptureHold(**base, hold_id=data.hold_id, keep=keep, partner=data.partner)
            return capture, data.points, None
        case RedemptionReversalRequest():
            return commands.ReverseRedemption(**base, redemption_id=data.redemption_id), data.points, None
    raise TypeError(f"no command of a retail system: {type(data).__name__}")


def _spending(
    data: HoldRequest | RedemptionRequest,
    base: dict[str, Any],
    scale: int | None,
    confirmation: Confirmation | None,
) -> tuple[Command | None, int | None, Refusal | None]:
    if scale is None:
        return None, None, currency_unknown(data.currency)
    points = points_from_decimal(data.points, scale)
    if points is None:
        return None, None, too_many_decimals(scale)
    if points <= 0:
        return None, None, not_positive()
    if min(data.bill or 0, data.redeemable or 0) < 0:
        return None, None, bill_negative()
    asked = base | {
        "currency": data.currency,
        "points": points,
        "bill": data.bill,
        "redeemable": data.redeemable,
        "reference": data.reference,
        "partner": data.partner,
        "confirmation": confirmation,
    }
    if isinstance(data, HoldRequest):
        return commands.PlaceHold(**asked, time_out_s=data.time_out_s), None, None
    return commands.Redeem(**asked), None, None


def in_smallest_unit(command: Command, decimals: int, account: Account) -> Command | Refusal:
    """The command with its points, once the hold or redemption that it names is known.

    The command as it is where there is no such hold or redemption: the domain refuses it. Refused: `too_many_decimals`.
    """
    named: Hold | Redemption | None = None
    if isinstance(command, commands.CaptureHold):
        named = account.holds.get(command.hold_id)
    elif isinstance(command, commands.ReverseRedemption):
        named = account.redemptions.get(command.redemption_id)
    if named is None or not isinstance(command, commands.CaptureHold | commands.ReverseRedemption):
        return command
    scale = account.balances[named.currency].scale
    points = points_from_decimal(decimals, scale)
    return too_many_decimals(scale) if points is None else replace(command, points=points)


def too_many_decimals(scale: int) -> Refusal:
    """Points have no more decimals than their currency."""
    return Refusal("too_many_decimals", f"Write points with at most {scale} decimals.", {"scale": str(scale)})
