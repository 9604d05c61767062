"""D: what comes twice, contradicts itself, cannot be read, or is mended later."""

from datetime import timedelta

from tests.e2e import till
from tests.e2e.shop import NOON, Balance, now, programme, shop_with_member
from tests.e2e.system import System

BASE = "rule: base, give: 5 %"


async def test_D1_what_comes_many_times_counts_once(system: System) -> None:
    """Tills send again what they are not sure of: as the same event, or as another one about the same purchase."""
    shop, anna = await shop_with_member(system, programme("d1", BASE))
    one_event = anna.purchase("d1-event", NOON, "100.00")
    data = till.purchase_data(shop.programme, "d1-purchase", anna.card, NOON, ["200.00"], currency="PLN")
    ten_events = [till.purchase(data, now() + timedelta(seconds=number)) for number in range(10)]
    await system.send(*[one_event] * 10, *ten_events)
    await system.settle()
    assert await anna.balance() == Balance(available="15.00")
    assert await anna.event_types() == ["account.opened", "points.accrued", "points.accrued"]
    assert await shop.refusals() == []


async def test_D2_another_total_under_the_same_id_is_a_conflict(system: System) -> None:
    """Two facts under one id: the first stands, and a person gets to see both."""
    shop, anna = await shop_with_member(system, programme("d2-total", BASE))
    await anna.buy("d2-total", NOON, "100.00")
    await anna.buy("d2-total", NOON, "900.00")
    await system.settle()
    assert await anna.balance() == Balance(available="5.00")
    [refused] = await shop.refusals()
    assert (refused["kind"], refused["subject_id"], refused["code"]) == ("purchase", "d2-total", "conflict")
    assert [refused[fact]["total"] for fact in ("first", "second")] == ["100.00", "900.00"]
    [conflict] = (await shop.verdict("d2-total"))["conflicts"]
    assert [conflict[fact]["total"] for fact in ("first", "second")] == ["100.00", "900.00"]
    verdicts = await system.published("bonus.verdicts.v1")
    told = [event["data"]["refusal"]["code"] for event in verdicts if event["data"]["subject_id"] == "d2-total"]
    assert told == ["conflict"]


async def test_D2_what_another_card_earned_by_the_same_purchase_is_taken_back(system: System) -> None:
    """The same purchase under two cards was made by one of them: the later award goes, with that reason."""
    shop, anna = await shop_with_member(system, programme("d2-card", BASE))
    olga = await shop.enrol("olga")
    await anna.buy("d2-card", NOON, "100.00")
    await system.settle()
    await olga.buy("d2-card", NOON, "100.00")
    await system.settle()
    assert (await anna.balance(), await olga.balance()) == (Balance(available="5.00"), Balance())
    assert await olga.event_types() == ["account.opened", "points.accrued", "points.reversed"]
    source = (await olga.events())[-1]["data"]["source"]
    assert (source["kind"], source["id"]) == ("conflict", "d2-card")
    [refused] = await shop.refusals()
    assert (refused["subject_id"], refused["code"]) == ("d2-card", "conflict")
    assert (await shop.verdict("d2-card"))["account_id"] == str(anna.account_id)
