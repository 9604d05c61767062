"""How far a member is on the way to the next tier: what is missing, and until when what counts now still counts."""

from datetime import datetime
from typing import NamedTuple

from services.rules.domain.commands import Standing
from services.rules.domain.moments import later, midnight, zone_of
from services.rules.domain.participant import Background, Participant, PublishedProgramme, to_read
from services.rules.domain.standing import age, standing_of
from services.rules.domain.sums import Band, merged
from services.rules.domain.tiers import TierTerms


class Progress(NamedTuple):
    """Where a participant stands at `at`. `by` is the first instant at which what is missing grows: None: never."""

    at: datetime
    standing: Standing
    by: datetime | None


def bands_of(participant: Participant, programme: PublishedProgramme, at: datetime) -> tuple[Band, ...]:
    """The dates whose contributions must be read: the window that ends at `at`, and what sums need to move there."""
    terms = programme.terms_at(at)
    if terms is None or participant.span is None:
        return ()
    window = participant.span.clip(Band(terms.window_start(at), max(at, participant.span.last)))
    return merged([*to_read(participant, programme, [at]), *([window] if window else [])])


def progress_of(participant: Participant, background: Background, at: datetime) -> Progress | None:
    """The progress at `at`, with what time alone has done by then; None where the programme has no tiers."""
    participant, _ = age(participant, background, at)
    standing = standing_of(participant, background, at)
    terms = background.programme.terms_at(at)
    if standing is None or terms is None:
        return None
    by = _falls_out_at(background, terms, at) if standing.next_tier is not None else None
    return Progress(at, standing, by)


def _falls_out_at(background: Background, terms: TierTerms, at: datetime) -> datetime | None:
    """When the first of what counts now no longer does."""
    zone = zone_of(terms.zone)
    if terms.tiers.calendar_year:
        return midnight(at.astimezone(zone).date().replace(year=at.astimezone(zone).year + 1, month=1, day=1), zone)
    if terms.tiers.window is None:
        return None
    first = background.contributions.first_after(terms.window_start(at))
    return later(first, terms.tiers.window, zone) if first is not None and first <= at else None
