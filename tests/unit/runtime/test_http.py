"""HTTP of every service: who may, what is wrong, how much, how often; each answer a problem with a stable code."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import asyncpg
import httpx
import orjson
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Security
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.responses import Response

from contracts.amounts import Amount
from services.runtime import tokens
from services.runtime.health import Health
from services.runtime.http.answers import (
    Page,
    answer,
    decode_cursor,
    encode_cursor,
    entity_tag,
    is_fresh,
    not_modified,
    page_of,
)
from services.runtime.http.application import JsonRoute, create_app
from services.runtime.http.idempotency import fingerprint, idempotency_key, scope_of
from services.runtime.http.problems import Problem
from services.runtime.http.security import Caller, require
from services.runtime.settings import RuntimeSettings
from services.runtime.shard import Overloaded

PRIVATE, PUBLIC = tokens.new_key_pair()
ACCOUNT = "0b0f4e0e-5f5c-5a53-9d0f-6c0f1d4f8a11"


class Redemption(BaseModel):
    """A body."""

    points: Amount
    currency: Annotated[str, Field(max_length=10)]


def token(*scopes: str, lifetime_s: int = 86_400, key: bytes = PRIVATE, audience: str = "bonus") -> str:
    # Parameters of tests are made when the run begins, and it may be long.
    return tokens.issue(
        key,
        subject="till",
        tenant="acme",
        scopes=scopes,
        now=datetime.now(UTC),
        lifetime_s=lifetime_s,
        audience=audience,
    )


def routes() -> APIRouter:
    router = APIRouter(route_class=JsonRoute)

    @router.post("/v1/accounts/{account_id}/redemptions")
    async def redeem(
        account_id: UUID,
        body: Redemption,
        caller: Annotated[Caller, Security(require("ledger:write"))],
        key: Annotated[str, Depends(idempotency_key)],
    ) -> Response:
        return answer({"account": account_id, "points": body.points, "caller": caller.tenant, "key": key}, 201)

    @router.get("/v1/accounts")
    async def list_accounts(
        page: Annotated[Page, Depends(page_of)], caller: Annotated[Caller, Security(require("ledger:read"))]
    ) -> Response:
        start = decode_cursor("accounts", page.cursor, int)[0] if page.cursor else 0
        cursor = encode_cursor("accounts", [start + page.limit])
        return answer({"from": start, "limit": page.limit, "next_cursor": cursor, "tenant": caller.tenant})

    @router.get("/v1/tagged")
    async def tagged(request: Request) -> Response:
        tag = entity_tag("account", 7)
        return not_modified(tag) if is_fresh(request, tag) else answer({"version": 7}, headers={"ETag": tag})

    @router.get("/v1/fails/{how}")
    async def fails(how: str) -> Response:
        await asyncio.sleep(0)
        raise {
            "fault": ZeroDivisionError("Jan Kowalski"),
            "world": asyncpg.CannotConnectNowError("starting up"),
            "busy": Overloaded("many"),
            "problem": Problem(409, "conflict", "No", "why not", field="$.points", facts={"first": 1}),
        }[how]

    @router.get("/v1/slow")
    async def slow() -> Response:
        await asyncio.sleep(5)
        return answer({})

    @router.get("/v1/stream")
    async def stream() -> StreamingResponse:
        async def lines() -> AsyncIterator[bytes]:
            for _ in range(4):
                yield b"line\n"
                await asyncio.sleep(0.1)

        return StreamingResponse(lines())

    return router


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    key_file = tmp_path / "key.pem"
    key_file.write_bytes(PUBLIC)
    settings = RuntimeSettings().model_copy(
        update={
            "token_public_key_file": key_file,
            "http_body_max_bytes": 200,
            "http_timeout_s": 0.2,
            "http_concurrency_max": 5,
            "page_limit_max": 20,
        }
    )
    health = Health()

    async def away() -> str | None:
        return "gone"

    health.add("postgres", away)
    made = create_app("Test", "1", settings, service="test", health=health)
    made.include_router(routes())
    return made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


async def redeem(client: httpx.AsyncClient, body: object, **headers: str) -> httpx.Response:
    """Send a redemption; headers are named with underscores, an empty one is left out."""
    sent = {"Authorization": f"Bearer {token('ledger:write')}", "Idempotency_Key": "k1"} | headers
    named = {name.replace("_", "-"): value for name, value in sent.items() if value}
    return await client.post(
        f"/v1/accounts/{ACCOUNT}/redemptions",
        headers=named | {"Content-Type": "application/json"},
        content=body if isinstance(body, bytes) else orjson.dumps(body),
    )


def problem_of(response: httpx.Response) -> tuple[int, str, str | None]:
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert document["type"] == f"urn:bonus:problem:{document['code']}"
    return response.status_code, document["code"], document.get("field")


async def test_a_good_request_is_answered(client: httpx.AsyncClient) -> None:
    """Caller, key, path and body reach the route."""
    response = await redeem(client, {"points": "10.50", "currency": "points"})
    assert (response.status_code, response.json()) == (
        201, {"account": ACCOUNT, "points": 105_000, "caller": "acme", "key": "k1"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", (401, "token_missing")),
        ("Basic abc", (401, "token_missing")),
        ("Bearer", (401, "token_missing")),
        ("Bearer nonsense", (401, "token_malformed")),
        (f"Bearer {token('ledger:write', lifetime_s=-1)}", (401, "token_expired")),
        (f"Bearer {token('ledger:write', key=tokens.new_key_pair()[0])}", (401, "token_forged")),
        (f"Bearer {token('ledger:write', audience='others')}", (401, "token_for_others")),
        (f"Bearer {token('ledger:read')}", (403, "scope_missing")),
    ],
)
async def test_who_may_not_is_told_why(client: httpx.AsyncClient, header: str, expected: tuple[int, str]) -> None:
    """Without a good token 401 with the token's own code, without the scope 403, and a challenge in both."""
    response = await redeem(client, {"points": "1", "currency": "points"}, Authorization=header)
    assert problem_of(response)[:2] == expected
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"points": "1e400", "currency": "p"}, (422, "decimal_string", "$.points")),
        ({"points": 5, "currency": "p"}, (422, "decimal_string", "$.points")),
        ({"currency": "p"}, (422, "missing", "$.points")),
        ({"points": "1", "currency": "x" * 11}, (422, "too_long", "$.currency")),
        ([], (422, "not_an_object", "$")),
        (b"{", (400, "not_json", "$")),
        (b'{"points": NaN}', (400, "not_json", "$")),
        (b"", (422, "missing", "$")),
        (b" " * 201, (413, "body_too_large", None)),
    ],
)
async def test_what_is_wrong_is_named(client: httpx.AsyncClient, body: object, expected: tuple[int, str, str]) -> None:
    """A stable code, and the path of the field."""
    assert problem_of(await redeem(client, body)) == expected


