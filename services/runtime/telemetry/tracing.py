"""Traces: `traceparent` is carried always; spans are made only where an OTLP endpoint is configured.

Source: W3C Trace Context, level 1. Without an endpoint nothing of OpenTelemetry is imported or paid for.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from services.runtime.messages import Message
from services.runtime.settings import RuntimeSettings

_PATTERN: Final = re.compile(r"00-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})\Z")
_ABSENT: Final = ("0" * 32, "0" * 16)


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
        resource=Resource.create({"service.name": f"bonus-{name}"}),
        sampler=ParentBased(TraceIdRatioBased(settings.trace_sample)),
    )
    exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    use(provider)


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


def incoming(header: bytes | None) -> str:
    """Give the traceparent of a request, or a new one if it has none or a broken one."""
    text = header.decode("ascii", errors="replace") if header is not None else ""
    return text if is_valid(text) else new_traceparent()


def new_traceparent() -> str:
    """Begin a trace. Sampled, so that whoever records further on records all of it."""
    # Ids of traces guard nothing; the ordinary generator is quicker.
    return f"00-{random.getrandbits(128):032x}-{random.getrandbits(64):016x}-01"


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

    parent = _context(scope["bonus.traceparent"])
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
