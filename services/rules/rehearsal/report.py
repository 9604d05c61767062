"""What a rehearsal came to, as data: every figure of the report, points and money as decimal strings.

Budgets are kept here: each day's asks are granted in the order of days while there is something left, and what a day
asked in vain is taken off each tier, segment and rule in proportion.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contracts.amounts import format_decimal, format_points
from services.rules.domain.lift import CONFIDENCE, Group, Lift, lift_of
from services.rules.domain.participant import PublishedProgramme
from services.rules.domain.programme import Currency, Rule
from services.rules.domain.rehearsing import Plan
from services.rules.domain.rounding import apportioned
from services.rules.domain.tally import Tally

Plain = dict[str, Any]
Sums = Mapping[tuple[str, ...], int]

_SIDES: Final = ("rehearsed", "live")
_DIMENSIONS: Final = ("month", "rule", "tier", "segment")
_PER_CENT: Final = 100.0


@dataclass(frozen=True, slots=True)
class Curve:
    """A rule's budget over time, in the smallest unit: (day, asked, granted), each day by itself."""

    rule: str
    currency: str
    total: int
    days: Sequence[tuple[str, int, int]]


def report_of(tally: Tally, plan: Plan, live: PublishedProgramme) -> Plain:
    """The report."""
    granted, curves = with_budgets(tally, plan)
    currencies = _currencies(plan, live)
    counts = tally.counts
    turnover = sum(count for (what, _), count in counts.items() if what == "turnover")
    return {
        "currencies": {
            key: {"scale": each.scale, "worth": format_decimal(each.worth)} for key, each in currencies.items()
        },
        "money": plan.draft.money,
        "since": plan.since,
        "until": plan.until,
        "against": "version" if plan.against is not None else "live",
        "baskets": _count(counts, "baskets"),
        "turnover": format_decimal(turnover),
        "members": _count(counts, "accounts"),
        "gaining": _count(counts, "gaining"),
        "losing": _count(counts, "losing"),
        "even": _count(counts, "even"),
        "unreadable": _count(counts, "unreadable"),
        "cost": _cost(granted, currencies, turnover),
        "by": {dimension: _by(granted, currencies, dimension) for dimension in _DIMENSIONS},
        "months": _months(counts),
        "gain_most": _extremes(tally.gains, positive=True),
        "lose_most": _extremes(tally.gains, positive=False),
        "budgets": [_curve(curve, currencies) for curve in curves],
        "holdouts": [_holdout(rule, tally, plan, live) for rule in plan.measured],
    }


def with_budgets(tally: Tally, plan: Plan) -> tuple[Sums, list[Curve]]:
    """The points of both sides once budgets granted what they could, and how each budget of the draft ran."""
    points = dict(tally.points)
    curves = []
    for side, rule, currency in sorted({key[:3] for key in tally.asked}):
        total = _total(side, rule, plan)
        asked = {key[3:]: count for key, count in tally.asked.items() if key[:3] == (side, rule, currency)}
        days = []
        left = total
        for day in sorted({key[0] for key in asked}):
            wanted = _wanted(asked, day)
            given = min(wanted, left)
            left -= given
            days.append((day, wanted, given))
            _spread(points, asked, day, given, (side, currency))
        if side == "rehearsed":
            curves.append(Curve(rule, currency, total, days))
    return points, curves


def _spread(points: dict[tuple[str, ...], int], asked: Sums, day: str, given: int, place: tuple[str, str]) -> None:
    """Put what a day was granted where it was asked for, in proportion."""
    side, currency = place
    for dimension in _DIMENSIONS:
        places = [(value, count) for (on, kind, value), count in asked.items() if on == day and kind == dimension]
        whole = sum(count for _, count in places)
        # A member may be in several segments: what they ask for together is more than the day asked for.
        share = given if dimension != "segment" else given * whole // max(_wanted(asked, day), 1)
        shares = apportioned(share, [count for _, count in places], 1) if whole else [0] * len(places)
        for (value, _), more in zip(places, shares, strict=True):
            key = (side, dimension, value, currency)
            points[key] = points.get(key, 0) + more


def _wanted(asked: Sums, day: str) -> int:
    return sum(count for (on, dimension, _), count in asked.items() if on == day and dimension == "rule")


def _total(side: str, key: str, plan: Plan) -> int:
    """What the budget of a rule comes to."""
    versions = plan.against.versions[-1:] if side != "rehearsed" and plan.against is not None else (plan.draft,)
    budgets = [rule.budget for version in versions for rule in version.rules if rule.key == key]
    return next((budget.total for budget in budgets if budget is not None), 0)


def _currencies(plan: Plan, live: PublishedProgramme) -> dict[str, Currency]:
    known = {each.key: each for version in live.versions for each in version.currencies}
    return known | {each.key: each for each in plan.draft.currencies}


