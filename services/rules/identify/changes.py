"""What one transaction of identification will write, gathered while its messages are decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from contracts.amounts import format_decimal
from services.rules.domain.identifier import Holder, Identifier
from services.rules.identify.taken import Enrolling, Taken
from services.rules.refusals.refused import Refused
from services.runtime.shard import LogEntry

IDENTIFIED = "identified"
WAITING = "waiting"
NO_MEMBER = "no_member"

ActivityKind = Literal["enrolment", "facts", "activity", "award"]
IdentifierKey = tuple[bytes, str]
"""An identifier in a programme: its keyed hash, and the programme."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was taken in under a business key, and what became of it."""

    fingerprint: bytes
    verdict: str
    account_id: UUID | None
    told: Mapping[str, Any] = field(default_factory=dict)
    taken: Taken | None = None

    @classmethod
    def of(cls, taken: Taken, verdict: str, holder: Holder | None) -> "Known":
        """What is known from now on."""
        return cls(taken.fingerprint, verdict, holder.account_id if holder else None, taken=taken)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What tells it apart from another under the same key."""
        return facts_of(self.taken) if self.taken else self.told


@dataclass(slots=True)
class Settled:
    """A verdict on something taken in; `waited` says that its row is there already."""

    taken: Taken
    verdict: str
    holder: Holder | None
    waited: bool = False


@dataclass(slots=True)
class Changes:
    """Rows to write and entries to append. `settled` is by business key; `identifiers` are those that changed."""

    now: datetime
    entries: list[LogEntry] = field(default_factory=list)
    settled: dict[UUID, Settled] = field(default_factory=dict)
    enrolments: dict[UUID, tuple[Enrolling, Holder]] = field(default_factory=dict)
    identifiers: dict[IdentifierKey, Identifier] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    given_up: list[UUID] = field(default_factory=list)
    """Purchases that named no member and are kept no longer."""

    def settle(self, taken: Taken, verdict: str, holder: Holder | None = None) -> None:
        """Put down a verdict; of one that waited it replaces the earlier one."""
        before = self.settled.get(taken.key)
        waited = before.waited if before else taken.kept
        self.settled[taken.key] = Settled(taken, verdict, holder, waited)

    @property
    def to_keep(self) -> list[Settled]:
        """What must be kept whole, because it waits or names no member."""
        return [each for each in self.settled.values() if each.verdict in (WAITING, NO_MEMBER)]

    @property
    def released(self) -> list[Settled]:
        """What waited since an earlier transaction, and does no longer."""
        return [each for each in self.settled.values() if each.waited and each.verdict != WAITING]

    @property
    def to_forget(self) -> list[UUID]:
        """What was kept and need not be any longer."""
        return [each.taken.key for each in self.released] + self.given_up


def facts_of(taken: Taken) -> dict[str, Any]:
    """What tells two facts under one id apart, for the person who must."""
    facts: dict[str, Any] = {
        "event_source": taken.origin.source,
        "event_id": taken.origin.id,
        "at": taken.arrival.at.isoformat(),
        "fingerprint": taken.fingerprint.hex(),
    }
    if taken.purchase:
        facts |= {"store": taken.purchase.store, "total": format_decimal(taken.total)}
    return facts
