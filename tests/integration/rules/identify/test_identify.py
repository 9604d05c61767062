"""Identification on a real database: each purchase taken in once, and given to the account that it belongs to."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from contracts import ids
from contracts.catalogue import MODELS
from services.rules.identify.due import unclaimed
from services.runtime.settings import RuntimeSettings
from services.runtime.sweeper import Sweeper

Make = Callable[..., dict[str, Any]]
Kinds = Callable[..., list[tuple[str, str | None]]]

RECEIPT = "bonus.receipt.identified.v1"
REJECTED = "bonus.purchase.rejected.v1"
SOURCE = "urn:store:krakow-12:till-3"


def member_of(event: dict[str, Any]) -> tuple[UUID, UUID]:
    """The member that an enrolment without one makes, and its account."""
    member_id = ids.member_of_event("default", event["source"], event["id"])
    return member_id, ids.account_of("default", event["data"]["programme"], member_id)


async def test_an_enrolment_makes_a_member_and_tells_its_other_identifiers(desk: Any, enrolment: Make) -> None:
    """The account hears it once; every message is what its contract says."""
    joined = enrolment("card:77", "phone:600100200", birthday="1990-02-28", colour="blue")
    member_id, account_id = member_of(joined)
    [verdict] = await desk.send(joined)
    assert (verdict.kind, verdict.answer) == (
        "applied",
        {"status": "identified", "account_id": account_id, "member_id": member_id},
    )
    holder = {
        "account_id": str(account_id), "member_id": str(member_id), "programme": "grocer", "card_category": "",
    }  # fmt: skip
    [enrolled] = await desk.published("bonus.participant.enrolled.v1")
    assert enrolled["data"] == {"holder": holder, "enrolment": joined["data"]}
    links = await desk.published("bonus.identifier.linked.v1")
    since = "2026-03-01T12:00:00+00:00"
    assert [link["data"] for link in links] == [
        {"identifier_type": "phone", "identifier_value": "600100200", "holder": holder, "since": since},
        {"identifier_type": "member", "identifier_value": str(member_id), "holder": holder, "since": since},
    ]
    for event in [enrolled, *links]:
        MODELS[event["type"]].model_validate(event)
    await desk.carry()
    rows = await desk.pool.fetch("select member_id, origin from holding order by origin, shard")
    assert [tuple(row) for row in rows] == [(member_id, "enrolment"), (member_id, "link"), (member_id, "link")]
    again = [joined, joined | {"id": "sent-again", "time": "2026-03-20T12:05:00Z"}, *links]
    assert {each.kind for each in await desk.send(*again)} == {"duplicate"}
    assert len(await desk.published("bonus.participant.enrolled.v1", "bonus.identifier.linked.v1")) == 3


async def test_a_purchase_goes_on_as_it_came(desk: Any, enrolment: Make, purchase: Make) -> None:
    """The receipt holds the whole purchase, fields that nobody knows included, and the index gets its lines."""
    joined = enrolment("card:77", card_category="gold")
    member_id, account_id = member_of(joined)
    bought = purchase("k/1", lines=[(1, "2", "7.98"), (7, "1", "-0.50")], loyalty={"app": [1, None, "x"]})
    assert [each.kind for each in await desk.send(joined, bought)] == ["applied", "applied"]
    key = ids.purchase_key("default", "grocer", "k/1")
    holder = {
        "account_id": str(account_id), "member_id": str(member_id), "programme": "grocer", "card_category": "gold",
    }  # fmt: skip
    [receipt] = await desk.published(RECEIPT)
    assert receipt["data"] == {
        "purchase_key": str(key),
        "holder": holder,
        "first_seen_at": "2026-03-20T12:00:00+00:00",
        "purchase": bought["data"],
    }
    [indexed] = await desk.published("bonus.purchase.indexed.v1")
    assert indexed["data"]["lines"] == [[1, 20_000, 79_800], [7, 10_000, -5_000]]
    assert indexed["data"]["holder"] == holder
    for event in (receipt, indexed):
        MODELS[event["type"]].model_validate(event)
    row = await desk.pool.fetchrow("select verdict, account_id, store, total, identifier from purchase")
    assert tuple(row)[:4] == ("identified", account_id, "krakow-12", 74_800)
    assert b"77" not in row["identifier"]


async def test_D1_one_purchase_however_often_it_comes(desk: Any, enrolment: Make, purchase: Make, kinds: Kinds) -> None:
    """Ten times the same event, ten event ids and times of sending, its keys in any order; in one poll and later."""
    await desk.send(enrolment("card:77"))
    bought = purchase("1")
    shuffled = bought | {"data": dict(reversed(bought["data"].items()))}
    others = [shuffled | {"id": f"again-{number}", "time": f"2026-03-20T12:00:{number:02d}Z"} for number in range(10)]
    verdicts = kinds(await desk.send(bought, bought, *others))
    assert verdicts == [("applied", None)] + [("duplicate", "identified")] * 11
    assert set(kinds(await desk.send(*[bought] * 10))) == {("duplicate", "identified")}
    assert len(await desk.published(RECEIPT)) == 1


@pytest.mark.parametrize("in_one_poll", [True, False])
async def test_D2_the_same_purchase_with_another_total_is_a_conflict(
    desk: Any, enrolment: Make, purchase: Make, kinds: Kinds, *, in_one_poll: bool
) -> None:
    """The first stands; both facts are told, and stand on the operators' list; nothing else happens."""
    await desk.send(enrolment("card:77"))
    first, second = purchase("1"), purchase("1", total="99.00", event_id="other")
    if in_one_poll:
        verdicts = kinds(await desk.send(first, second, second))
    else:
        verdicts = [kinds(await desk.send(each))[0] for each in (first, second, second)]
    assert verdicts == [("applied", None), ("conflict", "conflict"), ("duplicate", "conflict")]
    [rejected] = await desk.published(REJECTED)
    MODELS[REJECTED].model_validate(rejected)
    assert rejected["data"]["refusal"]["code"] == "conflict"
    assert (rejected["data"]["first"]["total"], rejected["data"]["second"]["total"]) == ("10.00", "99.00")
    assert (rejected["data"]["first"]["event_id"], rejected["data"]["second"]["event_id"]) == ("bought-1", "other")
    [row] = await desk.pool.fetch("select kind, subject_id, code, facts from refusal")
    assert (row["kind"], row["subject_id"], row["code"]) == ("purchase", "1", "conflict")
    assert orjson.loads(row["facts"]) == {key: rejected["data"][key] for key in ("first", "second")}
    assert len(await desk.published(RECEIPT)) == 1


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"payments": [{"type": "card", "amount": "9.99"}]}, "does_not_add_up", "$.data.payments"),
        (
            {"lines": [{"line": 1, "quantity": "-1", "amount": "10.00"}]},
            "negative_quantity",
            "$.data.lines[0].quantity",
        ),
        ({"lines": [{"line": 1, "amount": "1e400"}]}, "decimal_string", "$.data.lines[0].amount"),
        ({"purchased_at": "2026-03-05T17:04:11"}, "time_without_zone", "$.data.purchased_at"),
        ({"purchased_at": "2026-03-20T12:10:01Z"}, "time_in_future", "$.data.purchased_at"),
        ({"currency": "EUR"}, "wrong_currency", "$.data.currency"),
        ({"programme": "nowhere"}, "unknown_programme", "$.data.programme"),
        ({"purchase_id": "x" * 10_000}, "too_long", "$.data.purchase_id"),
        ({"member": {"type": "card", "value": "7\u0000" * 5_000}}, "too_long", "$.data.member.value"),
        ({"member": {"type": "card", "value": "7\u00007"}}, "wrong_form", "$.data.member.value"),
    ],
)
async def test_D3_what_is_wrong_is_answered_with_its_reason_and_field(  # noqa: PLR0913, PLR0917 - what is compared
    desk: Any, enrolment: Make, purchase: Make, change: dict[str, Any], code: str, field: str
) -> None:
    """Nothing of it is applied, the others go on, and the same mended is judged anew."""
    wrong = purchase("1", event_id="wrong")
    wrong["data"] |= change
    first, second, third, fourth = await desk.send(enrolment("card:77"), wrong, purchase("2"), purchase("1"))
    assert [each.kind for each in (first, third, fourth)] == ["applied"] * 3
    assert (second.kind, second.code, second.answer["field"]) == ("refused", code, field)
    [rejected] = await desk.published(REJECTED)
    MODELS[REJECTED].model_validate(rejected)
    assert rejected["data"]["refusal"] == {"code": code, "message": second.answer["message"], "field": field}
    assert len(second.answer["message"]) > 20
    # What was refused once stays so when everything is read again from the beginning, a week later.
    desk.clock[0] += timedelta(days=7)
    verdicts = await desk.send(enrolment("card:77"), wrong, purchase("2"), purchase("1"))
    assert {each.kind for each in verdicts} == {"duplicate"}
    assert len(await desk.published(RECEIPT, REJECTED)) == 3


