"""Caps: what may still be given, what was cut, and what must be counted for the next time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from services.rules.domain.counting import PROGRAMME_SCOPE, CapScope, Room, cap_key, rooms
from services.rules.domain.eligibility import once_key_of
from services.rules.domain.gifts import Gift
from services.rules.domain.outcome import Award, Cut
from services.rules.domain.programme import Cap, Rule
from services.rules.domain.rounding import rounded
from services.rules.domain.settlement import Pot, Settled, settle
from services.rules.domain.situation import Situation


def cut_by_own_caps(gifts: Iterable[Gift], situation: Situation) -> list[Cut]:
    """Cut each gift to what the caps of its rule leave; a cap that leaves nothing kept the rule from giving before."""
    found = []
    for gift in gifts:
        rule, currency = gift.plan.rule, gift.plan.currency
        if not rule.caps or rule.to or currency is None:
            continue
        room = _tightest(_rooms(CapScope.of(rule), rule.caps, situation))
        total = sum(gift.amounts)
        if room is not None and room.left is not None and total > room.left * gift.denominator:
            before = rounded(total, gift.denominator, currency.rounding)
            gift.limit(room.left)
            found.append(Cut(room.code, currency.key, before - room.left, rule.key))
    return found


def _rooms(scope: CapScope, caps: tuple[Cap, ...], situation: Situation) -> list[Room]:
    return list(rooms(scope, caps, situation.today, situation.facts.member_id, situation.facts.counters))


def _tightest(found: Iterable[Room]) -> Room | None:
    """The room that leaves the fewest points; of equal ones the first."""
    limits = [room for room in found if room.left is not None]
    return min(limits, key=lambda room: room.left or 0, default=None)


@dataclass(slots=True)
class ProgrammeCaps:
    """The caps of the whole programme on one purchase: pots take from them in order.

    `spent` is why nothing at all can be earned: as many times as may be were given already; else None.
    """

    situation: Situation
    spent: str | None
    cuts: list[Cut] = field(default_factory=list)
    _taken: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, situation: Situation) -> "ProgrammeCaps":
        """The caps as the member's counters leave them."""
        caps = tuple([cap for cap in situation.programme.caps if cap.times is not None])
        found = _rooms(PROGRAMME_SCOPE, caps, situation)
        return cls(situation, next((room.code for room in found if room.left == 0), None))

    def settle(self, pot: Pot) -> Settled:
        """The pot in whole points, within what the caps leave after the pots before it."""
        programme, key = self.situation.programme, pot.currency.key
        if not programme.caps or (pot.alone is not None and pot.alone.rule.to):
            return settle(pot, None)
        if self.spent is not None:
            return self._noted(settle(pot, 0), self.spent)
        caps = tuple([cap for cap in programme.caps if cap.points is not None and cap.currency == key])
        room = _tightest(_rooms(PROGRAMME_SCOPE, caps, self.situation))
        if room is None or room.left is None:
            return settle(pot, None)
        taken = self._taken.get(key, 0)
        settled = settle(pot, max(room.left - taken, 0))
        self._taken[key] = taken + settled.points
        return self._noted(settled, room.code)

    def _noted(self, settled: Settled, code: str) -> Settled:
        if settled.points < settled.before_cap:
            rule = settled.pot.alone.rule.key if settled.pot.alone else None
            self.cuts.append(Cut(code, settled.pot.currency.key, settled.before_cap - settled.points, rule))
        return settled


def rule_increments(settled: Settled, situation: Situation) -> dict[str, int]:
    """What to count for the rules of a pot that gave something: times, points, and that it was given once."""
    found: dict[str, int] = {}
    if not settled.points:
        return found
    for gift, row, points in zip(settled.pot.gifts, settled.rows, settled.rules, strict=True):
        rule = gift.plan.rule
        if (rule.caps or rule.once_per) and sum(row) > 0:
            _count_rule(found, rule, points, situation)
    return found


def _count_rule(found: dict[str, int], rule: Rule, points: int, situation: Situation) -> None:
    if rule.once_per:
        _add(found, once_key_of(rule, situation), 1)
    if not rule.to:
        _count(found, CapScope.of(rule), rule.caps, points, situation)


def programme_increments(awards: Sequence[Award], situation: Situation, *, first: bool) -> dict[str, int]:
    """What to count for the programme's caps: `first` says that nothing of this purchase was counted as a time yet."""
    found: dict[str, int] = {}
    for cap in situation.programme.caps:
        if cap.period == "purchase":
            continue
        key = cap_key(PROGRAMME_SCOPE, cap, situation.today, situation.facts.member_id)
        if cap.points is not None:
            _add(found, key, sum(award.points for award in awards if award.currency == cap.currency))
        elif first and any(award.points for award in awards):
            _add(found, key, 1)
    return found


def _count(found: dict[str, int], scope: CapScope, caps: tuple[Cap, ...], points: int, situation: Situation) -> None:
    for cap in caps:
        if cap.period != "purchase":
            key = cap_key(scope, cap, situation.today, situation.facts.member_id)
            _add(found, key, 1 if cap.points is None else points)


def _add(found: dict[str, int], key: str, more: int) -> None:
    if more:
        found[key] = found.get(key, 0) + more
