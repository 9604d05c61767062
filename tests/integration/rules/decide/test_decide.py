"""Deciding on a real database: each purchase once, by the facts of its time, whatever comes twice or too early."""

from typing import Any
from uuid import UUID

from contracts import ids
from contracts.shards import shard_of
from tests.integration.rules.decide.conftest import FIVE_PERCENT, Counter
from tests.integration.rules.decide.messages import (
    ACCOUNT,
    bought,
    conflicted,
    decision,
    did,
    enrolled,
    holder,
    learned,
    returned,
)

ACCRUE, REVERSE = "bonus.points.accrue.v1", "bonus.points.reverse.v1"
THREE_LEVELS = """
programme: club
zone: Europe/Warsaw
money: PLN
currencies: {points: {scale: 2, worth: 1.00, activates: 14 days, expires: {after: 6 months, at: end_of_month}}}
tiers:
  by: spend
  window: 12 months
  applies_from: next_purchase
  keep_for: 12 months
  grace: 30 days
  then: one_step
  on_return: reassess
  levels: [{tier: bronze, from: 100}, {tier: silver, from: 500}, {tier: gold, from: 1000}]
exclude: {earn: "line.category in ['tobacco', 'gift-card']"}
earn:
  - rule: level
    give: {bronze: 5 %, silver: 10 %, gold: 15 %}
"""


def points(awards: list[dict[str, Any]]) -> list[int]:
    """The points of each message, in their order."""
    return [
        sum(grant["points"] for grant in each["data"]["grants"]) if "grants" in each["data"] else each["data"]["points"]
        for each in awards
    ]


async def test_a_purchase_is_decided_and_the_ledger_told(counter: Counter) -> None:
    """The award carries every value that the ledger needs, and the decision is recorded with what it was made from."""
    await counter.publish(THREE_LEVELS)
    verdicts = await counter.send(
        enrolled(), bought("p1", "100.00"), bought("p2", "50.00", at="2026-03-02T12:00:00+01:00")
    )
    assert [each.kind for each in verdicts] == ["applied"] * 3
    opened, changed, accrued = await counter.awards()
    assert opened["data"]["currencies"] == [{"currency": "points", "scale": 2}]
    assert (changed["data"]["previous"], changed["data"]["tier"], changed["data"]["cause"]) == (None, "bronze", "p1")
    assert accrued["data"] == {
        "command_id": str(ids.command_of("accrue", decision("p2"))),
        "account_id": str(ACCOUNT),
        "member_id": holder()["member_id"],
        "programme": "club",
        "occurred_at": "2026-03-02T11:00:00+00:00",
        "decision_id": str(decision("p2")),
        "source": {"kind": "purchase", "id": "p2", "store": "krakow-12"},
        "grants": [
            {
                "currency": "points", "scale": 2, "points": 250,
                "activates_at": "2026-03-16T11:00:00+00:00", "expires_at": "2026-09-30T22:00:00+00:00",
                "rules": [{"rule": "level", "points": 250}],
            }
        ],
        "spent_policy": "to_zero",
        "standing": {
            "tier": "bronze", "since": "2026-02-28T23:00:00+00:00", "until": "2027-02-28T23:00:00+00:00",
            "qualifying": 1_500_000, "next_tier": "silver", "missing": 3_500_000,
        },
    }  # fmt: skip
    rows = await counter.pool.fetch("select number, kind, qualifying, programme_version from decision order by number")
    assert [tuple(row) for row in rows] == [
        (1, "enrolment", 0, 1), (2, "purchase", 1_000_000, 1), (3, "purchase", 500_000, 1)
    ]  # fmt: skip


async def test_D1_the_same_purchase_many_times_is_one_award(counter: Counter) -> None:
    """Ten times the same event and ten event ids, in one batch and in several: one award, one decision."""
    await counter.publish(FIVE_PERCENT)
    await counter.send(enrolled())
    same = [bought("p1", "100.00")] * 10 + [bought("p1", "100.00", event_id=f"again-{number}") for number in range(10)]
    kinds = [each.kind for each in await counter.send(*same)]
    kinds += [each.kind for each in await counter.send(*same)]
    assert kinds == ["applied"] + ["duplicate"] * 39
    assert points(await counter.awards(ACCRUE)) == [500]
    assert await counter.pool.fetchval("select count(*) from decision where kind = 'purchase'") == 1


