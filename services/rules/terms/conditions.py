"""Conditions in words: where, when, on what and for whom, as parts of a sentence.

Every part is written so that it fits behind the others in any order. A condition that has no simple shape is quoted as
it stands in the file; its rule may say `terms:` instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Final

from contracts.amounts import TEN_THOUSANDTHS
from services.rules.domain.programme import Condition, Duration
from services.rules.domain.situation import LINE_FACTS, SITUATION_FACTS, WEEKDAYS
from services.rules.explanation.languages import day
from services.rules.programme_file.cel import tree_of_condition
from services.rules.terms.atoms import Asked, Atom, Both, Either, asked_by
from services.rules.terms.grammar import all_of, any_of, lasting, quoted, within
from services.rules.terms.speaker import Speaker

_WHOLE: Final = frozenset({"purchase.hour", *(name for name, (kind, _) in SITUATION_FACTS.items() if kind == "whole")})
_MONEY: Final = frozenset(
    {"line.amount", "member.spend_in", *(name for name, (kind, _) in SITUATION_FACTS.items() if kind == "money")}
)
_DAYS: Final = frozenset({"member.days_enrolled", "member.days_since_purchase"})
_HOURS: Final = 24
_FIRST_PURCHASE: Final = (Atom("member.purchases", "in", (0,)), Atom("member.purchases", "le", (0,)))


@dataclass(slots=True)
class Clauses:
    """Parts of a sentence: `goods` after the goods, `at` after the purchase, `provided` behind both.

    `is_first` where the condition means the member's first purchase.
    """

    goods: list[str] = field(default_factory=list)
    at: list[str] = field(default_factory=list)
    provided: list[str] = field(default_factory=list)
    is_first: bool = False


def clauses_of(condition: Condition | None, speaker: Speaker) -> Clauses:
    """What a condition says, part by part."""
    found = Clauses()
    if condition is not None:
        asked = asked_by(tree_of_condition(condition.text))
        if asked is None:
            found.provided.append(_quoted(condition.text, speaker))
        else:
            _add(asked, condition, speaker, found)
    return found


def with_goods(phrase: str, condition: Condition | None, speaker: Speaker, many: str = "") -> str:
    """A phrase about the goods that a condition means, and perhaps about points, which are called `many`."""
    clauses = clauses_of(condition, speaker)
    text = speaker.say(phrase, goods=goods_at(clauses.goods, clauses.at, speaker), many=many)
    if not clauses.provided:
        return text
    return f"{text}, {speaker.say('if', clauses=all_of(clauses.provided, speaker.language))}"


def goods_at(goods: Sequence[str], at: Sequence[str], speaker: Speaker) -> str:
    """Goods, and the purchase that they are bought in: the amount of a purchase is not that of the goods."""
    return " ".join([*goods, speaker.say("goods:at", at=" ".join(at))] if at else goods)


def _add(asked: Asked, condition: Condition, speaker: Speaker, found: Clauses) -> None:
    for part in asked.parts if isinstance(asked, Both) else (asked,):
        if isinstance(part, Atom):
            _add_atom(part, speaker, found)
        else:
            found.provided.append(_in_one(part, speaker) or _quoted(condition.text, speaker))


def _add_atom(atom: Atom, speaker: Speaker, found: Clauses) -> None:
    atom = _counted_from_above(atom)
    if atom in _FIRST_PURCHASE:
        found.is_first = True
        return
    place = found.goods if atom.fact in LINE_FACTS else found.provided
    if _phrase(atom).startswith("at:"):
        place = found.at
    place.append(_told(atom, speaker))


def _in_one(asked: Asked, speaker: Speaker) -> str:
    """Alternatives in one part; empty if one of them cannot be told."""
    if isinstance(asked, Atom):
        return _told(_counted_from_above(asked), speaker)
    parts = [_in_one(part, speaker) for part in asked.parts]
    joined = any_of if isinstance(asked, Either) else all_of
    return joined(parts, speaker.language) if all(parts) else ""


def _quoted(text: str, speaker: Speaker) -> str:
    return speaker.say("if:unknown", condition=quoted(text, speaker.language))


def _counted_from_above(atom: Atom) -> Atom:
    """More than 3 is at least 4, where nothing is between."""
    value = atom.values[0]
    if atom.fact in _WHOLE and isinstance(value, int) and atom.fact not in _DAYS:
        if atom.operator == "gt":
            return Atom(atom.fact, "ge", (value + 1,), atom.attribute, atom.window)
        if atom.operator == "lt":
            return Atom(atom.fact, "le", (value - 1,), atom.attribute, atom.window)
    return atom


def _phrase(atom: Atom) -> str:
    """The key of the phrase for an atom: `at:…` beside the purchase, `goods:…` beside the goods, else `if:…`."""
    name = "attribute" if atom.attribute else atom.fact
    return f"{_place(atom)}:{name}:{_aspect(atom)}"


def _place(atom: Atom) -> str:
    if atom.fact in LINE_FACTS:
        return "goods"
    return "at" if atom.fact.startswith("purchase.") else "if"


def _aspect(atom: Atom) -> str:
    if atom.fact == "member.referred_by" and atom.values == ("",):
        return "nobody" if atom.operator == "in" else "somebody"
    if atom.operator in {"in", "not_in"}:
        return atom.operator
    if atom.fact == "purchase.hour":
        return "from" if atom.operator == "ge" else "to"
    return "compared"


def _told(atom: Atom, speaker: Speaker) -> str:
    key = _phrase(atom)
    if not speaker.has(key):
        key = f"{key.rpartition(':')[0]}:compared"
    if not speaker.has(key):
        values = any_of([_value(atom, value, speaker) for value in atom.values], speaker.language)
        fact = quoted(atom.attribute or atom.fact, speaker.language)
        return speaker.say("if:other", fact=fact, comparison=_comparison(atom, values, speaker))
    values = any_of([_value(atom, value, speaker) for value in atom.values], speaker.language)
    said = {"values": values, "comparison": _comparison(atom, values, speaker), "fact": ""}
    if atom.attribute:
        said["fact"] = speaker.quote(atom.attribute)
    if atom.window is not None:
        said["window"] = within(atom.window, speaker.language)
    return speaker.say(key, **said)


def _comparison(atom: Atom, values: str, speaker: Speaker) -> str:
    return speaker.say(f"compare:{atom.operator}", value=values)


def _value(atom: Atom, value: float | str, speaker: Speaker) -> str:
    """A value as members read it."""
    if isinstance(value, bool):
        return speaker.say("yes" if value else "no")
    if isinstance(value, str):
        return _text(atom, value, speaker)
    if atom.fact == "purchase.month" and speaker.has(f"month:{value}"):
        return speaker.say(f"month:{value}")
    if atom.fact in _MONEY:
        return speaker.money(round(value * TEN_THOUSANDTHS))
    return _count(atom, int(value), speaker) if isinstance(value, int) else speaker.number(value)


def _text(atom: Atom, value: str, speaker: Speaker) -> str:
    if atom.fact == "purchase.weekday" and value in WEEKDAYS:
        return speaker.say(f"weekday:{value}")
    if atom.fact == "purchase.date":
        return _date(value, speaker)
    if atom.fact in {"line.partner", "purchase.partner"}:
        return speaker.partner(value)
    return speaker.tier(value) if atom.fact == "member.tier" else speaker.quote(value)


def _count(atom: Atom, value: int, speaker: Speaker) -> str:
    if atom.fact == "purchase.hour":
        return f"{(value + (atom.operator == 'le')) % _HOURS}:00"
    if atom.fact == "purchase.year":
        return str(value)
    if atom.fact in _DAYS:
        count = within if speaker.language == "ru" else lasting
        return count(Duration(value, "days"), speaker.language)
    return speaker.number(value)


def _date(text: str, speaker: Speaker) -> str:
    try:
        at = datetime.combine(date.fromisoformat(text), time.min, speaker.zone)
    except ValueError:
        return quoted(text, speaker.language)
    return day(at, speaker.zone, speaker.language)
