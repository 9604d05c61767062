"""What is asked of a rehearsal, and the plan that follows from it and the published versions."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from services.rules.domain.participant import PublishedProgramme
from services.rules.domain.programme import ProgrammeVersion, Rule
from services.rules.domain.rehearsing import Plan
from services.rules.programme_file import compile_programme


@dataclass(frozen=True, slots=True)
class Asked:
    """A rehearsal as it was asked for: `file` on the purchases from `since` to `until`, the end left out.

    `version` is the number of the file (None: it was sent with the question), `against` the version that it is compared
    with (None: what was decided live).
    """

    shard: int
    rehearsal_id: UUID
    tenant: str
    programme: str
    file: str
    version: int | None
    against: int | None
    since: datetime
    until: datetime

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a record, or what a parent process sent
        """From a row."""
        return cls(**{name: row[name] for name in cls.__slots__})


def plan_of(asked: Asked, live: PublishedProgramme) -> Plan:
    """The draft takes over at the beginning of the period; what lies before is judged as it was."""
    draft = replace(compile_programme(asked.file), version=asked.version or 0, starts_at=asked.since)
    before = before_period(live, asked.since)
    against = None
    if asked.against is not None:
        other = live.version(asked.against)
        if other is None:
            raise ValueError(f"version {asked.against} is not published")
        taking_over = replace(other, starts_at=asked.since)
        against = PublishedProgramme(live.key, (*before, taking_over), live.suspensions)
    return Plan(
        draft,
        PublishedProgramme(live.key, (*before, draft), live.suspensions),
        asked.since,
        asked.until,
        against,
        ZoneInfo(draft.zone),
        measured_rules(draft, live.versions),
    )


def before_period(live: PublishedProgramme, since: datetime) -> tuple[ProgrammeVersion, ...]:
    """The versions that began before the period."""
    return tuple(version for version in live.versions if version.starts_at is not None and version.starts_at < since)


def measured_rules(draft: ProgrammeVersion, live: Iterable[ProgrammeVersion]) -> tuple[Rule, ...]:
    """Rules that keep members out, each once: as they ran, if they did; else as the draft has them."""
    found = {rule.key: rule for rule in draft.rules if rule.audience.holdout}
    found |= {rule.key: rule for version in live for rule in version.rules if rule.audience.holdout}
    return tuple(found.values())
