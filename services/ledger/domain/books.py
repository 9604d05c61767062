"""What must hold of every balance and every lot, whatever happened: checked at the write, and again by `verify`."""

from collections.abc import Iterator

from services.ledger.domain.account import Account, Balance, Lot


class BooksDoNotBalanceError(Exception):
    """A decision would have broken the books; its arguments name the balance or lot."""


def imbalances(account: Account) -> Iterator[str]:
    """Every way in which an account that is loaded whole does not add up, in words."""
    for currency, balance in account.balances.items():
        if not _balances(balance):
            yield f"{currency}: what came in is not what is there and what went out"
        if balance.debt and balance.available:
            yield f"{currency}: points are available beside a debt"
        lots = [lot for lot in account.lots.values() if lot.currency == currency]
        for bucket in ("pending", "available", "held", "in_transit", "expired"):
            if getattr(balance, bucket) != sum(getattr(lot, bucket) for lot in lots):
                yield f"{currency}: the lots do not add up to the balance, {bucket}"
    for lot in account.lots.values():
        if not _adds_up(lot):
            yield f"lot {lot.lot_id} does not add up"


def _balances(balance: Balance) -> bool:
    came_in = balance.issued + balance.adjusted + balance.transferred_in - balance.transferred_out
    buckets = (
        balance.pending, balance.available, balance.held, balance.in_transit, balance.redeemed, balance.expired,
        balance.reversed,
    )  # fmt: skip
    return came_in == sum(buckets) - balance.debt and min(buckets) >= 0 and balance.debt >= 0


def _adds_up(lot: Lot) -> bool:
    buckets = (
        lot.pending, lot.available, lot.held, lot.in_transit, lot.redeemed, lot.expired, lot.reversed, lot.withdrawn,
    )  # fmt: skip
    return lot.points == sum(buckets) and min(buckets) >= 0 and lot.written_off <= lot.expired