async def test_D3_zero_and_negative_lines_and_a_rounding_are_accepted(
    desk: Any, enrolment: Make, purchase: Make
) -> None:
    """Bottle deposits, gifts, and the cash that was rounded."""
    bought = purchase(
        "1",
        lines=[(1, "0", "0.00"), (2, "1", "-0.50"), (3, "1", "10.02")],
        payments=[{"type": "cash", "amount": "9.50"}, {"type": "rounding", "amount": "0.02"}],
    )
    assert [each.kind for each in await desk.send(enrolment("card:77"), bought)] == ["applied", "applied"]


async def test_a_purchase_without_a_member_is_kept_under_its_id(desk: Any, purchase: Make, kinds: Kinds) -> None:
    """Encrypted, so that it can be claimed later; the same again is known; the index knows that it is nobody's."""
    bought = purchase("k/1", None)
    assert kinds(await desk.send(bought, bought)) == [("waiting", "no_member"), ("duplicate", "no_member")]
    [row] = await desk.pool.fetch("select verdict, identifier, account_id from purchase")
    assert tuple(row) == ("no_member", None, None)
    [kept] = await desk.pool.fetch("select body from kept")
    assert b"krakow" not in kept["body"]
    [indexed] = await desk.published("bonus.purchase.indexed.v1")
    assert indexed["data"]["holder"] is None
    assert await desk.published(RECEIPT) == []


