"""What a programme says about its members' identifiers and money: all that identification needs of it."""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.rules.domain.programme import Duration, Members, ProgrammeVersion


@dataclass(frozen=True, slots=True)
class MembershipTerms:
    """The terms of one programme. `keep` is how long a purchase by a card that nobody holds can be claimed."""

    programme: str
    money: str
    zone: str
    members: Members = field(default_factory=Members)

    @classmethod
    def of(cls, version: ProgrammeVersion) -> "MembershipTerms":
        """The terms of the version that is in force."""
        return cls(version.key, version.money, version.zone, version.members)

    @property
    def enrols_on_sight(self) -> bool:
        """Whether a member is made at once for a card that nobody holds."""
        return self.members.unknown_card == "enrol"

    def claimable_until(self, at: datetime) -> datetime | None:
        """The first instant that is too late to join for what was done at `at`; the last day counts whole."""
        if self.enrols_on_sight:
            return None
        if self.members.keep.unit in ("minutes", "hours"):
            return at + _exact(self.members.keep)
        zone = ZoneInfo(self.zone)
        last_day = _later(at.astimezone(zone).date(), self.members.keep)
        return datetime.combine(last_day + timedelta(days=1), time(), zone)


def _exact(duration: Duration) -> timedelta:
    return timedelta(minutes=duration.count) if duration.unit == "minutes" else timedelta(hours=duration.count)


def _later(day: date, duration: Duration) -> date:
    if duration.unit in ("days", "weeks"):
        return day + timedelta(days=duration.count * (7 if duration.unit == "weeks" else 1))
    months = duration.count * (12 if duration.unit == "years" else 1)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
