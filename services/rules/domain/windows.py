"""Where windows of time begin, on the calendar of a programme's zone; results are in UTC."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from services.rules.domain.moments import later, midnight, zone_of
from services.rules.domain.programme import Duration, ProgrammeVersion

LIFE: Final = "life"
CALENDAR_YEAR: Final = "calendar year"
BEFORE_EVERYTHING: Final = datetime(1900, 1, 1, tzinfo=UTC)

_WINDOWS_REMEMBERED: Final = 1_024

WindowStart = Callable[[datetime], datetime]
"""Where the window that ends at an instant begins; the beginning itself is left out."""


def start_of_day(at: datetime, zone: str) -> datetime:
    """The midnight with which the day of `at` begins in the zone."""
    return midnight(at.astimezone(zone_of(zone)).date(), zone_of(zone))


@lru_cache(maxsize=_WINDOWS_REMEMBERED)
def start_of(window: Duration | str, zone: str) -> WindowStart:
    """How a window begins: of a duration, of the calendar year, or of the whole life."""
    if isinstance(window, Duration):
        back = replace(window, count=-window.count)
        local = zone_of(zone)
        return lambda at: later(at, back, local)
    if window == CALENDAR_YEAR:
        # Windows leave their beginning out, and the first moment of New Year's Day belongs to the year.
        return lambda at: _new_year(at.astimezone(zone_of(zone)).year, zone) - timedelta(microseconds=1)
    return lambda _: BEFORE_EVERYTHING


@lru_cache(maxsize=_WINDOWS_REMEMBERED)
def windows_of(programme: ProgrammeVersion) -> tuple[tuple[str, WindowStart], ...]:
    """The name and beginning of every window over which a version sums: for its tiers, for its conditions, and life."""
    windows: dict[str, WindowStart] = {LIFE: start_of(LIFE, programme.zone)}
    for window in (tier_window(programme), *programme.spend_windows, *programme.purchase_windows):
        windows[str(window)] = start_of(window, programme.zone)
    return tuple(windows.items())


def tier_window(programme: ProgrammeVersion) -> Duration | str:
    """The window over which tiers are decided; the whole life where there are none."""
    if programme.tiers is None:
        return LIFE
    if programme.tiers.calendar_year:
        return CALENDAR_YEAR
    return programme.tiers.window or LIFE


@lru_cache(maxsize=_WINDOWS_REMEMBERED)
def _new_year(year: int, zone: str) -> datetime:
    return midnight(date(year, 1, 1), zone_of(zone))