async def test_E17_purchases_wait_for_their_member_and_go_on_in_the_order_of_publication(
    desk: Any, enrolment: Make, purchase: Make, kinds: Kinds
) -> None:
    """Some waited since earlier, some in the same poll; later ones come after; the one that is too old is told so."""
    early = [purchase(str(number), at=f"2026-03-{15 - number:02d}T10:00:00Z") for number in range(3)]
    too_old = purchase("old", at="2026-01-05T10:00:00Z")
    assert set(kinds(await desk.send(early[0], too_old))) == {("waiting", "waiting")}
    assert kinds(await desk.send(early[1])) == [("waiting", "waiting")]
    [body] = {row["body"] for row in await desk.pool.fetch("select body from kept limit 1")}
    assert b"krakow" not in body
    last = purchase("last", at="2026-03-02T10:00:00Z")
    joined = enrolment("card:77", at="2026-03-18T10:00:00Z")
    verdicts = kinds(await desk.send(early[2], joined, last))
    assert verdicts == [("waiting", "waiting"), ("applied", None), ("applied", None)]
    receipts = await desk.published(RECEIPT)
    assert [each["data"]["purchase"]["purchase_id"] for each in receipts] == ["0", "1", "2", "last"]
    assert [each["data"]["purchase"] for each in receipts] == [each["data"] for each in (*early, last)]
    [rejected] = await desk.published(REJECTED)
    assert (rejected["data"]["subject_id"], rejected["data"]["refusal"]["code"]) == ("old", "claim_window_passed")
    assert await desk.pool.fetchval("select count(*) from kept") == 0
    assert await desk.pool.fetchval("select count(*) from data_key") == 1
    rows = await desk.pool.fetch("select purchase_id, verdict from purchase")
    assert dict(map(tuple, rows)) == {
        "0": "identified", "1": "identified", "2": "identified", "last": "identified", "old": "claim_window_passed",
    }  # fmt: skip
    again = kinds(await desk.send(*early, too_old, joined, last))
    assert {kind for kind, _ in again} == {"duplicate"}
    assert len(await desk.published(RECEIPT, REJECTED)) == 5


