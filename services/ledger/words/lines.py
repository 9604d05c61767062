"""A line of a statement in words.

`Earned: 40.00 points. Purchase krakow-12/3/000451, store krakow-12. Rules: level 40.00. Available now: 140.00 points.`
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from services.ledger.words.languages import amount, currency_word
from services.ledger.words.phrases import HAPPENED, SOURCES, WORDS
from services.runtime.http.languages import Language

Line = Mapping[str, Any]

_FIGURES: Final[Mapping[str, tuple[str, int]]] = {
    "points.accrued": ("issued", 1),
    "points.activated": ("pending", -1),
    "points.redeemed": ("redeemed", 1),
    "points.restored": ("redeemed", -1),
    "points.expired": ("expired", 1),
    "points.reversed": ("reversed", 1),
    "points.adjusted": ("adjusted", 1),
    "debt.settled": ("debt", -1),
    "hold.placed": ("held", 1),
    "hold.captured": ("redeemed", 1),
    "hold.released": ("held", -1),
    "hold.timed-out": ("held", -1),
    "transfer.sent": ("in_transit", 1),
    "transfer.received": ("transferred_in", 1),
    "transfer.completed": ("transferred_out", 1),
    "transfer.returned": ("in_transit", -1),
}
"""Which bucket's change is the figure of an event, and with which sign."""


def in_words(line: Line, why: Mapping[str, Any], names: Mapping[str, str], language: Language) -> str:
    """What happened, why, and what there is now. `names` is the currency's word by language.

    Rules, reasons and operators stand by their codes, as the programme and the operator wrote them.
    """
    word = currency_word(line["currency"], names, language)

    def figure(points: int) -> str:
        return f"{amount(points, line['scale'], language)} {word}"

    sentences = [_happened(line, why, figure, language), *_because(line, why, language)]
    words = WORDS[language]
    sentences.append(f"{words['available']}: {figure(line['available_after'])}")
    if line["debt_after"]:
        sentences.append(f"{words['debt']}: {figure(line['debt_after'])}")
    return ". ".join(sentences) + "."


def _happened(line: Line, why: Mapping[str, Any], figure: Callable[[int], str], language: Language) -> str:
    kind = line["type"].removeprefix("bonus.").removesuffix(".v1")
    phrases = HAPPENED[language]
    detail = "pending" if kind == "points.accrued" and line["pending"] else why.get("reason")
    phrase = phrases.get(f"{kind}.{detail}") or phrases.get(kind) or phrases["else"]
    bucket, sign = _FIGURES.get(kind, ("available", 1))
    points = sign * (line[bucket] or 0)
    return f"{phrase}: {figure(points)}"


def _because(line: Line, why: Mapping[str, Any], language: Language) -> Iterator[str]:
    words = WORDS[language]
    source = why.get("source")
    if source:
        said = f"{SOURCES[language].get(source['kind'], source['kind'])} {source['id']}"
        store = source.get("store")
        yield said[0].upper() + said[1:] + (f", {words['store']} {store}" if store else "")
    rules = why.get("rules")
    if rules:
        shares = "; ".join(f"{rule} {amount(points, line['scale'], language)}" for rule, points in rules.items())
        yield f"{words['rules']}: {shares}"
    if "operator" in why:
        yield f"{words['reason']}: {why.get('reason', '')}, {words['operator']}: {why['operator']}"
    if "reference" in why:
        yield f"{words['reference']}: {why['reference']}"
