"""What operators and Kubernetes ask: does it live, is it ready, and its metrics."""

from collections.abc import Awaitable, Callable
from typing import Final

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.runtime.health import Health

_JSON: Final = "application/json"
_READY: Final = 200
_NOT_READY: Final = 503


def probe_routes(health: Health) -> list[BaseRoute]:
    """The routes `/health/live`, `/health/ready` and `/metrics`."""
    return [
        Route("/health/live", _live, include_in_schema=False),
        Route("/health/ready", _ready(health), include_in_schema=False),
        Route("/metrics", _metrics, include_in_schema=False),
    ]


async def _live(_: Request) -> Response:
    return Response(orjson.dumps({"status": "live"}), media_type=_JSON)


def _ready(health: Health) -> Callable[[Request], Awaitable[Response]]:
    async def ready(_: Request) -> Response:
        problems = await health.problems()
        document = {"status": "not_ready" if problems else "ready", "problems": problems}
        return Response(orjson.dumps(document), _NOT_READY if problems else _READY, media_type=_JSON)

    return ready


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