async def test_replay_from_zero_gives_the_same_facts_to_the_byte(counter: Counter) -> None:
    """Decided again from the first message, in other batches: the same states, decisions and messages."""
    await counter.publish(THREE_LEVELS)
    stream = [
        enrolled(),
        *(bought(f"p{day}", "60.00", at=f"2026-03-{day:02d}T12:00:00+01:00") for day in range(1, 20)),
        bought("late", "70.00", at="2026-02-01T12:00:00+01:00"),
        returned("p3", {1: ("0", "0")}, at="2026-03-25T12:00:00+01:00"),
        learned("2026-03-26T12:00:00Z", segments=["vip"]),
        bought("last", "10.00", at="2026-04-01T12:00:00+02:00"),
    ]
    await counter.send(*stream)
    first = await everything(counter)
    for table in ("decision", "participant", "event", "data_key"):
        await counter.pool.execute(f"set role none; delete from {table}; set role bonus_rules")  # noqa: S608 - a constant
    for message in stream:
        await counter.send(message)
    assert await everything(counter) == first


async def everything(counter: Counter) -> list[Any]:
    """States, decisions and what was published; positions and nonces of ciphers left out."""
    decisions = await counter.pool.fetch(
        "select decision_id, number, kind, counts_at, qualifying, spend, purchases, record from decision order by 2"
    )
    events = await counter.pool.fetch("select event_id, body from event where key like '%-%' order by shard, position")
    return [await counter.facts(), [tuple(row) for row in decisions], [tuple(row) for row in events]]


async def test_redelivery_after_everything_changes_nothing(counter: Counter) -> None:
    """The whole stream again, backwards too: every message is a duplicate."""
    await counter.publish(THREE_LEVELS)
    stream = [enrolled(), bought("p1", "600.00"), returned("p1", {1: ("0", "0")}), did("a1", "review")]
    await counter.send(*stream)
    before = await everything(counter)
    again = await counter.send(*stream, *reversed(stream))
    assert {each.kind for each in again} == {"duplicate"}
    assert await everything(counter) == before


async def test_E16_the_version_of_the_purchase_time_judges(counter: Counter) -> None:
    """5 % until 1 March, then 10 %: what was bought on 28 February 23:59:59 and comes on 2 March earns 5 %."""
    await counter.publish(FIVE_PERCENT)
    await counter.publish(FIVE_PERCENT.replace("5 %", "10 %"), None)
    await counter.pool.execute("update programme_version set starts_at = '2026-02-28T23:00:00Z' where version = 2")
    await counter.pool.execute("update programme set revision = revision + 1")
    fresh = type(counter.catalogue)(counter.pool, counter.catalogue._settings, refresh_s=1, fresh_s=30)
    counter.decide.processor._programmes = fresh  # type: ignore[attr-defined]  # a worker that starts now
    await counter.send(
        enrolled(),
        bought("in-march", "100.00", at="2026-03-02T12:00:00+01:00"),
        bought("late", "100.00", at="2026-02-28T23:59:59+01:00"),
    )
    assert points(await counter.awards(ACCRUE)) == [1000, 500]
    rows = await counter.pool.fetch(
        "select cause_id, programme_version from decision where kind = 'purchase' order by 1"
    )
    assert [tuple(row) for row in rows] == [("in-march", 2), ("late", 1)]


async def test_T0_what_is_excluded_does_not_qualify(counter: Counter) -> None:
    """Groceries 350, tobacco 150, gift card 500, 200 paid with points: 280 qualify, bronze."""
    await counter.publish(THREE_LEVELS)
    payments = [{"type": "points", "amount": "200.00", "points": "200.00"}, {"type": "card", "amount": "800.00"}]
    basket = bought(
        "p1", "350.00", "150.00", "500.00", categories=["groceries", "tobacco", "gift-card"], payments=payments
    )
    await counter.send(enrolled(), basket)
    assert await counter.pool.fetchval("select qualifying from decision where kind = 'purchase'") == 280_0000
    assert [row["tier"] for row in await counter.facts()] == ["bronze"]
    [paid] = await counter.awards("bonus.purchase.redeem.v1")
    assert (paid["data"]["points"], paid["data"]["hold_id"], paid["data"]["unbacked"]) == (20000, None, "to_zero")


