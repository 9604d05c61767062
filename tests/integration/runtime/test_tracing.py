"""One trace from a message to what it causes: spans where they are wanted, the header carried everywhere."""

from collections.abc import Iterator

import asyncpg
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.runtime.telemetry import tracing
from tests.integration.runtime.conftest import Publish, Running, Until
from tests.integration.runtime.tally import Tally, activity
from tests.integration.runtime.test_consumer import seen

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Spans of this test, kept in memory."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield exporter
    tracing.stop()


async def _consume(running: Running, publish: Publish, admin: asyncpg.Connection, until: Until) -> str:
    await publish([activity("770001") | {"traceparent": f"00-{TRACE}-{PARENT}-01"}])
    async with running(Tally()):
        await until(seen(admin, 1))
    return str(await admin.fetchval("select traceparent from rules.event"))


async def test_a_message_is_a_span_below_its_parent(
    running: Running, publish: Publish, admin: asyncpg.Connection, until: Until, spans: InMemorySpanExporter
) -> None:
    """The span hangs below the sender's, and what the message caused hangs below the span."""
    recorded = await _consume(running, publish, admin, until)
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert span.parent is not None
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, PARENT)
    assert recorded == f"00-{TRACE}-{span.context.span_id:016x}-01"
    assert span.name == "tally bonus.activity.recorded.v1"


async def test_without_an_endpoint_the_trace_is_only_carried(
    running: Running, publish: Publish, admin: asyncpg.Connection, until: Until
) -> None:
    """No span is made, and what the message caused has the sender's traceparent."""
    assert await _consume(running, publish, admin, until) == f"00-{TRACE}-{PARENT}-01"
