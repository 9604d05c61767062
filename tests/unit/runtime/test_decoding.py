"""From record to message: every way in which a message can be wrong has a code and a reason of its own."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from contracts.activities import ActivityRecorded
from services.runtime.dead_letters import DeadLetter
from services.runtime.decoding import UnknownVersionError, decode
from services.runtime.messages import Message
from services.runtime.telemetry import tracing

TOPIC = "bonus.activities.v1"
MAX_BYTES = 10_000
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass
class Record:
    """What stands for aiokafka's record."""

    value: bytes | None
    key: bytes | None = b"card:1"
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int = 3
    offset: int = 7
    timestamp: int = 1_772_726_651_000


def event(**changes: Any) -> dict[str, Any]:
    whole = {
        "specversion": "1.0",
        "type": "bonus.activity.recorded.v1",
        "id": "e1",
        "source": "urn:test",
        "time": "2026-03-05T17:04:11+01:00",
        "tenant": "acme",
        "unknown": {"kept": True},
        "data": {
            "activity_id": "a1",
            "programme": "grocer",
            "name": "check-in",
            "occurred_at": "2026-03-05T17:04:11+01:00",
            "member": {"type": "card", "value": "1"},
        },
    } | changes
    return {name: value for name, value in whole.items() if value is not ...}


def decoded(value: Any, topic: str = TOPIC, **changes: Any) -> Message | DeadLetter | None:
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    return decode(Record(body, **changes), topic, MAX_BYTES)


def test_a_good_message_keeps_everything() -> None:
    """The whole event is kept as it was parsed, unknown fields too, and where and when it came from."""
    message = decoded(event(), headers=(("traceparent", TRACE.encode()),))
    assert isinstance(message, Message)
    assert message.content == event()
    assert message.event == ActivityRecorded.model_validate(event())
    assert (message.type, message.id, message.source, message.tenant) == (
        "bonus.activity.recorded.v1", "e1", "urn:test", "acme",
    )  # fmt: skip
    assert (message.topic, message.partition, message.offset) == (TOPIC, 3, 7)
    assert message.published_at == datetime(2026, 3, 5, 16, 4, 11, tzinfo=UTC)
    assert (message.traceparent, message.record_key, message.problems) == (TRACE, b"card:1", ())
    assert message.from_kafka


def test_binary_mode_gives_the_same_content() -> None:
    """Attributes come from the headers, the data from the value."""
    whole = event(unknown=...)
    headers = [(f"ce_{name}", str(value).encode()) for name, value in whole.items() if name != "data"]
    message = decoded(whole["data"], headers=(*headers, ("content-type", b"application/json")))
    assert isinstance(message, Message)
    assert message.event == ActivityRecorded.model_validate(whole)


@dataclass
class Wrong:
    """A body, and the code under which it is set aside."""

    code: str
    body: Any
    reason: str = ""
    topic: str = TOPIC
    headers: tuple[tuple[str, bytes], ...] = field(default_factory=tuple)


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong("not_json", b"{", "this is not JSON"),
        Wrong("not_json", b"", "this is not JSON"),
        Wrong("not_json", b'{"a": 1e400}', "infinity"),
        Wrong("not_json", b"[" * 5_000, "depth"),
        Wrong("not_json", b'"\xff"', "this is not JSON"),
        Wrong("not_json", b'"\\ud800"', "this is not JSON"),
        Wrong("too_large", b" " * (MAX_BYTES + 1), f"at most {MAX_BYTES}"),
        Wrong("not_a_cloud_event", [], "an object"),
        Wrong("not_a_cloud_event", {}, "names its type"),
        Wrong("not_a_cloud_event", event(type=5), "names its type"),
        Wrong("not_a_cloud_event", event(id=...), "$.id"),
        Wrong("not_a_cloud_event", event(id="x" * 201), "$.id"),
        Wrong("not_a_cloud_event", event(specversion="0.3"), "$.specversion"),
        Wrong("not_a_cloud_event", event(time="2026-03-05T17:04:11"), "$.time"),
        Wrong("not_a_cloud_event", event(datacontenttype="text/xml"), "$.datacontenttype"),
        Wrong("unknown_type", event(type="bonus.nothing.v1")),
        Wrong("wrong_topic", event(), "bonus.activities.v1", topic="bonus.purchases.v1"),
    ],
    ids=lambda wrong: f"{wrong.code} {str(wrong.body)[:20]}",
)
def test_what_is_no_message_is_set_aside_with_its_reason(wrong: Wrong) -> None:
    """A code for programs, a reason for people, and the place it came from."""
    letter = decoded(wrong.body, wrong.topic)
    assert isinstance(letter, DeadLetter)
    assert letter.code == wrong.code
    assert wrong.reason.lower() in letter.reason.lower()
    assert (letter.message.partition, letter.message.offset) == (3, 7)
    assert 0 <= letter.shard < 64


