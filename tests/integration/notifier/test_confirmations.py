"""A member confirms an amount with a code: from the till that asks, through the mail, to the token for the ledger."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from contracts.confirmations import Confirmation
from services.notifier.api import application
from services.notifier.contact import Contact
from services.runtime import tokens

PRIVATE, PUBLIC = tokens.new_key_pair()
CODE = "483920"
ACCOUNT = UUID("8fb3024b-07f5-5659-afc8-98cbd4681ce3")
PROGRAMME = "bonus.programme.published.v1.names"


def caller(subject: str = "till-3", tenant: str = "default") -> dict[str, str]:
    """The header of a till."""
    issued = tokens.issue(
        PRIVATE, subject=subject, tenant=tenant, scopes=["notifier:write"], now=datetime.now(UTC), lifetime_s=600
    )
    return {"Authorization": f"Bearer {issued}"}


@pytest.fixture
async def api(notifier: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API, with a programme published."""
    await notifier.take(notifier.event(PROGRAMME))
    app = application(notifier.settings, notifier.parts)
    app.state.token_key = PUBLIC
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://notifier", headers=caller()
    ) as client:
        yield client


async def member_of(notifier: Any, email: str = "zofia@example.com") -> UUID:
    """A member who can be reached."""
    member = uuid4()
    await notifier.contacts.put("default", member, Contact(email))
    return member


def wish(member: UUID, **changes: Any) -> dict[str, Any]:
    """What a till asks to be confirmed."""
    return {
        "member_id": str(member), "account_id": str(ACCOUNT), "programme": "bronze-silver-gold", "currency": "points",
        "points": "500", **changes,
    }  # fmt: skip


async def ask(api: httpx.AsyncClient, member: UUID, key: str = "ask-1", **changes: Any) -> httpx.Response:
    """Ask for a code."""
    return await api.post("/v1/confirmations", json=wish(member, **changes), headers={"Idempotency-Key": key})


async def verify(api: httpx.AsyncClient, confirmation: str, code: str, key: str) -> httpx.Response:
    """Say a code."""
    path = f"/v1/confirmations/{confirmation}/verify"
    return await api.post(path, json={"code": code}, headers={"Idempotency-Key": key})


async def test_a_right_code_gives_a_token_that_the_public_key_opens(api: httpx.AsyncClient, notifier: Any) -> None:
    """The mail holds the code, the token holds account, points and till; the same key asked again: the same token."""
    member = await member_of(notifier)
    asked = await ask(api, member)
    assert (asked.status_code, (await ask(api, member)).json()) == (201, asked.json())
    assert asked.json()["channel"] == "email"
    await notifier.sender().send_due()
    (mail,) = notifier.sink.received()
    assert mail["Subject"].startswith(CODE)
    assert mail["List-Unsubscribe"] is None
    confirmation = asked.json()["confirmation_id"]
    answers = [await verify(api, confirmation, CODE, key) for key in ("said-1", "said-1", "said-2")]
    assert [each.status_code for each in answers] == [200] * 3
    assert answers[0].json() == answers[1].json() == answers[2].json()
    key = tokens.public_key_of(notifier.confirmation_public_key)
    claims = tokens.read(key, answers[0].json()["token"], "confirmation", notifier.clock())
    issued_at = int(notifier.clock().timestamp())
    assert Confirmation.model_validate(claims) == Confirmation(
        jti=UUID(confirmation.partition(".")[0]), iat=issued_at, exp=issued_at + 300, tenant="default",
        account_id=ACCOUNT, programme="bronze-silver-gold", currency="points", points="500.00", till="till-3",
    )  # fmt: skip


async def test_the_code_is_nowhere_readable_but_in_the_mail(api: httpx.AsyncClient, notifier: Any) -> None:
    """Not in the tables, and not among the member's deliveries."""
    member = await member_of(notifier)
    await ask(api, member)
    await notifier.sender().send_due()
    rows = [
        *await notifier.pool.fetch("select to_jsonb(delivery)::text as said from delivery"),
        *await notifier.pool.fetch("select to_jsonb(confirmation)::text as said from confirmation"),
        *await notifier.pool.fetch("select convert_from(answer, 'utf8') as said from idempotency_key"),
    ]
    assert len(rows) == 3
    assert [row["said"] for row in rows if CODE in row["said"]] == []


