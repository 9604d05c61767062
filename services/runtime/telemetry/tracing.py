"""Traces: `traceparent` is carried always; spans are made only where an OTLP endpoint is configured.

A trace that begins here says when: its id starts with 48 bits of milliseconds and a mark (as the ids of AWS X-Ray start
with seconds), so that each later hop can tell how long it took from the first message, with nothing else carried.

Source: W3C Trace Context, level 1. Without an endpoint nothing of OpenTelemetry is imported or paid for.
"""

import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

from services.runtime.messages import Message
from services.runtime.settings import RuntimeSettings

_PATTERN: Final = re.compile(r"00-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})\Z")
_ABSENT: Final = ("0" * 32, "0" * 16)
_MARK: Final = 0xB0B0
_MARK_TEXT: Final = f"{_MARK:04x}"
_MILLISECONDS_END: Final = 4_102_444_800_000
"""The year 2100: what is dated later was not dated by a clock."""


class _State:
    tracer: Any = None
    provider: Any = None


def start(settings: RuntimeSettings, name: str) -> None:
    """Make spans from here on, if an endpoint is configured; `name` is the process."""
    if not settings.otlp_endpoint:
        return
    # Imported here: a process without an endpoint does not load OpenTelemetry at all.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415

    provider = TracerProvider(
        id_generator=_dated_ids(),
        resource=Resource.create({"service.name": f"bonus-{name}"}),
        sampler=ParentBased(TraceIdRatioBased(settings.trace_sample)),
    )
    exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    use(provider)


def _dated_ids() -> Any:  # noqa: ANN401 - OpenTelemetry's IdGenerator
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415

    class DatedIds(RandomIdGenerator):
        """Trace ids that say when they began."""

        def generate_trace_id(self) -> int:
            return _dated_id(time.time_ns() // 1_000_000)

    return DatedIds()


def use(provider: Any) -> None:  # noqa: ANN401 - OpenTelemetry's TracerProvider, which is not imported here
    """Make spans with this provider."""
    _State.provider = provider
    _State.tracer = provider.get_tracer("bonus")


def stop() -> None:
    """Send what was recorded, and make no more spans."""
    if _State.provider is not None:
        _State.provider.shutdown()
    _State.provider = _State.tracer = None


def enabled() -> bool:
    """Whether spans are made."""
    return _State.tracer is not None


def known(header: bytes | None) -> str | None:
    """Give a traceparent as it came, None if there is none or it is broken."""
    text = header.decode("ascii", errors="replace") if header is not None else ""
    return text if is_valid(text) else None


def new_traceparent() -> str:
    """Begin a trace now; not sampled, because nobody records it here."""
    # Ids of traces guard nothing; the ordinary generator is quicker.
    return f"00-{_dated_id(time.time_ns() // 1_000_000):032x}-{random.getrandbits(64) or 1:016x}-00"


def begin(published_ms: int, source: str, message_id: str) -> str | None:
    """Begin the trace of a message that came without one: the same whenever it comes again.

    None where spans are made: then the first span begins the trace, and the sampler decides.
    """
    if enabled() or not 0 < published_ms < _MILLISECONDS_END:
        return None
    digest = blake2b(f"{source}\x1f{message_id}".encode(), digest_size=16).hexdigest()
    return f"00-{published_ms:012x}{_MARK:04x}{digest[:16]}-{digest[16:]}-00"


def begun_at(traceparent: str | None) -> datetime | None:
    """When a trace began, if it began here."""
    if traceparent is None or traceparent[15:19] != _MARK_TEXT:
        return None
    return datetime.fromtimestamp(int(traceparent[3:15], 16) / 1_000, UTC)


def _dated_id(now_ms: int) -> int:
    return now_ms << 80 | _MARK << 64 | random.getrandbits(64)


def is_valid(traceparent: str) -> bool:
    """Whether it is a traceparent of version 00 with ids that are not all zero."""
    match = _PATTERN.match(traceparent)
    return match is not None and match["trace"] != _ABSENT[0] and match["span"] != _ABSENT[1]


def trace_id(traceparent: str | None) -> str | None:
    """The id of the trace, for a log line."""
    match = _PATTERN.match(traceparent or "")
    return match["trace"] if match else None


@contextmanager
def server_span(scope: Mapping[str, Any]) -> Iterator[None]:
    """Record a request as a span below its traceparent; what it causes hangs below the span."""
    if _State.tracer is None:
        yield
        return
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 - loaded already where spans are made

    # Without a traceparent of its own the request begins a trace, and the sampler decides whether it is recorded.
    parent = _context(scope["bonus.traceparent"] if scope["bonus.traced"] else None)
    with _State.tracer.start_as_current_span(scope["method"], context=parent, kind=SpanKind.SERVER) as span:
        scope["bonus.traceparent"] = _traceparent(span)  # type: ignore[index] # ASGI's scope is a dict
        yield
        route = scope.get("route")
        span.update_name(f"{scope['method']} {getattr(route, 'path', 'unmatched')}")


@contextmanager
def message_spans(processor: str, messages: Sequence[Message]) -> Iterator[None]:
    """Record each message of a batch as a span below its own traceparent; entries it causes hang below the span."""
    if _State.tracer is None:
        yield
        return
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 - loaded already where spans are made

    spans = []
    for message in messages:
        attributes = {"messaging.destination.name": message.topic, "bonus.type": message.type}
        span = _State.tracer.start_span(
            f"{processor} {message.type}",
            context=_context(message.traceparent),
            kind=SpanKind.CONSUMER,
            attributes=attributes,
        )
        message.traceparent = _traceparent(span)
        spans.append(span)
    try:
        yield
    except BaseException as error:
        for span in spans:
            span.record_exception(error)
        raise
    finally:
        for span in spans:
            span.end()


def _context(traceparent: str | None) -> Any:  # noqa: ANN401 - OpenTelemetry's Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    return TraceContextTextMapPropagator().extract({"traceparent": traceparent} if traceparent else {})


def _traceparent(span: Any) -> str:  # noqa: ANN401 - OpenTelemetry's Span
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"
