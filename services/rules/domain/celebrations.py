"""Birthdays that come by themselves: which is next, and which have come.

A birthday begins at midnight in the programme's zone. Those that were past when the date became known are past: nobody
gets the gifts of years that were read in from elsewhere. Each year's is kept once, whatever becomes of the date.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from services.rules.domain.moments import clamped, midnight
from services.rules.domain.participant import Celebrated, Participant, PublishedProgramme

_DAY: Final = timedelta(days=1)


class Birthday(NamedTuple):
    """A member's birthday of one year: the day on which it is kept, and the instant at which that begins."""

    day: date
    member_id: UUID
    begins_at: datetime


def from_today_on(participant: Participant, member_id: UUID, zone: ZoneInfo | None, now: datetime) -> Participant:
    """The participant, waiting for the birthdays of a member who told the date: today's and those to come."""
    if zone is None or _born(participant, member_id) is None:
        return participant
    yesterday = now.astimezone(zone).date() - _DAY
    seen = participant.birthdays.get(member_id)
    if seen is not None and seen.through >= yesterday:
        return participant
    year = seen.year if seen else 0
    return replace(participant, birthdays={**participant.birthdays, member_id: Celebrated(yesterday, year)})


def birthdays_until(participant: Participant, programme: PublishedProgramme, at: datetime) -> tuple[Birthday, ...]:
    """The birthdays that have begun by `at` and were not kept yet, in their order."""
    zone = programme.zone_at(at)
    if zone is None or not participant.birthdays:
        return ()
    found: list[Birthday] = []
    for member_id in participant.birthdays:
        for birthday in _from_here_on(participant, member_id, zone):
            if birthday.begins_at > at:
                break
            found.append(birthday)
    return tuple(sorted(found))


def birthdays_due_at(participant: Participant, programme: PublishedProgramme, at: datetime) -> datetime | None:
    """When the next birthday begins; None where no date is known."""
    zone = programme.zone_at(at)
    if zone is None or not participant.birthdays:
        return None
    firsts = (next(_from_here_on(participant, member_id, zone), None) for member_id in participant.birthdays)
    return min((first.begins_at for first in firsts if first), default=None)


def kept(participant: Participant, birthday: Birthday) -> Participant:
    """The participant once a birthday was kept."""
    seen = Celebrated(birthday.day, birthday.day.year)
    return replace(participant, birthdays={**participant.birthdays, birthday.member_id: seen})


def earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two instants; None is never."""
    if one is None or other is None:
        return one or other
    return min(one, other)


def _from_here_on(participant: Participant, member_id: UUID, zone: ZoneInfo) -> Iterator[Birthday]:
    born, seen = _born(participant, member_id), participant.birthdays[member_id]
    if born is None:
        # Erased since: nobody knows the date any more.
        return
    for year in count(max(seen.through.year, seen.year + 1)):
        day = clamped(year, born.month, born.day)
        if day > seen.through:
            yield Birthday(day, member_id, midnight(day, zone))


def _born(participant: Participant, member_id: UUID) -> date | None:
    """The date as it is known by now."""
    return next((each.birthday for each in reversed(participant.known.get(member_id, ())) if each.birthday), None)
