"""Metrics of every process, in the default registry of prometheus-client.

Labels are words of the code (service, processor, verdict, topic, code), never ids.
"""

from collections import Counter as Tally
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from services.runtime.messages import Message
from services.runtime.telemetry import tracing

_STEP_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_VISIBLE_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0, 3600.0)
_BATCH_BUCKETS: Final = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)

STEPS: Final = ("wait", "take", "process", "finish")
"""Of a transaction: until its turn and a connection, until it holds its shards, deciding and writing, committing."""

MESSAGES: Final = Counter("bonus_messages_total", "Messages decided, by verdict.", ["service", "processor", "verdict"])
BATCH_SECONDS: Final = Histogram(
    "bonus_batch_seconds", "Steps of a shard's transaction.", ["processor", "step"], buckets=_STEP_BUCKETS
)
BATCH_MESSAGES: Final = Histogram(
    "bonus_batch_messages", "Messages in a shard's transaction.", ["processor"], buckets=_BATCH_BUCKETS
)
COMMIT_SECONDS: Final = Histogram(
    "bonus_commit_seconds", "Moving a shard's head and committing.", ["service"], buckets=_STEP_BUCKETS
)
VISIBLE_SECONDS: Final = Histogram(
    "bonus_visible_seconds",
    "From the publication of a message, the first of its trace, to a commit.",
    ["processor"],
    buckets=_VISIBLE_BUCKETS,
)
CONSUMER_LAG: Final = Gauge("bonus_consumer_lag", "Messages of a topic not yet taken.", ["group", "topic"])
PAUSED_PARTITIONS: Final = Gauge("bonus_paused_partitions", "Partitions that wait, and why.", ["group", "reason"])
RELAY_LAG: Final = Gauge("bonus_relay_lag", "Log entries not yet published.", ["service"])
RELAYED: Final = Counter("bonus_relayed_total", "Log entries published.", ["service"])
DEAD_LETTERS: Final = Counter("bonus_dead_letters_total", "Messages set aside.", ["topic", "code"])
DEAD_LETTERS_STOPPED: Final = Gauge(
    "bonus_dead_letters_stopped", "1: too many dead letters in a minute, nothing more is set aside.", ["service"]
)
QUEUED_COMMANDS: Final = Gauge("bonus_queued_commands", "HTTP commands waiting for their transaction.", ["service"])
POINTS: Final = Counter("bonus_points_total", "Points moved, smallest unit.", ["programme", "currency", "kind"])
HTTP_SECONDS: Final = Histogram(
    "bonus_http_seconds", "Answers over HTTP.", ["service", "method", "route", "status"], buckets=_STEP_BUCKETS
)


class ProcessorMetrics:
    """The metrics of one processor in one service, with their labels bound once."""

    def __init__(self, service: str, processor: str) -> None:
        self._service = service
        self._processor = processor
        self._verdicts: dict[str, Counter] = {}
        self._visible = VISIBLE_SECONDS.labels(processor)
        self._messages = BATCH_MESSAGES.labels(processor)
        self.steps = {step: BATCH_SECONDS.labels(processor, step) for step in STEPS}
        self.queued = QUEUED_COMMANDS.labels(service)

    def decided(self, messages: Sequence[Message], kinds: Sequence[str], now: datetime) -> None:
        """Count what a committed transaction decided."""
        self._messages.observe(len(messages))
        for kind, count in Tally(kinds).items():
            counter = self._verdicts.get(kind)
            if counter is None:
                counter = self._verdicts[kind] = MESSAGES.labels(self._service, self._processor, kind)
            counter.inc(count)
        for message in messages:
            if message.published_at is not None:
                # From the first message of its trace where that is known, through all hops; else from this message.
                began_at = tracing.begun_at(message.traceparent) or message.published_at
                self._visible.observe(max(0.0, (now - began_at).total_seconds()))
