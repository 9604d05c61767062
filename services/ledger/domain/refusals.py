"""Why the ledger does not do something: values, each named once here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Refusal:
    """A stable `code`, a sentence for a person, and the facts behind it (points as decimal strings)."""

    code: str
    message: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The command is kept until another has come."""

    command_id: UUID
