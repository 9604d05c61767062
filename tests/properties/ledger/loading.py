"""An account loaded in part, exactly as `needs` says: what storage does in a few statements, done in memory."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from services.ledger.domain.account import Account, Hold, Lot
from services.ledger.domain.needs import Needs

LAST = datetime.max.replace(tzinfo=UTC)


def in_part(account: Account, wanted: Needs, now: datetime) -> Account:
    """The account with nothing but what is always loaded and what is wanted."""
    due_holds = [hold for hold in account.holds.values() if hold.state == "open" and hold.expires_at <= now]
    holds: dict[UUID, Hold] = {hold.hold_id: hold for hold in due_holds}
    holds |= {hold_id: account.holds[hold_id] for hold_id in wanted.holds if hold_id in account.holds}
    redemptions = {
        key: redemption
        for key, redemption in account.redemptions.items()
        if key in wanted.redemptions
        or redemption.claimed_by in wanted.redemptions
        or redemption.hold_id in wanted.holds
    }
    transits = {key: transit for key, transit in account.transits.items() if key in wanted.transits}
    lots: set[UUID] = {lot.lot_id for lot in account.lots.values() if _always(account, lot, now)}
    lots |= {lot.lot_id for lot in account.lots.values() if lot.accrual_id in wanted.accruals}
    lots |= {share.lot_id for hold in holds.values() for share in hold.shares}
    lots |= {share.lot_id for redemption in redemptions.values() for share in redemption.shares}
    lots |= {lot_id for transit in transits.values() for lot_id, _ in transit.shares}
    for currency, points in wanted.cover.items():
        lots |= set(_cover(account, currency, points, now))
    if wanted.open_lots:
        lots |= {lot.lot_id for lot in account.lots.values() if lot.pending or lot.available or lot.held}
    return replace(
        account,
        lots={key: lot for key, lot in account.lots.items() if key in lots},
        holds=holds,
        redemptions=redemptions,
        transits=transits,
        decided_commands=account.decided_commands & wanted.commands,
        due_from=datetime.min.replace(tzinfo=UTC),
    )


def _always(account: Account, lot: Lot, now: datetime) -> bool:
    lapses_at = account.balances[lot.currency].lapses_at
    return bool(
        (lot.pending and lot.activates_at is not None and lot.activates_at <= now)
        or (lot.pending + lot.available and lot.expires_at is not None and lot.expires_at <= now)
        or (lapses_at is not None and lapses_at <= now and lot.pending + lot.available + lot.held)
    )


def _cover(account: Account, currency: str, points: int, now: datetime) -> Iterable[UUID]:
    lots = [
        lot
        for lot in account.lots.values()
        if lot.currency == currency and lot.available and (lot.expires_at is None or lot.expires_at > now)
    ]
    for lot in sorted(lots, key=lambda lot: (lot.expires_at or LAST, lot.earned_at, lot.sequence)):
        if points <= 0:
            break
        points -= lot.available
        yield lot.lot_id
