"""Instants and dates on the calendar of the programme's zone: when points begin to count, and when they lapse.

Days and longer are counted on the local calendar, so that 14 days later is the same time of day across a clock change;
a time that the spring change skips moves on by that hour. Months clamp: 31 January and one month is 28 February.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from services.rules.domain.programme import Duration, PeriodEnd, Term

_DAY: Final = timedelta(days=1)
_MONTHS: Final = {"months": 1, "years": 12}
_DAYS: Final = {"days": 1, "weeks": 7}
_EXACT: Final = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1)}
_EXPIRIES_REMEMBERED: Final = 4_096
_NO_TERM: Final = Term()


@cache
def zone_of(name: str) -> ZoneInfo:
    """The zone of that name; ZoneInfoNotFoundError if there is none."""
    return ZoneInfo(name)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day begins, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def clamped(year: int, month: int, day: int) -> date:
    """The date, or the last day of the month where the month is shorter."""
    return date(year, month, min(day, monthrange(year, month)[1]))


def days_later(day: date, duration: Duration) -> date:
    """The date `duration` (in days or longer) after a date."""
    if duration.unit in _DAYS:
        return day + timedelta(days=duration.count * _DAYS[duration.unit])
    years, month = divmod(day.year * 12 + day.month - 1 + duration.count * _MONTHS[duration.unit], 12)
    return clamped(years, month + 1, day.day)


def later(at: datetime, duration: Duration, zone: ZoneInfo) -> datetime:
    """The instant `duration` after `at`, in UTC; a negative count looks back."""
    if duration.unit in _EXACT:
        return (at + duration.count * _EXACT[duration.unit]).astimezone(UTC)
    local = at.astimezone(zone)
    moved = datetime.combine(days_later(local.date(), duration), local.time(), tzinfo=zone)
    return moved.replace(fold=0).astimezone(UTC)


def last_day_of(day: date, period: PeriodEnd) -> date:
    """The last day of the period that holds `day`; weeks end on Sunday."""
    if period == "end_of_day":
        return day
    if period == "end_of_week":
        return day + timedelta(days=6 - day.weekday())
    if period == "end_of_year":
        return date(day.year, 12, 31)
    month = day.month if period == "end_of_month" else (day.month + 2) // 3 * 3
    return clamped(day.year, month, 31)


def activates_at(term: Term | None, at: datetime, zone: ZoneInfo) -> datetime | None:
    """When points earned at `at` begin to count; None: at once."""
    if term is None:
        return None
    if term.on is not None:
        begins = midnight(term.on, zone)
        return begins if begins > at else None
    if term.at is None and term.day is None:
        return later(at, term.after, zone) if term.after and term.after.count else None
    day = _local_day(term, at, zone)
    if term.day is not None:
        return midnight(_next(term.day, day), zone)
    return midnight(last_day_of(day, term.at or "end_of_day") + _DAY, zone)


def expires_at(term: Term | None, at: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant at which points earned at `at` no longer count; None: never. The last day counts whole."""
    if term is None or term == _NO_TERM:
        return None
    if term.after is not None and term.after.unit in _EXACT and term.at is None and term.day is None:
        return later(at, term.after, zone)
    return _end_of_last_day(term, term.on or _local_day(term, at, zone), zone.key)


@lru_cache(maxsize=_EXPIRIES_REMEMBERED)
def _end_of_last_day(term: Term, day: date, zone: str) -> datetime:
    if term.on is None and term.day is not None:
        day = _next(term.day, day)
    elif term.on is None and term.at is not None:
        day = last_day_of(day, term.at)
    return midnight(day + _DAY, zone_of(zone))


def _local_day(term: Term, at: datetime, zone: ZoneInfo) -> date:
    if term.after is None:
        return at.astimezone(zone).date()
    if term.after.unit in _EXACT:
        return later(at, term.after, zone).astimezone(zone).date()
    return days_later(at.astimezone(zone).date(), term.after)


def _next(month_and_day: tuple[int, int], day: date) -> date:
    """The first such day of a year that is not before `day`."""
    month, number = month_and_day
    this_year = clamped(day.year, month, number)
    return this_year if this_year >= day else clamped(day.year + 1, month, number)
