"""Who refers oneself, on a real database: what the purchase gave for it goes back, whatever came in between."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from contracts import ids
from tests.integration.rules.decide.conftest import Counter
from tests.integration.rules.decide.messages import MEMBER, bought, decision, enrolled, holder, returned

FRIENDS = "purchase.total >= 50 && member.referred_by != ''"
SALON = f"""
programme: club
zone: Europe/Warsaw
money: PLN
currencies: {{points: {{scale: 2, worth: 1.00}}}}
earn:
  - {{rule: cashback, give: 5 %}}
  - {{rule: friend, when: "{FRIENDS}", once_per: member, give: 100 points}}
  - {{rule: thanks, when: "{FRIENDS}", once_per: member, to: member.referred_by, give: 100 points}}
"""
ANOTHER_CARD = {"type": "card", "value": "770002"}
HALF, NOTHING = {1: ("1", "60.00"), 2: ("0", "0")}, {1: ("0", "0"), 2: ("0", "0")}
LITTLE = {1: ("0.5", "30.00"), 2: ("0", "0")}


async def thanks(counter: Counter) -> dict[str, Any]:
    """The award for the referrer, once the identifier was found to be on the buyer's own account."""
    rows = await counter.pool.fetch("select body from event where type = 'bonus.award.addressed.v1'")
    award = next(data for row in rows if (data := orjson.loads(row["body"])["data"])["points"])
    return {
        "specversion": "1.0", "type": "bonus.award.identified.v1", "id": str(ids.derive("thanks")),
        "source": "urn:bonus:rules", "time": "2026-06-01T12:00:00Z", "datacontenttype": "application/json",
        "tenant": "default", "data": {"award_key": award["award_key"], "holder": holder(), "award": award},
    }  # fmt: skip


async def reversed_points(counter: Counter) -> list[int]:
    """What the ledger was told to take back, in order."""
    return [each["data"]["points"] for each in await counter.awards("bonus.points.reverse.v1")]


@pytest.mark.parametrize(
    ("before", "after", "taken"),
    [
        ([], [], [100_00]),
        ([], [HALF, NOTHING], [100_00, 3_00, 3_00]),
        ([HALF], [NOTHING], [3_00, 100_00, 3_00]),
        ([LITTLE], [NOTHING], [104_50, 1_50]),
        ([NOTHING], [], [106_00]),
    ],
)
async def test_E14_what_one_gave_oneself_goes_back_once(
    counter: Counter, before: Sequence[Any], after: Sequence[Any], taken: list[int]
) -> None:
    """Goods that come back before it is known, or after it, take what they gave beside it, and no more."""
    await counter.publish(SALON)
    await counter.send(enrolled(referred_by=ANOTHER_CARD), bought("p1", "60.00", "60.00"))
    own = await thanks(counter)
    await counter.send(*(returned("p1", left, return_id=f"before-{n}") for n, left in enumerate(before)))
    verdicts = await counter.send(own, own)
    assert [(each.kind, each.code) for each in verdicts] == [("applied", "self_referral"), ("duplicate", None)]
    await counter.send(*(returned("p1", left, return_id=f"after-{n}") for n, left in enumerate(after)))
    assert await reversed_points(counter) == taken


async def test_E14_who_refers_oneself_is_known_from_then_on(counter: Counter) -> None:
    """Its decision names the purchase and says why, and the next purchase is told so at once."""
    await counter.publish(SALON.replace("once_per: member, give", "give"))
    await counter.send(enrolled(referred_by=ANOTHER_CARD), bought("p1", "60.00"))
    await counter.send(await thanks(counter))
    await counter.send(bought("p2", "60.00", at="2026-03-02T12:00:00+01:00"))
    rows = await counter.pool.fetch(
        "select kind, cause_id, of_decision_id, member_id, record from decision order by number"
    )
    told = [(row["kind"], row["cause_id"], row["of_decision_id"], row["member_id"]) for row in rows[-2:]]
    assert told == [("self_referral", "p1", decision("p1"), MEMBER), ("purchase", "p2", None, MEMBER)]
    found = orjson.loads(rows[-1]["record"])
    assert (found["awards"][0]["points"], found["evaluation"]["not_fired"]) == (
        3_00, {"self_referral": ["friend", "thanks"]},
    )  # fmt: skip
