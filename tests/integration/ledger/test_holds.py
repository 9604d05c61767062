"""Holds and the purchases that name them: in time, too late, captured by the till already."""

from collections.abc import Mapping

import pytest

from tests.integration.ledger.conftest import NOW, POINTS, Api, Books, Event, Member, accrual, cloud_event, days, paid

HOLD_S = 900
PAST = days(1)


async def hold(api: Api, member: Member, points: str = "80.00", time_out_s: int = HOLD_S) -> str:
    """Place a hold; gives its id."""
    body = {"currency": POINTS, "points": points, "time_out_s": time_out_s}
    placed = await api.post(f"/accounts/{member.account}/holds", body)
    assert placed.status_code == 201, placed.text
    hold_id: str = placed.json()["hold_id"]
    return hold_id


async def has(api: Api, member: Member) -> tuple[str, ...]:
    """Available, held, redeemed, expired, debt."""
    balance = (await api.get(f"/accounts/{member.account}")).json()["balances"][POINTS]
    return tuple(balance[name] for name in ("available", "held", "redeemed", "expired", "debt"))


async def test_L6_the_rest_stays_on_hold_where_the_till_asks_for_it(books: Books, api: Api, member: Member) -> None:
    """Hold 80, capture 50 with `partial: keep`, then what is left: two captures of one hold."""
    await books.take(accrual(member, "p1", 100_00))
    path = f"/accounts/{member.account}/holds/{await hold(api, member)}/capture"
    assert (await api.post(path, {"points": "50.00", "partial": "keep"})).status_code == 201
    assert await has(api, member) == ("20.00", "30.00", "50.00", "0.00", "0.00")
    assert (await api.post(path, {})).json()["points"] == "30.00"
    assert await has(api, member) == ("20.00", "0.00", "80.00", "0.00", "0.00")


async def test_many_holds_stand_beside_each_other(books: Books, api: Api, member: Member) -> None:
    """Ten holds of ten; each ends in its own way, and what is held is seen in the balance."""
    await books.take(accrual(member, "p1", 100_00))
    holds = [await hold(api, member, "10.00", HOLD_S if number < 5 else 10 * HOLD_S) for number in range(10)]
    assert await has(api, member) == ("0.00", "100.00", "0.00", "0.00", "0.00")
    assert (await api.redeem(member, "0.01")).json()["code"] == "insufficient_points"
    for hold_id in (holds[0], holds[9]):
        assert (await api.post(f"/accounts/{member.account}/holds/{hold_id}/capture", {})).status_code == 201
    books.clock.now = NOW + days(1 / 24)
    assert await has(api, member) == ("40.00", "40.00", "20.00", "0.00", "0.00")
    assert await books.sweep(member) == 1
    assert await has(api, member) == ("40.00", "40.00", "20.00", "0.00", "0.00")
    assert (await books.kinds(member)).count("hold.timed-out") == 4


async def test_L8_a_held_lot_that_passes_its_date_is_captured(books: Books, api: Api, member: Member) -> None:
    """Points on hold do not expire under it; what the capture leaves of them does at once."""
    await books.take(accrual(member, "p1", 80_00, expires_at=NOW + PAST))
    path = f"/accounts/{member.account}/holds/{await hold(api, member, time_out_s=864_000)}/capture"
    books.clock.now = NOW + 2 * PAST
    assert await has(api, member) == ("0.00", "80.00", "0.00", "0.00", "0.00")
    assert (await api.post(path, {"points": "50.00"})).json()["points"] == "50.00"
    assert await has(api, member) == ("0.00", "0.00", "50.00", "30.00", "0.00")


async def test_L7b_a_purchase_made_in_time_captures_its_hold_however_late(
    books: Books, api: Api, member: Member
) -> None:
    """Its own lots first, shares expired meanwhile revived, then others, the rest unbacked."""
    await books.take(accrual(member, "own", 80_00, expires_at=NOW + days(0.5)))
    hold_id = await hold(api, member)
    books.clock.now = NOW + PAST
    await books.take(accrual(member, "other", 15_00, at=NOW + PAST))
    assert await has(api, member) == ("15.00", "0.00", "0.00", "80.00", "0.00")
    await books.take(paid(member, "late", 100_00, at=NOW, hold_id=hold_id))
    assert await has(api, member) == ("0.00", "0.00", "100.00", "0.00", "5.00")


