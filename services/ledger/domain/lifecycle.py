"""An account as a whole: opened, frozen, closed, erased; and the tier that rules gave its member."""

from datetime import datetime

from contracts.awards import AccountOpening, Standing, TierAssignment
from services.ledger.domain.account import Account, Tier
from services.ledger.domain.account_events import (
    AccountClosed,
    AccountFrozen,
    AccountOpened,
    AccountUnfrozen,
    MemberErased,
    StandingNoted,
    TierChanged,
)
from services.ledger.domain.commands import Close, Erase, Freeze, Operate, Unfreeze
from services.ledger.domain.decision import AwardCommand, stamp
from services.ledger.domain.events import Event, Movement, PointsExpired
from services.ledger.domain.lots import in_parts, soonest
from services.ledger.domain.refusals import (
    Refusal,
    account_holds_points,
    account_merged,
    ended,
    merge_in_progress,
    transfer_open,
    unexplained,
)


def open_account(account: Account, command: AccountOpening, now: datetime) -> list[Event]:
    """Open it. An empty list: it is open, or was."""
    if account.status != "unopened":
        return []
    scales = tuple((each.currency, each.scale) for each in command.currencies)
    return [opened(account, command, now, scales)]


def opened(
    account: Account, command: AwardCommand, now: datetime, scales: tuple[tuple[str, int], ...] = ()
) -> AccountOpened:
    """The account exists from the time of the cause."""
    return AccountOpened(
        command_id=command.command_id,
        occurred_at=command.occurred_at,
        effective_at=min(command.occurred_at, now),
        known_at=now,
        tenant=account.tenant,
        programme=command.programme,
        member_id=command.member_id,
        scales=scales,
    )


def freeze(account: Account, command: Freeze, now: datetime) -> list[Event] | Refusal:
    """No redemptions, new holds or transfers from now on; accruals go on. An empty list: it is frozen.

    Refused: as all that an operator does, and `account_closed`, `member_erased`, `account_merged`.
    """
    refusal = _unfit(account, command)
    if refusal is not None:
        return refusal
    if account.status == "frozen":
        return []
    return [AccountFrozen(reason=command.reason, operator=command.operator, **stamp(command, now))]


def unfreeze(account: Account, command: Unfreeze, now: datetime) -> list[Event] | Refusal:
    """As before it was frozen. An empty list: it is not frozen. Refused as `freeze`."""
    refusal = _unfit(account, command)
    if refusal is not None:
        return refusal
    if account.status != "frozen":
        return []
    return [AccountUnfrozen(reason=command.reason, operator=command.operator, **stamp(command, now))]


def close(account: Account, command: Close, now: datetime) -> list[Event] | Refusal:
    """End the account, an erased member's too: what is pending or available lapses, a debt stays.

    An empty list: it is closed. Refused: as all that an operator does, and `account_merged`, `hold_open`,
    `transfer_open`, `merge_in_progress`.
    """
    if account.status == "closed":
        return []
    refusal = unexplained(command.reason, command.operator) or _taken_up(account) or _unfinished(account)
    if refusal is not None:
        return refusal
    lots = sorted(account.lots.values(), key=soonest)
    lapsing = [Movement(lot.currency, lot.lot_id, "pending", "expired", lot.pending) for lot in lots if lot.pending]
    lapsing += [
        Movement(lot.currency, lot.lot_id, "available", "expired", lot.available) for lot in lots if lot.available
    ]
    shared = stamp(command, now)
    lapsed = in_parts(PointsExpired, lapsing, reason="closed", **shared) if lapsing else []
    return [*lapsed, AccountClosed(reason=command.reason, operator=command.operator, **shared)]


def erase(account: Account, command: Erase, now: datetime) -> list[Event]:
    """The member is gone, figures stay. An empty list: erased already."""
    return [] if account.erased else [MemberErased(**stamp(command, now))]


def change_tier(account: Account, command: TierAssignment, now: datetime) -> list[Event] | Refusal:
    """Record a tier, or the progress to the next where the tier is the same. An empty list: both are known.

    Refused: `account_closed`, `member_erased`, `account_merged`.
    """
    refusal = ended(account) or _taken_up(account)
    if refusal is not None:
        return refusal
    tier = Tier(command.tier, command.since, command.until)
    if tier == (account.tier or Tier(None, command.since, command.until)):
        return _noted(account, command.standing, command, now)
    shared = stamp(command, now)
    shared["effective_at"] = min(command.since, now)
    return [
        TierChanged(
            tier=command.tier,
            previous=account.tier.tier if account.tier else None,
            since=command.since,
            until=command.until,
            reason=command.reason,
            cause=command.cause,
            **shared,
        )
    ]


def _noted(account: Account, standing: Standing | None, command: TierAssignment, now: datetime) -> list[Event]:
    return [] if standing in (None, account.standing) else [StandingNoted(**stamp(command, now))]


def _unfit(account: Account, command: Operate) -> Refusal | None:
    """Why an operator may not change how an account stands."""
    return unexplained(command.reason, command.operator) or ended(account) or _taken_up(account)


def _taken_up(account: Account) -> Refusal | None:
    """Another account took it up."""
    return account_merged(account.merged_into) if account.status == "merged" else None


def _unfinished(account: Account) -> Refusal | None:
    """What has to end before the account can."""
    if account.merging_from:
        return merge_in_progress(min(account.merging_from))
    # In the order of their names, for what is stored comes back in any.
    balances = [balance for _, balance in sorted(account.balances.items())]
    for balance in balances:
        if balance.held:
            return account_holds_points(balance.held, balance.scale)
    for balance in balances:
        if balance.in_transit:
            return transfer_open(balance.in_transit, balance.scale)
    return None
