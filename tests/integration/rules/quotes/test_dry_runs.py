"""Dry runs over HTTP: a draft, or a file that nobody kept, on one event; nothing is changed."""

from typing import Any

from tests.integration.rules.quotes.conftest import Shop, account_of, basket, enrolment, purchase

FILE = """programme: club
zone: Europe/Warsaw
money: PLN
currencies: {points: {scale: 2, worth: 1.00}}
"""
LIVE = FILE + "earn: [{rule: back, give: 5 %}]\n"
DRAFT = FILE + 'on_enrolment: 50 points\nearn: [{rule: more, give: 8 %, when: "member.purchases > 0"}]\n'
TABLES = "select count(*) from decision union all select count(*) from participant union all select count(*) from event"


def event(event_type: str, data: dict[str, Any]) -> dict[str, Any]:
    """An event without the rest of its envelope."""
    return {"type": event_type, "data": data}


async def test_a_draft_is_tried_on_a_purchase_of_a_member_as_he_stands(shop: Shop) -> None:
    """The draft asks what the member bought before; the answer explains itself in data and in words."""
    await shop.publish(LIVE)
    draft = await shop.publish(DRAFT, starts_at=None)
    await shop.send(enrolment(), purchase("p1", basket("20.00"), "2026-05-01T12:00:00Z"))
    data = purchase("p2", basket("100.00"), "2026-06-01T12:00:00Z")["data"]
    before = await shop.pool.fetch(TABLES)
    body = {"version": draft, "event": event("bonus.purchase.completed.v1", data)}
    response = await shop.api.post("/v1/programmes/club/dry-runs", json=body, headers={"Accept-Language": "pl"})
    found = response.json()
    assert (response.status_code, found["account_id"], found["code"]) == (200, str(account_of(shop)), None)
    assert [(each["rule"], each["points"]) for each in found["explanation"]["rules"]] == [("more", "8.00")]
    assert "Naliczono: 8,00 points." in found["text"]
    assert await shop.pool.fetch(TABLES) == before
    # The version in force on the same purchase, and a card that nobody holds.
    live = await shop.api.post("/v1/programmes/club/dry-runs", json=body | {"version": 1})
    assert live.json()["explanation"]["awards"][0]["points"] == "5.00"
    stranger = body | {"event": event("bonus.purchase.completed.v1", data | {"member": {"type": "card", "value": "5"}})}
    found = (await shop.api.post("/v1/programmes/club/dry-runs", json=stranger)).json()
    assert (found["code"], found["account_id"], "awards" in found["explanation"]) == ("unknown_member", None, False)


async def test_a_file_is_tried_on_an_enrolment_before_anybody_keeps_it(shop: Shop) -> None:
    """Joining under the file would bring fifty points; an activity that no rule is about brings nothing."""
    body = {"file": DRAFT, "event": event("bonus.member.enrolled.v1", enrolment()["data"])}
    found = (await shop.api.post("/v1/programmes/club/dry-runs", json=body)).json()
    assert [(each["points"], each["currency"]) for each in found["explanation"]["awards"]] == [("50.00", "points")]
    done = {
        "activity_id": "a1", "programme": "club", "name": "review", "occurred_at": "2026-06-01T12:00:00Z",
        "member": {"type": "card", "value": "77"},
    }  # fmt: skip
    body = {"file": DRAFT, "event": event("bonus.activity.recorded.v1", done)}
    found = (await shop.api.post("/v1/programmes/club/dry-runs", json=body)).json()
    assert (found["kind"], found["explanation"]) == ("activity", {})


async def test_what_cannot_be_tried_is_refused_with_its_place(shop: Shop) -> None:
    """A faulty file by line and column, another programme, a faulty event, a type that is none, an unknown version."""
    await shop.publish(LIVE)
    bought = event("bonus.purchase.completed.v1", purchase("p1", basket("1.00"), "2026-05-01T12:00:00Z")["data"])
    wrong: list[tuple[dict[str, Any], int, str, str | None]] = [
        ({"file": "programme: club\n", "event": bought}, 422, "programme_invalid", None),
        ({"file": LIVE.replace("club", "other"), "event": bought}, 422, "another_programme", "$.file"),
        ({"version": 9, "event": bought}, 404, "unknown_version", None),
        ({"version": 1, "file": LIVE, "event": bought}, 422, "missing", "$.version"),
        ({"version": 1, "event": event("bonus.nothing.v1", {})}, 422, "unknown_type", "$.event.type"),
        (
            {"version": 1, "event": event("bonus.purchase.completed.v1", bought["data"] | {"purchased_at": "today"})},
            422, "not_a_time", "$.event.data.purchased_at",
        ),
    ]  # fmt: skip
    for body, status, code, field in wrong:
        response = await shop.api.post("/v1/programmes/club/dry-runs", json=body)
        said = response.json()
        assert (response.status_code, said["code"]) == (status, code), said
        assert field is None or said["field"] == field
