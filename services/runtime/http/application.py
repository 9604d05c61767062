"""The FastAPI application of a service: problems, limits, probes and documents that all of them have."""

from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from contracts.problems import FieldProblem, problems_of_details
from services.runtime.health import Health
from services.runtime.http.limits import Limits
from services.runtime.http.probes import probe_routes
from services.runtime.http.problems import CONTENT_TYPE, Problem
from services.runtime.settings import RuntimeSettings
from services.runtime.writer import wall_clock

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]

_BODY: Final = "body"
_NOT_JSON: Final = "json_invalid"
_TELEMETRY_OFF: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}


class JsonRequest(Request):
    """A request whose body is parsed by orjson: quicker, and stricter (no NaN, no Infinity)."""

    async def json(self) -> Any:  # noqa: ANN401 - any JSON
        """Parse the body once."""
        if not hasattr(self, "_json"):
            self._json = orjson.loads(await self.body())
        return self._json


class JsonRoute(APIRoute):
    """The route class of every API here; routers take it too: `APIRouter(route_class=JsonRoute)`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Hand the request over as a `JsonRequest`."""
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            return await handle(JsonRequest(request.scope, request.receive))

        return handle_json


def create_app(  # noqa: PLR0913 - the parts of an application, all but three by name
    title: str,
    version: str,
    settings: RuntimeSettings,
    *,
    service: str,
    health: Health | None = None,
    lifespan: Lifespan | None = None,
    description: str = "",
) -> FastAPI:
    """An application with bearer tokens, problems, limits, access log, metrics and probes; routes come from routers."""
    app = FastAPI(
        title=title,
        version=version,
        description=description,
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Limits, service=service, settings=settings)],
        exception_handlers={
            Problem: _on_problem,
            RequestValidationError: _on_invalid,
            HTTPException: _on_http_exception,
        },
        telemetry=_TELEMETRY_OFF,
        responses={"default": _PROBLEM_RESPONSE},
        generate_unique_id_function=_operation_id,
    )
    app.router.route_class = JsonRoute
    app.router.routes.extend(probe_routes(health or Health()))
    key_file = settings.token_public_key_file
    app.state.token_key = key_file.read_bytes() if key_file is not None else None
    app.state.token_audience = settings.token_audience
    app.state.clock = wall_clock
    app.state.settings = settings
    return app


def invalid(problems: Sequence[FieldProblem]) -> Problem:
    """The answer to a request whose fields are wrong: the first of them is named, all are listed."""
    first = problems[0]
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        first.code,
        "The request is not valid",
        first.message,
        field=first.field,
        facts={"errors": [{"field": each.field, "code": each.code, "message": each.message} for each in problems]},
    )


async def _on_problem(_: Request, problem: Exception) -> Response:
    if not isinstance(problem, Problem):
        raise problem
    return problem.response()


async def _on_invalid(_: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    details = error.errors()
    if any(detail["type"] == _NOT_JSON for detail in details):
        return Problem(HTTPStatus.BAD_REQUEST, "not_json", "The body is not JSON", field="$").response()
    in_body = [detail | {"loc": tuple(detail["loc"][1:])} for detail in details if detail["loc"][0] == _BODY]
    elsewhere = [detail for detail in details if detail["loc"][0] != _BODY]
    problems = [
        # `query.limit`, `header.Idempotency-Key`: not in the body, so no JSON path.
        FieldProblem(each.field.removeprefix("$."), each.code, each.message)
        for each in problems_of_details(elsewhere)
    ]
    return invalid([*problems_of_details(in_body), *problems]).response()


async def _on_http_exception(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "_")
    return Problem(error.status_code, code, status.phrase, headers=dict(error.headers or {})).response()


def _operation_id(route: APIRoute) -> str:
    return route.name


_PROBLEM_RESPONSE: Final[dict[str, Any]] = {
    "description": "A problem (RFC 9457)",
    "content": {
        CONTENT_TYPE: {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "code"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "code": {"type": "string", "description": "Stable, for programs."},
                    "detail": {"type": "string"},
                    "field": {"type": "string", "description": "The path of the field that is wrong."},
                },
            }
        }
    },
}
