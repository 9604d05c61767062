"""What every message from outside has: where it came from, and a fingerprint of what it says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, TypeGuard
from uuid import UUID

import orjson

from contracts.envelope import CODE_PATTERN, MAX_ID_LENGTH
from contracts.ids import derive
from services.runtime.messages import Message

MAX_CODE_LENGTH: Final = 64
_CODE: Final = re.compile(CODE_PATTERN[:-1] + r"\Z")

Mark = tuple[UUID, str, str]
"""One message about one thing: the thing's key, the event's source and id."""


@dataclass(slots=True)
class Origin:
    """The message that something came by. `key` is the message key of its topic."""

    tenant: str
    source: str
    id: str
    key: str
    traceparent: str | None

    @classmethod
    def of(cls, message: Message) -> "Origin":
        """The origin of what a message says."""
        return cls(message.tenant, message.source, message.id, message.key, message.traceparent)

    @property
    def as_subject(self) -> UUID:
        """The message itself, where nothing else can be named that it is about."""
        return derive("message", self.tenant, self.source, self.id)


def fingerprint_of(data: Mapping[str, Any]) -> bytes:
    """SHA-256 of the content: neither the order of its keys nor the event that carried it changes it."""
    return sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).digest()


def is_id(value: object) -> TypeGuard[str]:
    """Whether this can be put down as an id, out of a message of which nothing is certain."""
    return isinstance(value, str) and 0 < len(value) <= MAX_ID_LENGTH and value.isprintable()


def is_code(value: object) -> TypeGuard[str]:
    """Whether this can be put down as a code, out of a message of which nothing is certain."""
    return isinstance(value, str) and len(value) <= MAX_CODE_LENGTH and _CODE.match(value) is not None
