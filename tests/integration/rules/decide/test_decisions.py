"""Decisions for people: as data and in words, with the ledger's answer; and what a purchase came to."""

from typing import Any
from uuid import UUID

from contracts import ids
from services.rules.decide.queries import Decisions
from tests.integration.rules.decide.conftest import FIVE_PERCENT, Counter
from tests.integration.rules.decide.http import client_of
from tests.integration.rules.decide.messages import ACCOUNT, bought, decision, enrolled, key, returned

PAID = [{"type": "points", "amount": "20.00", "points": "20.00"}, {"type": "card", "amount": "80.00"}]


def answered(event_type: str, command: UUID, code: str | None = None, of: UUID | None = None) -> dict[str, Any]:
    """The ledger's answer to a command."""
    data: dict[str, Any] = {
        "account_id": str(ACCOUNT), "programme": "club", "version": 1, "command_id": str(command),
        "occurred_at": "2026-03-01T12:00:00Z", "effective_at": "2026-03-01T12:00:00Z",
    }  # fmt: skip
    if code is not None:
        data["refusal"] = {"code": code, "message": code}
    if of is not None:
        data["decision_id"] = str(of)
    return {
        "specversion": "1.0", "type": event_type, "id": f"{event_type}-{command}", "source": "urn:bonus:ledger",
        "time": "2026-03-01T12:00:00Z", "data": data,
    }  # fmt: skip


async def test_a_decision_is_given_as_data_and_in_words(counter: Counter) -> None:
    """The same decision: for a program with everything it was made from, for a person as text in their language."""
    await counter.publish(FIVE_PERCENT)
    await counter.send(enrolled(), bought("p1", "100.00"))
    path = f"/v1/decisions/{decision('p1')}"
    async with client_of(counter) as api:
        said = await api.get(path)
        found = said.json()
        assert (found["kind"], found["cause"]["id"], found["version"], found["status"]) == (
            "purchase", "p1", 1, "decided"
        )  # fmt: skip
        assert found["explanation"]["awards"][0]["points"] == "5.00"
        assert found["inputs"]["receipt"]["lines"] == [[1, "", "", "", 10_000, 1_000_000]]
        assert (await api.get(path, headers={"If-None-Match": said.headers["etag"]})).status_code == 304
        words = await api.get(path, headers={"Accept": "text/plain", "Accept-Language": "pl-PL, en;q=0.5"})
        assert words.headers["content-language"] == "pl"
        assert words.text.startswith("Zakup p1 z 1 marca 2026, 12:00.\n")
        assert "Naliczono: 5,00 points. Nie tracą ważności.\n" in words.text
        unknown = await api.get(f"/v1/decisions/{ids.derive('nothing')}")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "decision_unknown")
        assert (await api.get("/v1/decisions/nonsense")).status_code == 422
    async with client_of(counter, tenant="elsewhere") as api:
        assert (await api.get(path)).status_code == 404


async def test_a_purchase_is_booked_once_the_ledger_has_answered_everything(counter: Counter) -> None:
    """Paid with points and earning: both answers are waited for; a refusal names its reason."""
    await counter.publish(FIVE_PERCENT)
    await counter.send(enrolled(), bought("p1", "100.00", payments=PAID))
    wanted = [(ACCOUNT, key("p1"))]
    outcome = (await Decisions().of_purchases(counter.pool, wanted))[key("p1")]
    assert (outcome.status, outcome.reason) == ("decided", None)
    [points] = outcome.points
    assert (points.currency, points.accrued, points.redeemed) == ("points", 400, 2000)
    accrual = answered("bonus.points.accrued.v1", ids.command_of("accrue", decision("p1")))
    await counter.send(accrual, writer=counter.verdicts)
    assert (await Decisions().of_purchases(counter.pool, wanted))[key("p1")].status == "decided"
    redemption = ids.command_of("redeem", decision("p1"), "0")
    await counter.send(answered("bonus.command.rejected.v1", redemption, "account_frozen"), writer=counter.verdicts)
    outcome = (await Decisions().of_purchases(counter.pool, wanted))[key("p1")]
    assert (outcome.status, outcome.reason) == ("booked", "account_frozen")


async def test_a_refused_award_gives_its_counters_back(counter: Counter) -> None:
    """Given once, and refused by the books: the next purchase is the first again; an answer told twice counts once."""
    welcome = "  - {rule: first, give: 10 points, once_per: member, cap: {month: 1 time}}\n"
    await counter.publish(FIVE_PERCENT + welcome)
    await counter.send(enrolled(), bought("p1", "100.00"), bought("p2", "100.00"))
    refused = answered(
        "bonus.command.rejected.v1", ids.command_of("accrue", decision("p1")), "account_closed", decision("p1")
    )
    for _ in range(2):
        await counter.send(refused, refused, writer=counter.verdicts)
    await counter.send(bought("p3", "100.00"), bought("p4", "100.00"))
    accrued = await counter.awards("bonus.points.accrue.v1")
    assert [each["data"]["grants"][0]["points"] for each in accrued] == [1500, 500, 1500, 500]


async def test_what_came_back_is_taken_off(counter: Counter) -> None:
    """Half of a purchase returned: accrued and redeemed are what is left of both."""
    await counter.publish(FIVE_PERCENT)
    half = returned("p1", {1: ("0", "0"), 2: ("1", "50.00")})
    payments = [{"type": "points", "amount": "20.00", "points": "20.00"}, {"type": "card", "amount": "80.00"}]
    await counter.send(enrolled(), bought("p1", "50.00", "50.00", payments=payments), half)
    outcome = (await Decisions().of_purchases(counter.pool, [(ACCOUNT, key("p1"))]))[key("p1")]
    [points] = outcome.points
    assert (points.accrued, points.redeemed) == (200, 1000)
    async with client_of(counter) as api:
        back = ids.decision_of(ACCOUNT, ids.return_key("default", "club", "return-of-p1"))
        found = (await api.get(f"/v1/decisions/{back}")).json()
        assert found["explanation"]["taken_back"] == {"points": "2.00"}
        assert found["explanation"]["given_back"] == {"points": "10.00"}
        words = await api.get(f"/v1/decisions/{back}", headers={"Accept": "text/plain"})
        assert "Taken back: 2.00 points.\nPoints given back to the account: 10.00 points.\n" in words.text


async def test_A6_the_inputs_of_an_erased_member_are_gone(counter: Counter) -> None:
    """The decision stays, with its explanation; what it was made from cannot be read any more."""
    await counter.publish(FIVE_PERCENT)
    await counter.send(enrolled(), bought("p1", "100.00"))
    member = await counter.pool.fetchval("select member_id from participant")
    await counter.vault.destroy(counter.pool, [member])
    async with client_of(counter) as api:
        found = (await api.get(f"/v1/decisions/{decision('p1')}")).json()
    assert (found["inputs"], found["inputs_erased"], found["explanation"]["awards"][0]["points"]) == (
        None,
        True,
        "5.00",
    )
