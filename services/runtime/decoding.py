"""From a Kafka record to a message: parsed once, validated once, or a reason why not.

Source: CloudEvents 1.0.2, Kafka protocol binding: structured mode (`application/cloudevents+json`), and binary mode
with the attributes in headers `ce_…`.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import orjson
from pydantic import ValidationError

from contracts.catalogue import MODELS, TOPIC_OF_TYPE
from contracts.envelope import DEFAULT_TENANT, MAX_ID_LENGTH, MAX_TEXT_LENGTH, CloudEvent
from contracts.problems import FieldProblem, problems_of
from contracts.topics import TOPICS
from services.runtime.dead_letters import DeadLetter
from services.runtime.messages import Message
from services.runtime.telemetry import tracing

_VERSION: Final = re.compile(r"\.v[0-9]{1,4}\Z")
_IN_DATA: Final = re.compile(r"\$\.data(\Z|[.\[])")
_STEMS: Final = frozenset(_VERSION.sub("", name) for name in MODELS)
_TOPICS: Final = frozenset(topic.name for topic in TOPICS)
_HEADER_PREFIX: Final = "ce_"
_TRACE_HEADER: Final = "traceparent"


class UnknownVersionError(Exception):
    """A version of a known type that this release cannot read: the partition waits for a release that can."""


class Record(Protocol):
    """What is needed of aiokafka's ConsumerRecord."""

    @property
    def partition(self) -> int: ...  # noqa: D102 - Kafka's own word

    @property
    def offset(self) -> int: ...  # noqa: D102 - Kafka's own word

    @property
    def timestamp(self) -> int:
        """When it was published, in milliseconds since the epoch."""
        ...

    @property
    def key(self) -> bytes | None: ...  # noqa: D102 - Kafka's own word

    @property
    def value(self) -> bytes | None: ...  # noqa: D102 - Kafka's own word

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...  # noqa: D102 - Kafka's own word


Wants = Callable[[str, dict[str, Any]], bool]


def decode(
    record: Record, topic: str, max_bytes: int, wants: Wants | None = None, *, trusts: bool = False
) -> Message | DeadLetter | None:
    """The message in a record of `topic` (its name without prefix).

    None for a tombstone of a compacted topic, and for what its processor does not want (see shard.Selective). For a
    processor that trusts its messages the envelope alone is validated (see shard.Trusting).

    A DeadLetter says why it is none: `too_large`, `not_json`, `not_a_cloud_event`, `unknown_type`, `wrong_topic`.
    Data that is not what its type says is no dead letter: the message has `problems`, and its processor decides.
    Raises `UnknownVersionError`.
    """
    if record.value is None:
        return None
    message = _blank(record, topic)
    if len(record.value) > max_bytes:
        return DeadLetter(message, "too_large", f"{len(record.value)} bytes; a message has at most {max_bytes}")
    headers = dict(record.headers) if record.headers else {}
    try:
        content = orjson.loads(record.value)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        return DeadLetter(message, "not_json", f"this is not JSON: {error.msg} at {place}")
    if "ce_type" in headers:
        content = _unfolded(headers, content)
    if not isinstance(content, dict):
        return DeadLetter(message, "not_a_cloud_event", "a message is a CloudEvent, an object: { … }")
    return _validated(message, content, headers.get(_TRACE_HEADER), wants, trusts=trusts)


def _blank(record: Record, topic: str) -> Message:
    return Message(
        type="",
        id="",
        source="",
        tenant=DEFAULT_TENANT,
        topic=topic,
        partition=record.partition,
        offset=record.offset,
        published_at=_instant(record.timestamp),
        body=record.value or b"",
        record_key=record.key,
    )


def _instant(timestamp_ms: int) -> datetime | None:
    # Producers may write any number here; it is used for measuring alone.
    try:
        return datetime.fromtimestamp(timestamp_ms / 1_000, UTC) if timestamp_ms > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def _unfolded(headers: dict[str, bytes], data: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    attributes: dict[str, Any] = {
        name.removeprefix(_HEADER_PREFIX): value.decode(errors="replace")
        for name, value in headers.items()
        if name.startswith(_HEADER_PREFIX)
    }
    return attributes | {"datacontenttype": "application/json", "data": data}


def _validated(
    message: Message,
    content: dict[str, Any],
    trace: bytes | None,
    wants: Wants | None,
    *,
    trusts: bool,
) -> Message | DeadLetter | None:
    message.content = content
    named = content.get("type")
    message.type = named if isinstance(named, str) else ""
    message.traceparent = _traceparent(content, trace)
    model = MODELS.get(message.type)
    if model is None:
        return _unknown(message)
    if message.topic in _TOPICS and TOPIC_OF_TYPE.get(message.type, message.topic) != message.topic:
        return DeadLetter(message, "wrong_topic", f"{message.type} belongs on {TOPIC_OF_TYPE[message.type]}")
    if wants is not None and not wants(message.type, content):
        return None
    try:
        event: CloudEvent = (CloudEvent if trusts else model).model_validate(content)
    except ValidationError as error:
        return _with_problems(message, problems_of(error))
    message.id, message.source, message.tenant, message.event = event.id, event.source, event.tenant, event
    if message.traceparent is None and message.published_at is not None:
        message.traceparent = tracing.begin(int(message.published_at.timestamp() * 1_000), event.source, event.id)
    return message


def _unknown(message: Message) -> DeadLetter:
    if not message.type:
        return DeadLetter(message, "not_a_cloud_event", "a CloudEvent names its type")
    if _VERSION.search(message.type) and _VERSION.sub("", message.type) in _STEMS:
        raise UnknownVersionError(f"{message.type} is a version that this release does not know")
    return DeadLetter(message, "unknown_type", "no message has this type")


def _with_problems(message: Message, problems: tuple[FieldProblem, ...]) -> Message | DeadLetter:
    envelope = [each for each in problems if not _IN_DATA.match(each.field)]
    if envelope:
        reason = "; ".join(f"{each.field}: {each.message}" for each in envelope)
        return DeadLetter(message, "not_a_cloud_event", reason.replace("\x00", "")[:MAX_TEXT_LENGTH])
    content = message.content
    message.id = str(content["id"])[:MAX_ID_LENGTH]
    message.source = str(content["source"])[:MAX_ID_LENGTH]
    message.tenant = content.get("tenant", DEFAULT_TENANT)
    message.problems = problems
    return message


def _traceparent(content: dict[str, Any], header: bytes | None) -> str | None:
    """The trace that the message belongs to, as its header or its attribute says; broken ones are left out."""
    if header is not None:
        return tracing.known(header)
    named = content.get(_TRACE_HEADER)
    return named if isinstance(named, str) and tracing.is_valid(named) else None
