"""Points that lapse when a member neither earns nor spends for long.

The last day counts whole in the programme's zone: active on 10 May 2026 with 12 months, all lapses on 11 May 2027 at
00:00. The notice goes out once, `notice_days` before that last day. Any accrual or redemption moves both.

A silence is never over before it is known: where it would be (a purchase that arrives very late, points that were long
on their way), it begins when the ledger books it.
"""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contracts.awards import Inactivity
from services.ledger.domain.account import Balance
from services.ledger.domain.events import Activity


def moved(
    balance: Balance, currency: str, at: datetime, now: datetime, terms: Inactivity | None = None
) -> tuple[Activity, ...]:
    """What inactivity reckons with after an accrual or redemption of `at`; nothing where points do not lapse by it."""
    terms = terms or balance.inactivity
    if terms is None:
        return ()
    active_at = at if balance.active_at is None or balance.active_at < at else balance.active_at
    lapses_at, notice_at = deadlines(terms, active_at)
    if lapses_at <= now:
        active_at = now
        lapses_at, notice_at = deadlines(terms, now)
    if lapses_at == balance.lapses_at and terms == balance.inactivity:
        notice_at = balance.notice_at
    return (Activity(currency, terms, active_at, lapses_at, notice_at),)


def deadlines(terms: Inactivity, active_at: datetime) -> tuple[datetime, datetime | None]:
    """When points lapse, and when that is announced (None: never)."""
    zone = ZoneInfo(terms.zone)
    last_day = _months_later(active_at.astimezone(zone).date(), terms.months) + timedelta(days=terms.days)
    notice = _midnight(last_day - timedelta(days=terms.notice_days), zone) if terms.notice_days else None
    return _midnight(last_day + timedelta(days=1), zone), notice


def _months_later(day: date, months: int) -> date:
    """The same day so many months later; where the month is shorter, its last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
