"""The purchase index on a real database: returns against what was bought, and one purchase under two identifiers."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from contracts import ids
from contracts.catalogue import MODELS

Make = Callable[..., dict[str, Any]]
Kinds = Callable[..., list[tuple[str, str | None]]]

RETURN = "bonus.return.indexed.v1"
REJECTED = "bonus.return.rejected.v1"
LINES = [(1, "3", "10.00"), (2, "1", "-0.50")]


def account_of(event: dict[str, Any]) -> str:
    member_id = ids.member_of_event("default", event["source"], event["id"])
    return str(ids.account_of("default", "grocer", member_id))


async def test_R2_a_return_goes_on_with_what_is_left_of_every_line(
    desk: Any, enrolment: Make, purchase: Make, goods_back: Make
) -> None:
    """One by one, cumulatively; each once, whatever event brought it."""
    joined = enrolment("card:77")
    await desk.send(joined, purchase("k/1", lines=LINES))
    await desk.carry()
    first = goods_back("r1", "k/1", (1, "1", "3.33"), note="torn")
    second = goods_back("r2", "k/1", (1, "2", "6.67"), (2, "1", "-0.50"))
    verdicts = await desk.send(first, first, first | {"id": "again", "time": "2026-03-11T00:00:00Z"}, second)
    assert [each.kind for each in verdicts] == ["applied", "duplicate", "duplicate", "applied"]
    assert {each.kind for each in await desk.send(first, second)} == {"duplicate"}
    passed_on = await desk.published(RETURN)
    for event in passed_on:
        MODELS[RETURN].model_validate(event)
    assert [event["data"]["returned"] for event in passed_on] == [first["data"], second["data"]]
    assert [event["data"]["remaining"] for event in passed_on] == [
        [{"line": 1, "quantity": "2", "amount": "6.67"}, {"line": 2, "quantity": "1", "amount": "-0.50"}],
        [{"line": 1, "quantity": "0", "amount": "0.00"}, {"line": 2, "quantity": "0", "amount": "0.00"}],
    ]
    assert {event["data"]["holder"]["account_id"] for event in passed_on} == {account_of(joined)}
    assert passed_on[0]["data"]["return_key"] == str(ids.return_key("default", "grocer", "r1"))


async def test_R8_returns_that_come_first_wait_encrypted_and_are_applied_in_order(
    desk: Any, enrolment: Make, purchase: Make, goods_back: Make, kinds: Kinds
) -> None:
    """They waited since earlier polls; the one that does not fit is refused when its purchase comes."""
    first, too_much = goods_back("r1", "k/1", (1, "2", "6.66")), goods_back("r2", "k/1", (1, "2", "3.34"))
    last = goods_back("r3", "k/1", (1, "1", "3.34"), reason="torn")
    assert kinds(await desk.send(first)) == [("waiting", "purchase_unknown")]
    assert kinds(await desk.send(too_much, last)) == [("waiting", "purchase_unknown")] * 2
    assert kinds(await desk.send(last)) == [("duplicate", "waiting")]
    bodies = await desk.pool.fetch("select body from purchase_return")
    assert all(b"torn" not in row["body"] for row in bodies)
    await desk.send(enrolment("card:77"), purchase("k/1", lines=LINES))
    await desk.carry()
    passed_on = await desk.published(RETURN)
    assert [event["data"]["returned"] for event in passed_on] == [first["data"], last["data"]]
    assert passed_on[1]["data"]["remaining"][0] == {"line": 1, "quantity": "0", "amount": "0.00"}
    [rejected] = await desk.published(REJECTED)
    MODELS[REJECTED].model_validate(rejected)
    assert (rejected["data"]["subject_id"], rejected["data"]["refusal"]["code"]) == ("r2", "returns_more_than_bought")
    rows = await desk.pool.fetch("select return_id, verdict, body from purchase_return order by return_id")
    assert [tuple(row) for row in rows] == [("r1", "applied", None), ("r3", "applied", None)]
    # The same again is known; sent again mended it is judged anew, and nothing is left for it.
    assert kinds(await desk.send(too_much)) == [("duplicate", "returns_more_than_bought")]
    mended = goods_back("r2", "k/1", (1, "1", "3.34"), event_id="mended")
    assert kinds(await desk.send(mended)) == [("refused", "returns_more_than_bought")]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"lines": [{"line": 9, "quantity": "1", "amount": "1.00"}]}, "unknown_line", "$.data.lines[0].line"),
        (
            {"lines": [{"line": 1, "quantity": "4", "amount": "1.00"}]},
            "returns_more_than_bought",
            "$.data.lines[0].quantity",
        ),
        (
            {"lines": [{"line": 1, "quantity": "1", "amount": "10.01"}]},
            "returns_more_than_bought",
            "$.data.lines[0].amount",
        ),
        ({"lines": []}, "too_few", "$.data.lines"),
        ({"returned_at": "2199-01-01T00:00:00Z"}, "time_in_future", "$.data.returned_at"),
        ({"programme": "nowhere"}, "unknown_programme", "$.data.programme"),
        ({"purchase_id": 7}, "not_a_text", "$.data.purchase_id"),
        ({"return_id": "\u0000"}, "wrong_form", "$.data.return_id"),
    ],
)
async def test_R9_a_return_that_does_not_fit_is_refused_with_its_reason(  # noqa: PLR0913, PLR0917 - what is compared
    desk: Any, enrolment: Make, purchase: Make, goods_back: Make, change: dict[str, Any], code: str, field: str
) -> None:
    """On the operators' list, nothing applied; redelivered it is answered once; mended it is applied."""
    await desk.send(enrolment("card:77"), purchase("k/1", lines=LINES))
    await desk.carry()
    wrong = goods_back("r1", "k/1", (1, "1", "1.00"), event_id="wrong")
    wrong["data"] |= change
    first, again = await desk.send(wrong, wrong)
    assert (first.kind, first.code, first.answer["field"]) == ("refused", code, field)
    assert (again.kind, again.code) == ("duplicate", code)
    [rejected] = await desk.published(REJECTED)
    MODELS[REJECTED].model_validate(rejected)
    assert rejected["data"]["refusal"] == {"code": code, "message": first.answer["message"], "field": field}
    assert await desk.pool.fetchval("select code from refusal where kind = 'return'") == code
    [mended] = await desk.send(goods_back("r1", "k/1", (1, "3", "10.00")))
    assert mended.kind == "applied"