async def test_T1_a_level_is_reached_exactly_and_counts_from_the_next_purchase(counter: Counter) -> None:
    """90.00, then 10.00, each in its own batch: bronze, and neither earns by it; the next does."""
    await counter.publish(THREE_LEVELS)
    for message in (enrolled(), bought("p1", "90.00"), bought("p2", "10.00"), bought("p3", "10.00")):
        await counter.send(message)
    changes = await counter.awards("bonus.tier.change.v1")
    told = [(each["data"]["reason"], each["data"]["tier"], each["data"]["cause"]) for each in changes]
    assert told == [("standing", None, ""), ("tier_reached", "bronze", "p2")]
    assert points(await counter.awards(ACCRUE)) == [50]


async def test_T2_one_purchase_may_pass_a_level(counter: Counter) -> None:
    """600.00: silver at once, one message; the next 100 earns 10.00."""
    await counter.publish(THREE_LEVELS)
    await counter.send(enrolled(), bought("p1", "600.00"), bought("p2", "100.00"))
    changes = await counter.awards("bonus.tier.change.v1")
    assert [(each["data"]["previous"], each["data"]["tier"]) for each in changes] == [(None, "silver")]
    assert points(await counter.awards(ACCRUE)) == [1000]


async def test_R1_R2_returns_take_back_what_the_lines_gave(counter: Counter) -> None:
    """Returned in another batch than bought, one after the other: 17, 16 and 17 of 50."""
    await counter.publish(FIVE_PERCENT)
    await counter.send(enrolled(), bought("p1", "10.00"))
    for number, left in enumerate((("2", "6.67"), ("1", "3.34"), ("0", "0"))):
        await counter.send(returned("p1", {1: left}, return_id=f"r{number}"))
    reversals = await counter.awards(REVERSE)
    assert points(reversals) == [17, 16, 17]
    assert {each["data"]["accrual_id"] for each in reversals} == {str(ids.command_of("accrue", decision("p1")))}
    assert await counter.pool.fetchval("select sum(qualifying) from decision") == 0


async def test_R12_points_of_equal_lines_come_back_in_whole_points(counter: Counter) -> None:
    """50 points paid on three equal lines, scale 0, returned one by one in batches of their own: 17, 16, 17."""
    await counter.publish(FIVE_PERCENT.replace("scale: 2", "scale: 0"))
    paid = [{"type": "points", "amount": "50.00", "points": "50"}, {"type": "card", "amount": "10.00"}]
    await counter.send(enrolled(), bought("p1", "20.00", "20.00", "20.00", payments=paid))
    for line in (1, 2, 3):
        left = {each: ("0", "0") if each <= line else ("1", "20.00") for each in (1, 2, 3)}
        await counter.send(returned("p1", left, return_id=f"r{line}"))
    restored = await counter.awards("bonus.redemption.restore.v1")
    assert points(restored) == [17, 16, 17]
    redemption = str(ids.command_of("redeem", decision("p1"), "0"))
    assert {each["data"]["redemption_id"] for each in restored} == {redemption}


async def test_R8_a_return_before_its_purchase_waits(counter: Counter) -> None:
    """The return is kept, once, and applied in the transaction in which the purchase is decided."""
    await counter.publish(FIVE_PERCENT)
    back = returned("p1", {1: ("0", "0")})
    verdicts = await counter.send(enrolled(), back, back)
    verdicts += await counter.send(back)
    assert [each.kind for each in verdicts] == ["applied", "waiting", "waiting", "waiting"]
    await counter.send(bought("p1", "100.00"))
    assert points(await counter.awards(ACCRUE, REVERSE)) == [500, 500]
    assert [row["waiting"] for row in await counter.facts()] == [0]
    assert await counter.pool.fetchval("select count(*) from waiting_receipt") == 0
    assert [each.kind for each in await counter.send(back)] == ["duplicate"]


async def test_what_comes_before_the_enrolment_waits_for_it(counter: Counter) -> None:
    """Receipts, facts and a return come first, in several batches: they are decided in the order in which they came."""
    await counter.publish(FIVE_PERCENT)
    early = [returned("p2", {1: ("0", "0")}), bought("p1", "100.00"), learned("2026-02-01T12:00:00Z", segments=["vip"])]
    assert [each.kind for each in await counter.send(*early)] == ["waiting"] * 3
    assert [each.kind for each in await counter.send(bought("p2", "20.00"), early[1])] == ["waiting"] * 2
    assert await counter.awards() == []
    await counter.send(enrolled())
    assert points(await counter.awards(ACCRUE, REVERSE)) == [500, 100, 100]
    assert [(row["decisions"], row["waiting"]) for row in await counter.facts()] == [(4, 0)]
    assert {each.kind for each in await counter.send(*early)} == {"duplicate"}


