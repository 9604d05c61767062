"""No input makes the API fail: requests made from its own OpenAPI document, good and bad."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from services.notifier.api import application
from services.runtime import tokens
from services.runtime.http.server import HttpServer

KEY = Ed25519PrivateKey.generate()
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
EXAMPLES = 40


def exercise(url: str, headers: dict[str, str]) -> dict[str, set[int]]:
    """Call every operation with generated requests; the statuses of each."""
    document = schemathesis.openapi.from_url(f"{url}/openapi.json")
    statuses: dict[str, set[int]] = {}
    for result in document.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        statuses[operation.label] = set()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            # Where any text is a token and any form is read, there is no bad request to make.
            with suppress(Unsatisfiable):
                call_all(operation.as_strategy(generation_mode=mode), url, headers, statuses[operation.label])
    return statuses


def call_all(cases: Any, url: str, headers: dict[str, str], seen: set[int]) -> None:
    """Send many of these requests; none may fail on the server's side."""

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def call(case: Any) -> None:
        response = case.call(base_url=url, headers=headers)
        seen.add(response.status_code)
        assert response.status_code < 500, response.text

    call()


@pytest.mark.slow
async def test_no_input_makes_a_route_fail(notifier: Any) -> None:
    """Each operation answers what it is asked, or says what is wrong with it."""
    app = application(notifier.settings, notifier.parts)
    app.state.token_key = PUBLIC
    scopes = ("notifier:read", "notifier:write")
    token = tokens.issue(PRIVATE, subject="t", tenant="default", scopes=scopes, now=datetime.now(UTC), lifetime_s=600)
    server = HttpServer(app, "127.0.0.1", 0, grace_s=1)
    serving = asyncio.create_task(server.run())
    try:
        url = f"http://127.0.0.1:{await server.port()}"
        statuses = await asyncio.to_thread(exercise, url, {"Authorization": f"Bearer {token}"})
    finally:
        server.stop()
        await serving
    assert len(statuses) == 12
    assert all(any(status < 300 or status in {404, 422} for status in seen) for seen in statuses.values())
