"""Routes: an account, its balances and tier; its lots."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from contracts import ids
from contracts.amounts import format_decimal, format_points
from contracts.envelope import Code, Instant
from services.ledger.api.reading import FromAccount, Read, readable
from services.ledger.api.state import FromParts, Reader
from services.ledger.domain.account import Account, Lot
from services.ledger.queries import SQL
from services.ledger.queries.accounts import Seen, account_at, looking, see
from services.ledger.queries.expiring import Expiring
from services.ledger.queries.history import STANDING_BUCKETS, balances_then
from services.ledger.storage.rows import lot_of
from services.runtime.http.answers import (
    Page,
    answer,
    decode_cursor,
    encode_cursor,
    entity_tag,
    is_fresh,
    not_modified,
    page_of,
)
from services.runtime.http.application import JsonRoute
from services.runtime.http.problems import Problem

_BALANCE_POINTS: Final = (
    "pending", "available", "held", "in_transit", "debt",
    "issued", "adjusted", "transferred_in", "transferred_out", "redeemed", "expired", "reversed",
)  # fmt: skip
_LOT_POINTS: Final = (
    "points", "pending", "available", "held", "in_transit", "redeemed", "expired", "reversed", "withdrawn",
)  # fmt: skip

router = APIRouter(prefix="/v1", tags=["accounts"], route_class=JsonRoute)


class MonthAnswer(BaseModel):
    """Points whose last good month this is."""

    month: str
    points: str


class NextExpiryAnswer(BaseModel):
    """When points expire next, and how many do at that instant."""

    at: datetime
    points: str


class BalanceAnswer(BaseModel):
    """What an account has in one currency, and below that what was ever moved, as decimal strings."""

    scale: int
    pending: str
    available: str
    held: str
    in_transit: str
    debt: str
    issued: str
    adjusted: str
    transferred_in: str
    transferred_out: str
    redeemed: str
    expired: str
    reversed: str
    next_expiry: NextExpiryAnswer | None
    expires: list[MonthAnswer]


class TierAnswer(BaseModel):
    """Where rules put the member, and how far it is to the next tier, in money."""

    tier: str | None
    since: datetime | None
    until: datetime | None
    qualifying: str | None
    next_tier: str | None
    missing: str | None


class AccountAnswer(BaseModel):
    """An account as it stands, what is due by now included."""

    account_id: UUID
    programme: str
    member_id: UUID | None
    status: str
    merged_into: UUID | None
    version: int
    balances: dict[str, BalanceAnswer]
    tier: TierAnswer | None


class BalanceThenAnswer(BaseModel):
    """What an account had in one currency at an instant, as decimal strings."""

    scale: int
    pending: str
    available: str
    held: str
    in_transit: str
    debt: str


class AccountThenAnswer(BaseModel):
    """What an account had at `as_of`, as it was known at `known_at`."""

    account_id: UUID
    programme: str
    as_of: datetime
    known_at: datetime
    balances: dict[str, BalanceThenAnswer]


class AccountsAnswer(BaseModel):
    """The accounts of a member."""

    items: list[AccountAnswer]
    next_cursor: str | None


class LotAnswer(BaseModel):
    """Points that were earned together, and what became of them."""

    lot_id: UUID
    sequence: int
    currency: str
    accrual_id: UUID
    earned_at: datetime
    activates_at: datetime | None
    expires_at: datetime | None
    points: str
    pending: str
    available: str
    held: str
    in_transit: str
    redeemed: str
    expired: str
    reversed: str
    withdrawn: str
    campaign: str | None
    partner: str


class LotsAnswer(BaseModel):
    """A page of lots, oldest first."""

    items: list[LotAnswer]
    next_cursor: str | None


@router.get("/accounts", response_model=AccountsAnswer)
async def list_accounts(
    caller: Reader,
    parts: FromParts,
    member: Annotated[UUID, Query(description="The member.")],
    programme: Annotated[Code | None, Query(description="One programme; all that are published if left out.")] = None,
) -> Response:
    """The accounts that a member has of its own. Problem 410 `member_erased`."""
    names = [programme] if programme is not None else parts.programmes.names(caller.tenant)
    items = []
    for name in names:
        account_id = ids.account_of(caller.tenant, name, member)
        now = parts.clock()
        zone = parts.programmes.guards(caller.tenant, name, now).zone
        seen = await account_at(parts.reads, account_id, now, zone, parts.remembered)
        if seen is not None and seen.account.tenant == caller.tenant:
            items.append(account_document(readable(seen, account_id)))
    return answer({"items": items, "next_cursor": None})


@router.get("/accounts/{account_id}", response_model=AccountAnswer | AccountThenAnswer)  # noqa: FAST003 - `read_of` takes it
async def get_account(
    request: Request,
    read: FromAccount,
    as_of: Annotated[Instant | None, Query(description="Balances at this instant; now if left out.")] = None,
    known_at: Annotated[Instant | None, Query(description="As they were known then; now if left out.")] = None,
) -> Response:
    """An account: balances by currency, tier, status. The entity tag covers what is due by now.

    With `as_of` or `known_at` only the balances of then are answered: the sum of the movements that count by `as_of`
    and were known by `known_at`. Problems: 410 `member_erased`, 422 `time_in_future`.
    """
    if as_of is not None or known_at is not None:
        return await _account_then(read, as_of or known_at or read.now, known_at or read.now)
    parts = read.parts
    seen = readable(
        await account_at(parts.reads, read.account_id, read.now, read.zone, parts.remembered), read.account_id
    )
    tag = entity_tag(read.account_id, seen.account.version)
    if is_fresh(request, tag):
        return not_modified(tag)
    return answer(account_document(seen), headers={"ETag": tag})


@router.get("/accounts/{account_id}/lots", response_model=LotsAnswer)
async def list_lots(
    read: FromAccount,
    page: Annotated[Page, Depends(page_of)],
    state: Annotated[Literal["open", "all"], Query(description="`open`: lots that hold points.")] = "open",
) -> Response:
    """An account's lots, oldest first."""
    kind = f"lots {read.account_id} {state}"
    after = 0 if page.cursor is None else decode_cursor(kind, page.cursor, int)[0]
    async with looking(read.parts.reads, read.account_id, read.now) as look:
        seen = readable(await see(look, read.account_id), read.account_id)
        rows = await look.connection.fetch(
            SQL.lots, look.shard, read.account_id, after, state == "open", page.limit + 1
        )
    # Lots about which something is due were read with the account: they are as they are now, not as they were written.
    due = seen.account.lots
    lots = [due.get(row["lot_id"]) or lot_of(tuple(row)) for row in rows[: page.limit]]
    cursor = encode_cursor(kind, [lots[-1].sequence]) if len(rows) > page.limit else None
    items = [_lot_document(seen.account, lot) for lot in lots if state == "all" or _is_open(lot)]
    return answer({"items": items, "next_cursor": cursor})


