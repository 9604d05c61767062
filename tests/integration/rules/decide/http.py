"""The API of rules on a counter's database, and a caller who may publish."""

from typing import Any

import httpx

from services.rules.api import application
from services.rules.api.state import Parts
from services.rules.decide.queries import Decisions
from services.rules.settings import RulesSettings
from services.runtime import tokens
from tests.integration.rules.decide.conftest import Counter


def client_of(
    counter: Counter, *, tenant: str = "default", scopes: tuple[str, ...] = ("rules:read", "programmes:write")
) -> httpx.AsyncClient:
    """A client with a token. Purchases and members are others' business: their parts are left out."""
    left_out: Any = None
    parts = Parts(
        counter.decide, left_out, counter.pool, left_out, Decisions(), counter.vault, lambda: counter.clock[0]
    )
    app = application(RulesSettings(programme_lead_s=60), parts)
    private, app.state.token_key = tokens.new_key_pair()
    app.state.clock = lambda: counter.clock[0]
    token = tokens.issue(
        private, subject="marketing", tenant=tenant, scopes=scopes, now=counter.clock[0], lifetime_s=86_400
    )
    headers = {"authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rules", headers=headers)


async def put_file(api: httpx.AsyncClient, file: str, key: str, programme: str = "club") -> httpx.Response:
    """Send a programme file."""
    headers = {"Idempotency-Key": key, "content-type": "application/yaml"}
    return await api.post(f"/v1/programmes/{programme}/versions", content=file, headers=headers)


async def ask(api: httpx.AsyncClient, path: str, key: str, body: Any = None) -> httpx.Response:
    """Ask for a change of the club."""
    return await api.post(f"/v1/programmes/club/{path}", json=body, headers={"Idempotency-Key": key})
