"""What became of a message to a member. It names the delivery, never the address it went to."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.envelope import CloudEvent, Code, Identifier, Instant, Shape, Text

Channel = Literal["email"]

DeliveryType = Literal[
    "bonus.notification.delivered.v1",
    "bonus.notification.failed.v1",
    "bonus.notification.bounced.v1",
]


class Notification(Shape):
    """One message over one channel. `event_id` is the event that it tells of; `code` says why it did not arrive."""

    delivery_id: UUID
    account_id: UUID
    member_id: UUID
    programme: Code
    event_id: Identifier
    template: Code
    channel: Channel
    language: Code
    attempts: Annotated[int, Field(ge=1)]
    at: Instant
    code: Text = ""


class NotificationResolved(CloudEvent):
    """A mail system took the message, or it was given up, or it came back; keyed by account."""

    type: DeliveryType
    data: Notification
