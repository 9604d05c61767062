"""What goes from one account to another because of what happened: points in transit, answers, merges."""

from collections.abc import Callable
from typing import Any, Final

from contracts.ids import derive
from services.ledger.domain.account import Account
from services.ledger.domain.account_events import AccountMerged, MergeAccepted, TransferReceived, TransferSent
from services.ledger.domain.commands import (
    Command,
    CompleteTransfer,
    ConcludeMerge,
    ReceivePoints,
    ReturnTransfer,
    Surrender,
)
from services.ledger.domain.decision import Onward
from services.ledger.domain.events import Event
from services.ledger.domain.refusals import Refusal


def refused(account: Account, command: Command, refusal: Refusal) -> list[Onward]:
    """Whom a refusal has to be told: the sender of points, or the account that meant to take this one up."""
    if isinstance(command, ReceivePoints):
        answer = ReturnTransfer(
            command_id=derive("return", command.transit_id),
            account_id=command.from_account_id,
            occurred_at=command.occurred_at,
            transit_id=command.transit_id,
            reason=refusal.code,
        )
        return [Onward(command.from_account_id, answer)]
    if isinstance(command, Surrender):
        return [_concluded(account, command, refusal.code)]
    return []


def given_up_before(account: Account, command: Surrender) -> list[Onward]:
    """The survivor asked again for an account that it has taken up already: it is told that this is done."""
    return [_concluded(account, command, None)]


def _concluded(account: Account, command: Surrender, refused_because: str | None) -> Onward:
    answer = ConcludeMerge(
        command_id=derive("conclude", command.command_id),
        account_id=command.into_account_id,
        occurred_at=command.occurred_at,
        from_account_id=account.account_id,
        refused_because=refused_because,
    )
    return Onward(command.into_account_id, answer)


def _offer(account: Account, event: TransferSent) -> list[Onward]:
    offer = ReceivePoints(
        command_id=derive("receive", event.transit_id),
        account_id=event.to_account_id,
        occurred_at=event.effective_at,
        transit_id=event.transit_id,
        from_account_id=account.account_id,
        currency=event.currency,
        scale=event.scale,
        carried=event.carried,
        owed=event.owed,
        merge=event.merge,
        last_active=event.last_active,
    )
    return [Onward(event.to_account_id, offer)]


def _acceptance(_: Account, event: TransferReceived) -> list[Onward]:
    answer = CompleteTransfer(
        command_id=derive("complete", event.transit_id),
        account_id=event.from_account_id,
        occurred_at=event.effective_at,
        transit_id=event.transit_id,
    )
    return [Onward(event.from_account_id, answer)]


def _request(account: Account, event: MergeAccepted) -> list[Onward]:
    request = Surrender(
        command_id=derive("surrender", event.command_id),
        account_id=event.from_account_id,
        occurred_at=event.occurred_at,
        into_account_id=account.account_id,
    )
    return [Onward(event.from_account_id, request)]


def _conclusion(account: Account, event: AccountMerged) -> list[Onward]:
    conclusion = ConcludeMerge(
        command_id=derive("conclude", event.command_id),
        account_id=event.into_account_id,
        occurred_at=event.occurred_at,
        from_account_id=account.account_id,
    )
    return [Onward(event.into_account_id, conclusion)]


CARRIERS: Final[dict[type[Event], Callable[[Account, Any], list[Onward]]]] = {
    TransferSent: _offer, TransferReceived: _acceptance, MergeAccepted: _request, AccountMerged: _conclusion,
}  # fmt: skip
"""The messages that an event of this class causes."""
