"""No input makes a route of purchases, returns, activities or members fail: requests from the OpenAPI document."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from services.runtime.http.server import HttpServer
from tests.integration.rules.identify.http import Decided, app_of

EXAMPLES = 30
OURS = ("purchases", "returns", "activities", "members", "households", "refusals")


def exercise(url: str, headers: dict[str, str]) -> dict[str, set[int]]:
    """Call our operations with generated requests; the statuses of each."""
    statuses: dict[str, set[int]] = {}
    for result in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        if operation.path.split("/")[2] not in OURS:
            continue
        statuses[operation.label] = set()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            call_all(operation.as_strategy(generation_mode=mode), url, headers, statuses[operation.label])
    return statuses


def call_all(cases: Any, url: str, headers: dict[str, str], seen: set[int]) -> None:
    """Send many of these requests, each under a key of its own; none may fail on the server's side."""

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def call(case: Any) -> None:
        response = case.call(base_url=url, headers=headers | {"Idempotency-Key": str(uuid4())})
        seen.add(response.status_code)
        assert response.status_code < 500, response.text

    call()


@pytest.mark.slow
async def test_no_input_makes_a_route_fail(desk: Any) -> None:
    """Each operation answers what it is asked, or says what is wrong with it."""
    decided = Decided()
    decided.on = True
    app, headers = app_of(desk, decided)
    server = HttpServer(app, "127.0.0.1", 0, grace_s=1)
    serving = asyncio.create_task(server.run())
    try:
        url = f"http://127.0.0.1:{await server.port()}"
        statuses = await asyncio.to_thread(exercise, url, headers)
    finally:
        server.stop()
        await serving
    assert len(statuses) == 16
    assert all(any(status < 300 or status in {404, 409, 422} for status in seen) for seen in statuses.values())
