"""What one account has for another, as messages on the transfers' topic, and back.

Points in transit and the answers to them have messages of their own; any other command goes as it is, with its fields
under their names.
"""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, get_type_hints
from uuid import UUID

import orjson
from pydantic import BaseModel

from contracts import awards, ids
from contracts.envelope import CloudEvent
from contracts.transfers import CommandForwarded, TransferAccepted, TransferOffered, TransferRefused
from services.ledger import wire
from services.ledger.domain import commands
from services.ledger.domain.account import Account
from services.ledger.domain.commands import Command, CompleteTransfer, Direct, ReceivePoints, ReturnTransfer
from services.ledger.domain.decision import Onward
from services.ledger.domain.events import Activity, Carried
from services.runtime.messages import MessageFault
from services.runtime.shard import LogEntry

OFFERED: Final = "bonus.transfer.offered.v1"
ACCEPTED: Final = "bonus.transfer.accepted.v1"
REFUSED: Final = "bonus.transfer.refused.v1"
FORWARDED: Final = "bonus.command.forwarded.v1"

_DIRECT: Final[Mapping[str, type[Direct]]] = {
    kind.__name__: kind
    for kind in vars(commands).values()
    if isinstance(kind, type) and issubclass(kind, Direct) and kind is not Direct
}
_AWARDS: Final[Mapping[str, type[awards.Command]]] = {
    kind.__name__: kind
    for kind in vars(awards).values()
    if isinstance(kind, type) and issubclass(kind, awards.Command) and kind is not awards.Command
}

_RECEIVERS: Final[Mapping[type[CloudEvent], str]] = {
    TransferOffered: "to_account_id",
    TransferAccepted: "from_account_id",
    TransferRefused: "from_account_id",
    CommandForwarded: "account_id",
}
"""Where each message of the transfers' topic names the account that it is for."""


def message_entry(account: Account, onward: Onward, now: datetime, traceparent: str | None) -> LogEntry:
    """The log entry that carries a command from `account` to another."""
    command = onward.command
    if isinstance(command, ReceivePoints):
        kind, data = OFFERED, _offer(account, command)
    elif isinstance(command, CompleteTransfer):
        kind, data = ACCEPTED, {**_part(account, onward, command.transit_id), "accepted_at": command.occurred_at}
    elif isinstance(command, ReturnTransfer):
        refusal = {"code": command.reason, "message": "The points could not be taken up."}
        data = {**_part(account, onward, command.transit_id), "refused_at": command.occurred_at, "refusal": refusal}
        kind = REFUSED
    else:
        kind, data = FORWARDED, _forwarded(account, onward)
    event_id = ids.event_of(kind, command.command_id)
    envelope = wire.envelope_of(kind, event_id, account, now, traceparent)
    envelope["data"] = data
    return LogEntry(event_id, str(onward.to_account_id), kind, orjson.dumps(envelope, default=str), traceparent)


def receiver_of(event: CloudEvent) -> UUID | None:
    """The account that a message of the transfers' topic is for; None for any other message."""
    field = _RECEIVERS.get(type(event))
    receiver: UUID | None = None if field is None else getattr(event.data, field)  # type: ignore[attr-defined]  # all do
    return receiver


def command_in(event: CloudEvent) -> tuple[Command, str]:
    """The command that a message of the transfers' topic carries, and its programme. Raises `MessageFault`."""
    if isinstance(event, TransferOffered):
        return _received(event), event.data.programme
    if isinstance(event, TransferAccepted):
        answer = event.data
        completed = CompleteTransfer(
            command_id=ids.derive("complete", answer.transfer_id),
            account_id=answer.from_account_id,
            occurred_at=answer.accepted_at,
            transit_id=answer.transfer_id,
        )
        return completed, answer.programme
    if isinstance(event, TransferRefused):
        refused = event.data
        returned = ReturnTransfer(
            command_id=ids.derive("return", refused.transfer_id),
            account_id=refused.from_account_id,
            occurred_at=refused.refused_at,
            transit_id=refused.transfer_id,
            reason=refused.refusal.code,
        )
        return returned, refused.programme
    if isinstance(event, CommandForwarded):
        return _read(event.data.kind, event.data.command), event.data.programme
    raise TypeError(f"no message between accounts: {event.type}")


