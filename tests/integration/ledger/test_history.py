"""Two-time queries: balances as of then, as known then, whether the sweeper ran or not."""

import random
from datetime import datetime, timedelta
from typing import Any

from tests.integration.ledger.conftest import NOW, POINTS, Api, Books, Member, accrual, days, reversal


async def then(api: Api, member: Member, as_of: datetime | None, known_at: datetime | None) -> dict[str, str]:
    """What the account had then."""
    times = {"as_of": as_of and as_of.isoformat(), "known_at": known_at and known_at.isoformat()}
    answer = await api.get(f"/accounts/{member.account}", params={key: each for key, each in times.items() if each})
    assert answer.status_code == 200, answer.text
    balance: dict[str, str] = answer.json()["balances"].get(POINTS, {})
    return balance


async def test_A7_what_was_known_then_does_not_change(books: Books, api: Api, member: Member) -> None:
    """40.00 on 1 March; a purchase of 28 February arrives on 3 March: then 40.00 was known, today it is 50.00."""
    march_1 = books.clock.now = NOW
    await books.take(accrual(member, "p1", 40_00, at=march_1))
    books.clock.now = NOW + days(2)
    await books.take(accrual(member, "late", 10_00, at=march_1 - days(1)))
    assert (await then(api, member, march_1, march_1))["available"] == "40.00"
    assert (await then(api, member, march_1, None))["available"] == "50.00"
    assert (await then(api, member, march_1 - days(1), None))["available"] == "10.00"
    assert (await then(api, member, None, march_1))["available"] == "40.00"
    assert (await then(api, member, march_1 - days(2), None))["available"] == "0.00"


async def test_a_late_sweeper_changes_no_past_answer(books: Books, api: Api, member: Member) -> None:
    """What time alone does is known from its instant, written down or not."""
    await books.take(accrual(member, "p1", 40_00, activates_at=NOW + days(10), expires_at=NOW + days(20)))
    instants = [NOW + days(day) for day in (1, 9.5, 10, 15, 20, 25)]
    books.clock.now = NOW + days(30)
    unwritten = [await then(api, member, as_of, known) for as_of in instants for known in instants]
    assert await books.sweep(member) == 1
    assert [await then(api, member, as_of, known) for as_of in instants for known in instants] == unwritten
    figures = [(each["pending"], each["available"]) for each in unwritten[:: len(instants) + 1]]
    pending, active, gone = ("40.00", "0.00"), ("0.00", "40.00"), ("0.00", "0.00")
    assert figures == [pending, pending, active, active, gone, gone]


async def test_it_is_the_sum_of_lines_for_any_two_instants(books: Books, api: Api, member: Member) -> None:
    """For many instants the answer is what one gets by adding up the statement's lines by hand."""
    chance = random.Random(3)  # noqa: S311 - the same history every time
    for number in range(30):
        books.clock.now += timedelta(hours=chance.randrange(1, 200))
        at = books.clock.now - days(chance.choice([0, 0, 1, 40, 200]))
        sooner = at + days(chance.choice([1, 5]))
        await books.take(accrual(member, f"p{number}", 10_00, at=at, activates_at=sooner, expires_at=sooner + days(30)))
        if number % 3 == 0:
            await api.redeem(member, "3.00")
        if number % 5 == 0:
            await books.take(reversal(member, f"p{number}", 4_00, "negative", at=books.clock.now))
    rows = await books.pool.fetch(
        "select * from entry where shard = $1 and account_id = $2", member.shard, member.account
    )
    first, last = NOW - days(200), books.clock.now
    instants = [first + chance.random() * (last - first) for _ in range(12)]
    for as_of in instants:
        for known in instants:
            lines: list[Any] = [row for row in rows if row["effective_at"] <= as_of and row["known_at"] <= known]
            sums = {
                name: f"{sum(row[name] or 0 for row in lines) / 100:.2f}"
                for name in ("pending", "available", "held", "debt")
            }
            found = await then(api, member, as_of, known)
            assert {name: found[name] for name in sums} == sums
    answer = await api.get(f"/accounts/{member.account}", params={"as_of": (last + days(1)).isoformat()})
    assert (answer.status_code, answer.json()["code"]) == (422, "time_in_future")
