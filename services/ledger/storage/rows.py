"""Rows of the state, both ways. Columns come in the order of the domain's fields, the account's id before them."""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from contracts.awards import Inactivity, Standing
from services.ledger.domain.account import (
    Account,
    Balance,
    HeldShare,
    Hold,
    Lot,
    Redemption,
    SpentShare,
    Tier,
    Transit,
)

Row = Sequence[Any]

LOT_COLUMNS: Final = (
    "shard", "account_id", "lot_id", "currency", "sequence", "accrual_id", "earned_at", "booked_at", "activates_at",
    "expires_at", "points", "pending", "available", "held", "in_transit", "redeemed", "expired", "reversed",
    "withdrawn", "taken_back", "written_off", "campaign", "partner",
)  # fmt: skip
_INACTIVITY: Final = 14


def lot_of(row: Row) -> Lot:
    """A lot from (account_id, lot_id, …, partner)."""
    return Lot(*row[1:])


def balance_of(row: Row) -> Balance:
    """A balance from (account_id, currency, scale, …, sent)."""
    values = list(row[2:])
    if values[_INACTIVITY] is not None:
        values[_INACTIVITY] = Inactivity.model_validate_json(values[_INACTIVITY])
    return Balance(*values)


def hold_of(row: Row) -> Hold:
    """A hold from (account_id, hold_id, currency, state, …, reference, partner, lot_ids, points, held)."""
    _, hold_id, currency, state, captured, placed_at, expires_at, day, reference, partner, *shares = row
    held = tuple(map(HeldShare, *shares))
    return Hold(hold_id, currency, state, held, captured, placed_at, expires_at, day, reference, partner)


def redemption_of(row: Row) -> Redemption:
    """A redemption from (account_id, redemption_id, currency, owed, …, partner, lot_ids, points, restored)."""
    (
        _, redemption_id, currency, owed, owed_restored, unbacked, redeemed_at, hold_id, claimed_by, day, reference,
        forwarded, partner, *shares,
    ) = row  # fmt: skip
    return Redemption(
        redemption_id, currency, tuple(map(SpentShare, *shares)), owed, owed_restored, unbacked, redeemed_at, hold_id,
        claimed_by, day, reference, forwarded, partner,
    )  # fmt: skip


def transit_of(row: Row) -> Transit:
    """A transfer under way from (account_id, transit_id, to_account_id, currency, lot_ids, points, month)."""
    _, transit_id, to_account_id, currency, lot_ids, points, month = row
    return Transit(transit_id, to_account_id, currency, tuple(zip(lot_ids, points, strict=True)), month)


def account_of(row: Row, **parts: Any) -> Account:  # noqa: ANN401  # the mappings of Account
    """An account from (account_id, tenant, …, due_at, known_at, position); its balances, lots and so on are `parts`."""
    (
        account_id, tenant, programme, member_id, status, erased, version, lots_opened, tier, tier_since, tier_until,
        standing, merged_into, merging_from, redemption_day, redemptions_on_day, *_,
    ) = row  # fmt: skip
    return Account(
        account_id=account_id,
        tenant=tenant,
        programme=programme,
        member_id=member_id,
        status=status,
        erased=erased,
        version=version,
        lots_opened=lots_opened,
        # Any of the three makes a tier, so that verification sees one that lacks its beginning.
        tier=None if tier is tier_since is tier_until is None else Tier(tier, tier_since, tier_until),
        standing=None if standing is None else Standing.model_validate_json(standing),
        merged_into=merged_into,
        merging_from=frozenset(merging_from),
        redemption_day=redemption_day,
        redemptions_on_day=redemptions_on_day,
        **parts,
    )


def lot_row(shard: int, account_id: UUID, lot: Lot) -> tuple[Any, ...]:
    """The values of `LOT_COLUMNS`."""
    return (
        shard, account_id, lot.lot_id, lot.currency, lot.sequence, lot.accrual_id, lot.earned_at, lot.booked_at,
        lot.activates_at, lot.expires_at, lot.points, lot.pending, lot.available, lot.held, lot.in_transit,
        lot.redeemed, lot.expired, lot.reversed, lot.withdrawn, lot.taken_back, lot.written_off, lot.campaign,
        lot.partner,
    )  # fmt: skip


