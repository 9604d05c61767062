"""The envelope of every message: CloudEvents 1.0 in JSON.

Source: CloudEvents 1.0.2, JSON event format, Kafka protocol binding (structured mode; binary mode accepted on the way
in), and its extensions for tenant (ours) and distributed tracing (`traceparent`, W3C Trace Context).
"""

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

MAX_ID_LENGTH: Final = 200
MAX_TEXT_LENGTH: Final = 1_000
MAX_MESSAGE_BYTES: Final = 1_000_000
"""A message with its envelope; larger ones are set aside."""
DEFAULT_TENANT: Final = "default"
STRUCTURED_CONTENT_TYPE: Final = b"application/cloudevents+json"

ID_PATTERN: Final = r"^[^\x00-\x1F\x7F]+$"
TEXT_PATTERN: Final = r"^[^\x00]*$"
CODE_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"

MIN_YEAR: Final = 1970
MAX_YEAR: Final = 2199
MIN_BIRTH_YEAR: Final = 1800

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_LENGTH, pattern=ID_PATTERN)]
"""An id given by another system: anything readable, at most 200 characters."""

Text = Annotated[str, StringConstraints(max_length=MAX_ID_LENGTH, pattern=TEXT_PATTERN)]
"""A short text by another system, which may be empty. The character NUL is refused: databases cannot keep it."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=CODE_PATTERN)]
"""A word that we or a programme chose: programme, currency, tier, rule, reason."""

Tenant = Code


def _instant(value: object, handler: ValidatorFunctionWrapHandler) -> datetime:
    """Refuse numbers, whose unit and zone one would have to guess, and years that later arithmetic cannot bear."""
    if isinstance(value, datetime) or (isinstance(value, str) and value[4:5] == "-"):
        instant: datetime = handler(value)
        if MIN_YEAR <= instant.year <= MAX_YEAR:
            return instant
        raise PydanticCustomError(
            "time_out_of_range", "write a time from {first} to {last}", {"first": MIN_YEAR, "last": MAX_YEAR}
        )
    raise PydanticCustomError("not_a_time", 'write a time with its zone, such as "2026-03-05T17:04:11+01:00"')


def _day(value: object, handler: ValidatorFunctionWrapHandler) -> date:
    """Refuse numbers, times and years in which nobody was born who buys today."""
    if (isinstance(value, date) and not isinstance(value, datetime)) or (isinstance(value, str) and len(value) == 10):  # noqa: PLR2004 - the length of a date in ISO 8601
        day: date = handler(value)
        if MIN_BIRTH_YEAR <= day.year <= MAX_YEAR:
            return day
        raise PydanticCustomError(
            "time_out_of_range", "write a day from {first} to {last}", {"first": MIN_BIRTH_YEAR, "last": MAX_YEAR}
        )
    raise PydanticCustomError("not_a_day", 'write a day such as "1990-03-05"')


Instant = Annotated[
    AwareDatetime,
    WrapValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-03-05T17:04:11+01:00"]}),
]
"""A time with its zone (RFC 3339)."""

Day = Annotated[
    date, WrapValidator(_day), WithJsonSchema({"type": "string", "format": "date", "examples": ["1990-03-05"]})
]
"""A day of the calendar, without a zone: a birthday."""


class Shape(BaseModel):
    """A part of a message. Unknown fields are accepted; the stored bytes keep them."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class CloudEvent(Shape):
    """The attributes that every message has; each type adds its own `type` literal and `data`."""

    specversion: Literal["1.0"] = "1.0"
    type: str
    id: Identifier
    source: Identifier
    time: Instant
    datacontenttype: Literal["application/json"] = "application/json"
    subject: Text | None = None
    tenant: Tenant = DEFAULT_TENANT
    traceparent: Annotated[str, StringConstraints(max_length=64)] | None = None


class Refusal(Shape):
    """Why something was not done, for a program and for a person."""

    code: Code
    message: Annotated[str, Field(max_length=MAX_TEXT_LENGTH)]
    field: str | None = None
    facts: dict[str, str] = Field(default_factory=dict)
