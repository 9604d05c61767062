"""What expires next and in each month, against the lots themselves, for accounts with few lots and with many."""

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.amounts import format_points
from tests.integration.ledger.conftest import NOW, Api, Books, Member, accrual, days

WARSAW = ZoneInfo("Europe/Warsaw")
CURRENCIES = ("points", "stamps")
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize("many", [1, 1_000_000], ids=["many lots", "few lots"])
async def test_what_expires_is_what_the_lots_say(
    many: int, api: Api, books: Books, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every instant, what is due but not written down included, and again after every change."""
    monkeypatch.setattr("services.ledger.queries.accounts.LOTS_MANY", many)
    await books.publish()
    chance = random.Random(3)  # noqa: S311 - the same lots every time
    await books.take(*[_earned(member, number, chance) for number in range(120)])
    for after in (days(0), days(3), days(3), days(40), timedelta(days=86, hours=11), days(120)):
        books.clock.now = NOW + after
        await _compare(api, member, books.clock.now)
        await api.redeem(member, "25.00")
        await _compare(api, member, books.clock.now)
        await _compare(api, member, books.clock.now)
    await books.sweep(member)
    await _compare(api, member, books.clock.now)


def _earned(member: Member, number: int, chance: random.Random) -> dict[str, Any]:
    """A lot that never expires, at the end of a month, at the instants around it, or at any; one in three pending."""
    month_end = datetime(2026, chance.randint(4, 9), 1, tzinfo=WARSAW)
    expires_at = chance.choice(
        [None, month_end, month_end, month_end + MOMENT, month_end - MOMENT, NOW + days(200 * chance.random())]
    )
    return accrual(
        member, f"p{number}", chance.randint(1, 9_00), currency=chance.choice(CURRENCIES), expires_at=expires_at,
        activates_at=NOW + days(60 * chance.random()) if chance.random() < 1 / 3 else None,
    )  # fmt: skip


async def _compare(api: Api, member: Member, now: datetime) -> None:
    account = (await api.get(f"/accounts/{member.account}")).json()
    lots = (await api.get(f"/accounts/{member.account}/lots", params={"limit": 200})).json()["items"]
    for currency in CURRENCIES:
        instants: Counter[datetime] = Counter()
        months: Counter[str] = Counter()
        for lot in lots:
            points = _units(lot["available"]) + _units(lot["pending"])
            if lot["currency"] == currency and lot["expires_at"] is not None and points:
                expires_at = datetime.fromisoformat(lot["expires_at"])
                assert expires_at > now
                instants[expires_at] += points
                months[(expires_at - MOMENT).astimezone(WARSAW).strftime("%Y-%m")] += points
        balance = account["balances"][currency]
        assert balance["expires"] == [
            {"month": month, "points": format_points(points, 2)} for month, points in sorted(months.items())
        ]
        following = balance["next_expiry"]
        assert (following and (datetime.fromisoformat(following["at"]), _units(following["points"]))) == (
            min(instants.items()) if instants else None
        )


def _units(points: str) -> int:
    return round(float(points) * 100)
