"""A decision's record as the API gives it: points and money as decimal strings, names instead of positions."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from contracts.amounts import format_decimal, format_points

Plain = dict[str, Any]

_EXACT_DECIMALS = 4


def document(record: Mapping[str, Any]) -> Plain:
    """What a record says, in decimal strings; what is empty is left out."""
    scales = _Scales.of(record)
    evaluation = record.get("evaluation", {})
    said: Plain = {
        "tier": record.get("tier"),
        "reason": evaluation.get("reason"),
        "awards": [_award(award) for award in record.get("awards", ())],
        "budgets": [_ask(ask) for ask in record.get("asks", ())],
        "rules": [_rule(rule, scales) for rule in evaluation.get("rules", ())],
        "lines": [_line(line, scales) for line in evaluation.get("lines", ())],
        "excluded_lines": evaluation.get("excluded", []),
        "not_counted": _not_counted(evaluation),
        "rounding": [_rounding(each, scales) for each in evaluation.get("currencies", ())],
        "not_fired": _not_fired(evaluation),
        "lost": evaluation.get("lost", []),
        "cuts": [_cut(cut, scales) for cut in evaluation.get("cuts", ())],
        "failed": evaluation.get("failed", []),
        "paid_with_points": [_paid(paid) for paid in record.get("paid", ())],
        "taken_back": {key: scales.format(points, key) for key, points in _taken(record).items()},
        "given_back": {each["currency"]: scales.format(each["points"], each["currency"]) for each in _restored(record)},
        "tier_changes": record.get("changes", []),
        "standing": record.get("standing"),
    }
    return {key: value for key, value in said.items() if value not in (None, [], {})}


class _Scales:
    """How many decimals each currency has, and which currency each rule gives, as far as the record says."""

    def __init__(self, of_currency: Mapping[str, int], of_rule: Mapping[str, str]) -> None:
        self._of_currency = of_currency
        self._of_rule = of_rule

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "_Scales":
        awards = [*record.get("awards", ()), *record.get("asks", ()), *record.get("paid", ()), *_restored(record)]
        of_currency = {each["currency"]: each["scale"] for each in awards if "scale" in each}
        of_currency.update(record.get("scales", {}))
        given = (*record.get("awards", ()), *record.get("asks", ()))
        of_rule = {rule: award["currency"] for award in given for rule, _ in award["rules"]}
        return cls(of_currency, of_rule)

    def format(self, points: int, currency: str | None) -> str:
        """Points of a currency; of one that the record does not name, in its smallest unit."""
        return format_points(points, self._of_currency.get(currency or "", 0))

    def format_of_rule(self, points: int, rule: str) -> str:
        """Points that a rule gave."""
        return self.format(points, self._of_rule.get(rule) or next(iter(self._of_currency), None))


def _restored(record: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    restored: Sequence[Mapping[str, Any]] = record.get("restored", ())
    return restored


def _taken(record: Mapping[str, Any]) -> dict[str, int]:
    """What was taken back by currency, of awards at once and of what budgets had granted."""
    taken = dict(record.get("taken", {}))
    for ask in record.get("taken_of_asks", ()):
        taken[ask["currency"]] = taken.get(ask["currency"], 0) + ask["points"]
    return taken


def _ask(ask: Mapping[str, Any]) -> Plain:
    """What a rule asked of its campaign's budget; `granted` null: the budget has not answered yet."""
    granted, scale = ask.get("granted"), ask["scale"]
    return {
        "rule": ask["rule"],
        "campaign": ask["campaign"],
        "currency": ask["currency"],
        "asked": format_points(ask["points"], scale),
        "granted": None if granted is None else format_points(granted, scale),
        "activates_at": ask.get("activates_at"),
        "expires_at": ask.get("expires_at"),
    }


def _award(award: Mapping[str, Any]) -> Plain:
    scale = award["scale"]
    said: Plain = {
        "currency": award["currency"],
        "points": format_points(award["points"], scale),
        "activates_at": award.get("activates_at"),
        "expires_at": award.get("expires_at"),
        "rules": [{"rule": rule, "points": format_points(points, scale)} for rule, points in award["rules"]],
        "lines": [{"line": line, "points": format_points(points, scale)} for line, points in award.get("lines", ())],
    }
    return said | ({"partner": award["partner"]} if "partner" in award else {})


def _rule(rule: Mapping[str, Any], scales: _Scales) -> Plain:
    return dict(rule) | {"points": scales.format_of_rule(rule["points"], rule["rule"])}


def _line(line: Sequence[Any], scales: _Scales) -> Plain:
    number, counts, points = line
    given = {rule: scales.format_of_rule(share, rule) for rule, share in points.items()}
    return {"line": number, "counts": format_decimal(counts), "points": given}


def _rounding(said: Mapping[str, Any], scales: _Scales) -> Plain:
    currency = said["currency"]
    return dict(said) | {
        "points": scales.format(said["points"], currency),
        "exact": exact_decimal(Fraction(said["exact"]), scales.format(10**_EXACT_DECIMALS, currency)),
    }


def exact_decimal(points: Fraction, ten_thousand: str) -> str:
    """Exact points as a decimal with at most four decimals below the smallest unit; `…` where it goes on.

    `ten_thousand` is how ten thousand smallest units are written, which tells the scale.
    """
    scale = len(ten_thousand.partition(".")[2])
    digits = scale + _EXACT_DECIMALS
    scaled = points * 10**_EXACT_DECIMALS
    whole = int(scaled)
    text = format_points(whole, digits)
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if scaled == whole else f"{text}…"


def _not_fired(evaluation: Mapping[str, Any]) -> list[Plain]:
    stopped_by = evaluation.get("stopped_by", {})
    return [
        {"rule": rule, "reason": reason} | ({"by": stopped_by[rule]} if rule in stopped_by else {})
        for reason, rules in evaluation.get("not_fired", {}).items()
        for rule in rules
    ]


def _not_counted(evaluation: Mapping[str, Any]) -> Plain:
    """Money of the bill that earns nothing because of how it was paid."""
    paid = ("paid_with_points", "paid_otherwise")
    return {name: format_decimal(evaluation[name]) for name in paid if evaluation.get(name)}


def _cut(cut: Mapping[str, Any], scales: _Scales) -> Plain:
    return dict(cut) | {"points": scales.format(cut["points"], cut["currency"])}


def _paid(paid: Mapping[str, Any]) -> Plain:
    return {key: value for key, value in paid.items() if key not in ("scale", "points")} | {
        "points": format_points(paid["points"], paid["scale"])
    }