def test_wrong_data_is_left_to_the_processor() -> None:
    """An envelope that is good makes a message; what is wrong with its data is listed by field."""
    message = decoded(event(data=event()["data"] | {"programme": "", "occurred_at": 5}))
    assert isinstance(message, Message)
    assert message.event is None
    assert [(problem.field, problem.code) for problem in message.problems] == [
        ("$.data.programme", "too_short"),
        ("$.data.occurred_at", "not_a_time"),
    ]
    assert (message.id, message.tenant) == ("e1", "acme")


@pytest.mark.parametrize("data", [None, [], "text", ...])
def test_data_of_another_kind_is_wrong_data(data: object) -> None:
    """Whatever stands in `data`, the processor gets a message with its problems."""
    message = decoded(event(data=data))
    assert isinstance(message, Message)
    assert message.problems


def test_a_tombstone_is_no_message() -> None:
    """An empty value of a compacted topic is passed over."""
    assert decode(Record(None), TOPIC, MAX_BYTES) is None


def test_an_unknown_version_of_a_known_type_waits() -> None:
    """It is for a later release: neither read wrongly nor set aside."""
    with pytest.raises(UnknownVersionError, match=r"recorded\.v2"):
        decoded(event(type="bonus.activity.recorded.v2"))


@pytest.mark.parametrize("trace", [b"\x00", b"00-\xff", b"x" * 500, TRACE.encode() + b"\x00"])
def test_a_broken_trace_is_left_out(trace: bytes) -> None:
    """What no column takes must not stop a good message; a trace of its own begins with it."""
    message = decoded(event(), headers=(("traceparent", trace),))
    assert isinstance(message, Message)
    assert message.traceparent == tracing.begin(1_772_726_651_000, "urn:test", "e1")


def test_a_processor_sees_only_what_it_wants() -> None:
    """What is of no use to it is passed over; what is, is told by type and content."""
    asked: list[tuple[str, str]] = []

    def wants(message_type: str, content: dict[str, Any]) -> bool:
        asked.append((message_type, content["id"]))
        return bool(content["data"]["name"] == "review")

    record = Record(orjson.dumps(event()))
    assert decode(record, TOPIC, MAX_BYTES, wants) is None
    assert asked == [("bonus.activity.recorded.v1", "e1")]
    wanted = Record(orjson.dumps(event(data=event()["data"] | {"name": "review"})))
    assert isinstance(decode(wanted, TOPIC, MAX_BYTES, wants), Message)


def test_for_a_trusting_processor_the_envelope_alone_is_checked() -> None:
    """Its data is as parsed, whatever stands there; a broken envelope is set aside as ever."""
    message = decode(Record(orjson.dumps(event(data={"any": 1}))), TOPIC, MAX_BYTES, trusts=True)
    assert isinstance(message, Message)
    assert (message.problems, message.content["data"], message.id) == ((), {"any": 1}, "e1")
    assert isinstance(decode(Record(orjson.dumps(event(id=""))), TOPIC, MAX_BYTES, trusts=True), DeadLetter)


@pytest.mark.parametrize("timestamp", [-1, 0, 2**62])
def test_an_absurd_timestamp_is_no_timestamp(timestamp: int) -> None:
    """Producers may write any number; it measures, and decides nothing."""
    message = decoded(event(), timestamp=timestamp)
    assert isinstance(message, Message)
    assert message.published_at is None
