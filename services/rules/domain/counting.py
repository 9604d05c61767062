"""Counters: how often and how much was given, by the date of purchase, so that caps and `once_per` can be kept.

A key is `rule:unit:period:stamp`, such as `big-basket:times:month:2026-11`; caps of the whole programme stand under the
rule `*`. The member's state only adds up `Evaluation.increments` by key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.rules.domain.programme import Cap, CapPeriod, Rule

_TIMES: Final = "times"
_ONCE: Final = "once"


@dataclass(frozen=True, slots=True)
class CapScope:
    """Whose caps they are: a rule's, with the stamp of its campaign, or the whole programme's."""

    name: str
    campaign: str = ""

    @classmethod
    def of(cls, rule: Rule) -> "CapScope":
        """The scope of a rule; its campaign is told by the day it begins."""
        return cls(rule.key, rule.starts_at.date().isoformat() if rule.starts_at else "")


@dataclass(frozen=True, slots=True)
class Room:
    """What a cap leaves: `left` points (None: it counts times, and there is one more) under `key`."""

    code: str
    key: str
    left: int | None


PROGRAMME_SCOPE: Final = CapScope("*")


def once_key(rule: str, what: str, value: str = "") -> str:
    """The counter behind `once_per`; `value` tells products, birthdays and the like apart."""
    return f"{rule}:{_ONCE}:{what}:{value}"


def counts_points(key: str) -> bool:
    """Whether a counter adds up points, and not how often something was given."""
    return key.split(":", 2)[1] not in (_TIMES, _ONCE)


def cap_key(scope: CapScope, cap: Cap, day: date, member_id: str) -> str:
    """The counter of a cap on the date of a purchase."""
    unit = cap.currency if cap.times is None else _TIMES
    whose = f":{member_id}" if cap.per_member else ""
    return f"{scope.name}:{unit}:{cap.period}:{stamp(cap.period, day, scope.campaign)}{whose}"


def stamp(period: CapPeriod, day: date, campaign: str = "") -> str:
    """Which day, week, month or year it is; a campaign is told by the day it began, a lifetime is one."""
    if period == "day":
        return day.isoformat()
    if period == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    if period == "month":
        return f"{day.year}-{day.month:02d}"
    if period == "year":
        return str(day.year)
    return campaign if period == "campaign" else ""


def rooms(
    scope: CapScope, caps: tuple[Cap, ...], day: date, member_id: str, counters: Mapping[str, int]
) -> Iterator[Room]:
    """What each cap leaves; a cap that leaves nothing has 0 left, whether it counts points or times."""
    for cap in caps:
        code = f"capped_per_{cap.period}"
        key = "" if cap.period == "purchase" else cap_key(scope, cap, day, member_id)
        used = counters.get(key, 0) if key else 0
        if cap.times is not None:
            yield Room(code, key, None if used < cap.times else 0)
        else:
            yield Room(code, key, max(0, (cap.points or 0) - used))
