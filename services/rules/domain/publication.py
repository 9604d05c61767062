"""Publication: drafts of a programme become versions that start at an instant; a programme may stand still for a while.

What was published is never changed: another version takes its place. A version starts some time after its publication,
so that every worker knows it when it starts; the first one may start in the past.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.rules.domain.refusals import Refusal

MAX_VERSIONS = 10_000
"""Versions of one programme, drafts included."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A version: a draft until it has `starts_at`. `content_hash` is of its file."""

    version: int
    content_hash: str
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Suspension:
    """The programme stands still from `starts_at` until `ends_at`, itself left out; None: until it is resumed."""

    starts_at: datetime
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Programme:
    """State. `revision` counts what was published; 0: nothing yet. Editions by number, suspensions by time."""

    key: str
    revision: int = 0
    editions: tuple[Edition, ...] = ()
    suspensions: tuple[Suspension, ...] = ()

    @property
    def published(self) -> Sequence[Edition]:
        """Editions that have started or will."""
        return [edition for edition in self.editions if edition.starts_at is not None]

    def edition(self, version: int) -> Edition | None:
        """The edition of that number."""
        return next((edition for edition in self.editions if edition.version == version), None)


def draft(programme: Programme, content_hash: str) -> Programme | Refusal:
    """Keep a file as the next version. The same file as the last draft is that draft. Refused: `too_many_versions`."""
    last = programme.editions[-1] if programme.editions else None
    if last is not None and last.starts_at is None and last.content_hash == content_hash:
        return programme
    if len(programme.editions) >= MAX_VERSIONS:
        return Refusal("too_many_versions", f"a programme has at most {MAX_VERSIONS} versions")
    number = last.version + 1 if last else 1
    return replace(programme, editions=(*programme.editions, Edition(number, content_hash)))


def publish(
    programme: Programme, version: int, starts_at: datetime | None, now: datetime, lead: timedelta
) -> Programme | Refusal:
    """Let a version start at `starts_at`, or as soon as it may.

    Refused: `unknown_version`, `already_published`, `starts_too_early`.
    """
    edition = programme.edition(version)
    if edition is None:
        return Refusal("unknown_version", f"{programme.key} has no version {version}", "$.version")
    if edition.starts_at is not None:
        if starts_at in (None, edition.starts_at):
            return programme
        return Refusal(
            "already_published", f"version {version} starts at {edition.starts_at.isoformat()}", "$.starts_at"
        )
    first = not programme.published
    earliest = now if first else now + lead
    if starts_at is not None and starts_at < earliest and not first:
        return Refusal("starts_too_early", f"it may start from {earliest.isoformat()} on", "$.starts_at")
    starting = replace(edition, starts_at=starts_at or earliest)
    editions = tuple(starting if each.version == version else each for each in programme.editions)
    return replace(programme, revision=programme.revision + 1, editions=editions)


def roll_back(
    programme: Programme, version: int, starts_at: datetime | None, now: datetime, lead: timedelta
) -> Programme | Refusal:
    """Let the file of an earlier version start again, as the next version: what was published is never changed.

    Refused: `unknown_version`, `not_published` (that version never was), `too_many_versions`, `starts_too_early`.
    """
    edition = programme.edition(version)
    if edition is None:
        return Refusal("unknown_version", f"{programme.key} has no version {version}", "$.version")
    if edition.starts_at is None:
        return Refusal("not_published", f"version {version} was never published: publish it", "$.version")
    if len(programme.editions) >= MAX_VERSIONS:
        return Refusal("too_many_versions", f"a programme has at most {MAX_VERSIONS} versions")
    again = Edition(programme.editions[-1].version + 1, edition.content_hash)
    return publish(replace(programme, editions=(*programme.editions, again)), again.version, starts_at, now, lead)


def suspend(
    programme: Programme, starts_at: datetime | None, ends_at: datetime | None, now: datetime
) -> Programme | Refusal:
    """Let the programme stand still from `starts_at` (now) until `ends_at` (until it is resumed).

    Refused: `not_published`, `in_the_past`, `ends_before_it_starts`, `suspended_already`.
    """
    if not programme.published:
        return Refusal("not_published", f"{programme.key} has no published version")
    since = starts_at or now
    wanted = Suspension(since, ends_at)
    if wanted in programme.suspensions:
        return programme
    if since < now:
        return Refusal("in_the_past", "what was decided stands: a suspension begins now or later", "$.from")
    if ends_at is not None and ends_at <= since:
        return Refusal("ends_before_it_starts", "a suspension ends after it begins", "$.until")
    overlapping = [
        each
        for each in programme.suspensions
        if (ends_at is None or each.starts_at < ends_at) and (each.ends_at is None or since < each.ends_at)
    ]
    if overlapping:
        since_when = overlapping[0].starts_at.isoformat()
        return Refusal("suspended_already", f"it stands still from {since_when} on", "$.from")
    suspensions = tuple(sorted((*programme.suspensions, wanted), key=lambda each: each.starts_at))
    return replace(programme, revision=programme.revision + 1, suspensions=suspensions)


def resume(programme: Programme, now: datetime) -> Programme | Refusal:
    """Let the programme go on now; suspensions that are still to come are called off. Refused: `not_published`."""
    if not programme.published:
        return Refusal("not_published", f"{programme.key} has no published version")
    kept = tuple(
        replace(each, ends_at=now) if each.ends_at is None or each.ends_at > now else each
        for each in programme.suspensions
        if each.starts_at < now
    )
    if kept == programme.suspensions:
        return programme
    return replace(programme, revision=programme.revision + 1, suspensions=kept)