def _worth(points: Mapping[str, int], currencies: Mapping[str, Currency]) -> int:
    return sum(
        amount * currencies[key].worth // 10 ** currencies[key].scale
        for key, amount in points.items()
        if key in currencies
    )


def _of(points: Sums, side: str, dimension: str, value: str | None = None) -> dict[str, int]:
    found: dict[str, int] = {}
    for (on, kind, which, currency), count in points.items():
        if on == side and kind == dimension and value in (None, which):
            found[currency] = found.get(currency, 0) + count
    return found


def _cost(points: Sums, currencies: Mapping[str, Currency], turnover: int) -> Plain:
    said: Plain = {}
    for side in _SIDES:
        given = _of(points, side, "rule")
        money = _worth(given, currencies)
        said[side] = {
            "points": _points(given, currencies),
            "money": format_decimal(money),
            "share_of_turnover": round(money / turnover * _PER_CENT, 3) if turnover else None,
        }
    more = _worth(_of(points, "rehearsed", "rule"), currencies) - _worth(_of(points, "live", "rule"), currencies)
    return said | {"difference": format_decimal(more)}


def _by(points: Sums, currencies: Mapping[str, Currency], dimension: str) -> list[Plain]:
    values = sorted({value for (_, kind, value, _) in points if kind == dimension})
    rows = []
    for value in values:
        row: Plain = {dimension: value}
        for side in _SIDES:
            given = _of(points, side, dimension, value)
            row[side] = {"points": _points(given, currencies), "money": format_decimal(_worth(given, currencies))}
        rows.append(row)
    return rows


def _points(points: Mapping[str, int], currencies: Mapping[str, Currency]) -> dict[str, str]:
    return {
        key: format_points(amount, currencies[key].scale if key in currencies else 0)
        for key, amount in sorted(points.items())
        if amount
    }


def _months(counts: Sums) -> list[Plain]:
    months = sorted({month for what, month in counts if what == "baskets"})
    return [
        {
            "month": month,
            "baskets": counts.get(("baskets", month), 0),
            "turnover": format_decimal(counts.get(("turnover", month), 0)),
        }
        for month in months
    ]


def _extremes(gains: Iterable[tuple[int, str, str]], *, positive: bool) -> list[Plain]:
    chosen = sorted((each for each in gains if (each[0] > 0) is positive), reverse=positive)
    return [
        {"account_id": account, "member_id": member, "money": format_decimal(money)}
        for money, account, member in chosen
    ]


def _curve(curve: Curve, currencies: Mapping[str, Currency]) -> Plain:
    scale = currencies[curve.currency].scale
    days, used = [], 0
    for day, asked, granted in curve.days:
        used += granted
        days.append(
            {
                "day": day,
                "asked": format_points(asked, scale),
                "granted": format_points(granted, scale),
                "used": format_points(used, scale),
            }
        )
    empty = next((day for day, asked, granted in curve.days if granted < asked), None)
    return {
        "rule": curve.rule,
        "currency": curve.currency,
        "total": format_points(curve.total, scale),
        "used": format_points(used, scale),
        "used_up_on": empty,
        "days": days,
    }


def _holdout(rule: Rule, tally: Tally, plan: Plan, live: PublishedProgramme) -> Plain:
    """What a rule brought, measured by those who were kept out; `ran`: it was at work when these things were bought."""
    kept_out, reached = tally.lifts.get(rule.key, (None, None))
    found: Lift | None = lift_of(kept_out, reached) if kept_out and reached else None
    ran = any(
        each.key == rule.key and each.audience.holdout == rule.audience.holdout
        for version in live.versions
        for each in version.rules
        if version.starts_at is not None and version.starts_at < plan.until
    )
    said: Plain = {
        "rule": rule.key,
        "share": round(float(rule.audience.holdout) * _PER_CENT, 4),
        "ran": ran,
        "kept_out": _group(kept_out),
        "reached": _group(reached),
        "confidence": round(CONFIDENCE * _PER_CENT, 2),
        "difference": None,
        "lift": None,
    }
    if found is not None:
        low, high = found.difference_between
        said["difference"] = {"money": _money(found.difference), "between": [_money(low), _money(high)]}
    if found is not None and found.share is not None and found.share_between is not None:
        said["lift"] = {
            "per_cent": round(found.share * _PER_CENT, 2),
            "between": [round(end * _PER_CENT, 2) for end in found.share_between],
        }
    return said


def _group(group: Group | None) -> Plain:
    if group is None:
        return {"members": 0, "spent_each": "0.00"}
    return {"members": group.members, "spent_each": _money(group.mean)}


def _money(ten_thousandths: float) -> str:
    return f"{ten_thousandths / 10_000:.2f}"


def _count(counts: Sums, what: str) -> int:
    return sum(count for (which, _), count in counts.items() if which == what)
