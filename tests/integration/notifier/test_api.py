"""The notifier over HTTP: contact data, preferences, what was told, bounces, previews."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from services.notifier.api import application
from services.runtime import tokens

ACCRUED = "bonus.points.accrued.v1.pending"
KEY = Ed25519PrivateKey.generate()
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
DEFAULTS: dict[str, Any] = {"language": None, "email": True, "muted": []}


def token(tenant: str = "default", scopes: tuple[str, ...] = ("notifier:read", "notifier:write")) -> dict[str, str]:
    """The header of a caller."""
    issued = tokens.issue(PRIVATE, subject="test", tenant=tenant, scopes=scopes, now=datetime.now(UTC), lifetime_s=3600)
    return {"Authorization": f"Bearer {issued}"}


@pytest.fixture
async def api(notifier: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API with a token for everything."""
    app = application(notifier.settings, notifier.parts)
    app.state.token_key = PUBLIC
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://notifier", headers=token()) as client:
        yield client


async def test_contacts_are_kept_read_and_forgotten(api: httpx.AsyncClient) -> None:
    """PUT, GET, DELETE; putting twice is the same; preferences outlive the contacts."""
    member = str(uuid4())
    path = f"/v1/members/{member}/contacts"
    assert (await api.get(path)).json()["code"] == "no_contacts"
    known = {
        "member_id": member, "email": "zofia@example.com", "name": "Zofia", "undeliverable": None,
        "preferences": DEFAULTS,
    }  # fmt: skip
    for _ in range(2):
        put = await api.put(path, json={"email": "zofia@example.com", "name": "Zofia"})
        assert (put.status_code, put.json()) == (200, known)
    wanted = {"language": "pl", "email": False, "muted": ["greetings", "tier"]}
    preferences = await api.put(f"/v1/members/{member}/preferences", json=wanted)
    assert (preferences.status_code, preferences.json()) == (200, wanted)
    assert (await api.get(path)).json() == known | {"preferences": wanted}
    assert [(await api.delete(path)).status_code for _ in range(2)] == [204, 204]
    assert (await api.get(path)).json() == known | {"email": None, "name": "", "preferences": wanted}


@pytest.mark.parametrize(
    ("path", "body", "field", "code"),
    [
        ("contacts", {"email": "zofia"}, "$.email", "not_an_email"),
        ("contacts", {}, "$.email", "missing"),
        ("contacts", {"email": "a@b.pl", "name": "x" * 201}, "$.name", "too_long"),
        ("contacts", {"email": "a@b.pl", "name": "a\nb"}, "$.name", "wrong_form"),
        ("contacts", {"email": "a@b.pl", "phone": "1"}, "$.phone", "unknown_field"),
        ("preferences", {"language": "de"}, "$.language", "unknown_value"),
        ("preferences", {"muted": ["everything"]}, "$.muted[0]", "unknown_value"),
    ],
)
async def test_what_is_wrong_is_named(
    api: httpx.AsyncClient, path: str, body: dict[str, Any], field: str, code: str
) -> None:
    """422 with the field and a stable code."""
    response = await api.put(f"/v1/members/{uuid4()}/{path}", json=body)
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
    assert (response.json()["field"], response.json()["code"]) == (field, code)


async def test_a_caller_sees_his_own_tenant_with_his_own_scopes(api: httpx.AsyncClient) -> None:
    """Another tenant's member of the same id is another member; without the scope nothing is done."""
    path = f"/v1/members/{uuid4()}/contacts"
    await api.put(path, json={"email": "zofia@example.com"})
    assert (await api.get(path, headers=token("other"))).status_code == 404
    read_only = token(scopes=("notifier:read",))
    refused = await api.put(path, json={"email": "b@example.com"}, headers=read_only)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert (await api.get(path, headers={"Authorization": ""})).status_code == 401


async def test_A6_an_erased_member_is_answered_as_such(api: httpx.AsyncClient, notifier: Any) -> None:
    """410 `member_erased` for everything personal; what was told to him, without words, can still be listed."""
    member = uuid4()
    await api.put(f"/v1/members/{member}/contacts", json={"email": "zofia@example.com"})
    await notifier.take(notifier.event(ACCRUED, member))
    await notifier.take(notifier.event("bonus.member.erased.v1.on-request", member))
    answers = [
        await api.get(f"/v1/members/{member}/contacts"),
        await api.put(f"/v1/members/{member}/contacts", json={"email": "a@b.pl"}),
        await api.put(f"/v1/members/{member}/preferences", json={}),
    ]
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(410, "member_erased")] * 3
    assert [each["state"] for each in await listed(api, member)] == ["cancelled"]


