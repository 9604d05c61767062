"""Asking the services over HTTP, as any other system would."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import httpx

from examples.demo.comparison import FIGURES, Answered, OpenLot
from examples.demo.traffic import CURRENCY, account_id

_AT_ONCE: Final = 16
_LOTS_PAGE: Final = 500
_HUNDREDTHS: Final = 100


class ApiError(Exception):
    """A service answered something other than what the demo needs."""


async def answered(client: httpx.AsyncClient, household_ids: Iterable[int]) -> dict[int, Answered]:
    """Every household's balances, tier and open lots; households without an account are left out."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(household_id: int) -> tuple[int, Answered | None]:
        async with gate:
            return household_id, await household(client, household_id)

    found = await asyncio.gather(*map(one, household_ids))
    return {household_id: answer for household_id, answer in found if answer is not None}


async def household(client: httpx.AsyncClient, household_id: int) -> Answered | None:
    """One household, or None where it has no account."""
    asked_at = datetime.now(UTC)
    response = await client.get(f"/v1/accounts/{account_id(household_id)}")
    if response.status_code == httpx.codes.NOT_FOUND:
        return None
    account = checked(response)
    lots = await _open_lots(client, household_id)
    balance = account["balances"].get(CURRENCY, {})
    figures = {name: hundredths(balance.get(name, "0")) for name in FIGURES}
    tier = (account.get("tier") or {}).get("tier")
    return Answered(figures, hundredths(balance.get("debt", "0")), tier, lots, asked_at, datetime.now(UTC))


async def _open_lots(client: httpx.AsyncClient, household_id: int) -> list[OpenLot]:
    found: list[OpenLot] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": str(_LOTS_PAGE)} | ({"cursor": cursor} if cursor else {})
        page = checked(await client.get(f"/v1/accounts/{account_id(household_id)}/lots", params=query))
        found += [lot for lot in map(_lot, page["items"]) if lot.left]
        cursor = page.get("next_cursor")
    return sorted(found)


def _lot(lot: dict[str, Any]) -> OpenLot:
    left = sum(hundredths(lot[bucket]) for bucket in ("pending", "available", "held"))
    earned_at, activates_at, expires_at = (_instant(lot[name]) for name in ("earned_at", "activates_at", "expires_at"))
    return OpenLot(earned_at, activates_at, expires_at, left)


def hundredths(points: str) -> int:
    """Hundredths of a point in a decimal string."""
    return int(Decimal(points) * _HUNDREDTHS)


def checked(response: httpx.Response) -> dict[str, Any]:
    """The JSON of a good answer. Raises ApiError with what came instead."""
    if response.is_success:
        content: dict[str, Any] = response.json()
        return content
    raise ApiError(
        f"{response.request.method} {response.request.url.path}: {response.status_code} {response.text[:500]}"
    )


def _instant(text: str | None) -> datetime:
    return datetime.max.replace(tzinfo=UTC) if text is None else datetime.fromisoformat(text)