def _part(account: Account, onward: Onward, transit_id: UUID) -> dict[str, Any]:
    """What every message about a transfer says; here the answering account is the receiver."""
    return {
        "transfer_id": transit_id,
        "programme": account.programme,
        "reason": "transfer",
        "from_account_id": onward.to_account_id,
        "to_account_id": account.account_id,
    }


def _offer(account: Account, command: ReceivePoints) -> dict[str, Any]:
    active = command.last_active
    return {
        "transfer_id": command.transit_id,
        "programme": account.programme,
        "reason": "merge" if command.merge else "transfer",
        "from_account_id": command.from_account_id,
        "to_account_id": command.account_id,
        "sent_at": command.occurred_at,
        "currency": command.currency,
        "scale": command.scale,
        "parcels": [
            {
                "lot_id": each.lot_id,
                "accrual_id": each.accrual_id,
                "currency": command.currency,
                "scale": command.scale,
                "points": each.points,
                "earned_at": each.earned_at,
                "activates_at": each.activates_at,
                "expires_at": each.expires_at,
                "campaign": each.campaign,
                "partner": each.partner,
            }
            for each in command.carried
        ],
        "owed": command.owed,
        "last_active": None
        if active is None
        else {
            "inactivity": None if active.inactivity is None else active.inactivity.__dict__,
            "active_at": active.active_at,
            "lapses_at": active.lapses_at,
            "notice_at": active.notice_at,
        },
    }


def _received(event: TransferOffered) -> ReceivePoints:
    offer = event.data
    currency = offer.currency or (offer.parcels[0].currency if offer.parcels else None)
    scale = offer.scale if offer.scale is not None else (offer.parcels[0].scale if offer.parcels else None)
    if currency is None or scale is None:
        raise MessageFault("invalid_data", "$.data.currency: an offer without parcels names its currency and scale")
    active = offer.last_active
    return ReceivePoints(
        command_id=ids.derive("receive", offer.transfer_id),
        account_id=offer.to_account_id,
        occurred_at=offer.sent_at,
        transit_id=offer.transfer_id,
        from_account_id=offer.from_account_id,
        currency=currency,
        scale=scale,
        carried=tuple(
            Carried(
                each.lot_id, each.accrual_id or each.lot_id, each.points, each.earned_at, each.activates_at,
                each.expires_at, each.campaign, each.partner,
            )
            for each in offer.parcels
        ),
        owed=offer.owed,
        merge=offer.reason == "merge",
        last_active=None
        if active is None
        else Activity(currency, active.inactivity, active.active_at, active.lapses_at, active.notice_at),
    )  # fmt: skip


def _forwarded(account: Account, onward: Onward) -> dict[str, Any]:
    command = onward.command
    return {
        "command_id": command.command_id,
        "account_id": onward.to_account_id,
        "from_account_id": account.account_id,
        "programme": account.programme,
        "kind": type(command).__name__,
        "command": _written(command),
    }


def _written(command: Command) -> dict[str, Any]:
    if isinstance(command, BaseModel):
        return command.model_dump(mode="json", by_alias=True)
    return {
        field.name: value if (write := _WRITERS[type(command)][field.name]) is None else write(value)
        for field in dataclasses.fields(command)
        if (value := getattr(command, field.name)) is not None
    }


def _read(kind: str, fields: Mapping[str, Any]) -> Command:
    award, direct = _AWARDS.get(kind), _DIRECT.get(kind)
    try:
        if award is not None:
            return award.model_validate(fields)  # type: ignore[return-value]  # its subclasses are the commands
        if direct is not None:
            readers = _READERS[direct]
            return direct(**{name: readers[name](value) for name, value in fields.items() if name in readers})  # type: ignore[return-value]
    except (ValueError, TypeError, KeyError) as error:
        raise MessageFault("invalid_data", f"$.data.command: not the fields of {kind}") from error
    raise MessageFault("invalid_data", "$.data.kind: no such command")


_WRITERS: Final[dict[type, dict[str, Callable[[Any], Any] | None]]] = {
    kind: {name: wire.writer_of(hint) for name, hint in get_type_hints(kind).items()} for kind in _DIRECT.values()
}
_READERS: Final[dict[type, dict[str, Callable[[Any], Any]]]] = {
    kind: {name: wire.reader_of(hint) for name, hint in get_type_hints(kind).items()} for kind in _DIRECT.values()
}
