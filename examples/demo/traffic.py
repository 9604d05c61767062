"""What happens after the year of purchases: redemptions over HTTP, all at once, and baskets brought back."""

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import httpx
import polars as pl

from contracts.envelope import DEFAULT_TENANT
from contracts.ids import account_of, member_of_event
from examples.demo import messages, recompute
from examples.demo.dataset import Year
from examples.demo.messages import ENROLMENT_SOURCE, PROGRAMME, Outgoing
from examples.demo.recompute import Household

REDEMPTIONS: Final = 500
CONNECTIONS: Final = 50
RETURNS: Final = 100
CURRENCY: Final = "points"
_LEAST_POINTS: Final = 10_00
_SEED: Final = 2026


@dataclass(frozen=True, slots=True)
class Wish:
    """One redemption to be asked for, points in hundredths."""

    household_id: int
    points: int
    key: str


@dataclass(frozen=True, slots=True)
class Comeback:
    """One basket brought back, whole or in part.

    `points` is what the award must lose, in hundredths; `spend` what no longer counts for the level, in cents.
    """

    household_id: int
    purchase_id: str
    lines: tuple[tuple[int, str, int], ...]
    points: int
    spend: int


def member_id(household_id: int) -> UUID:
    """The household as a member, derived from its enrolment as contracts/ids.py says."""
    return member_of_event(DEFAULT_TENANT, ENROLMENT_SOURCE, messages.enrolment_id(household_id))


def account_id(household_id: int) -> UUID:
    """The household's account."""
    return account_of(DEFAULT_TENANT, PROGRAMME, member_id(household_id))


def wishes(expected: dict[int, Household], at: datetime) -> list[Wish]:
    """Redemptions that must all be accepted: each takes less than half of what its household still has."""
    chance = random.Random(_SEED)  # noqa: S311 - the same demo every time, nothing secret
    rich = {each: household.balance_at(at)["available"] for each, household in expected.items()}
    able = sorted(each for each, available in rich.items() if available >= _LEAST_POINTS)
    found: list[Wish] = []
    while able and len(found) < REDEMPTIONS:
        household_id = chance.choice(able)
        points = chance.randint(1, rich[household_id] // 2)
        rich[household_id] -= points
        if rich[household_id] < _LEAST_POINTS:
            able.remove(household_id)
        found.append(Wish(household_id, points, f"demo-redemption-{len(found)}"))
    return found


async def redeem(client: httpx.AsyncClient, asked: list[Wish]) -> list[tuple[Wish, httpx.Response]]:
    """Ask for all redemptions from 50 connections at once."""
    gate = asyncio.Semaphore(CONNECTIONS)

    async def one(wish: Wish) -> tuple[Wish, httpx.Response]:
        # One point is worth one zloty: a bill of as much is paid with points alone.
        bill = messages.money(wish.points)
        body = {"currency": CURRENCY, "points": bill, "bill": bill, "redeemable": bill}
        async with gate:
            return wish, await client.post(
                f"/v1/accounts/{account_id(wish.household_id)}/redemptions",
                json=body,
                headers={"Idempotency-Key": wish.key},
            )

    return await asyncio.gather(*map(one, asked))


def comebacks(year: Year) -> list[Comeback]:
    """A hundred baskets that earned something: every other one whole, the others by their lines of even number."""
    awards = recompute.award_table(year).filter((pl.col("points") > 0) & (pl.col("size") > 1))
    chosen = awards.sample(min(RETURNS, awards.height), seed=_SEED, shuffle=True)
    return [
        _comeback(year, basket, whole=number % 2 == 0) for number, basket in enumerate(chosen.iter_rows(named=True))
    ]


def _comeback(year: Year, basket: dict[str, Any], *, whole: bool) -> Comeback:
    lines = year.lines.slice(basket["first"], basket["size"]).select("line", "quantity", "cents").rows()
    back = tuple(row for row in lines if whole or row[0] % 2 == 0)
    kept = [row[0] for row in lines if row not in back]
    left = recompute.points_left(year, basket["purchase_id"], kept, basket["percent"])
    spend = recompute.spend_of(year, basket["purchase_id"], [row[0] for row in back])
    return Comeback(basket["household_id"], basket["purchase_id"], back, basket["points"] - left, spend)


def return_messages(brought: list[Comeback], at: datetime) -> list[Outgoing]:
    """The comebacks as a till sends them."""
    return [messages.returned(each.purchase_id, list(each.lines), at, at) for each in brought]