@pytest.mark.parametrize(
    ("unbacked", "left"),
    [
        ("negative", ("0.00", "0.00", "100.00", "0.00", "40.00")),
        ("to_zero", ("0.00", "0.00", "60.00", "0.00", "0.00")),
        ("refuse", ("60.00", "0.00", "0.00", "0.00", "0.00")),
    ],
)
async def test_L7b_a_purchase_made_after_the_time_out_is_unbacked(
    books: Books, api: Api, member: Member, unbacked: str, left: tuple[str, ...]
) -> None:
    """What nothing backs follows the programme: into debt, down to zero, or refused and reported."""
    await books.take(accrual(member, "p1", 60_00))
    hold_id = await hold(api, member, "60.00")
    books.clock.now = NOW + PAST
    verdict = (await books.take(paid(member, "p2", 100_00, at=NOW + PAST, hold_id=hold_id, unbacked=unbacked)))[0]
    assert await has(api, member) == left
    assert (verdict.kind, verdict.code) == (
        ("refused", "unbacked_points") if unbacked == "refuse" else ("applied", None)
    )


async def test_L7b_captured_by_the_till_already(books: Books, api: Api, member: Member) -> None:
    """With the same amount there is nothing to do; with another the difference goes to the policy."""
    await books.take(accrual(member, "p1", 100_00))
    for number, (held, said, left) in enumerate((("50.00", 50_00, "50.00"), ("20.00", 30_00, "20.00"))):
        hold_id = await hold(api, member, held)
        assert (await api.post(f"/accounts/{member.account}/holds/{hold_id}/capture", {})).status_code == 201
        await books.take(paid(member, f"b{number}", said, hold_id=hold_id))
        assert (await has(api, member))[0] == left
    assert await has(api, member) == ("20.00", "0.00", "80.00", "0.00", "0.00")
    assert (await books.kinds(member)).count("redemption.matched") == 2


def retail(kind: str, member: Member, key: str, **data: object) -> Event:
    """A command of a till that has no HTTP."""
    common = {"account_id": str(member.account), "programme": member.programme, "key": key}
    return cloud_event(f"bonus.{kind}.v1", common | data)


async def test_every_command_has_the_same_verdict_over_kafka(books: Books, api: Api) -> None:
    """Two members, one over HTTP and one by messages: the same answers, refusals and balances."""
    http, kafka = Member(), Member()
    await books.take(accrual(http, "p", 100_00), accrual(kafka, "p", 100_00))

    async def both(path: str, kind: str, body: Mapping[str, object], key: str, **named: str) -> tuple[str | None, ...]:
        answer = await api.post(f"/accounts/{http.account}/{path}", body or None, key)
        ids = {name: made[value][1] for name, value in named.items()}
        verdict = (await books.take(retail(kind, kafka, key, **ids, **body)))[0]
        told = answer.json()
        made[key] = tuple(
            str(each.get("redemption_id") or each.get("hold_id")) for each in (told, verdict.answer or {})
        )
        return told.get("code"), verdict.code

    made: dict[str, tuple[str, ...]] = {}
    points = {"currency": POINTS, "points": "30.00"}
    assert await both("holds", "hold.place", points, "h1") == (None, None)
    assert await both("holds", "hold.place", points, "h2") == (None, None)
    assert await both("holds", "hold.place", {"currency": POINTS, "points": "50.00"}, "h3") == (
        "insufficient_points", "insufficient_points",
    )  # fmt: skip
    capture = f"holds/{made['h1'][0]}/capture"
    assert await both(capture, "hold.capture", {"points": "31.00"}, "c1", hold_id="h1") == ("exceeds_hold",) * 2
    assert await both(capture, "hold.capture", {"points": "20.00"}, "c2", hold_id="h1") == (None, None)
    assert await both(capture, "hold.capture", {"points": "10.00"}, "c3", hold_id="h1") == ("hold_captured",) * 2
    release = f"holds/{made['h2'][0]}/release"
    assert await both(release, "hold.release", {}, "r1", hold_id="h2") == (None, None)
    assert await both("redemptions", "points.redeem", points, "s1") == (None, None)
    back = f"redemptions/{made['s1'][0]}/reversals"
    assert await both(back, "redemption.reverse", {"points": "31.00"}, "u1", redemption_id="s1") == (
        "exceeds_redemption", "exceeds_redemption",
    )  # fmt: skip
    assert await both(back, "redemption.reverse", {"points": "12.00"}, "u2", redemption_id="s1") == (None, None)
    assert await has(api, http) == await has(api, kafka) == ("62.00", "0.00", "38.00", "0.00", "0.00")
