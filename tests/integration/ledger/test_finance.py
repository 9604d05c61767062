"""Finance: liability at any date, movements of a period, breakage; all tie to the log."""

import random
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contracts.shards import SHARDS
from services.ledger.verify.plan import Plan
from services.ledger.verify.run import verify_shards
from tests.integration.ledger.conftest import NOW, POINTS, Api, Books, Member, accrual, days, paid, reversal

WARSAW = ZoneInfo("Europe/Warsaw")
PATH = "/programmes/grocer"


async def test_liability_by_month_of_expiry(books: Books, api: Api) -> None:
    """Points are owed until they are spent or expire; each month says what lapses in it."""
    await books.publish(currencies=[{"currency": POINTS, "scale": 2, "worth": "0.10"}])
    one, two = Member(), Member()
    midnight = datetime(2026, 7, 1, tzinfo=WARSAW)
    await books.take(
        accrual(one, "p1", 100_00, expires_at=midnight),
        accrual(one, "p2", 50_00, activates_at=NOW + days(14), expires_at=midnight + days(31)),
        accrual(two, "p3", 7_00),
    )
    await api.redeem(one, "30.00")
    answer = (await api.get(f"{PATH}/liability")).json()
    assert answer["currencies"] == {
        "points": {
            "outstanding": "127.00", "pending": "50.00", "available": "77.00", "held": "0.00", "in_transit": "0.00",
            "debt": "0.00", "worth": "12.70",
            "months": [
                {"month": "2026-06", "points": "70.00"},
                {"month": "2026-07", "points": "50.00"},
                {"month": "never", "points": "7.00"},
            ],
        }
    }  # fmt: skip
    assert (answer["programme"], answer["money"]) == ("grocer", "PLN")
    before = (await api.get(f"{PATH}/liability", params={"as_of": "2026-03-04"})).json()
    assert before["currencies"] == {}
    books.clock.now = midnight + days(40)
    for member in (one, two):
        await books.sweep(member)
    ends = {"2026-06-30": "127.00", "2026-07-01": "57.00", "2026-08-01": "7.00"}
    for day, outstanding in ends.items():
        answer = (await api.get(f"{PATH}/liability", params={"as_of": day})).json()
        assert (day, answer["currencies"]["points"]["outstanding"]) == (day, outstanding)
    unknown = await api.get("/programmes/other/liability")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "programme_unknown")
    wrong = await api.get(f"{PATH}/liability", params={"as_of": "yesterday"})
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["field"]) == (422, "not_a_time", "query.as_of")


async def test_movements_of_any_period_tie_to_the_log(books: Books, api: Api) -> None:
    """Opening + issued + adjusted - redeemed - expired - reversed = closing, for days and for instants within them."""
    chance = random.Random(5)  # noqa: S311 - the same movements every time
    members = [Member() for _ in range(3)]
    for number in range(40):
        books.clock.now += timedelta(hours=chance.randrange(1, 60))
        member = chance.choice(members)
        at = books.clock.now - days(chance.choice([0, 0, 2]))
        await books.take(
            accrual(member, f"p{number}", 10_00, at=at, activates_at=at + days(1), expires_at=at + days(20))
        )
        if number % 3 == 0:
            await api.redeem(member, "3.00")
        if number % 4 == 0:
            await books.take(reversal(member, f"p{number}", 4_00, "negative", at=books.clock.now))
        if number % 7 == 0:
            body = {"currency": POINTS, "points": "1.50", "reason": "gift"}
            await api.post(f"/accounts/{member.account}/adjustments", body)
    for member in members:
        await books.sweep(member)
    rows = await books.pool.fetch("select * from entry")
    instants = [NOW + chance.random() * (books.clock.now - NOW) for _ in range(6)]
    for since, until in zip(sorted(instants), sorted(instants)[1:], strict=False):
        period = {"from": since.isoformat(), "to": until.isoformat()}
        answer = (await api.get(f"{PATH}/movements", params=period)).json()["currencies"][POINTS]
        assert answer == answer | _sums(rows, since, until)
        assert _adds_up(answer)
    first, last = date(2026, 3, 10), date(2026, 4, 20)
    by_day = (await api.get(f"{PATH}/movements", params={"from": f"{first}", "to": f"{last}"})).json()
    begin = datetime(2026, 3, 10, tzinfo=ZoneInfo("UTC"))
    assert by_day["currencies"][POINTS] == by_day["currencies"][POINTS] | _sums(
        rows, begin, datetime(2026, 4, 21, tzinfo=ZoneInfo("UTC"))
    )
    empty = await api.get(f"{PATH}/movements", params={"from": "2026-04-01", "to": "2026-03-01"})
    assert (empty.status_code, empty.json()["code"]) == (422, "period_empty")


