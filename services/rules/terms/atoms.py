"""What a condition asks, as facts compared with values: the shape of most conditions that a shop writes.

`purchase.total >= 500 && line.category in ['a', 'b']` is two atoms. What has no such shape stays None, and is told as
it is written.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

from services.rules.domain.programme import Duration
from services.rules.domain.situation import LINE_FACTS, SITUATION_FACTS
from services.rules.programme_file import scalars
from services.rules.programme_file.expression_tree import Call, Elements, Field, Literally, Name, Tree

Operator = Literal["in", "not_in", "lt", "le", "gt", "ge"]
Value = int | float | str | bool

_COMPARISONS: Final[dict[str, Operator]] = {
    "_==_": "in", "_!=_": "not_in", "_<_": "lt", "_<=_": "le", "_>_": "gt", "_>=_": "ge",
}  # fmt: skip
_MIRRORED: Final[dict[Operator, Operator]] = {
    "in": "in", "not_in": "not_in", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le",
}  # fmt: skip
_OPPOSITE: Final[dict[Operator, Operator]] = {
    "in": "not_in", "not_in": "in", "lt": "ge", "le": "gt", "gt": "le", "ge": "lt",
}  # fmt: skip
_WINDOWS: Final = ("spend_in", "purchases_in")
_PATH_PARTS: Final = 2
_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Atom:
    """A fact compared with values. `attribute` is the name behind `….attributes`, `window` that of a sum."""

    fact: str
    operator: Operator
    values: tuple[Value, ...]
    attribute: str = ""
    window: Duration | None = None


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these holds."""

    parts: tuple["Atom | Either | Both", ...]


@dataclass(frozen=True, slots=True)
class Both:
    """All of these hold."""

    parts: tuple["Atom | Either | Both", ...]


Asked = Atom | Either | Both


def asked_by(tree: Tree) -> Asked | None:
    """What a condition asks; None where some of it has no simple shape."""
    if not isinstance(tree, Call):
        return None
    if tree.function in _COMPARISONS and len(tree.arguments) == _PAIR:
        return _compared(_COMPARISONS[tree.function], *tree.arguments)
    if tree.function == "!_":
        return _opposite(asked_by(tree.arguments[0]))
    if tree.function == "@in":
        return _contained(*tree.arguments)
    return _joined(tree) if tree.function in {"_&&_", "_||_"} else None


def _joined(tree: Call) -> Asked | None:
    parts = [asked_by(argument) for argument in tree.arguments]
    known = [part for part in parts if part is not None]
    if len(known) != len(parts):
        return None
    return _both(known) if tree.function == "_&&_" else _either(known)


def _both(parts: list[Asked]) -> Asked:
    flat = [each for part in parts for each in (part.parts if isinstance(part, Both) else (part,))]
    return Both(tuple(flat))


def _either(parts: list[Asked]) -> Asked:
    """The same fact compared with one value or another is compared with both."""
    flat = [each for part in parts for each in (part.parts if isinstance(part, Either) else (part,))]
    first = flat[0]
    if isinstance(first, Atom) and all(
        isinstance(each, Atom) and each.operator == "in" and replace(each, values=()) == replace(first, values=())
        for each in flat
    ):
        values = tuple([value for each in flat if isinstance(each, Atom) for value in each.values])
        return replace(first, values=values)
    return Either(tuple(flat))


def _opposite(asked: Asked | None) -> Asked | None:
    if isinstance(asked, Atom):
        return replace(asked, operator=_OPPOSITE[asked.operator])
    if asked is None:
        return None
    turned = [part for part in map(_opposite, asked.parts) if part is not None]
    return _either(turned) if isinstance(asked, Both) else _both(turned)


def _contained(one: Tree, other: Tree) -> Asked | None:
    if isinstance(other, Elements):
        values = [item.value for item in other.items if isinstance(item, Literally)]
        atom = _atom(one)
        return replace(atom, values=tuple(values)) if atom and values and len(values) == len(other.items) else None
    atom = _atom(other)
    is_segments = atom is not None and atom.fact == "member.segments"
    return replace(atom, values=(one.value,)) if atom and is_segments and isinstance(one, Literally) else None


def _compared(operator: Operator, one: Tree, other: Tree) -> Asked | None:
    if isinstance(one, Literally):
        one, other, operator = other, one, _MIRRORED[operator]
    atom = _atom(one)
    if atom is None or not isinstance(other, Literally) or other.kind == "other":
        return None
    return replace(atom, operator=operator, values=(other.value,))


def _atom(tree: Tree) -> Atom | None:
    """A fact that nothing is compared with yet."""
    if isinstance(tree, Call):
        argument = tree.arguments[0] if len(tree.arguments) == 1 else None
        if tree.function in _WINDOWS and isinstance(argument, Literally):
            return Atom(f"member.{tree.function}", "in", (), window=scalars.duration(str(argument.value)))
        return None
    path: list[str] = []
    while isinstance(tree, Field):
        path.insert(0, tree.name)
        tree = tree.of
    if not isinstance(tree, Name):
        return None
    path.insert(0, tree.name)
    fact, rest = ".".join(path[:_PATH_PARTS]), path[_PATH_PARTS:]
    if fact not in LINE_FACTS and fact not in SITUATION_FACTS:
        return None
    return Atom(fact, "in", (), attribute=".".join(rest))