async def test_D2_a_conflict_takes_back_what_was_earned(counter: Counter) -> None:
    """Another card's purchase: everything is reversed, with that reason, and nothing of it counts any more."""
    await counter.publish(THREE_LEVELS)
    await counter.send(enrolled(), bought("p0", "100.00"), bought("p1", "400.00"), conflicted("p1"))
    [reversal] = await counter.awards(REVERSE)
    assert (reversal["data"]["source"]["kind"], reversal["data"]["points"]) == ("conflict", 2000)
    assert [row["tier"] for row in await counter.facts()] == ["bronze"]
    # Goods of it that come back later take nothing more.
    await counter.send(returned("p1", {1: ("0", "0")}))
    assert len(await counter.awards(REVERSE)) == 1


async def test_late_purchases_read_what_they_need_from_the_database(counter: Counter) -> None:
    """T5b across batches: 460, three of 10, and a late 50 in a worker that knows nothing from before."""
    await counter.publish(THREE_LEVELS)
    await counter.send(enrolled(), bought("p1", "460.00"))
    for day in (1, 2, 3):
        await counter.send(bought(f"q{day}", "10.00", at=f"2026-04-0{day}T12:00:00+02:00"))
    await counter.send(bought("late", "50.00", at="2026-03-15T12:00:00+01:00"))
    assert points(await counter.awards(ACCRUE)) == [50, 50, 50, 250]
    changes = await counter.awards("bonus.tier.change.v1")
    assert (changes[-1]["data"]["tier"], changes[-1]["data"]["cause"]) == ("silver", "late")
    assert changes[-1]["data"]["occurred_at"] == "2026-04-03T10:00:00+00:00"


async def test_T4_a_return_reads_since_when_the_tier_was_reached(counter: Counter) -> None:
    """In a batch of its own: silver was reached later without what comes back, which today's window says no more."""
    await counter.publish(THREE_LEVELS)
    await counter.send(enrolled())
    for name, day, *amounts in (
        ("p1", "01-10", "50.00"), ("p2", "05-10", "440.00", "10.00"), ("p3", "06-10", "5.00"), ("p4", "07-10", "8.00"),
    ):  # fmt: skip
        await counter.send(bought(name, *amounts, at=f"2026-{day}T12:00:00+01:00"))
    await counter.send(returned("p2", {1: ("1", "440.00"), 2: ("0", "0")}, at="2027-01-12T12:00:00+01:00"))
    changes = await counter.awards("bonus.tier.change.v1")
    assert {each["data"]["reason"] for each in changes} == {"standing", "tier_reached"}
    await counter.send(returned("p4", {1: ("0", "0")}, at="2027-01-13T12:00:00+01:00"))
    last = (await counter.awards("bonus.tier.change.v1"))[-1]["data"]
    assert (last["previous"], last["tier"], last["reason"]) == ("silver", "bronze", "tier_reassessed_after_return")


async def test_an_activity_is_rewarded_within_its_caps(counter: Counter) -> None:
    """Once per product, at most twice a month."""
    terms = "event: activity.review, once_per: activity.product, give: 20 points, cap: {month: 2 times}"
    await counter.publish(f"{FIVE_PERCENT}  - {{rule: review, {terms}}}\n")
    await counter.send(enrolled(), *(did(f"a{number}", "review", product) for number, product in enumerate("xxyz")))
    assert points(await counter.awards(ACCRUE)) == [2000, 2000]
    assert points(await counter.awards(ACCRUE)) == [2000, 2000]


async def test_accounts_do_not_touch_each_other(counter: Counter) -> None:
    """Many members in one poll: each has its own decisions, numbered from 1."""
    await counter.publish(FIVE_PERCENT)
    members = [ids.derive("member", str(number)) for number in range(40)]
    people = [holder(ids.account_of("default", "club", member), member) for member in members]
    stream = [enrolled(each) for each in people]
    stream += [bought(f"p{index}", "10.00", whose=each) for index, each in enumerate(people)]
    await counter.send(*stream)
    assert points(await counter.awards(ACCRUE)) == [50] * 40
    rows = await counter.pool.fetch(
        "select account_id, array_agg(number order by number) as numbers from decision group by 1"
    )
    assert {tuple(row["numbers"]) for row in rows} == {(1, 2)}