async def _account_then(read: Read, as_of: datetime, known_at: datetime) -> Response:
    for name, instant in (("as_of", as_of), ("known_at", known_at)):
        if instant > read.now:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, "time_in_future", "Nobody knows yet", "ask for what has been",
                field=f"query.{name}",
            )  # fmt: skip
    async with looking(read.parts.reads, read.account_id, read.now) as look:
        seen = readable(await see(look, read.account_id), read.account_id)
        balances = await balances_then(look, seen, as_of, known_at)
    return answer(
        {
            "account_id": str(read.account_id),
            "programme": read.owner.programme,
            "as_of": as_of,
            "known_at": known_at,
            "balances": {
                currency: {
                    "scale": balance.scale,
                    **{name: format_points(getattr(balance, name), balance.scale) for name in STANDING_BUCKETS},
                }
                for currency, balance in sorted(balances.items())
            },
        }
    )


def account_document(seen: Seen) -> dict[str, Any]:
    """An account as `AccountAnswer`."""
    account = seen.account
    return {
        "account_id": str(account.account_id),
        "programme": account.programme,
        "member_id": None if account.member_id is None else str(account.member_id),
        "status": account.status,
        "merged_into": None if account.merged_into is None else str(account.merged_into),
        "version": account.version,
        "balances": {
            currency: {
                "scale": balance.scale,
                **{name: format_points(getattr(balance, name), balance.scale) for name in _BALANCE_POINTS},
                **_expiry_document([each for each in seen.expiring if each.currency == currency], balance.scale),
            }
            for currency, balance in sorted(account.balances.items())
        },
        "tier": _tier_document(account),
    }


def _expiry_document(expiring: Sequence[Expiring], scale: int) -> dict[str, Any]:
    first = next(iter(expiring), None)
    soonest = None if first is None else {"at": first.first_at, "points": format_points(first.first_points, scale)}
    return {
        "next_expiry": soonest,
        "expires": [{"month": each.month, "points": format_points(each.points, scale)} for each in expiring],
    }


def _tier_document(account: Account) -> dict[str, Any] | None:
    tier, standing = account.tier, account.standing
    if tier is None and standing is None:
        return None
    return {
        "tier": tier.tier if tier is not None else standing.tier if standing is not None else None,
        "since": tier.since if tier is not None else standing.since if standing is not None else None,
        "until": tier.until if tier is not None else standing.until if standing is not None else None,
        "qualifying": None if standing is None else format_decimal(standing.qualifying),
        "next_tier": None if standing is None else standing.next_tier,
        "missing": None if standing is None or standing.missing is None else format_decimal(standing.missing),
    }


def _is_open(lot: Lot) -> bool:
    return bool(lot.pending or lot.available or lot.held or lot.in_transit)


def _lot_document(account: Account, lot: Lot) -> dict[str, Any]:
    scale = account.balances[lot.currency].scale
    return {
        "lot_id": str(lot.lot_id),
        "sequence": lot.sequence,
        "currency": lot.currency,
        "accrual_id": str(lot.accrual_id),
        "earned_at": lot.earned_at,
        "activates_at": lot.activates_at,
        "expires_at": lot.expires_at,
        **{name: format_points(getattr(lot, name), scale) for name in _LOT_POINTS},
        "campaign": lot.campaign,
        "partner": lot.partner,
    }