async def test_wrong_codes_are_counted_and_too_many_end_it(api: httpx.AsyncClient, notifier: Any) -> None:
    """Five; a repetition of one request counts once; afterwards even the right code is refused."""
    member = await member_of(notifier)
    confirmation = (await ask(api, member)).json()["confirmation_id"]
    seen = []
    for number in (1, 1, 2, 3, 4, 5):
        answer = await verify(api, confirmation, "000000", f"wrong-{number}")
        seen.append((answer.status_code, answer.json()["code"], answer.json()["attempts_left"]))
    assert seen == [(422, "wrong_code", left) for left in (4, 4, 3, 2, 1, 0)]
    late = await verify(api, confirmation, CODE, "right")
    assert (late.status_code, late.json()["code"]) == (429, "too_many_attempts")


async def test_a_code_is_good_for_five_minutes(api: httpx.AsyncClient, notifier: Any) -> None:
    """Then neither is it taken, nor is a mail with it sent any more."""
    member = await member_of(notifier)
    confirmation = (await ask(api, member)).json()["confirmation_id"]
    notifier.clock.forward(timedelta(seconds=300))
    late = await verify(api, confirmation, CODE, "late")
    assert (late.status_code, late.json()["code"]) == (410, "confirmation_expired")
    await notifier.sender().send_due()
    assert notifier.sink.received() == []
    assert await notifier.states(member) == [("confirmation", "cancelled", 1, "too_late")]


async def test_who_cannot_be_reached_is_said_so(api: httpx.AsyncClient, notifier: Any) -> None:
    """What a member muted does not matter here; that he wants no mail at all does."""
    muted = await member_of(notifier)
    kinds = frozenset({"account", "points", "tier", "greetings"})
    await notifier.contacts.put_preferences("default", muted, language="en", email_allowed=True, muted=kinds)
    assert (await ask(api, muted)).status_code == 201
    silent = await member_of(notifier)
    await notifier.contacts.put_preferences("default", silent, language=None, email_allowed=False, muted=frozenset())
    erased = await member_of(notifier)
    await notifier.take(notifier.event("bonus.member.erased.v1.on-request", erased))
    answers = [await ask(api, member, f"ask-{member}") for member in (silent, uuid4(), erased)]
    assert [(each.status_code, each.json()["code"], each.json().get("reason")) for each in answers] == [
        (409, "not_reachable", "channel_refused"),
        (409, "not_reachable", "no_contact"),
        (410, "member_erased", None),
    ]


async def test_a_member_is_not_flooded_with_codes(api: httpx.AsyncClient, notifier: Any) -> None:
    """Ten an hour; an hour later he may be asked again."""
    member = await member_of(notifier)
    statuses = [(await ask(api, member, f"ask-{number}")).status_code for number in range(11)]
    assert statuses == [201] * 10 + [429]
    notifier.clock.forward(timedelta(hours=1))
    assert (await ask(api, member, "ask-later")).status_code == 201


@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"programme": "nobody"}, 404, "programme_unknown", "$.programme"),
        ({"currency": "miles"}, 422, "currency_unknown", "$.currency"),
        ({"points": "0"}, 422, "points_invalid", "$.points"),
        ({"points": "1.005"}, 422, "points_invalid", "$.points"),
        ({"points": 5}, 422, "decimal_string", "$.points"),
        ({"phone": "5"}, 422, "unknown_field", "$.phone"),
    ],
)
async def test_what_cannot_be_confirmed_is_named(
    api: httpx.AsyncClient, changes: dict[str, Any], status: int, code: str, field: str
) -> None:
    """With the field and a stable code."""
    refused = await ask(api, uuid4(), **changes)
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (status, code, field)


async def test_a_confirmation_is_its_tenants_and_its_id_is_not_guessed(api: httpx.AsyncClient, notifier: Any) -> None:
    """Another tenant does not find it; ids that never were are not found either."""
    member = await member_of(notifier)
    confirmation = (await ask(api, member)).json()["confirmation_id"]
    body, key = {"code": CODE}, {"Idempotency-Key": "x"}
    answers = [
        await api.post(f"/v1/confirmations/{confirmation}/verify", json=body, headers=caller(tenant="other") | key),
        *[await verify(api, other, CODE, "y") for other in (f"{uuid4()}.1", f"{uuid4()}.99", "x", f"{uuid4()}.-1")],
    ]
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(404, "confirmation_unknown")] * 5


async def test_without_a_key_nothing_can_be_confirmed(notifier: Any) -> None:
    """It is said so, with the setting that is missing."""
    keyless = notifier.settings.model_copy(update={"confirmation_key": ""})
    app = application(keyless, notifier.parts_with(keyless))
    app.state.token_key = PUBLIC
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://n", headers=caller()) as client:
        off = await ask(client, uuid4())
    assert (off.status_code, off.json()["code"]) == (503, "confirmations_off")
