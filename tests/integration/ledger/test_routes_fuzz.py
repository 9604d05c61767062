"""No input makes a route of the books fail: requests made from their own OpenAPI document, good and bad."""

import asyncio
from typing import Any, Final
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from services.ledger.api import application
from services.runtime.http.server import HttpServer
from tests.integration.ledger.conftest import POINTS, PUBLIC, Api, Books, Member, accrual, days, token

EXAMPLES: Final = 10
"""Of each operation, and of each mode: good requests, and bad ones."""


def exercise(url: str, headers: dict[str, str], ids: dict[str, str]) -> dict[str, set[int]]:
    """Call every operation with generated requests, half of them on an account that is there; the statuses of each."""
    statuses: dict[str, set[int]] = {}
    for result in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        seen = statuses[operation.label] = set()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            call_all(operation.as_strategy(generation_mode=mode), url, headers, ids, seen)
    return statuses


def call_all(cases: Any, url: str, headers: dict[str, str], ids: dict[str, str], seen: set[int]) -> None:
    """Send many of these requests, each under a key of its own; none may fail on the server's side."""
    count = 0

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def call(case: Any) -> None:
        nonlocal count
        count += 1
        if count % 2:
            case.path_parameters = {name: ids.get(name, value) for name, value in (case.path_parameters or {}).items()}
            if isinstance(case.body, dict) and "currency" in case.body:
                case.body["currency"] = POINTS
        response = case.call(base_url=url, headers=headers | {"Idempotency-Key": str(uuid4())})
        seen.add(response.status_code)
        assert response.status_code < 500, response.text
        if response.status_code >= 400:
            assert response.headers["content-type"] == ["application/problem+json"]
            assert response.json()["code"]

    call()


@pytest.mark.slow
async def test_no_input_makes_a_route_fail(books: Books, api: Api, member: Member) -> None:
    """Each operation answers what it is asked, or says with a code what is wrong with it."""
    await books.publish()
    await books.take(accrual(member, "p1", 1_000_000_00, expires_at=books.clock.now + days(90)))
    hold = await api.post(f"/accounts/{member.account}/holds", {"currency": POINTS, "points": "10.00"})
    redemption = await api.redeem(member, "10.00")
    ids = {
        "account_id": str(member.account), "programme": member.programme, "hold_id": hold.json()["hold_id"],
        "redemption_id": redemption.json()["redemption_id"],
    }  # fmt: skip
    books.settings.ledger_position_wait_ms = 0
    app = application.create(books.settings, books.parts)
    app.state.token_key = PUBLIC
    server = HttpServer(app, "127.0.0.1", 0, grace_s=1)
    serving = asyncio.create_task(server.run())
    try:
        url = f"http://127.0.0.1:{await server.port()}"
        statuses = await asyncio.to_thread(exercise, url, token(), ids)
    finally:
        server.stop()
        await serving
    assert len(statuses) == 20
    assert all(seen & {200, 201, 404, 409, 422} for seen in statuses.values()), statuses
