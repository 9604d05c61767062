"""Small pieces of the runtime: the chain of a log, pauses, the dead-letter budget, traces, log lines."""

import io
import logging
import sys
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
import pytest
import structlog

from contracts.dead_letters import DeadLetterRecorded
from services.runtime.backoff import Backoff
from services.runtime.dead_letters import DeadLetter, DeadLetterBudget, TooManyDeadLettersError, _reference, fault_of
from services.runtime.messages import FieldProblem, Message, MessageFault, invalid_data
from services.runtime.settings import RuntimeSettings
from services.runtime.shard import ENTRY_MAX_BYTES, EntryTooLargeError, LogEntry, ShardTransaction
from services.runtime.telemetry import logs, tracing

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def entry(body: bytes, extra: tuple[Any, ...] = ()) -> LogEntry:
    return LogEntry(UUID(int=len(body)), "key", "type", body, extra=extra)


def test_entries_are_numbered_and_chained() -> None:
    """Each position is one higher; each hash is of the one before and the body; missing own columns stay empty."""
    transaction = ShardTransaction(None, 3, NOON, head=41, previous_hash=bytes(32), extra_columns=2)
    positions = [transaction.append(entry(b"one", (7, 8))), transaction.append(entry(b"two"))]
    first = sha256(bytes(32) + b"one").digest()
    second = sha256(first + b"two").digest()
    assert (positions, transaction.head, transaction.last_hash) == ([42, 43], 43, second)
    assert transaction.take_rows() == [
        (3, 42, UUID(int=3), "key", "type", NOON, None, b"one", first, 7, 8),
        (3, 43, UUID(int=3), "key", "type", NOON, None, b"two", second, None, None),
    ]
    assert transaction.take_rows() == []


def test_an_entry_that_kafka_would_not_take_is_refused() -> None:
    """The last byte that fits, and the first that does not; nothing is appended then."""
    transaction = ShardTransaction(None, 3, NOON, head=0, previous_hash=bytes(32))
    transaction.append(entry(b"x" * ENTRY_MAX_BYTES))
    with pytest.raises(EntryTooLargeError):
        transaction.append(entry(b"x" * (ENTRY_MAX_BYTES + 1)))
    assert (transaction.head, len(transaction.take_rows())) == (1, 1)


def test_pauses_double_up_to_the_longest_and_are_spread() -> None:
    """Each pause lies between half of its length and all of it; after a success the first comes again."""
    backoff = Backoff(first_s=0.1, max_s=1.0)
    bounds = [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    pauses = [backoff.next_s() for _ in bounds]
    assert all(bound / 2 <= pause <= bound for pause, bound in zip(pauses, bounds, strict=True))
    backoff.attempts = 10_000
    assert backoff.next_s() <= 1.0
    backoff.reset()
    assert backoff.next_s() <= 0.1


def test_the_budget_counts_a_minute_and_stays_exceeded() -> None:
    """What was set aside more than a minute ago counts no more; once exceeded it needs a new process."""
    budget = DeadLetterBudget("test", per_minute_max=2)
    budget.take(2, now_s=0.0)
    budget.take(2, now_s=60.0)
    with pytest.raises(TooManyDeadLettersError):
        budget.take(1, now_s=60.1)
    with pytest.raises(TooManyDeadLettersError):
        budget.take(1, now_s=1_000.0)


def test_a_reason_never_shows_what_stood_in_the_message() -> None:
    """An error that a processor did not foresee is named by its type: its text may be a name or a number."""
    assert fault_of(ValueError("Jan Kowalski")) == ("processor_failed", "builtins.ValueError")
    assert fault_of(MessageFault("no_key", "the message has no key")) == ("no_key", "the message has no key")
    problems = (FieldProblem("$.data.a", "missing", "this field is required"),)
    assert fault_of(invalid_data(problems)) == ("invalid_data", "$.data.a: this field is required")


def test_a_reference_is_a_message_of_the_contracts() -> None:
    """What is published of a dead letter fits its contract, and nothing of the message is in it."""
    message = Message(
        type="bonus.activity.recorded.v1", id="1", source="s", tenant="acme", key="card:77",
        topic="bonus.activities.v1", partition=1, offset=2, body=b"secret", record_key=b"card:77",
    )  # fmt: skip
    letter = DeadLetter(message, "not_json", "this is not JSON")
    reference = _reference(letter.id_for("tally"), letter, "rules", NOON)
    content = orjson.loads(reference.body)
    read = DeadLetterRecorded.model_validate(content)
    assert (read.data.code, read.data.topic, read.data.offset, read.tenant) == (
        "not_json", "bonus.activities.v1", 2, "acme",
    )  # fmt: skip
    assert b"secret" not in reference.body
    assert b"card:77" not in reference.body


@pytest.mark.parametrize(
    "text", ["", "x", TRACE[:-1], TRACE.upper(), "01" + TRACE[2:], "00-" + "0" * 32 + TRACE[35:], TRACE + "-x"]
)
def test_a_broken_traceparent_is_no_traceparent(text: str) -> None:
    """It is left out, and a new trace begins."""
    assert tracing.known(text.encode()) is None
    assert tracing.is_valid(tracing.new_traceparent())


def test_a_good_traceparent_is_carried_on() -> None:
    """As it came, and its trace id stands in log lines."""
    assert tracing.known(TRACE.encode()) == TRACE
    assert tracing.trace_id(TRACE) == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert tracing.trace_id("broken") is None


def test_a_trace_that_begins_here_says_when() -> None:
    """The same message begins the same trace, and every hop can read its instant; a foreign trace says nothing."""
    began = tracing.begin(1_772_726_651_123, "urn:till", "e1")
    assert began is not None
    assert tracing.is_valid(began)
    assert (
        began
        == tracing.begin(1_772_726_651_123, "urn:till", "e1")
        != tracing.begin(1_772_726_651_123, "urn:till", "e2")
    )
    assert tracing.begun_at(began) == datetime(2026, 3, 5, 16, 4, 11, 123_000, tzinfo=UTC)
    assert tracing.begun_at(TRACE) is None
    assert tracing.begun_at(None) is None
    now = tracing.begun_at(tracing.new_traceparent())
    assert now is not None
    assert abs((datetime.now(UTC) - now).total_seconds()) < 5


def test_log_lines_are_json_and_show_where_but_not_what(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an exception a line shows types and places, never its text or variables: those may be personal."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, write_through=True))
    before = structlog.get_config()
    try:
        structlog.reset_defaults()
        logs.configure_own(RuntimeSettings(), "test")
        try:
            int("Jan Kowalski")
        except ValueError as error:
            structlog.get_logger("x").error("failed", shard=3, exc_info=error)
    finally:
        structlog.configure(**before)
    (line,) = written.getvalue().splitlines()
    document = orjson.loads(line)
    assert (document["event"], document["shard"], document["level"], document["process"]) == (
        "failed", 3, "error", "test",
    )  # fmt: skip
    assert document["exception"][0]["type"] == "builtins.ValueError"
    assert "test_log_lines" in document["exception"][0]["at"][0]
    assert b"Kowalski" not in line


def test_lines_of_libraries_are_json_like_our_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a library says through standard logging is one JSON object a line, with the process that it was said in."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    known = structlog.get_config()
    try:
        logs.configure(RuntimeSettings(), "test")
        logging.getLogger("aiokafka.client").error("node %s is away", 1)
    finally:
        structlog.configure(**known)
    said = orjson.loads(capsys.readouterr().out)
    assert said.pop("timestamp")
    assert said == {"event": "node 1 is away", "level": "error", "process": "test"}
