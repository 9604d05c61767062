"""The explanation: plain data that says of every rule whether it gave, how much, and if not, why.

What is empty is left out. Points are in the smallest unit, money in ten-thousandths; the keys are described in
docs/programmes.md.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from services.rules.domain.answers import Answers
from services.rules.domain.earning import Earned
from services.rules.domain.gifts import CountedLines
from services.rules.domain.outcome import Cut
from services.rules.domain.rounding import apportioned
from services.rules.domain.settlement import Settled

Plain = dict[str, object]


def explanation_of(
    found: Earned, pots: Sequence[Settled], counted: CountedLines, answers: Answers, cuts: Sequence[Cut]
) -> Plain:
    """Why the basket earns what it earns."""
    numbers = [line.line for _, line in counted.lines]
    said: Plain = {
        "currencies": [_currency(settled) for settled in pots],
        "rules": [rule for settled in pots for rule in _rules(settled, answers.situation.facts.tier)],
        "lines": _lines(pots, counted),
        "excluded": list(counted.excluded),
        "paid_with_points": _money(counted.payment.points),
        "paid_otherwise": _money(counted.payment.not_counted),
        "not_fired": found.not_fired,
        "stopped_by": found.stopped_by,
        "lost": [
            {"rule": lost.loser, "to": lost.winner, "lines": [numbers[index] for index in lost.lines]}
            for lost in found.lost
        ],
        "cuts": [_cut(cut) for cut in cuts],
        "failed": [{"rule": failure.rule, "message": failure.message} for failure in answers.failures],
    }
    return {key: value for key, value in said.items() if value}


def _money(by_line: Sequence[Fraction] | None) -> int:
    return int(sum(by_line)) if by_line else 0


def _currency(settled: Settled) -> Plain:
    currency = settled.pot.currency
    said: Plain = {
        "currency": currency.key,
        "points": settled.points,
        # As text: numerator and denominator may be longer than any number of JSON.
        "exact": str(Fraction(*settled.exact)),
        "rounding": currency.rounding,
        "round_by": currency.round_by,
    }
    if settled.pot.alone is not None:
        said["rule"] = settled.pot.alone.rule.key
    return said


def _rules(settled: Settled, tier: str | None) -> list[Plain]:
    found = []
    for gift, points in zip(settled.pot.gifts, settled.rules, strict=True):
        said: Plain = {"rule": gift.key, "give": gift.give.text, "points": points}
        if gift.plan.rule.by_tier:
            said["tier"] = tier
        found.append(said)
    return found


def _lines(pots: Sequence[Settled], counted: CountedLines) -> list[list[object]]:
    """Each line that counts: its number, what counts of it, and the points of each rule on it."""
    if not counted.shown:
        return []
    bases = _bases(pots, counted)
    given: list[dict[str, int]] = [{} for _ in counted.lines]
    for settled in pots:
        keys = [gift.key for gift in settled.pot.gifts]
        if len(keys) == 1:
            for shares, points in zip(given, settled.lines, strict=True):
                if points:
                    shares[keys[0]] = points
            continue
        denominator = settled.exact[1]
        for shares, points, column in zip(given, settled.lines, zip(*settled.rows, strict=True), strict=True):
            if points:
                of_rules = apportioned(points, column, denominator)
                shares.update([(key, share) for key, share in zip(keys, of_rules, strict=True) if share])
    return [[line.line, base, shares] for (_, line), base, shares in zip(counted.lines, bases, given, strict=True)]


def _bases(pots: Sequence[Settled], counted: CountedLines) -> Sequence[int]:
    """What counts of each line for the first rule that gave; whole ten-thousandths, for reading only."""
    if not pots:
        return [line.amount + line.points_paid for _, line in counted.lines]
    rule = pots[0].pot.gifts[0].plan.rule
    base = counted.base(rule.base, counts_points_paid=rule.counts_points_paid)
    if base.denominator == 1:
        return base.numerators
    return [round(Fraction(numerator, base.denominator)) for numerator in base.numerators]


def _cut(cut: Cut) -> Plain:
    said: Plain = {"code": cut.code, "currency": cut.currency, "points": cut.points}
    if cut.rule is not None:
        said["rule"] = cut.rule
    return said


def closed(reason: str) -> Mapping[str, object]:
    """The explanation of a basket for which no rule was looked at."""
    return {"reason": reason}
