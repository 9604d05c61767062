"""The envelope of every message: CloudEvents 1.0 in JSON.

Source: CloudEvents 1.0.2, JSON event format, Kafka protocol binding (structured mode; binary mode accepted on the way
in), and its extensions for tenant (ours) and distributed tracing (`traceparent`, W3C Trace Context).
"""

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

MAX_ID_LENGTH: Final = 200
MAX_TEXT_LENGTH: Final = 1_000
DEFAULT_TENANT: Final = "default"
STRUCTURED_CONTENT_TYPE: Final = b"application/cloudevents+json"

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_LENGTH)]
"""An id given by another system: anything readable, at most 200 characters."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A word that we or a programme chose: programme, currency, tier, rule, reason."""

Tenant = Code


class Shape(BaseModel):
    """A part of a message. Unknown fields are accepted; the stored bytes keep them."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class CloudEvent(Shape):
    """The attributes that every message has; each type adds its own `type` literal and `data`."""

    specversion: Literal["1.0"] = "1.0"
    type: str
    id: Identifier
    source: Identifier
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    subject: Annotated[str, StringConstraints(max_length=MAX_ID_LENGTH)] | None = None
    tenant: Tenant = DEFAULT_TENANT
    traceparent: Annotated[str, StringConstraints(max_length=64)] | None = None


class Refusal(Shape):
    """Why something was not done, for a program and for a person."""

    code: Code
    message: Annotated[str, Field(max_length=MAX_TEXT_LENGTH)]
    field: str | None = None
    facts: dict[str, str] = Field(default_factory=dict)