def _sums(rows: list[Any], since: datetime, until: datetime) -> dict[str, str]:
    """The figures of a period, added up line by line."""
    sums: Counter[str] = Counter()
    for row in rows:
        if row["effective_at"] < until:
            for name in ("pending", "available", "held", "in_transit", "debt"):
                change = (row[name] or 0) * (-1 if name == "debt" else 1)
                sums["closing"] += change
                sums["opening"] += change if row["effective_at"] < since else 0
            if row["effective_at"] >= since:
                for name in ("issued", "adjusted", "redeemed", "expired", "reversed"):
                    sums[name] += row[name] or 0
    return {
        name: f"{sums[name] / 100:.2f}"
        for name in ("opening", "issued", "adjusted", "redeemed", "expired", "reversed", "closing")
    }


def _adds_up(figures: dict[str, Any]) -> bool:
    """Whether the period's equation holds."""
    came_in = sum(float(figures[name]) for name in ("opening", "issued", "adjusted", "transferred_in"))
    went = sum(float(figures[name]) for name in ("transferred_out", "redeemed", "expired", "reversed"))
    return abs(came_in - went - float(figures["closing"])) < 0.005


async def test_breakage_is_the_share_that_expired_unused(books: Books, api: Api, member: Member) -> None:
    """By month of issue: of what was spent or expired, how much expired."""
    await books.publish()
    await books.take(
        accrual(member, "january", 100_00, at=NOW - days(50), expires_at=NOW + days(1)),
        accrual(member, "march", 40_00, at=NOW),
    )
    await api.redeem(member, "25.00")
    books.clock.now = NOW + days(2)
    await books.sweep(member)
    items = (await api.get(f"{PATH}/breakage")).json()["items"]
    assert [(each["month"], each["issued"], each["redeemed"], each["expired"], each["breakage"]) for each in items] == [
        ("2026-01", "100.00", "25.00", "75.00", 0.75),
        ("2026-03", "40.00", "0.00", "0.00", None),
    ]


async def test_E22_partners_settle_what_was_earned_at_one_and_spent_at_another(books: Books, api: Api) -> None:
    """Lots of 20 earned at A (older) and 10 at B; 25 spent at B: A owes B 20.00, and less once some came back."""
    await books.publish()
    member = Member()
    for partner, points, age in (("A", 20_00, 2), ("B", 10_00, 1)):
        event = accrual(member, partner, points, at=NOW - days(age))
        event["data"]["grants"][0]["partner"] = partner
        await books.take(event)
    spent = (await api.redeem(member, "25.00", partner="B")).json()
    today = {"from": "2026-03-05"}
    settlement = (await api.get(f"{PATH}/settlement", params=today)).json()
    assert (settlement["money"], settlement["items"]) == (
        "PLN",
        [{"currency": POINTS, "debtor": "A", "creditor": "B", "points": "20.00", "amount": "20.00"}],
    )
    books.clock.now = NOW + days(40)
    path = f"/accounts/{member.account}/redemptions/{spent['redemption_id']}/reversals"
    assert (await api.post(path, {"points": "12.00"})).status_code == 201
    until_april = await api.get(f"{PATH}/settlement", params=today | {"to": "2026-03-31"})
    assert until_april.json()["items"] == settlement["items"], "a closed month stays closed"
    april = (await api.get(f"{PATH}/settlement", params={"from": "2026-04-01"})).json()["items"]
    assert [(each["debtor"], each["creditor"], each["points"]) for each in april] == [("A", "B", "-7.00")]
    whole = (await api.get(f"{PATH}/settlement", params=today)).json()["items"]
    assert [each["amount"] for each in whole] == ["13.00"]


async def test_E22_a_hold_and_a_purchase_say_where_points_were_spent(
    books: Books, api: Api, member: Member, database: str
) -> None:
    """The partner of a hold is that of its capture; points of the programme itself are owed by it."""
    await books.publish()
    await books.take(accrual(member, "own", 20_00))
    body = {"currency": POINTS, "points": "5.00", "partner": "B"}
    hold = (await api.post(f"/accounts/{member.account}/holds", body)).json()
    assert (await api.post(f"/accounts/{member.account}/holds/{hold['hold_id']}/capture", {})).status_code == 201
    await books.take(paid(member, "bought", 4_00, partner="C"))
    items = (await api.get(f"{PATH}/settlement", params={"from": "2026-03-01", "to": "2026-03-31"})).json()["items"]
    assert [(each["debtor"], each["creditor"], each["points"]) for each in items] == [
        (None, "B", "5.00"),
        (None, "C", "4.00"),
    ]
    assert (await verify_shards(database, range(SHARDS), Plan())).differences == []
