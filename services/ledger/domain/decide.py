"""One command on one account, from beginning to end: what was due, what is decided, what follows from it at once."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from contracts.awards import (
    AccountOpening,
    Accrual,
    Merge,
    PurchaseRedemption,
    RedemptionRestore,
    Reversal,
    TierAssignment,
)
from services.ledger.domain import (
    accruals,
    adjustments,
    holds,
    lifecycle,
    merges,
    purchases,
    redemptions,
    restores,
    reversals,
    transfers,
)
from services.ledger.domain.account import Account, Balance
from services.ledger.domain.commands import (
    Adjust,
    CaptureHold,
    Close,
    Command,
    CompleteTransfer,
    ConcludeMerge,
    Erase,
    Freeze,
    PlaceHold,
    ReceivePoints,
    Redeem,
    ReleaseHold,
    ReturnTransfer,
    ReverseRedemption,
    SendPoints,
    Surrender,
    TakeBack,
    Unfreeze,
)
from services.ledger.domain.decision import Decision, Onward, Shared, consequence
from services.ledger.domain.due import due
from services.ledger.domain.events import DebtSettled, Event
from services.ledger.domain.evolve import apply
from services.ledger.domain.guards import Guards
from services.ledger.domain.lots import Purse, in_parts
from services.ledger.domain.onward import CARRIERS, given_up_before, refused
from services.ledger.domain.refusals import Refusal, Waiting, account_unknown
from services.ledger.domain.value import value
from services.ledger.domain.working import Working


@value(frozen=True, slots=True)
class Recorded:
    """An event as it stands in the account's history, with the balances that it changed, after it."""

    event: Event
    version: int
    balances: tuple[tuple[str, Balance], ...]


@value(frozen=True, slots=True)
class Outcome:
    """What became of a command.

    `recorded` includes what was due before it, which stands even if the command is refused. One of these, or none, is
    set: `refusal`; `waiting` (the command that must come first); `redirect` (the account that took this one up:
    `onward` has the command for it). None set: applied, or already so. `onward` are commands for other accounts, to be
    written with the events.
    """

    account: Account
    recorded: tuple[Recorded, ...]
    refusal: Refusal | None = None
    waiting: UUID | None = None
    redirect: UUID | None = None
    onward: tuple[Onward, ...] = ()


def handle(account: Account, command: Command, guards: Guards, now: datetime) -> Outcome:
    """Decide a command, at the transaction's clock.

    Raises BooksDoNotBalanceError rather than ever giving out books that do not balance.
    """
    history = _History()
    account = history.catch_up(account, now)
    if account.status == "merged" and account.merged_into is not None and not merges.stays(account, command):
        passed = Onward(account.merged_into, merges.readdressed(command, account.merged_into))
        return Outcome(account, history.taken(), redirect=account.merged_into, onward=(passed, *history.onward))
    decision = decide(account, command, guards, now)
    if isinstance(decision, Refusal):
        answers = refused(account, command, decision)
        return Outcome(account, history.taken(), refusal=decision, onward=(*history.onward, *answers))
    if isinstance(decision, Waiting):
        return Outcome(account, history.taken(), waiting=decision.command_id, onward=tuple(history.onward))
    events = decision.events if isinstance(decision, Shared) else decision
    if events:
        account = history.record(account, events)
        consequences = _consequences(account, command, now)
        if consequences:
            account = history.record(account, consequences)
        account = history.catch_up(account, now)
    elif isinstance(command, Surrender):
        history.onward += given_up_before(account, command)
    if isinstance(decision, Shared):
        history.onward.append(decision.onward)
    return Outcome(account, history.taken(), onward=tuple(history.onward))


def catch_up(account: Account, now: datetime) -> Outcome:
    """What is due until `now` and nothing else: what sweepers and readers need. Raises as `handle`."""
    history = _History()
    account = history.catch_up(account, now)
    return Outcome(account, history.taken(), onward=tuple(history.onward))


def decide(account: Account, command: Command, guards: Guards, now: datetime) -> Decision:
    """What a command means for an account on which nothing is due: events, or why not."""
    kind = type(command)
    if account.status == "unopened" and kind not in _MAY_COME_FIRST:
        return account_unknown(account.account_id)
    guarded = _GUARDED.get(kind)
    decision = guarded(account, command, guards, now) if guarded else _PLAIN[kind](account, command, now)
    if account.status == "unopened" and decision and isinstance(command, _OPENING) and isinstance(decision, list):
        return [lifecycle.opened(account, command, now), *decision]
    return decision


class _History:
    """The events of one command as they are applied, checked when they are taken."""

    def __init__(self) -> None:
        self._recorded: list[Recorded] = []
        self.onward: list[Onward] = []

    def catch_up(self, account: Account, now: datetime) -> Account:
        """Apply what is due until `now`."""
        if account.due_from > now:
            return account
        return self.record(account, due(account, now), again=True)

    def record(self, account: Account, events: Sequence[Event], *, again: bool = False) -> Account:
        """Apply events; `again`: find out anew when the account is due next. Raises BooksDoNotBalanceError."""
        working = Working(account)
        for event in events:
            apply(working, event)
            working.check()
            self._recorded.append(Recorded(event, working.version, working.balances_after(event)))
            carrier = CARRIERS.get(type(event))
            if carrier is not None:
                self.onward += carrier(account, event)
        return working.account(again=again)

    def taken(self) -> tuple[Recorded, ...]:
        """All that was recorded."""
        return tuple(self._recorded)


def _consequences(account: Account, command: Command, now: datetime) -> list[Event]:
    """What follows at once from points that became available: debts are settled, a merged account sends them on."""
    movements = [
        movement
        for currency, balance in account.balances.items()
        if balance.debt and balance.available
        for movement in Purse(account, currency).take(balance.debt, "debt")
    ]
    if movements:
        return list(in_parts(DebtSettled, movements, **consequence(command, now)))
    if account.status == "merged":
        return merges.send_on(account, consequence(command, now))
    return []


_OPENING: Final = (Accrual, PurchaseRedemption, TierAssignment, Merge)
"""Awards that open an account on which nothing was booked yet."""

_MAY_COME_FIRST: Final[frozenset[type]] = frozenset(
    {*_OPENING, AccountOpening, Reversal, RedemptionRestore, ReceivePoints, Surrender}
)
"""What has an answer of its own for an account on which nothing was booked yet."""

_PLAIN: Final[dict[type, Callable[[Account, Any, datetime], Decision]]] = {
    Accrual: accruals.accrue, AccountOpening: lifecycle.open_account, Reversal: reversals.reverse,
    TakeBack: reversals.take_back, RedemptionRestore: restores.restore,
    ReverseRedemption: restores.reverse_redemption, TierAssignment: lifecycle.change_tier, Merge: merges.accept,
    Surrender: merges.surrender, ConcludeMerge: merges.conclude, CaptureHold: holds.capture,
    ReleaseHold: holds.release, Freeze: lifecycle.freeze, Unfreeze: lifecycle.unfreeze, Close: lifecycle.close,
    Erase: lifecycle.erase, ReceivePoints: transfers.receive, CompleteTransfer: transfers.complete,
    ReturnTransfer: transfers.take_home,
}  # fmt: skip
"""How each command is decided that the programme's guards do not concern."""

_GUARDED: Final[dict[type, Callable[[Account, Any, Guards, datetime], Decision]]] = {
    PurchaseRedemption: purchases.redeem_for_purchase, Redeem: redemptions.redeem, PlaceHold: holds.place,
    Adjust: adjustments.adjust, SendPoints: transfers.send,
}  # fmt: skip
"""How each command is decided that the programme's guards concern."""
