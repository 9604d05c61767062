"""The API of rules for tests: its parts on the desk's database, and a caller who may read and write."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI

from contracts import ids
from services.rules.api import application
from services.rules.api.outcomes import Outcome, Points
from services.rules.api.state import Parts
from services.rules.identify.queries import Queries
from services.rules.settings import RulesSettings
from services.runtime import tokens

DECISION = ids.derive("decision")


class Decided:
    """Decisions as the decide worker would have taken them: 5 % of each purchase that is asked for, once `on`."""

    def __init__(self) -> None:
        self.on = False

    async def of_purchases(  # noqa: D102
        self, pool: object, wanted: Sequence[tuple[UUID, UUID]]
    ) -> Mapping[UUID, Outcome]:
        del pool
        points = (Points("points", 2, 4_000, 20_000),)
        outcome = Outcome(DECISION, "booked", points, None, {"rules": ["cashback"]})
        return {key: outcome for _, key in wanted} if self.on else {}


def app_of(desk: Any, decided: Decided) -> tuple[FastAPI, dict[str, str]]:
    """The API of rules on the desk's database, and the header of a caller who may read and write."""
    parts = Parts(
        desk.identify,
        desk.index,
        desk.pool,
        Queries(desk.pool, desk.pseudonyms, desk.vault),
        decided,
        desk.vault,
        lambda: desk.clock[0],
    )
    app = application(RulesSettings(), parts)
    private, app.state.token_key = tokens.new_key_pair()
    app.state.clock = lambda: desk.clock[0]
    token = tokens.issue(
        private,
        subject="till-3",
        tenant="default",
        scopes=("rules:read", "rules:write"),
        now=desk.clock[0],
        lifetime_s=30 * 24 * 3600,
    )
    return app, {"authorization": f"Bearer {token}"}


def client_of(desk: Any, decided: Decided) -> httpx.AsyncClient:
    """A client of the API of rules on the desk's database."""
    app, headers = app_of(desk, decided)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rules", headers=headers)


async def post(api: httpx.AsyncClient, path: str, body: Any, key: str) -> httpx.Response:
    """Send a body under an Idempotency-Key."""
    return await api.post(path, json=body, headers={"Idempotency-Key": key})