async def listed(api: httpx.AsyncClient, member: object, limit: int = 50) -> list[dict[str, Any]]:
    """All of a member's messages, page by page."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        answer = (await api.get(f"/v1/members/{member}/deliveries", params=page)).raise_for_status().json()
        assert len(answer["items"]) <= limit
        items += answer["items"]
        cursor = answer["next_cursor"]
        if cursor is None:
            return items


async def test_deliveries_are_listed_newest_first_in_pages(api: httpx.AsyncClient, notifier: Any) -> None:
    """Each once, whatever the size of the pages, also where several were made at one instant."""
    member = uuid4()
    await api.put(f"/v1/members/{member}/contacts", json={"email": "zofia@example.com"})
    for _ in range(3):
        await notifier.take(*(notifier.event(ACCRUED, member) for _ in range(3)))
    whole = await listed(api, member)
    assert len(whole) == 9
    assert whole == sorted(whole, key=lambda each: (each["created_at"], each["delivery_id"]), reverse=True)
    assert [await listed(api, member, limit) for limit in (1, 2, 3, 9)] == [whole] * 4
    assert whole[0] | {"delivery_id": "", "event_id": "", "account_id": "", "created_at": "", "changed_at": ""} == {
        "delivery_id": "", "account_id": "", "programme": "grocer", "event_id": "", "template": "points-accrued",
        "channel": "email", "language": "pl", "state": "waiting", "attempts": 0, "code": "", "created_at": "",
        "changed_at": "",
    }  # fmt: skip
    first = (await api.get(f"/v1/members/{member}/deliveries", params={"limit": "1"})).json()
    foreign = await api.get(f"/v1/members/{uuid4()}/deliveries", params={"cursor": first["next_cursor"]})
    assert (foreign.status_code, foreign.json()["code"]) == (400, "cursor_invalid")


async def test_a_bounce_is_recorded_once_and_silences_the_address(api: httpx.AsyncClient, notifier: Any) -> None:
    """By the Message-ID of the mail that was sent; the same key with another body is a conflict."""
    member = uuid4()
    await api.put(f"/v1/members/{member}/contacts", json={"email": "zofia@example.com"})
    await notifier.take(notifier.event(ACCRUED, member))
    await notifier.sender().send_due()
    (mail,) = notifier.sink.received()
    body = {"message_id": mail["Message-ID"], "code": "5.1.1"}
    key = {"Idempotency-Key": "report-1"}
    missing = await api.post("/v1/bounces", json=body)
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_missing")
    stranger = await api.post("/v1/bounces", json=body, headers=token("other") | key)
    assert (stranger.status_code, stranger.json()["code"]) == (404, "delivery_unknown")
    answers = [await api.post("/v1/bounces", json=body, headers=key) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].json() == answers[1].json() | {"state": "bounced", "code": "5.1.1"}
    other = await api.post("/v1/bounces", json=body | {"code": "5.2.1"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert await notifier.published(member) == [
        ("bonus.notification.delivered.v1", ""),
        ("bonus.notification.bounced.v1", "5.1.1"),
    ]
    known = (await api.get(f"/v1/members/{member}/contacts")).json()
    assert known["undeliverable"]["code"] == "5.1.1"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"message_id": "<a@b>", "code": "5.1.1"}, 404, "delivery_unknown"),
        ({"message_id": f"<{uuid4()}.99@shop.example>", "code": "5.1.1"}, 404, "delivery_unknown"),
        ({"message_id": f"<{uuid4()}.-1@shop.example>", "code": "550"}, 404, "delivery_unknown"),
        ({"message_id": f"<{uuid4()}.1@shop.example>", "code": "550"}, 404, "delivery_unknown"),
        ({"message_id": f"<{uuid4()}.1@shop.example>", "code": "4.2.2"}, 422, "wrong_form"),
    ],
)
async def test_a_bounce_of_nothing_is_refused(
    api: httpx.AsyncClient, body: dict[str, str], status: int, code: str
) -> None:
    """What we never sent, and what is only a delay."""
    response = await api.post("/v1/bounces", json=body, headers={"Idempotency-Key": "x"})
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_a_template_can_be_looked_at(api: httpx.AsyncClient, notifier: Any) -> None:
    """With facts of an example or one's own, in the words of a programme; nothing is sent."""
    await notifier.take(notifier.event("bonus.programme.published.v1.names"))
    body = {"language": "pl", "programme": "bronze-silver-gold", "name": "Zofia"}
    shown = (await api.post("/v1/templates/tier-changed/preview", json=body)).raise_for_status().json()
    assert shown["subject"] == "Twój poziom: Srebro"
    assert shown["text"].startswith("Dzień dobry, Zofia!")
    assert shown["html"].startswith("<!doctype html>")
    own = await api.post("/v1/templates/tier-changed/preview", json=body | {"facts": {"tier": None}})
    assert (own.status_code, own.json()["code"]) == (422, "facts_invalid")
    unknown = await api.post("/v1/templates/frame/preview", json=body)
    assert (unknown.status_code, unknown.json()["field"]) == (422, "path.name")
    assert notifier.sink.received() == []