async def test_inputs_are_kept_under_the_members_key(counter: Counter) -> None:
    """Nothing personal is readable in the tables; without the key a return can no longer be priced."""
    await counter.publish(FIVE_PERCENT)
    basket = bought("p1", "100.00", categories=["pregnancy-test"])
    await counter.send(enrolled(attributes={"colour": "blue"}), basket)
    rows = await counter.pool.fetch("select record, inputs from decision")
    known = await counter.pool.fetchval("select known from participant")
    kept = b"".join([row["record"] + row["inputs"] for row in rows]) + known
    assert b"pregnancy" not in kept
    assert b"blue" not in kept
    await counter.vault.destroy(counter.pool, [UUID(holder()["member_id"])])
    assert [each.code for each in await counter.send(bought("p2", "1.00"))] == ["member_erased"]


async def test_A3_a_household_shares_an_account_and_each_keeps_what_is_personal(counter: Counter) -> None:
    """Two members buy for one account: one tier; a birthday each; one is erased, and the other goes on."""
    file = (
        THREE_LEVELS
        + "  - {rule: party, birthday: {before: 3 days, after: 3 days}, once_per: birthday, give: 7 points}\n"
    )
    await counter.publish(file)
    other = holder(ACCOUNT, ids.derive("member", "other"))
    await counter.send(
        enrolled(birthday="1990-09-02"),
        learned("2026-01-02T12:00:00Z", other, birthday="1991-04-02"),
        bought("p1", "60.00"),
        bought("p2", "60.00", whose=other),
    )
    await counter.send(bought("p3", "10.00", at="2026-04-01T12:00:00+02:00", whose=other))
    await counter.send(bought("p4", "10.00", at="2026-04-01T13:00:00+02:00"))
    assert points(await counter.awards(ACCRUE)) == [50 + 700, 50]
    assert {each["data"]["member_id"] for each in await counter.awards()} == {holder()["member_id"]}
    await counter.vault.destroy(counter.pool, [UUID(holder()["member_id"])])
    verdicts = await counter.send(
        bought("p5", "10.00"),
        returned("p1", {1: ("0", "0")}),
        bought("p6", "10.00", at="2026-04-02T12:00:00+02:00", whose=other),
        returned("p2", {1: ("0", "0")}, whose=other),
    )
    assert [(each.kind, each.code) for each in verdicts] == [
        ("refused", "member_erased"), ("refused", "member_erased"), ("applied", None), ("applied", None)
    ]  # fmt: skip
    assert [row["decisions"] for row in await counter.facts()] == [7]


async def test_the_ledgers_answers_are_kept(counter: Counter) -> None:
    """Booked or refused, by command; what time does in the books is passed over."""

    def said(event_type: str, command: str, **more: Any) -> dict[str, Any]:
        data = {
            "account_id": str(ACCOUNT), "programme": "club", "version": 1, "command_id": str(ids.derive(command)),
            "occurred_at": "2026-03-01T12:00:00Z", "effective_at": "2026-03-01T12:00:00Z", **more,
        }  # fmt: skip
        return {
            "specversion": "1.0", "type": event_type, "id": command, "source": "urn:bonus:ledger",
            "time": "2026-03-01T12:00:00Z", "data": data,
        }  # fmt: skip

    refusal = {"code": "account_closed", "message": "the account is closed"}
    told = [
        said("bonus.points.accrued.v1", "a"),
        said("bonus.points.activated.v1", "b"),
        said("bonus.command.rejected.v1", "c", refusal=refusal),
    ]
    assert len(await counter.send(*told, writer=counter.verdicts)) == 2
    await counter.send(*told, writer=counter.verdicts)
    rows = await counter.pool.fetch("select shard, command_id, code from command_verdict")
    expected = {
        (shard_of(str(ACCOUNT)), ids.derive("a"), None),
        (shard_of(str(ACCOUNT)), ids.derive("c"), "account_closed"),
    }
    assert {tuple(row) for row in rows} == expected


async def test_a_message_that_is_none_is_named_and_the_others_go_on(counter: Counter) -> None:
    """A return without its lines is no return: it fails alone."""
    await counter.publish(FIVE_PERCENT)
    broken = returned("p1", {1: ("0", "0")})
    del broken["data"]["remaining"]
    verdicts = await counter.send(enrolled(), broken, bought("p2", "100.00"))
    assert [(each.kind, each.code) for each in verdicts] == [
        ("applied", None), ("set_aside", "invalid_data"), ("applied", None)
    ]  # fmt: skip
    assert points(await counter.awards(ACCRUE)) == [500]
