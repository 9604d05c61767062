"""The books as processes run them: workers share partitions, everything comes twice, the relay publishes in order."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from contracts.topics import AWARDS, LEDGER_EVENTS, REDEMPTIONS
from services.ledger.verify.plan import Plan
from services.ledger.verify.run import verify_shards
from tests.e2e.ledger.conftest import Ledger, shards
from tests.integration.ledger.conftest import POINTS, Member, accrual, award, cloud_event, reversal

ACCRUALS = 1_500
MEMBERS = 40


async def test_D5_two_workers_book_once_what_comes_twice(ledger: Ledger) -> None:
    """Everything is sent twice over while workers come and go: each award is booked once, in its account's order."""
    members = [Member() for _ in range(MEMBERS)]
    start = datetime.now(UTC) - timedelta(days=300)
    sent = [
        accrual(
            members[number % MEMBERS], f"p{number}", 100 + number, at=start + timedelta(hours=4 * number),
            activates_at=start + timedelta(hours=4 * number, days=14),
            expires_at=start + timedelta(hours=4 * number, days=180),
        )
        for number in range(ACCRUALS)
    ]  # fmt: skip
    async with ledger.worker():
        await ledger.send(AWARDS.name, sent[: ACCRUALS // 2])
        async with ledger.worker():
            await ledger.send(AWARDS.name, sent)
            await ledger.until("select count(*) from lot", lambda count: count >= ACCRUALS // 2)
        await ledger.send(AWARDS.name, sent[::-1])
        await ledger.until("select count(*) from movement", lambda count: count == ACCRUALS)
    async with ledger.worker(), ledger.relay():
        await ledger.send(AWARDS.name, sent)
        behind = "select sum(head - position) from shard inner join relay_position using (shard)"
        await ledger.until(behind, lambda count: count == 0)
    assert await ledger.pool.fetchval("select count(*) from lot") == ACCRUALS
    assert await ledger.pool.fetchval("select count(*) from dead_letter") == 0
    report = await verify_shards(ledger.settings.postgres_dsn, shards(), Plan())
    assert (report.differences, report.lots) == ([], ACCRUALS)
    versions = defaultdict(list)
    for event in await ledger.published(LEDGER_EVENTS.name):
        versions[event["data"]["account_id"]].append(event["data"]["version"])
    assert len(versions) == MEMBERS
    assert all(each == list(range(1, len(each) + 1)) for each in versions.values())


async def test_points_travel_between_accounts_over_kafka(ledger: Ledger) -> None:
    """A merge crosses Kafka four times: asked, sent, taken up, concluded; late commands follow."""
    one, two = Member(), Member()
    now = datetime.now(UTC)
    merge = award(
        "bonus.accounts.merge.v1", one, "merge", now, from_account_id=str(two.account),
        from_member_id=str(two.member_id),
    )  # fmt: skip
    redeem = cloud_event(
        "bonus.points.redeem.v1",
        {"key": "k", "account_id": str(two.account), "programme": two.programme, "currency": POINTS, "points": "5.00"},
    )
    async with ledger.worker(), ledger.relay():
        await ledger.send(AWARDS.name, [accrual(one, "1", 300_00, at=now), accrual(two, "2", 120_00, at=now)])
        await ledger.until("select count(*) from account", lambda count: count == 2)
        await ledger.send(AWARDS.name, [merge])
        await ledger.until("select count(*) from account where status = 'merged'", lambda count: count == 1)
        await ledger.send(AWARDS.name, [reversal(two, "2", 20_00, at=now), accrual(two, "3", 1_00, at=now)])
        await ledger.send(REDEMPTIONS.name, [redeem])
        total = "select sum(available) from balance"
        await ledger.until(total, lambda points: points == 396_00)
    assert await ledger.pool.fetchval("select available from balance where account_id = $1", one.account) == 396_00
    report = await verify_shards(ledger.settings.postgres_dsn, shards(), Plan())
    assert report.differences == []


async def test_a_till_without_http_spends_over_kafka(ledger: Ledger) -> None:
    """Hold, capture, redemption and refusals on `bonus.redemptions.v1`, each sent twice: the verdicts are published."""
    member, now = Member(), datetime.now(UTC)
    common = {"account_id": str(member.account), "programme": member.programme}
    points = {"currency": POINTS, "points": "60.00"}
    hold = cloud_event("bonus.hold.place.v1", common | points | {"key": "h"})
    over = cloud_event("bonus.points.redeem.v1", common | points | {"key": "s"})
    async with ledger.worker(), ledger.relay():
        await ledger.send(AWARDS.name, [accrual(member, "p", 100_00, at=now)])
        await ledger.until("select count(*) from account", lambda count: count == 1)
        await ledger.send(REDEMPTIONS.name, [hold, over, hold, over])
        held = await ledger.until("select max(hold_id::text) from hold", lambda found: found is not None)
        capture = cloud_event("bonus.hold.capture.v1", common | {"key": "c", "hold_id": held, "points": "50.00"})
        await ledger.send(REDEMPTIONS.name, [capture, capture])
        await ledger.until("select sum(redeemed) from balance", lambda redeemed: redeemed == 50_00)
        behind = "select sum(head - position) from shard inner join relay_position using (shard)"
        await ledger.until(behind, lambda count: count == 0)
    told = [
        (event["type"], event["data"].get("refusal", {}).get("code"))
        for event in await ledger.published(LEDGER_EVENTS.name)
    ]
    assert told == [
        ("bonus.account.opened.v1", None),
        ("bonus.points.accrued.v1", None),
        ("bonus.hold.placed.v1", None),
        ("bonus.command.rejected.v1", "insufficient_points"),
        ("bonus.hold.captured.v1", None),
    ]
