"""A message that was refused, and the verdict that says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from contracts.ids import derive, event_of
from services.rules.domain.refusals import Refusal
from services.rules.incoming import Mark, Origin
from services.rules.publishing import REJECTED, entry
from services.runtime.shard import LogEntry

RefusedKind = Literal["purchase", "return", "activity"]
MESSAGE_MAX = 1_000


@dataclass(slots=True)
class Refused:
    """What was refused and why. `facts` are the first and the second of a conflict."""

    subject_key: UUID
    kind: RefusedKind
    programme: str | None
    subject_id: str
    refusal: Refusal
    origin: Origin
    facts: Mapping[str, Any] | None = None

    @property
    def mark(self) -> Mark:
        """What tells this message from every other about the same thing."""
        return (self.subject_key, self.origin.source, self.origin.id)

    def verdict(self, now: datetime) -> LogEntry:
        """The message that tells its sender."""
        refusal, origin = self.refusal, self.origin
        event_type = REJECTED[self.kind]
        data: dict[str, Any] = {
            "programme": self.programme,
            "subject_id": self.subject_id,
            "event_id": origin.id,
            "refusal": {"code": refusal.code, "message": refusal.message[:MESSAGE_MAX], "field": refusal.field},
        }
        return entry(
            event_type,
            event_of(event_type, derive("message", *self.mark)),
            key=origin.key,
            tenant=origin.tenant,
            data=data | dict(self.facts or {}),
            now=now,
            traceparent=origin.traceparent,
        )