async def test_E17_purchases_under_another_identifier_are_released_by_its_link(
    desk: Any, enrolment: Make, purchase: Make
) -> None:
    """The member joins with card and phone; what waited under the phone follows when the link comes there."""
    await desk.send(purchase("1", "phone:600"))
    joined = enrolment("card:77", "phone:600")
    await desk.send(joined)
    assert await desk.published(RECEIPT) == []
    await desk.carry()
    [receipt] = await desk.published(RECEIPT)
    assert receipt["data"]["holder"]["account_id"] == str(member_of(joined)[1])


async def test_E17_enrol_makes_one_member_of_two_purchases(desk: Any, purchase: Make) -> None:
    """`unknown_card: enrol`, two purchases together and one later."""
    made = [purchase(str(number), programme="stickers") for number in range(3)]
    await desk.send(made[0], made[1])
    await desk.send(made[2])
    member_id = ids.member_of_identifier("default", "card:77")
    account_id = ids.account_of("default", "stickers", member_id)
    [enrolled] = await desk.published("bonus.participant.enrolled.v1")
    MODELS[enrolled["type"]].model_validate(enrolled)
    assert enrolled["data"]["enrolment"] == {
        "programme": "stickers",
        "enrolled_at": "2026-03-05T17:04:11+01:00",
        "identifiers": [{"type": "card", "value": "77"}],
        "member_id": str(member_id),
    }
    receipts = await desk.published(RECEIPT)
    assert {each["data"]["holder"]["account_id"] for each in receipts} == {str(account_id)}
    assert len(receipts) == 3


async def test_the_first_to_enrol_under_a_card_has_it(desk: Any, enrolment: Make, kinds: Kinds) -> None:
    """The second is answered with the reason, once, and stands on the operators' list."""
    first, second = enrolment("card:77"), enrolment("card:77", "phone:1", event_id="other")
    assert kinds(await desk.send(first, second, second)) == [
        ("applied", None), ("conflict", "identifier_taken"), ("duplicate", "identifier_taken"),
    ]  # fmt: skip
    [rejected] = await desk.published("bonus.activity.rejected.v1")
    assert (rejected["data"]["subject_id"], rejected["data"]["refusal"]["code"]) == ("other", "identifier_taken")
    assert len(await desk.published("bonus.identifier.linked.v1")) == 1


async def test_a_member_who_enrols_again_brings_identifiers_and_facts(
    desk: Any, enrolment: Make, purchase: Make, kinds: Kinds
) -> None:
    """The same member with another phone and a birthday: nobody new, and the facts go on as of when they were sent."""
    member_id = str(ids.derive("member", "anna"))
    first = enrolment("card:77", member_id=member_id)
    second = enrolment("card:77", "phone:600", member_id=member_id, birthday="1990-02-28", event_id="again")
    assert kinds(await desk.send(first, second, second)) == [
        ("applied", None),
        ("applied", None),
        ("duplicate", "identified"),
    ]
    assert len(await desk.published("bonus.participant.enrolled.v1")) == 1
    [facts] = await desk.published("bonus.facts.identified.v1")
    MODELS[facts["type"]].model_validate(facts)
    assert facts["data"]["facts"] == {
        "member": {"type": "card", "value": "77"},
        "programme": "grocer",
        "known_at": "2026-03-20T12:00:00+00:00",
        "birthday": "1990-02-28",
    }
    await desk.carry()
    [verdict] = await desk.send(purchase("1", "phone:600"))
    assert verdict.kind == "applied"


