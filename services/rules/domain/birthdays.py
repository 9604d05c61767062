"""Birthdays: which one a purchase belongs to, if any."""

from datetime import date, timedelta

from services.rules.domain.moments import clamped
from services.rules.domain.programme import BirthdayWindow


def birthday_of(born: date, day: date, window: BirthdayWindow) -> date | None:
    """The birthday whose window holds `day`; its year may be the one before or after. None: no window does.

    Who was born on 29 February has the birthday on 28 February of common years.
    """
    for year in (day.year - 1, day.year, day.year + 1):
        birthday = clamped(year, born.month, born.day)
        if birthday - timedelta(days=window.before) <= day <= birthday + timedelta(days=window.after):
            return birthday
    return None


def known_long_enough(known: date | None, day: date, window: BirthdayWindow) -> bool:
    """Whether the date was on file `on_file` days before the purchase; a date that nobody dated was not."""
    if not window.on_file:
        return True
    return known is not None and known + timedelta(days=window.on_file) <= day
