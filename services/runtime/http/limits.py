"""The outermost layer of every API: size, time and number of requests, faults as problems, the access log, metrics.

One plain ASGI layer, because each request pays for every layer.
"""

import asyncio
import re
import time
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.runtime.http.problems import Problem, unavailable
from services.runtime.postgres import is_world_fault
from services.runtime.settings import RuntimeSettings
from services.runtime.shard import Overloaded
from services.runtime.telemetry import tracing
from services.runtime.telemetry.metrics import HTTP_SECONDS

log = structlog.get_logger("http")

_QUIET: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
_UNMATCHED: Final = "unmatched"
_CLIENT_GONE: Final = 499
_SERVER_FAULT: Final = 500
_DIGITS: Final = re.compile(rb"[0-9]{1,18}\Z")


class BodyTooLargeError(Exception):
    """More bytes came than a body may have."""


class Limits:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, *, service: str, settings: RuntimeSettings) -> None:
        self._app = app
        self._service = service
        self._body_max = settings.http_body_max_bytes
        self._timeout_s = settings.http_timeout_s
        self._concurrency_max = settings.http_concurrency_max
        self._log = settings.http_access_log
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        exchange = _Exchange(scope, receive, send, self._body_max)
        self._running += 1
        try:
            await self._answer(exchange)
        finally:
            self._running -= 1
            self._note(exchange, time.perf_counter() - started)

    async def _answer(self, exchange: "_Exchange") -> None:
        scope = exchange.scope
        given = tracing.known(_header(scope, b"traceparent"))
        scope["bonus.traced"] = given is not None
        scope["bonus.traceparent"] = given or tracing.new_traceparent()
        try:
            self._check_room(scope)
            exchange.check_length()
            async with asyncio.timeout(self._timeout_s) as timeout:
                exchange.timeout = timeout
                with tracing.server_span(scope):
                    await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:
            exchange.timeout = None
            if exchange.status is not None:
                # The answer has begun; it cannot be taken back, only cut short.
                raise
            problem = _problem_of(error)
            if problem.status == _SERVER_FAULT:
                log.exception("request failed", route=_route(scope))
            await problem.response()(scope, exchange.receive, exchange.send)

    def _check_room(self, scope: Scope) -> None:
        if self._running > self._concurrency_max and scope["path"] not in _QUIET:
            raise unavailable("too many requests at once", code="too_busy")

    def _note(self, exchange: "_Exchange", seconds: float) -> None:
        scope = exchange.scope
        if scope["path"] in _QUIET:
            return
        route = _route(scope)
        status = exchange.status or _CLIENT_GONE
        HTTP_SECONDS.labels(self._service, scope["method"], route, status).observe(seconds)
        if self._log:
            log.info(
                "request",
                method=scope["method"], route=route, status=status, ms=round(seconds * 1_000, 2),
                caller=scope.get("bonus.caller"), trace_id=tracing.trace_id(scope["bonus.traceparent"]),
            )  # fmt: skip


class _Exchange:
    """One request and its answer: counts what comes in, notices when the answer begins."""

    __slots__ = ("_body_max", "_left", "_receive", "_send", "scope", "status", "timeout")

    def __init__(self, scope: Scope, receive: Receive, send: Send, body_max: int) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send
        self._body_max = body_max
        self._left = body_max
        self.status: int | None = None
        self.timeout: asyncio.Timeout | None = None

    def check_length(self) -> None:
        length = _header(self.scope, b"content-length")
        if length is not None and (_DIGITS.match(length) is None or int(length) > self._body_max):
            raise BodyTooLargeError

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise BodyTooLargeError
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._left < 0 and self.timeout is not None:
                # The framework took what `receive` raised for a body that cannot be read.
                raise BodyTooLargeError
            self.status = message["status"]
            if self.timeout is not None:
                # A long answer may stream as long as its reader takes it.
                self.timeout.reschedule(None)
        await self._send(message)


def _problem_of(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, BodyTooLargeError):
        return Problem(413, "body_too_large", "The body is too large")
    if isinstance(error, Overloaded):
        return unavailable("too many commands wait", code="too_busy")
    if isinstance(error, TimeoutError):
        return unavailable("it took too long; send it again with the same Idempotency-Key", code="too_slow")
    if is_world_fault(error):
        return unavailable("something that this service needs is away; send it again with the same Idempotency-Key")
    return Problem(_SERVER_FAULT, "fault", "This service failed", "the fault is in the log")


def _header(scope: Scope, name: bytes) -> bytes | None:
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


def _route(scope: Scope) -> str:
    # The template, not the path: ids and identifiers of members stay out of logs and metrics.
    route = scope.get("route")
    return getattr(route, "path", _UNMATCHED)