async def test_facts_and_activities_wait_and_go_on_like_purchases(
    desk: Any, enrolment: Make, told: Make, kinds: Kinds
) -> None:
    """What a member did before joining counts, in its order; the same activity with other content is a conflict."""
    member = {"type": "card", "value": "77"}
    review = told(
        "bonus.activity.recorded.v1",
        "e1",
        {"activity_id": "a1", "programme": "grocer", "name": "review", "occurred_at": "2026-03-02T10:00:00Z",
         "member": member, "product": "tea"},
    )  # fmt: skip
    facts = told(
        "bonus.member.updated.v1",
        "e2",
        {"member": member, "programme": "grocer", "known_at": "2026-03-03T10:00:00Z", "segments": ["new"]},
    )
    assert set(kinds(await desk.send(review, facts))) == {("waiting", "waiting")}
    other = review | {"id": "e3", "data": review["data"] | {"product": "coffee"}}
    assert kinds(await desk.send(other, enrolment("card:77"), review, facts)) == [
        ("conflict", "conflict"), ("applied", None), ("duplicate", "identified"), ("duplicate", "identified"),
    ]  # fmt: skip
    passed_on = await desk.published("bonus.activity.identified.v1", "bonus.facts.identified.v1")
    for event in passed_on:
        MODELS[event["type"]].model_validate(event)
    assert [event["data"].get("activity") or event["data"]["facts"] for event in passed_on] == [
        review["data"], facts["data"],
    ]  # fmt: skip


async def test_A1_a_blocked_card_is_refused_from_its_block_on(
    desk: Any, enrolment: Make, purchase: Make, told: Make, kinds: Kinds
) -> None:
    """Made before noon and arriving later, it counts."""
    block = told(
        "bonus.identifier.blocked.v1",
        "lost",
        {"identifier_type": "card", "identifier_value": "77", "programme": "grocer", "since": "2026-03-10T12:00:00Z"},
    )
    before, after = purchase("1", at="2026-03-10T11:59:59Z"), purchase("2", at="2026-03-10T12:00:00Z")
    verdicts = kinds(await desk.send(enrolment("card:77"), block, block, after, before))
    assert verdicts == [
        ("applied", None), ("applied", None), ("duplicate", None), ("refused", "identifier_blocked"), ("applied", None),
    ]  # fmt: skip
    [rejected] = await desk.published(REJECTED)
    assert (rejected["data"]["subject_id"], rejected["data"]["refusal"]["code"]) == ("2", "identifier_blocked")
    assert await desk.pool.fetchval("select verdict from purchase where purchase_id = '2'") == "identifier_blocked"


async def test_tenants_do_not_see_each_other(desk: Any, enrolment: Make, purchase: Make, kinds: Kinds) -> None:
    """A card number means nothing outside its tenant; neither does a programme."""
    await desk.send(enrolment("card:77"))
    assert kinds(await desk.send(purchase("1") | {"tenant": "elsewhere"})) == [("refused", "unknown_programme")]


async def test_E17_what_nobody_claims_is_forgotten_after_its_window(
    desk: Any, enrolment: Make, purchase: Make, kinds: Kinds
) -> None:
    """The sender is told, the content and its key are gone; a purchase without a member keeps its verdict."""
    named, nameless = purchase("1"), purchase("2", None)
    await desk.send(named, nameless, purchase("3", at="2026-03-19T10:00:00Z"))
    sweeper = Sweeper(
        desk.identify, unclaimed(timedelta(days=7)), RuntimeSettings(sweep_batch=10), clock=lambda: desk.clock[0]
    )
    # Bought on 5 March, to be claimed until the end of 4 April, waited for until the end of the eleventh.
    for at, found in ((datetime(2026, 4, 11, 21, tzinfo=UTC), 0), (datetime(2026, 4, 11, 22, tzinfo=UTC), 2)):
        desk.clock[0] = at
        assert sum([await sweeper.sweep(shard) for shard in range(64)]) == found
    [rejected] = await desk.published(REJECTED)
    assert (rejected["data"]["subject_id"], rejected["data"]["refusal"]["code"]) == ("1", "claim_window_passed")
    rows = await desk.pool.fetch("select purchase_id, verdict from purchase order by purchase_id")
    assert [tuple(row) for row in rows] == [("1", "claim_window_passed"), ("2", "no_member"), ("3", "waiting")]
    assert await desk.pool.fetchval("select count(*) from kept") == 1
    assert await desk.pool.fetchval("select count(*) from data_key") == 1
    joined = enrolment("card:77", at="2026-04-11T10:00:00Z")
    assert kinds(await desk.send(joined, named, nameless)) == [
        ("applied", None), ("duplicate", "claim_window_passed"), ("duplicate", "no_member"),
    ]  # fmt: skip
    [receipt] = await desk.published(RECEIPT)
    assert receipt["data"]["purchase"]["purchase_id"] == "3"
