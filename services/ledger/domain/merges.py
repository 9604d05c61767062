"""One account takes up another, for ever.

Decided by rules; the survivor agrees first, and cannot be taken up itself until that ends. `MergeAccepted` there, then
the other sends its points and is `AccountMerged`, then `MergeCompleted` at the survivor; or the other refuses, and the
survivor abandons. Where two would take up each other, the lower account id survives.

Holds stay where they were placed until they close; what they release is sent on.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from contracts.awards import Accrual, Merge, PurchaseRedemption, RedemptionRestore, Reversal
from contracts.awards import Command as Award
from services.ledger.domain.account import Account, Lot
from services.ledger.domain.account_events import (
    AccountMerged,
    AccountOpened,
    MergeAbandoned,
    MergeAccepted,
    MergeCompleted,
    TransferSent,
)
from services.ledger.domain.commands import (
    Adjust,
    CaptureHold,
    Command,
    ConcludeMerge,
    ReceivePoints,
    Redeem,
    ReleaseHold,
    ReverseRedemption,
    SendPoints,
    Surrender,
    TakeBack,
)
from services.ledger.domain.decision import stamp
from services.ledger.domain.events import Event, Movement
from services.ledger.domain.lots import soonest
from services.ledger.domain.refusals import (
    Refusal,
    account_frozen,
    account_merged,
    ended,
    merge_in_progress,
    same_account,
)
from services.ledger.domain.transfers import Route, dispatch, send_debt


def accept(account: Account, command: Merge, now: datetime) -> list[Event] | Refusal:
    """Agree to take up another account. An empty list: agreed already.

    Refused: `account_closed`, `member_erased`, `same_account`.
    """
    if command.from_account_id in account.merging_from:
        return []
    if command.from_account_id == account.account_id:
        return same_account()
    refusal = ended(account)
    if refusal is not None:
        return refusal
    return [MergeAccepted(from_account_id=command.from_account_id, **stamp(command, now))]


def surrender(account: Account, command: Surrender, now: datetime) -> list[Event] | Refusal:
    """Give everything but what is on hold to the account that agreed to take this one up.

    An account on which nothing was booked goes too, so that what comes for it later is redirected.
    An empty list: given already. Refused: `account_merged` (into another), `account_closed`, `member_erased`,
    `account_frozen`, `merge_in_progress` (it is taking up an account itself; of two that would take
    up each other, the one with the lower id does).
    """
    into = command.into_account_id
    if account.status == "merged":
        return [] if account.merged_into == into else account_merged(account.merged_into)
    refusal = ended(account) or (account_frozen() if account.status == "frozen" else None)
    if refusal is not None:
        return refusal
    busy_with = account.merging_from - {into} or (account.merging_from if account.account_id < into else frozenset())
    if busy_with:
        return merge_in_progress(min(busy_with))
    shared = stamp(command, now)
    abandoned = [
        MergeAbandoned(from_account_id=into, reason="merge_in_progress", **shared) for _ in account.merging_from
    ]
    opened: list[Event] = []
    if account.status == "unopened":
        opened.append(
            AccountOpened(tenant=account.tenant, programme=account.programme, member_id=account.member_id, **shared)
        )
    sent = _everything(account, into, shared)
    return [*opened, *abandoned, *sent, AccountMerged(into_account_id=into, **shared)]


def conclude(account: Account, command: ConcludeMerge, now: datetime) -> list[Event]:
    """The other account was given up, or it refused. An empty list: no such merge is going on."""
    other = command.from_account_id
    if other not in account.merging_from:
        return []
    shared = stamp(command, now)
    if command.refused_because is None:
        return [MergeCompleted(from_account_id=other, **shared)]
    return [MergeAbandoned(from_account_id=other, reason=command.refused_because, **shared)]


def send_on(account: Account, shared: dict[str, Any]) -> list[Event]:
    """What became available on a merged account goes where the rest went."""
    if account.merged_into is None:
        return []
    events: list[Event] = []
    for currency, lots in sorted(_open_lots(account).items()):
        leaving = [(lot, Movement(currency, lot.lot_id, "available", "in_transit", lot.available)) for lot in lots]
        route = Route(account.merged_into, currency, account.balances[currency], merge=True)
        events += dispatch(route, leaving, shared, first=len(events))
    return events


def _everything(account: Account, into: UUID, shared: dict[str, Any]) -> list[TransferSent]:
    """All pending and available points, and all debt, currency by currency."""
    events: list[TransferSent] = []
    open_lots = _open_lots(account)
    for currency, balance in sorted(account.balances.items()):
        leaving = []
        for lot in open_lots.get(currency, ()):
            if lot.pending:
                leaving.append((lot, Movement(currency, lot.lot_id, "pending", "in_transit", lot.pending)))
            if lot.available:
                leaving.append((lot, Movement(currency, lot.lot_id, "available", "in_transit", lot.available)))
        route = Route(into, currency, balance, merge=True)
        events += dispatch(route, leaving, shared, first=len(events))
        if balance.debt:
            events.append(send_debt(route, len(events), shared))
    return events


def _open_lots(account: Account) -> dict[str, list[Lot]]:
    lots: dict[str, list[Lot]] = {}
    for lot in sorted(account.lots.values(), key=soonest):
        if lot.pending or lot.available:
            lots.setdefault(lot.currency, []).append(lot)
    return lots


def stays(account: Account, command: Command) -> bool:
    """Whether a command for a merged account is decided here after all: it concerns what was booked here before."""
    if isinstance(command, CaptureHold | ReleaseHold):
        return command.hold_id in account.holds
    if isinstance(command, PurchaseRedemption):
        return command.hold_id in account.holds or command.redemption_id in account.redemptions
    if isinstance(command, RedemptionRestore | ReverseRedemption):
        return command.redemption_id in account.redemptions
    if isinstance(command, Reversal):
        return any(lot.accrual_id == command.accrual_id for lot in account.lots.values())
    return not isinstance(command, _GO_ON)


def readdressed(command: Command, to_account_id: UUID) -> Command:
    """The same command for another account."""
    if isinstance(command, Award):
        return command.model_copy(update={"account_id": to_account_id})
    return replace(command, account_id=to_account_id)


_GO_ON: Final = (Accrual, Merge, Redeem, Adjust, SendPoints, ReceivePoints, TakeBack)
"""What is decided by the account that took this one up."""
