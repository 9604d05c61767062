"""The facts that a condition names: which there are, where each may be asked for, and what kind of thing it is."""

from dataclasses import dataclass
from typing import Final, Literal

from services.rules.domain.programme import Duration
from services.rules.domain.situation import LINE_FACTS, PURCHASES_IN, SITUATION_FACTS, SPEND_IN, window_fact
from services.rules.programme_file import scalars
from services.rules.programme_file.errors import nearest
from services.rules.programme_file.expression_source import ConditionError, Edit, call_end
from services.rules.programme_file.expression_tree import Call, Field, Literally, Name, Tree

Kind = Literal[
    "text", "texts", "whole", "money", "quantity", "attributes", "truth", "number", "numbers", "anything", "list"
]
Stage = Literal["segment", "situation", "line", "occasion"]
"""Where a condition stands, which says what facts there are."""

ROOTS: Final = ("purchase", "line", "member", "activity")
WINDOWS: Final = ("spend_in", "purchases_in")
HAS_ATTRIBUTE: Final = "has_attribute"

_CALENDAR: Final = frozenset(f"purchase.{name}" for name in ("weekday", "hour", "day", "month", "year", "date"))
_SUBJECT: Final = {"line": "line", "occasion": "activity"}
_ROOT_AND_FACT: Final = 2


@dataclass(frozen=True, slots=True)
class NamedFact:
    """A fact that a dotted name means; `rest` is what it asks of attributes: `x` in `line.attributes.x`."""

    name: str
    kind: Kind
    rest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CalledFact:
    """A fact that a call means, with what is written in its place."""

    name: str
    kind: Kind
    edit: Edit
    window: tuple[str, Duration] | None = None


def fact_of(path: list[str], place: int, stage: Stage) -> NamedFact:
    """The fact of a dotted name; ConditionError for one that does not exist, or not here."""
    name = ".".join(path[:_ROOT_AND_FACT])
    rest = tuple(path[_ROOT_AND_FACT:])
    kind = _kind(name)
    if kind is None or (rest and kind != "attributes"):
        raise ConditionError(place, f"there is no fact `{'.'.join(path)}`", _suggestion(path))
    _allow(name, place, stage)
    return NamedFact(name, kind, rest)


def window_of_call(source: str, tree: Call) -> CalledFact:
    """`member.spend_in('90 days')` is a fact of its own, summed before the condition is asked."""
    name = f"member.{tree.function}"
    argument = _one_text(tree)
    if not (isinstance(tree.target, Name) and tree.target.name == "member"):
        raise ConditionError(tree.place, f"there is no function `{tree.function}`", f"write {name}('90 days')")
    if argument is None:
        raise ConditionError(tree.place, f"`{name}` is asked of a window in quotes", f"write {name}('90 days')")
    try:
        window = scalars.duration(str(argument.value))
    except scalars.NotUnderstoodError as error:
        raise ConditionError(argument.place, str(error), error.suggestion) from error
    fact = window_fact(name, window)
    edit = Edit(tree.target.place, call_end(source, argument.place), fact)
    return CalledFact(fact, "money" if name == SPEND_IN else "whole", edit, (name, window))


def attribute_of_call(source: str, tree: Call, stage: Stage) -> CalledFact:
    """`line.has_attribute('x')`; without an owner, of what the condition is about."""
    owner = tree.target.name if isinstance(tree.target, Name) else ""
    fact = f"{owner or _SUBJECT.get(stage, 'member')}.attributes"
    argument = _one_text(tree)
    if _kind(fact) != "attributes":
        raise ConditionError(tree.place, f"`{owner}` has no attributes", "ask line, member or activity")
    if argument is None:
        raise ConditionError(tree.place, "has_attribute is asked of a name in quotes", "write has_attribute('x')")
    start = tree.target.place if tree.target else tree.place - len(tree.function)
    _allow(fact, start, stage)
    end = call_end(source, argument.place)
    quoted = source[argument.place : end].rstrip().removesuffix(")").rstrip()
    return CalledFact(fact, "attributes", Edit(start, end, f"({quoted} in {fact})"))


def path_of(tree: Name | Field) -> list[str] | None:
    """The dotted name that a part is; None if it does not begin with a name."""
    if isinstance(tree, Name):
        return [tree.name]
    before = path_of(tree.of) if isinstance(tree.of, Name | Field) else None
    return None if before is None else [*before, tree.name]


def start_of(tree: Tree) -> int:
    """Where a part begins; a dotted name is placed at its dot by the parser."""
    while isinstance(tree, Field):
        tree = tree.of
    return tree.place


def _kind(fact: str) -> Kind | None:
    if fact in LINE_FACTS:
        return LINE_FACTS[fact]
    return SITUATION_FACTS[fact][0] if fact in SITUATION_FACTS else None


def _one_text(tree: Call) -> Literally | None:
    argument = tree.arguments[0] if len(tree.arguments) == 1 else None
    return argument if isinstance(argument, Literally) and argument.kind == "text" else None


def _allow(fact: str, place: int, stage: Stage) -> None:
    root = fact.split(".", maxsplit=1)[0]
    if root == "line" and stage != "line":
        raise ConditionError(place, f"`{fact}` is about one line", "write this condition under lines:")
    if root == "activity" and stage != "occasion":
        raise ConditionError(place, f"`{fact}` is known only of an activity", "write event: activity.NAME")
    if root == "purchase" and stage == "occasion" and fact not in _CALENDAR:
        raise ConditionError(place, f"`{fact}` is known only of a purchase")
    if stage == "segment" and (root != "member" or fact == "member.segments"):
        raise ConditionError(place, f"a segment is told by facts of the member, not by `{fact}`")


def _suggestion(path: list[str]) -> str | None:
    known = [*LINE_FACTS, *SITUATION_FACTS, f"{SPEND_IN}('90 days')", f"{PURCHASES_IN}('90 days')"]
    if path[0] not in ROOTS:
        alone = {name.split(".")[1]: name for name in known}
        if path[-1] in alone:
            return f"did you mean {alone[path[-1]]}?"
    return nearest(".".join(path), known) or f"facts begin with {', '.join(ROOTS)}"