async def test_all_wrong_fields_are_listed(client: httpx.AsyncClient) -> None:
    """The first is the problem's own, the others stand beside it."""
    document = (await redeem(client, {"points": "x", "currency": 5})).json()
    assert [error["field"] for error in document["errors"]] == ["$.points", "$.currency"]


async def test_a_body_that_grows_while_it_comes_is_cut_off(client: httpx.AsyncClient) -> None:
    """Without a length in the header the bytes are counted."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * 100

    response = await client.post(
        f"/v1/accounts/{ACCOUNT}/redemptions",
        content=chunks(),
        headers={"Authorization": f"Bearer {token('ledger:write')}", "Content-Type": "application/json"},
    )
    assert problem_of(response)[:2] == (413, "body_too_large")


@pytest.mark.parametrize(
    ("key", "code"),
    [("", "idempotency_key_missing"), ("x" * 201, "idempotency_key_too_long"), ("a\x7f", "idempotency_key_invalid")],
)
async def test_a_key_is_needed_to_change_something(client: httpx.AsyncClient, key: str, code: str) -> None:
    """Missing, over-long and unprintable keys each have their code."""
    response = await redeem(client, {"points": "1", "currency": "p"}, Idempotency_Key=key)
    assert problem_of(response) == (400, code, "header.Idempotency-Key")


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("fault", (500, "fault", None)),
        ("world", (503, "unavailable", None)),
        ("busy", (503, "too_busy", None)),
        ("problem", (409, "conflict", "$.points")),
    ],
)
async def test_faults_are_problems_too(
    client: httpx.AsyncClient, how: str, expected: tuple[int, str, str | None]
) -> None:
    """A fault of ours is a 500 that shows nothing of itself; one of the world says when to come again."""
    response = await client.get(f"/v1/fails/{how}")
    assert problem_of(response) == expected
    assert "Kowalski" not in response.text
    assert ("retry-after" in response.headers) == (response.status_code == 503)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [("GET", "/nowhere", (404, "not_found", None)), ("DELETE", "/v1/slow", (405, "method_not_allowed", None))],
)
async def test_what_is_not_there(
    client: httpx.AsyncClient, method: str, path: str, expected: tuple[int, str, str | None]
) -> None:
    """Unknown paths and methods are problems as well."""
    assert problem_of(await client.request(method, path)) == expected


async def test_an_answer_that_takes_too_long_is_given_up(client: httpx.AsyncClient) -> None:
    """Until it begins; a stream that has begun goes on as long as it is read."""
    assert problem_of(await client.get("/v1/slow")) == (503, "too_slow", None)
    assert (await client.get("/v1/stream")).text == "line\n" * 4


async def test_too_many_requests_at_once_are_refused(client: httpx.AsyncClient) -> None:
    """Beyond the limit each is refused at once, probes excepted."""
    slow = [asyncio.create_task(client.get("/v1/slow")) for _ in range(5)]
    await asyncio.sleep(0.05)
    assert problem_of(await client.get("/v1/tagged")) == (503, "too_busy", None)
    assert (await client.get("/health/live")).status_code == 200
    await asyncio.gather(*slow)
    assert (await client.get("/v1/tagged")).status_code == 200


async def test_pages_follow_their_cursors(client: httpx.AsyncClient) -> None:
    """The next page begins where the last one ended; the limit has a maximum."""
    headers = {"Authorization": f"Bearer {token('ledger:read')}"}
    first = (await client.get("/v1/accounts?limit=15", headers=headers)).json()
    second = (await client.get(f"/v1/accounts?limit=99&cursor={first['next_cursor']}", headers=headers)).json()
    assert (first["from"], first["limit"], second["from"], second["limit"]) == (0, 15, 15, 20)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=0", (422, "out_of_range", "query.limit")),
        ("limit=x", (422, "not_a_whole_number", "query.limit")),
        ("cursor=abc", (400, "cursor_invalid", "query.cursor")),
        ("cursor=%00%ff", (400, "cursor_invalid", "query.cursor")),
        ("cursor=" + "A" * 600, (400, "cursor_invalid", "query.cursor")),
        ("cursor=" + encode_cursor("others", [5]), (400, "cursor_invalid", "query.cursor")),
        ("cursor=" + encode_cursor("accounts", ["5"]), (400, "cursor_invalid", "query.cursor")),
    ],
)
async def test_a_cursor_that_was_not_made_here_is_refused(
    client: httpx.AsyncClient, query: str, expected: tuple[int, str, str]
) -> None:
    """Made up, cut, of another list, or of other types."""
    headers = {"Authorization": f"Bearer {token('ledger:read')}"}
    assert problem_of(await client.get(f"/v1/accounts?{query}", headers=headers)) == expected


async def test_what_the_caller_holds_is_not_sent_again(client: httpx.AsyncClient) -> None:
    """With its tag the answer is 304 without a body; with another it is sent."""
    first = await client.get("/v1/tagged")
    tag = first.headers["etag"]
    for held, status in ((tag, 304), (f'"other", W/{tag}', 304), ("*", 304), ('"other"', 200)):
        assert (await client.get("/v1/tagged", headers={"If-None-Match": held})).status_code == status


async def test_probes_and_documents(client: httpx.AsyncClient) -> None:
    """Live while it answers, not ready with the reason, metrics for Prometheus, and its own documents."""
    assert (await client.get("/health/live")).json() == {"status": "live"}
    ready = await client.get("/health/ready")
    assert (ready.status_code, ready.json()) == (503, {"status": "not_ready", "problems": {"postgres": "gone"}})
    await client.get("/v1/tagged")
    metrics = (await client.get("/metrics")).text
    assert 'bonus_http_seconds_count{method="GET",route="/v1/tagged",service="test",status="200"}' in metrics
    document = (await client.get("/openapi.json")).json()
    operation = document["paths"]["/v1/accounts/{account_id}/redemptions"]["post"]
    assert operation["security"] == [{"bearer": []}]
    assert any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"])
    assert "application/problem+json" in operation["responses"]["default"]["content"]
    assert (await client.get("/docs")).status_code == 200


def test_a_fingerprint_is_of_the_content_not_of_its_writing() -> None:
    """The order of fields says nothing; a value does."""
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def test_a_key_is_scoped_by_tenant_caller_and_route() -> None:
    """The same key of another tenant, caller or route is another key."""
    scopes = {
        scope_of(Caller(subject, tenant, frozenset()), route)
        for subject in ("a", "b")
        for tenant in ("t", "u")
        for route in ("x", "y")
    }
    assert len(scopes) == 8
