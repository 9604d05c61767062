"""A message: parsed once, carried through grouping, transaction and dead letters."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.envelope import CloudEvent
from contracts.problems import FieldProblem

__all__ = ["FieldProblem", "Message", "MessageFault", "invalid_data"]


class MessageFault(Exception):  # noqa: N818 - what a processor raises of a message, so that the name says whose fault
    """A message that can never be taken in: it is set aside alone, with this code and reason.

    `reason` is read by people and published: it names fields, never what stood in them.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


def invalid_data(problems: Sequence[FieldProblem]) -> MessageFault:
    """The fault of a message whose `data` is not what its type says, for processors that have no verdict for that."""
    return MessageFault("invalid_data", "; ".join(f"{each.field}: {each.message}" for each in problems))


@dataclass(slots=True, kw_only=True)
class Message:
    """One CloudEvent from Kafka, or one command from HTTP or a sweeper.

    `content` is the whole CloudEvent as parsed once by orjson, unknown fields included; `event` the validated contract
    model, None when there are `problems`. `key` is the business key that decides the shard. `topic`, `partition` and
    `offset` say where it came from: `partition` is -1 for what did not come from Kafka. `payload` is for what an API
    hands to its own processor without a contract model in between.
    """

    type: str
    id: str
    source: str
    tenant: str
    content: dict[str, Any] = field(default_factory=dict)
    event: CloudEvent | None = None
    problems: tuple[FieldProblem, ...] = ()
    key: str = ""
    payload: Any = None
    traceparent: str | None = None
    topic: str = ""
    partition: int = -1
    offset: int = -1
    published_at: datetime | None = None
    body: bytes = b""
    record_key: bytes | None = None

    @property
    def from_kafka(self) -> bool:
        """Whether it came from a topic: then it is set aside when it fails, and not raised to a caller."""
        return self.partition >= 0
