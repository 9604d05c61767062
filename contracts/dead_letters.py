"""A reference to a message that was set aside: where it lies and why, without what it says.

The message itself, its key included, may hold personal data; it stays in the service's own table.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.envelope import MAX_TEXT_LENGTH, CloudEvent, Code, Instant, Shape, Text


class DeadLetter(Shape):
    """Where the message was read, and why it was set aside."""

    dead_letter_id: UUID
    service: Code
    topic: Text
    partition: Annotated[int, Field(ge=0)]
    offset: Annotated[int, Field(ge=0)]
    code: Code
    message: Annotated[str, Field(max_length=MAX_TEXT_LENGTH)]
    set_aside_at: Instant
    event_type: Text = ""
    record_sha256: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$")] = None
    """Of the record's key and, right after it, its body, as they came: it tells a message that was changed since."""


class DeadLetterRecorded(CloudEvent):
    """Published on the dead-letter topic of the topic that the message came from."""

    type: Literal["bonus.dead-letter.recorded.v1"] = "bonus.dead-letter.recorded.v1"
    data: DeadLetter
