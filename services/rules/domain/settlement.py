"""Settlement: exact gifts become whole points once, cut by caps, with shares for lines and rules that add up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.rules.domain.gifts import Gift, by_line, together
from services.rules.domain.moments import activates_at, expires_at
from services.rules.domain.outcome import Award
from services.rules.domain.plan import RulePlan
from services.rules.domain.programme import Currency
from services.rules.domain.rounding import apportioned, rounded


@dataclass(slots=True)
class Pot:
    """Gifts that are rounded together and stand in one lot; `alone` is the rule that has a pot to itself."""

    currency: Currency
    gifts: list[Gift]
    alone: RulePlan | None = None


@dataclass(slots=True)
class Settled:
    """A pot in whole points. `exact` is (numerator, denominator) before caps and rounding; `before_cap` is rounded.

    `rows` are the gifts' amounts by line over the denominator; `lines` and `rules` the shares, in the order of lines
    and gifts.
    """

    pot: Pot
    points: int
    before_cap: int
    exact: tuple[int, int]
    rows: list[list[int]]
    lines: list[int]
    rules: list[int]


def pots_of(gifts: Sequence[Gift]) -> list[Pot]:
    """Gifts by where their points go: one pot a currency, then one for each rule that stands alone."""
    pots: dict[tuple[str, str], Pot] = {}
    for gift in gifts:
        currency = gift.plan.currency
        if currency is None:
            continue
        place = (currency.key, gift.key if gift.plan.alone else "")
        pot = pots.get(place)
        if pot is None:
            pots[place] = Pot(currency, [gift], gift.plan if gift.plan.alone else None)
        else:
            pot.gifts.append(gift)
    return sorted(pots.values(), key=lambda pot: pot.alone is not None)


def settle(pot: Pot, limit: int | None) -> Settled:
    """Round a pot, to at most `limit` points; one below zero (deposits given back) gives nothing."""
    rows, denominator = together(pot.gifts)
    of_lines = by_line(rows)
    whole = sum(of_lines)
    if pot.currency.round_by == "line":
        lines = _rounded_lines(pot, rows, denominator)
        before_cap = max(sum(lines), 0)
    else:
        lines = []
        before_cap = max(rounded(whole, denominator, pot.currency.rounding), 0)
    points = before_cap if limit is None else min(before_cap, limit)
    if not points:
        lines = [0] * len(of_lines)
    elif not lines or points != before_cap:
        lines = apportioned(points, of_lines, denominator)
    of_rules = [sum(row) for row in rows]
    rules = apportioned(points, of_rules, denominator) if points else [0] * len(rows)
    return Settled(pot, points, before_cap, (whole, denominator), rows, lines, rules)


def _rounded_lines(pot: Pot, rows: Sequence[list[int]], denominator: int) -> list[int]:
    """Each line rounded on its own; whole amounts for the basket are only shared over lines, not born of them."""
    born = [row for gift, row in zip(pot.gifts, rows, strict=True) if not gift.is_fixed]
    fixed = [row for gift, row in zip(pot.gifts, rows, strict=True) if gift.is_fixed]
    lines = [0] * len(rows[0])
    if born:
        lines = [rounded(amount, denominator, pot.currency.rounding) for amount in by_line(born)]
    if fixed:
        shared = by_line(fixed)
        more = apportioned(sum(shared) // denominator, shared, denominator)
        lines = [amount + share for amount, share in zip(lines, more, strict=True)]
    return lines


Ownership = tuple[str, Award]


@dataclass(frozen=True, slots=True)
class LotTerms:
    """When the points of a purchase made at `at` begin to count and lapse, by the calendar of `zone`."""

    at: datetime
    zone: ZoneInfo

    def dates(self, pot: Pot) -> tuple[datetime | None, datetime | None]:
        """`activates_at` and `expires_at` of a pot's lot: as its rule says, else as its currency does."""
        rule = pot.alone.rule if pot.alone else None
        begins = rule.activates if rule and rule.activates else pot.currency.activates
        ends = rule.expires if rule and rule.expires else pot.currency.expires
        return activates_at(begins, self.at, self.zone), expires_at(ends, self.at, self.zone)


def awards_of(settled: Settled, terms: LotTerms, numbers: Sequence[int], owners: Sequence[str]) -> list[Ownership]:
    """Awards with whose they are: one, or one for each owner (partner, seller) of lines that have a share.

    `numbers` are the line numbers; without lines `owners` still names one.
    """
    shares = tuple([(number, share) for number, share in zip(numbers, settled.lines, strict=False) if share])
    if len(set(owners)) == 1:
        return [(owners[0], _award(settled, terms, owners[0], settled.rules, shares))]
    found = []
    different = list(dict.fromkeys(owners))
    lines_of = {owner: [index for index, who in enumerate(owners) if who == owner] for owner in different}
    # An owner whose lines come to less than nothing has no award to take it from: the others bear it.
    weights = [max(sum(settled.lines[index] for index in lines_of[owner]), 0) for owner in different]
    for owner, points in zip(different, apportioned(settled.points, weights, 1), strict=True):
        own = lines_of[owner]
        if points:
            of_rules = [sum(row[index] for index in own) for row in settled.rows]
            of_lines = apportioned(points, [settled.lines[index] for index in own], 1)
            lines = tuple([(numbers[index], share) for index, share in zip(own, of_lines, strict=True) if share])
            found.append((owner, _award(settled, terms, owner, apportioned(points, of_rules, settled.exact[1]), lines)))
    return found


def _award(
    settled: Settled, terms: LotTerms, owner: str, rules: Sequence[int], lines: tuple[tuple[int, int], ...]
) -> Award:
    pot = settled.pot
    activates, expires = terms.dates(pot)
    return Award(
        currency=pot.currency.key,
        scale=pot.currency.scale,
        points=sum(rules),
        rules=tuple([(gift.key, share) for gift, share in zip(pot.gifts, rules, strict=True) if share]),
        lines=lines,
        activates_at=activates,
        expires_at=expires,
        partner="" if pot.alone and pot.alone.rule.to else owner,
        rule=pot.alone.rule.key if pot.alone else None,
    )
