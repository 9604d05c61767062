"""Runs a given/when/then file of the gallery: every figure that `then` names is compared, as text, exactly."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from contracts.amounts import format_decimal, format_points, parse_decimal
from services.rules.domain.evaluation import (
    Award,
    Basket,
    BasketLine,
    BasketPayment,
    Evaluation,
    Facts,
    Occasion,
    evaluate,
    quote,
)
from services.rules.domain.moments import zone_of
from services.rules.domain.programme import ProgrammeVersion
from services.rules.domain.redeemable import redeemable
from services.rules.programme_file import compile_programme, scalars
from services.rules.programme_file.nodes import Mapping as Words
from services.rules.programme_file.nodes import Node, Scalar, parsed

GALLERY = Path(__file__).parents[4] / "examples" / "programmes"
INSTANTS = ("enrolled_at", "birthday_known_at", "last_purchase_at")


@dataclass(frozen=True)
class Case:
    """One case of a file."""

    programme: str
    said: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.programme}: {self.said['case']}"


def cases() -> list[Case]:
    """Every case of every programme that has a file of them."""
    return [
        Case(path.name.removesuffix(".cases.yaml"), said)
        for path in sorted(GALLERY.glob("*.cases.yaml"))
        for said in plain(parsed(f"cases:\n{path.read_text(encoding='utf-8')}"))["cases"]
    ]


def plain(node: Node) -> Any:
    """Texts, lists and mappings of a file."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Words):
        return {word: plain(value) for word, value in node.entries.items()}
    return [plain(item) for item in node.items]


def outcome(case: Case) -> dict[str, Any]:
    """What the programme says to a case, in the words of its `then`."""
    version = compile_programme((GALLERY / f"{case.programme}.yaml").read_text(encoding="utf-8"))
    zone = zone_of(version.zone)
    counters: dict[str, int] = {}
    for earlier in case.said.get("after", []):
        facts = _facts(case, zone, counters)
        found = evaluate(version, _subject(earlier, zone), replace(facts, member_id=earlier.get("by", facts.member_id)))
        for increments in (found.increments, *(ask.increments for ask in found.budget_asks)):
            counters |= {key: counters.get(key, 0) + more for key, more in increments.items()}
    subject, facts = _subject(case.said["when"], zone), _facts(case, zone, counters)
    said = _said(version, evaluate(version, subject, facts), zone)
    if isinstance(subject, Basket):
        allowed = redeemable(version, subject, facts)
        currency = version.currencies[0]
        said["redeemable"] = format_points(allowed.most, currency.scale) if allowed else "nothing"
        priced, quoted = quote(version, subject, facts)
        said["discounts"] = {each.rule: format_decimal(each.amount) for each in quoted.discounts}
        said["quoted"] = format_points(evaluate(version, priced, facts).points(currency.key), currency.scale)
    return said


def _said(version: ProgrammeVersion, found: Evaluation, zone: ZoneInfo) -> dict[str, Any]:
    first = found.awards[0] if found.awards else None
    said: dict[str, Any] = {
        currency.key: format_points(found.points(currency.key), currency.scale) for currency in version.currencies
    }
    said |= {
        "qualifying": format_decimal(found.qualifying),
        "reason": found.reason,
        "because": found.explanation.get("not_fired"),
        "rules": {rule: format_points(share, award.scale) for award in found.awards for rule, share in award.rules},
        "lots": [_lot(award, zone) for award in found.awards],
        "asks": {ask.rule: format_points(ask.award.points, ask.award.scale) for ask in found.budget_asks},
        "others": {other.rule: format_points(other.award.points, other.award.scale) for other in found.for_others},
        "cut": {cut.code: format_points(cut.points, version.currency(cut.currency).scale) for cut in found.cuts},
    }
    return (_lot(first, zone) if first else {}) | said


def _lot(award: Award, zone: ZoneInfo) -> dict[str, str]:
    return {
        award.currency: format_points(award.points, award.scale),
        "partner": award.partner,
        "rule": award.rule or "",
        "activates": _written(award.activates_at, zone, "at_once"),
        "expires": _written(award.expires_at, zone, "never"),
    }


def _written(at: datetime | None, zone: ZoneInfo, otherwise: str) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else otherwise


def _subject(said: Mapping[str, Any], zone: ZoneInfo) -> Basket | Occasion:
    if "happened" in said:
        at, attributes = _instant(said["at"], zone), said.get("attributes", {})
        return Occasion(said["happened"], at, said.get("product", ""), attributes)
    lines = [BasketLine(number, **_line(line)) for number, line in enumerate(said["lines"], 1)]
    payments = [BasketPayment(kind, parse_decimal(amount)) for kind, amount in said.get("paid", {}).items()]
    return Basket(tuple(lines), _instant(said["bought"], zone), tuple(payments), said.get("store", ""))


def _line(said: Mapping[str, str]) -> dict[str, Any]:
    return {word: parse_decimal(text) if word in {"amount", "tax"} else text for word, text in said.items()}


def _facts(case: Case, zone: ZoneInfo, counters: Mapping[str, int]) -> Facts:
    given = dict(case.said.get("given", {}))
    known: dict[str, Any] = {"counters": dict(counters)}
    for word, value in given.items():
        if word in INSTANTS:
            known[word] = _instant(value, zone)
        elif word == "birthday":
            known[word] = date.fromisoformat(value)
        elif word == "segments":
            known[word] = frozenset(value)
        elif word == "purchases":
            known[word] = int(value)
        elif word == "spend_in":
            known[word] = {scalars.duration(window): parse_decimal(amount) for window, amount in value.items()}
        elif word == "purchases_in":
            known[word] = {scalars.duration(window): int(count) for window, count in value.items()}
        else:
            known[word] = value
    return Facts(**known)


def _instant(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)
