"""What a member receives by somebody else's purchase: the rule's caps are those of the one who receives."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.rules.domain.counting import CapScope, cap_key, rooms
from services.rules.domain.facts import Facts
from services.rules.domain.moments import zone_of
from services.rules.domain.outcome import Award, Cut
from services.rules.domain.programme import ProgrammeVersion, Rule


@dataclass(frozen=True, slots=True)
class Received:
    """The award within the recipient's caps (None: nothing of it), what was cut, and what to count."""

    award: Award | None
    cut: Cut | None
    increments: Mapping[str, int]


def received(programme: ProgrammeVersion, rule: Rule, award: Award, recipient: Facts, at: datetime) -> Received:
    """What of an award for somebody else is given, by the recipient's counters on the day of the purchase."""
    day = at.astimezone(zone_of(programme.zone)).date()
    scope = CapScope.of(rule)
    points, code = award.points, None
    for room in rooms(scope, rule.caps, day, recipient.member_id, recipient.counters):
        if room.left is not None and room.left < points:
            points, code = room.left, room.code
    cut = Cut(code, award.currency, award.points - points, rule.key) if code else None
    if not points:
        return Received(None, cut, {})
    increments = {
        cap_key(scope, cap, day, recipient.member_id): 1 if cap.points is None else points
        for cap in rule.caps
        if cap.period != "purchase"
    }
    given = award if points == award.points else replace(award, points=points, rules=((rule.key, points),), lines=())
    return Received(given, cut, increments)