async def test_a_return_under_the_same_id_with_other_content_is_a_conflict(
    desk: Any, enrolment: Make, purchase: Make, goods_back: Make, kinds: Kinds
) -> None:
    """Both facts are told, the first stands."""
    await desk.send(enrolment("card:77"), purchase("k/1", lines=LINES))
    await desk.carry()
    first = goods_back("r1", "k/1", (1, "1", "1.00"))
    second = goods_back("r1", "k/1", (1, "1", "2.00"), event_id="other")
    assert kinds(await desk.send(first, second)) == [("applied", None), ("conflict", "conflict")]
    [rejected] = await desk.published(REJECTED)
    assert [rejected["data"][which]["total"] for which in ("first", "second")] == ["1.00", "2.00"]
    assert len(await desk.published(RETURN)) == 1


async def test_D2_the_same_purchase_by_another_card_is_taken_back_from_it(
    desk: Any, enrolment: Make, purchase: Make
) -> None:
    """The first stands. The other account is told once, whatever is delivered again."""
    anna, boris = enrolment("card:77"), enrolment("card:88")
    await desk.send(anna, boris)
    await desk.carry()
    await desk.send(purchase("k/1", "card:77"))
    await desk.carry()
    await desk.send(purchase("k/1", "card:88"))
    await desk.carry()
    desk.carried.clear()
    await desk.carry()
    [conflicted] = await desk.published("bonus.purchase.conflicted.v1")
    MODELS[conflicted["type"]].model_validate(conflicted)
    assert conflicted["data"]["holder"]["account_id"] == account_of(boris)
    assert conflicted["data"]["first_holder"]["account_id"] == account_of(anna)
    [rejected] = await desk.published("bonus.purchase.rejected.v1")
    assert (rejected["data"]["subject_id"], rejected["data"]["refusal"]["code"]) == ("k/1", "conflict")
    assert rejected["data"]["first"]["account_id"] == account_of(anna)
    assert rejected["data"]["second"]["account_id"] == account_of(boris)


async def test_D2_two_identifiers_of_one_member_are_a_conflict_that_takes_nothing_back(
    desk: Any, enrolment: Make, purchase: Make
) -> None:
    """The account has the purchase once; what came twice stands on the operators' list."""
    await desk.send(enrolment("card:77", "phone:600"))
    await desk.carry()
    await desk.send(purchase("k/1", "card:77"), purchase("k/1", "phone:600"))
    await desk.carry()
    assert await desk.published("bonus.purchase.conflicted.v1") == []
    assert len(await desk.published("bonus.purchase.rejected.v1")) == 1


async def test_a_return_of_a_purchase_that_nobody_earns_by_is_counted_and_goes_nowhere(
    desk: Any, purchase: Make, goods_back: Make, kinds: Kinds
) -> None:
    """It named no member: nothing to take back, and it must not wait for ever."""
    await desk.send(purchase("k/1", None, lines=LINES))
    await desk.carry()
    first, second = goods_back("r1", "k/1", (1, "3", "10.00")), goods_back("r2", "k/1", (1, "1", "1.00"))
    assert kinds(await desk.send(first, second)) == [("applied", None), ("refused", "returns_more_than_bought")]
    assert await desk.published(RETURN) == []
    assert await desk.pool.fetchval("select verdict from purchase_return") == "nobody"


async def test_R8_any_order_of_enrolment_purchase_and_returns_comes_to_the_same(
    desk: Any, enrolment: Make, purchase: Make, goods_back: Make, kinds: Kinds
) -> None:
    """Each in a poll of its own, then all again: every account hears the same, the same number of times."""
    accounts = []
    for run, order in enumerate(permutations(range(4))):
        card, purchase_id = f"card:{run}", f"k/{run}"
        events = [
            enrolment(card),
            purchase(purchase_id, card, lines=LINES),
            goods_back(f"a{run}", purchase_id, (1, "1", "3.33")),
            goods_back(f"b{run}", purchase_id, (1, "1", "3.33")),
        ]
        for number in order:
            await desk.send(events[number])
            await desk.carry()
        assert {kind for kind, _ in kinds(await desk.send(*events))} == {"duplicate"}
        accounts.append(account_of(events[0]))
    receipts = await desk.published("bonus.receipt.identified.v1")
    assert sorted(event["data"]["holder"]["account_id"] for event in receipts) == sorted(accounts)
    left: dict[str, list[str]] = {}
    for event in await desk.published(RETURN):
        left.setdefault(event["data"]["holder"]["account_id"], []).append(event["data"]["remaining"][0]["quantity"])
    assert left == {account_id: ["2", "1"] for account_id in accounts}
    assert await desk.published(REJECTED, "bonus.purchase.rejected.v1", "bonus.activity.rejected.v1") == []
