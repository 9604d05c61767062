"""What a rehearsal counts: points of two sides by rule, tier, segment and month, account by account.

One side is the programme that is rehearsed, the other what was decided live, or another version. Tallies of parts add
up to that of the whole, in any order, so parts can be counted anywhere and kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nlargest, nsmallest
from typing import Any, Final, Literal, NamedTuple

from services.rules.domain.commands import Accrue, AskBudget, Command, Reverse
from services.rules.domain.lift import Group, Lifts

Side = Literal["rehearsed", "live"]
Dimension = Literal["rule", "tier", "segment", "month"]

RETURNED: Final = "returned"
"""Stands where a rule does, for what was taken back."""
NONE: Final = ""
"""No tier, no segment."""
EXTREMES_MAX: Final = 20
"""Members named who gain most, and who lose most."""

_SEPARATOR: Final = "\x1f"


class Given(NamedTuple):
    """Points of one rule; below zero where they were taken back. `asked`: of its budget, which may not have them."""

    rule: str
    currency: str
    points: int
    asked: bool = False


class Place(NamedTuple):
    """Where something is counted. `counts`: it lies in the period that is rehearsed."""

    month: str
    day: str
    tier: str
    segments: Sequence[str]


def given_by(commands: Iterable[Command]) -> list[Given]:
    """What the commands of a decision give and take."""
    found = []
    for command in commands:
        match command:
            case Accrue(awards=awards):
                found += [Given(rule, award.currency, points) for award in awards for rule, points in award.rules]
            case AskBudget():
                award = command.award
                found.append(Given(command.rule, award.currency, award.points, asked=True))
            case Reverse():
                found.append(Given(RETURNED, command.currency, -command.points))
            case _:
                pass
    return found


def given_in(record: Mapping[str, Any], granted: Mapping[str, int]) -> list[Given]:
    """The same from the record of a decision; `granted` is what budgets granted, by the id of the ask."""
    found = [
        Given(rule, award["currency"], points) for award in record.get("awards", ()) for rule, points in award["rules"]
    ]
    found += [Given(ask["rule"], ask["currency"], granted.get(ask["ask_id"], 0)) for ask in record.get("asks", ())]
    found += [Given(RETURNED, currency, -points) for currency, points in record.get("taken", {}).items()]
    found += [Given(RETURNED, each["currency"], -each["points"]) for each in record.get("taken_of_asks", ())]
    return found


@dataclass(slots=True)
class Tally:
    """Sums, by keys of several parts.

    `points`: side, dimension, value, currency. `asked`, of budgets: side, rule, currency, day, dimension, value.
    `counts`: what is counted, and the month. `gains` are (money, account, member), the extremes alone.
    """

    points: dict[tuple[str, ...], int] = field(default_factory=dict)
    asked: dict[tuple[str, ...], int] = field(default_factory=dict)
    counts: dict[tuple[str, ...], int] = field(default_factory=dict)
    gains: list[tuple[int, str, str]] = field(default_factory=list)
    lifts: Lifts = field(default_factory=dict)

    def count(self, what: str, month: str = "", more: int = 1) -> None:
        """Count baskets, money, members and the like."""
        _add(self.counts, (what, month), more)

    def take(self, side: Side, place: Place, given: Iterable[Given]) -> None:
        """Count what one decision gives on one side."""
        segments = place.segments or (NONE,)
        for rule, currency, points, asked in given:
            values: list[tuple[Dimension, str]] = [("rule", rule), ("tier", place.tier), ("month", place.month)]
            values += [("segment", segment) for segment in segments]
            for dimension, value in values:
                if asked:
                    _add(self.asked, (side, rule, currency, place.day, dimension, value), points)
                else:
                    _add(self.points, (side, dimension, value, currency), points)

    def gain(self, money: int, account: str, member: str) -> None:
        """Count one account: by how much more money's worth of points it would have had, in ten-thousandths."""
        self.count("accounts")
        self.count("gaining" if money > 0 else "losing" if money < 0 else "even")
        if money:
            self.gains.append((money, account, member))
            if len(self.gains) > EXTREMES_MAX * 10:
                self.gains = extremes(self.gains)

    def plus(self, other: "Tally") -> None:
        """Take in the tally of another part."""
        for mine, theirs in ((self.points, other.points), (self.asked, other.asked), (self.counts, other.counts)):
            for key, more in theirs.items():
                _add(mine, key, more)
        self.gains = extremes([*self.gains, *other.gains])
        for rule, groups in other.lifts.items():
            known = self.lifts.get(rule, (Group(), Group()))
            self.lifts[rule] = (known[0].plus(groups[0]), known[1].plus(groups[1]))


def extremes(gains: Sequence[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """Those who gain most and those who lose most; of equal ones always the same."""
    most = nlargest(EXTREMES_MAX, (each for each in gains if each[0] > 0))
    least = nsmallest(EXTREMES_MAX, (each for each in gains if each[0] < 0))
    return [*most, *reversed(least)]


def plain(tally: Tally) -> dict[str, Any]:
    """A tally as JSON keeps it."""
    return {
        "points": _joined(tally.points),
        "asked": _joined(tally.asked),
        "counts": _joined(tally.counts),
        "gains": extremes(tally.gains),
        "lifts": {rule: [tuple(group) for group in groups] for rule, groups in tally.lifts.items()},
    }


def tally_of(said: Mapping[str, Any]) -> Tally:
    """A tally from JSON."""
    return Tally(
        _split(said["points"]),
        _split(said["asked"]),
        _split(said["counts"]),
        [(money, account, member) for money, account, member in said["gains"]],
        {rule: (Group(*out), Group(*reached)) for rule, (out, reached) in said["lifts"].items()},
    )


def month_of(at: datetime) -> str:
    """The month of a local time: `2026-03`."""
    return f"{at.year}-{at.month:02d}"


def _add(sums: dict[tuple[str, ...], int], key: tuple[str, ...], more: int) -> None:
    sums[key] = sums.get(key, 0) + more


def _joined(sums: Mapping[tuple[str, ...], int]) -> dict[str, int]:
    return {_SEPARATOR.join(key): count for key, count in sums.items()}


def _split(sums: Mapping[str, int]) -> dict[tuple[str, ...], int]:
    return {tuple(key.split(_SEPARATOR)): count for key, count in sums.items()}