def lot_document(account_id: UUID, lot: Lot) -> dict[str, Any]:
    """A lot as `save` reads it."""
    return dict(zip(LOT_COLUMNS[1:], lot_row(0, account_id, lot)[1:], strict=True))


def account_document(account: Account) -> dict[str, Any]:
    """An account as `save` reads it, without `due_at`, `known_at` and `position`."""
    tier = account.tier
    return {
        "account_id": account.account_id,
        "tenant": account.tenant,
        "programme": account.programme,
        "member_id": account.member_id,
        "status": account.status,
        "erased": account.erased,
        "version": account.version,
        "lots_opened": account.lots_opened,
        "tier": None if tier is None else tier.tier,
        "tier_since": None if tier is None else tier.since,
        "tier_until": None if tier is None else tier.until,
        "standing": _fields_of(account.standing),
        "merged_into": account.merged_into,
        "merging_from": sorted(account.merging_from),
        "redemption_day": account.redemption_day,
        "redemptions_on_day": account.redemptions_on_day,
    }


def balance_document(account_id: UUID, currency: str, balance: Balance) -> dict[str, Any]:
    """A balance as `save` reads it."""
    return {
        "account_id": account_id,
        "currency": currency,
        "scale": balance.scale,
        "issued": balance.issued,
        "adjusted": balance.adjusted,
        "transferred_in": balance.transferred_in,
        "transferred_out": balance.transferred_out,
        "pending": balance.pending,
        "available": balance.available,
        "held": balance.held,
        "in_transit": balance.in_transit,
        "redeemed": balance.redeemed,
        "expired": balance.expired,
        "reversed": balance.reversed,
        "debt": balance.debt,
        "debt_since": balance.debt_since,
        "inactivity": _fields_of(balance.inactivity),
        "active_at": balance.active_at,
        "lapses_at": balance.lapses_at,
        "notice_at": balance.notice_at,
        "sent_month": balance.sent_month,
        "sent": balance.sent,
    }


def hold_document(account_id: UUID, hold: Hold) -> dict[str, Any]:
    """A hold as `save` reads it."""
    return {
        "account_id": account_id,
        "hold_id": hold.hold_id,
        "currency": hold.currency,
        "state": hold.state,
        "captured": hold.captured,
        "placed_at": hold.placed_at,
        "expires_at": hold.expires_at,
        "day": hold.day,
        "reference": hold.reference,
        "partner": hold.partner,
        **_columns(("lot_ids", "points", "held"), hold.shares),
    }


def redemption_document(account_id: UUID, redemption: Redemption) -> dict[str, Any]:
    """A redemption as `save` reads it."""
    return {
        "account_id": account_id,
        "redemption_id": redemption.redemption_id,
        "currency": redemption.currency,
        "owed": redemption.owed,
        "owed_restored": redemption.owed_restored,
        "unbacked": redemption.unbacked,
        "redeemed_at": redemption.redeemed_at,
        "hold_id": redemption.hold_id,
        "claimed_by": redemption.claimed_by,
        "day": redemption.day,
        "reference": redemption.reference,
        "forwarded": redemption.forwarded,
        "partner": redemption.partner,
        **_columns(("lot_ids", "points", "restored"), redemption.shares),
    }


def transit_document(account_id: UUID, transit: Transit) -> dict[str, Any]:
    """A transfer under way as `save` reads it."""
    return {
        "account_id": account_id,
        "transit_id": transit.transit_id,
        "to_account_id": transit.to_account_id,
        "currency": transit.currency,
        "month": transit.month,
        **_columns(("lot_ids", "points"), transit.shares),
    }


def _columns(names: Sequence[str], shares: Iterable[Sequence[Any]]) -> dict[str, list[Any]]:
    rows = list(shares)
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def _fields_of(model: BaseModel | None) -> dict[str, Any] | None:
    return None if model is None else model.__dict__
