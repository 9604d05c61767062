"""Stacking: which rules count together. They add, unless they share a `best_of` or one before them says `stop`.

Of those that share a `best_of` the best counts, line by line (whole amounts: the best of the basket); a tie goes to the
first. A multiplier adds (N - 1) times what percentages and per-amount rules gave on its lines.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from services.rules.domain.gifts import Gift, by_line, together
from services.rules.domain.plan import RulePlan

_MULTIPLIED: Final = frozenset({"percent", "per_amount"})


@dataclass(frozen=True, slots=True)
class Lost:
    """Rule `loser` gave way to `winner` on the lines at these indices; without lines, on the whole."""

    loser: str
    winner: str
    lines: tuple[int, ...]


@dataclass(slots=True)
class Claim:
    """A rule that may give, and the indices of the lines that it is for."""

    plan: RulePlan
    on: Sequence[int]


def stopped(claims: Iterable[Claim], lines: int) -> tuple[list[Claim], list[tuple[str, str]]]:
    """Claims less the lines that an earlier rule with `stop` keeps for itself, and who was stopped whole by whom."""
    keeper: dict[int, str] = {}
    left: list[Claim] = []
    silenced: list[tuple[str, str]] = []
    for claim in claims:
        if keeper:
            free = [index for index in claim.on if index not in keeper]
            if not free:
                silenced.append((claim.plan.rule.key, keeper[claim.on[0]]))
                continue
            claim.on = free if len(free) < lines else claim.on
        left.append(claim)
        if claim.plan.rule.stop:
            keeper |= dict.fromkeys(claim.on, claim.plan.rule.key)
    return left, silenced


def multiply(multipliers: Sequence[Gift], gifts: Sequence[Gift], lines: int) -> None:
    """Fill in what each multiplier adds, from what the others gave."""
    for multiplier in multipliers:
        given = [gift for gift in gifts if _is_multiplied(gift, multiplier)]
        more = multiplier.give.value - 1
        if not given or not more:
            multiplier.amounts, multiplier.denominator = [0] * lines, 1
            continue
        rows, denominator = together(given)
        multiplied = [amount * more.numerator for amount in by_line(rows)]
        if len(multiplier.on) < lines:
            kept = set(multiplier.on)
            multiplied = [amount if index in kept else 0 for index, amount in enumerate(multiplied)]
        multiplier.amounts, multiplier.denominator = multiplied, denominator * more.denominator


def _is_multiplied(gift: Gift, multiplier: Gift) -> bool:
    """Whole amounts are not, nor what somebody else receives."""
    same = gift.give.kind in _MULTIPLIED and gift.give.currency == multiplier.give.currency
    return same and not gift.plan.rule.to


def best(gifts: Sequence[Gift]) -> list[Lost]:
    """Leave of each `best_of` only the best, line by line; says who lost where, and to whom."""
    groups: dict[str, list[Gift]] = {}
    for gift in gifts:
        if gift.plan.rule.best_of:
            groups.setdefault(gift.plan.rule.best_of, []).append(gift)
    found: list[Lost] = []
    for group in groups.values():
        if len(group) > 1:
            found += _best_whole(group) if group[0].is_fixed else _best_by_line(group)
    return found


def _best_whole(group: Sequence[Gift]) -> list[Lost]:
    contenders = [gift for gift in group if any(gift.amounts)]
    if not contenders:
        return []
    winner = max(contenders, key=lambda gift: gift.give.value)
    losers = [gift for gift in contenders if gift is not winner]
    for gift in losers:
        gift.amounts = [0] * len(gift.amounts)
    return [Lost(gift.key, winner.key, ()) for gift in losers]


def _best_by_line(group: Sequence[Gift]) -> list[Lost]:
    rows, denominator = together(group)
    kept = [list(row) for row in rows]
    lost: dict[tuple[str, str], list[int]] = {}
    for line in range(len(rows[0])):
        contenders = [index for index, row in enumerate(rows) if row[line]]
        if len(contenders) < 2:  # noqa: PLR2004  # one alone has nobody to lose to
            continue
        winner = max(contenders, key=lambda index: rows[index][line])
        for index in contenders:
            if index != winner:
                kept[index][line] = 0
                lost.setdefault((group[index].key, group[winner].key), []).append(line)
    for gift, amounts in zip(group, kept, strict=True):
        gift.amounts, gift.denominator = amounts, denominator
    return [Lost(loser, winner, tuple(lines)) for (loser, winner), lines in lost.items()]
