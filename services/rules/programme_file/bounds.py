"""What a programme may not do although every part of it can be read.

It may not pay without bound, compare what cannot be compared, or let points lapse before they count.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from services.rules.domain.moments import activates_at, expires_at
from services.rules.domain.programme import Cap, Currency, Rule, Term
from services.rules.programme_file.errors import ProgrammeError
from services.rules.programme_file.nodes import Place
from services.rules.programme_file.rules import Written

LARGEST_FACTOR: Final = 10
"""What is earned may be multiplied by this at most, unless a cap or a budget in points bounds it."""

_FIRST_DAY: Final = datetime(2027, 1, 1, 12, tzinfo=UTC)
_SPAN_TRIED: Final = timedelta(days=366 * 4)
_STEP_TRIED: Final = timedelta(days=1)
_KINDS_TOGETHER: Final = {"percent": "lines", "per_amount": "lines", "per_unit": "lines"}


def bounds_of(written: Sequence[Written], caps: Sequence[Cap]) -> list[ProgrammeError]:
    """Faults that show only when rules are seen together."""
    return [*_mixed(written), *_without_bound(written, caps)]


def _mixed(written: Sequence[Written]) -> Iterable[ProgrammeError]:
    """Rules that share a `best_of` must be comparable line by line: of one kind, in one currency."""
    first: dict[str, Written] = {}
    for each in written:
        group = each.rule.best_of
        if group is None:
            continue
        leader = first.setdefault(group, each)
        if _comparable(leader.rule) != _comparable(each.rule):
            message = f"`{each.rule.key}` and `{leader.rule.key}` share best_of: {group}, but cannot be compared"
            mend = "let multipliers compete with multipliers, whole amounts with whole amounts, of one currency"
            yield each.place("best_of").error("mixed", message, mend)


def _comparable(rule: Rule) -> tuple[str, str]:
    give = rule.gives[0]
    return _KINDS_TOGETHER.get(give.kind, give.kind), give.currency


def _without_bound(written: Sequence[Written], caps: Sequence[Cap]) -> Iterable[ProgrammeError]:
    """Multipliers that together come to more than `LARGEST_FACTOR`, and percentages of more than everything."""
    capped = {cap.currency for cap in caps if cap.points is not None}
    factors: dict[tuple[str, str], Fraction] = {}
    for each in written:
        rule = each.rule
        most = max(rule.gives, key=lambda give: give.value)
        if most.currency in capped or rule.budget is not None or any(cap.points is not None for cap in rule.caps):
            continue
        if most.kind == "percent" and most.value > 1:
            yield _unbounded(each, f"`{most.text}` gives back more than is paid, and nothing bounds it")
        if most.kind == "percent_off" and most.value > 1:
            yield each.place("give").error("out_of_bounds", f"`{most.text}` is more than the price", "write 100 % off")
        if most.kind != "multiplier":
            continue
        group = rule.best_of or f" {rule.key}"
        key = (most.currency, group)
        factors[key] = max(factors.get(key, Fraction(0)), most.value - 1)
        together = 1 + sum(more for (currency, _), more in factors.items() if currency == most.currency)
        if together > LARGEST_FACTOR:
            yield _unbounded(each, f"with this, what is earned is multiplied by up to {float(together):g}")


def _unbounded(written: Written, message: str) -> ProgrammeError:
    mend = "add cap: {purchase: 500 points} to the rule, or caps: to the programme, or give less"
    return written.place("give").error("unbounded", message, mend)


def lapses_of(
    currencies: Mapping[str, Currency], places: Mapping[str, Place], written: Iterable[Written], zone: ZoneInfo
) -> list[ProgrammeError]:
    """Points that would lapse before they count: of a currency, whose `expires` stands at `places`, or of one rule."""
    for_ever = _Span(_FIRST_DAY, _FIRST_DAY + _SPAN_TRIED)
    found = [
        _lapse(places[key], currency.activates, currency.expires, for_ever, zone)
        for key, currency in currencies.items()
    ]
    for each in written:
        rule, currency = each.rule, currencies.get(each.rule.gives[0].currency)
        if currency is not None and (rule.activates or rule.expires):
            word = "expires" if rule.expires else "activates"
            activates, expires = rule.activates or currency.activates, rule.expires or currency.expires
            found.append(_lapse(each.place(word), activates, expires, _span(rule), zone))
    return [error for error in found if error is not None]


@dataclass(frozen=True, slots=True)
class _Span:
    """The days on which points may be earned."""

    first: datetime
    last: datetime


def _span(rule: Rule) -> _Span:
    """When a rule runs, or long enough to see every kind of month."""
    first = rule.starts_at or _FIRST_DAY
    last = rule.ends_at - timedelta(seconds=1) if rule.ends_at else first + _SPAN_TRIED
    return _Span(first, min(last, first + _SPAN_TRIED))


def _lapse(
    place: Place, activates: Term | None, expires: Term | None, span: _Span, zone: ZoneInfo
) -> ProgrammeError | None:
    """The fault, if points earned on some day would lapse before they count.

    A date of its own is judged only where the rule has a last day: without one it is the author's word that the
    programme ends by then.
    """
    if expires is None or (expires.on is not None and span.last - span.first >= _SPAN_TRIED):
        return None
    days = (span.last - span.first) // _STEP_TRIED
    for at in [*(span.first + _STEP_TRIED * day for day in range(days + 1)), span.last]:
        begins, ends = activates_at(activates, at, zone), expires_at(expires, at, zone)
        if ends is not None and ends <= (begins or at):
            message = f"points earned on {at.astimezone(zone).date()} would lapse before they count"
            return place.error("overlaps", message, "let them activate sooner or expire later")
    return None
