"""What a condition may say: known facts, amounts compared with numbers, nothing that cannot end.

Money and quantities are whole numbers in ten-thousandths when a condition is answered. So numbers that are compared
with them, added to them or listed for them are scaled; money times money is an error, and nothing becomes a float. What
is wrong is told with its place before the expression language sees it, in the words of the programme.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from services.rules.domain.programme import Duration
from services.rules.domain.situation import WEEKDAYS
from services.rules.programme_file.errors import nearest
from services.rules.programme_file.expression_facts import (
    HAS_ATTRIBUTE,
    WINDOWS,
    CalledFact,
    Kind,
    Stage,
    attribute_of_call,
    fact_of,
    path_of,
    start_of,
    window_of_call,
)
from services.rules.programme_file.expression_source import ConditionError, Edit, scaled
from services.rules.programme_file.expression_tree import Call, Elements, Field, Literally, Loop, Name, Tree

MAX_STEPS: Final = 10_000
"""The evaluation limit: no condition may take more steps, whatever it is asked about."""

_LIST_OF_FACTS: Final = 100
_AMOUNTS: Final = frozenset({"money", "quantity"})
_COMPARED: Final = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})
_TRUTHS: Final = frozenset({"_&&_", "_||_", "!_", "@not_strictly_false"})
_TEXT_FUNCTIONS: Final = ("startsWith", "endsWith", "contains", "matches")
_FUNCTIONS: Final = (*_TEXT_FUNCTIONS, *WINDOWS, HAS_ATTRIBUTE, "size", "all", "exists", "has")


@dataclass(frozen=True, slots=True)
class Found:
    """What a part of a condition is; `numbers` are the literals in it that an amount beside it would scale."""

    kind: Kind
    numbers: tuple[Literally, ...] = ()
    fact: str = ""
    texts: tuple[Literally, ...] = ()


@dataclass(slots=True)
class Check:
    """One condition under examination: `reads` and `edits` are what it needs to be compiled.

    `patterns` are the regular expressions in it, which only the library can judge.
    """

    source: str
    stage: Stage
    tiers: tuple[str, ...]
    reads: dict[str, Kind] = field(default_factory=dict)
    windows: dict[str, tuple[str, Duration]] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)
    patterns: list[Literally] = field(default_factory=list)
    steps: int = 0
    _loops: list[tuple[dict[str, Kind], int]] = field(default_factory=list)

    def kind_of(self, tree: Tree) -> Found:
        """What a part is; ConditionError if it cannot be."""
        self._step(tree)
        if isinstance(tree, Literally):
            return self._literal(tree)
        if isinstance(tree, Name | Field):
            return self._fact(tree)
        if isinstance(tree, Elements):
            return self._list(tree)
        if isinstance(tree, Loop):
            return self._loop(tree)
        return self._call(tree)

    def _step(self, tree: Tree) -> None:
        rounds = 1
        for _, size in self._loops:
            rounds *= size
        self.steps += rounds
        if self.steps > MAX_STEPS:
            message = f"this condition runs past the evaluation limit of {MAX_STEPS} steps"
            raise ConditionError(tree.place, message, "leave out a loop within a loop, or shorten the list")

    def _literal(self, tree: Literally) -> Found:
        if tree.kind in {"whole", "decimal"}:
            return Found("number", (tree,))
        if tree.kind == "text":
            return Found("text", texts=(tree,))
        if tree.kind == "truth":
            return Found("truth")
        raise ConditionError(tree.place, "this is not a number, a text in quotes, true or false")

    def _list(self, tree: Elements) -> Found:
        found = [self.kind_of(item) for item in tree.items]
        kinds = {item.kind for item in found}
        if kinds == {"number"}:
            return Found("numbers", tuple([number for item in found for number in item.numbers]))
        if kinds <= {"text"}:
            return Found("texts", texts=tuple([text for item in found for text in item.texts]))
        if len(kinds) > 1:
            raise ConditionError(tree.place, "a list holds things of one kind", "list only texts, or only numbers")
        return Found("list")

    def _loop(self, tree: Loop) -> Found:
        over = self.kind_of(tree.over)
        item: Kind = "text" if over.kind == "texts" else "anything"
        size = len(tree.over.items) if isinstance(tree.over, Elements) else _LIST_OF_FACTS
        self._loops.append((dict.fromkeys(tree.names, item) | {tree.names[1]: "anything"}, max(size, 1)))
        for part in tree.parts:
            self.kind_of(part)
        self._loops.pop()
        return Found("anything")

    def _fact(self, tree: Name | Field) -> Found:
        path = path_of(tree)
        if path is None:
            return self._attribute(tree)
        for names, _ in reversed(self._loops):
            if path[0] in names:
                return Found(names[path[0]] if len(path) == 1 else "anything")
        fact = fact_of(path, start_of(tree), self.stage)
        asked = isinstance(tree, Field) and tree.asked
        if asked and not fact.rest:
            message = f"`{fact.name}` is always known"
            raise ConditionError(start_of(tree), message, "ask has(line.attributes.x) of attributes")
        self.reads[fact.name] = fact.kind
        if fact.rest:
            return Found("truth" if asked else "anything")
        return Found(fact.kind, fact=fact.name)

    def _attribute(self, tree: Name | Field) -> Found:
        """A field of something that is no name, such as `line.attributes['x'].y`."""
        if isinstance(tree, Field):
            of = self.kind_of(tree.of)
            if of.kind in {"anything", "attributes"}:
                return Found("truth" if tree.asked else "anything")
        raise ConditionError(tree.place, "only attributes have fields of their own")

    def _call(self, tree: Call) -> Found:
        name = tree.function
        if name in WINDOWS:
            called = window_of_call(self.source, tree)
            return Found(self._called(called), fact="")
        if name == HAS_ATTRIBUTE:
            self._called(attribute_of_call(self.source, tree, self.stage))
            return Found("truth")
        found = [self.kind_of(part) for part in ((tree.target,) if tree.target else ()) + tree.arguments]
        if name in _TRUTHS:
            return self._truth(tree, found)
        operator = _OPERATORS.get(name)
        if operator is not None:
            return operator(self, tree, found)
        if name in _TEXT_FUNCTIONS and len(found) == 2:  # noqa: PLR2004  # the text, and what to look for
            return self._text_function(tree, found)
        if name == "size" and found:
            return Found("whole")
        raise ConditionError(tree.place - len(name), f"there is no function `{name}`", nearest(name, _FUNCTIONS))

    def _called(self, called: CalledFact) -> Kind:
        self.edits.append(called.edit)
        self.reads[called.name] = called.kind
        if called.window is not None:
            self.windows[called.name] = called.window
        return called.kind

    def _truth(self, tree: Call, found: list[Found]) -> Found:
        for part, kind in zip(tree.arguments, found, strict=True):
            if kind.kind not in {"truth", "anything"}:
                raise ConditionError(
                    start_of(part), f"{_say(kind)} is neither true nor false", "compare it with a value"
                )
        return Found("truth")

    def _text_function(self, tree: Call, found: list[Found]) -> Found:
        if tree.function == "matches":
            self.patterns += found[-1].texts
        for kind in found:
            if kind.kind not in {"text", "anything"}:
                raise ConditionError(tree.place, f"`{tree.function}` is asked of a text, not of {_say(kind)}")
        return Found("truth")

    def _compared(self, tree: Call, found: list[Found]) -> Found:
        self._alike(tree, found[0], found[1])
        self._known_texts(found[0], found[1])
        self._known_texts(found[1], found[0])
        return Found("truth")

    def _contained(self, tree: Call, found: list[Found]) -> Found:
        one, many = found
        if many.kind in {"attributes", "anything", "list"}:
            return Found("truth")
        if many.kind not in {"texts", "numbers"}:
            raise ConditionError(tree.place, f"{_say(many)} is not a list", "write a list such as ['a', 'b']")
        self._alike(tree, one, replace(many, kind="text" if many.kind == "texts" else "number"))
        self._known_texts(one, many)
        return Found("truth")

    def _added(self, tree: Call, found: list[Found]) -> Found:
        if len(found) == 1:
            return found[0]
        return self._alike(tree, found[0], found[1])

    def _multiplied(self, tree: Call, found: list[Found]) -> Found:
        one, other = found
        amounts = [kind for kind in found if kind.kind in _AMOUNTS]
        if len(amounts) > 1:
            raise ConditionError(tree.place, f"{_say(one)} times {_say(other)} is not an amount of anything")
        if amounts:
            factor = other if amounts[0] is one else one
            self._whole_factor(tree, factor)
            return replace(amounts[0], fact="")
        return self._plain_numbers(tree, found, one.numbers)

    def _divided(self, tree: Call, found: list[Found]) -> Found:
        one, other = found
        divisor = tree.arguments[1]
        if isinstance(divisor, Literally) and divisor.value == 0:
            raise ConditionError(divisor.place, "this divides by zero")
        if tree.function == "_%_" and one.kind in _AMOUNTS:
            return self._alike(tree, one, other)
        if other.kind in _AMOUNTS:
            if one.kind != other.kind:
                raise ConditionError(tree.place, f"{_say(one)} cannot be divided by {_say(other)}")
            return Found("whole")
        if one.kind in _AMOUNTS:
            self._whole_factor(tree, other)
            return replace(one, fact="")
        return self._plain_numbers(tree, found, one.numbers)

    def _indexed(self, tree: Call, found: list[Found]) -> Found:
        if found[0].kind == "texts":
            return Found("text")
        if found[0].kind in {"attributes", "anything", "list"}:
            return Found("anything")
        raise ConditionError(tree.place, f"{_say(found[0])} has no parts")

    def _chosen(self, tree: Call, found: list[Found]) -> Found:
        self._truth(replace(tree, arguments=tree.arguments[:1]), found[:1])
        return self._alike(tree, found[1], found[2])

    def _alike(self, tree: Call, one: Found, other: Found) -> Found:
        """Two things that are compared or added; numbers beside an amount are scaled to it."""
        kinds = {one.kind, other.kind}
        amount = next((kind for kind in (one, other) if kind.kind in _AMOUNTS), None)
        if amount is not None:
            rest = other if amount is one else one
            if rest.kind == "number":
                self.edits += [scaled(self.source, number.place) for number in rest.numbers]
            elif rest.kind != amount.kind:
                raise ConditionError(
                    tree.place, f"{_say(amount)} cannot stand beside {_say(rest)}", _mend(amount, rest)
                )
            return replace(amount, fact="")
        if kinds <= {"number", "whole"}:
            return self._plain_numbers(tree, [one, other], one.numbers + other.numbers)
        if "anything" in kinds or len(kinds) == 1:
            return replace(one, fact="")
        raise ConditionError(tree.place, f"{_say(one)} cannot stand beside {_say(other)}", _mend(one, other))

    def _plain_numbers(self, tree: Call, found: list[Found], numbers: tuple[Literally, ...]) -> Found:
        kinds = {kind.kind for kind in found}
        if not kinds <= {"number", "whole", "anything"}:
            raise ConditionError(tree.place, f"this cannot be reckoned with {' and '.join(map(_say, found))}")
        if "anything" in kinds:
            return Found("anything")
        if "whole" not in kinds:
            return Found("number", numbers)
        for number in (number for kind in found for number in kind.numbers):
            if number.kind == "decimal":
                raise ConditionError(
                    number.place, "this is counted in whole numbers", "write a number without decimals"
                )
        return Found("whole")

    def _whole_factor(self, tree: Call, factor: Found) -> None:
        if factor.kind not in {"number", "whole"}:
            raise ConditionError(tree.place, f"an amount cannot be multiplied or divided by {_say(factor)}")
        for number in factor.numbers:
            if number.kind == "decimal":
                raise ConditionError(
                    number.place, "multiply and divide amounts by whole numbers", "write / 2 for * 0.5"
                )

    def _known_texts(self, fact: Found, texts: Found) -> None:
        """A tier or a weekday that does not exist would never be met."""
        known = {"member.tier": ("", *self.tiers), "purchase.weekday": WEEKDAYS}.get(fact.fact)
        for text in texts.texts if known is not None else ():
            if known and text.value not in known:
                suggestion = nearest(str(text.value).lower(), known) or f"known: {', '.join(filter(None, known))}"
                raise ConditionError(text.place, f"`{fact.fact}` is never '{text.value}'", suggestion)


_OPERATORS: Final[Mapping[str, Callable[[Check, Call, list[Found]], Found]]] = {
    **dict.fromkeys(_COMPARED, Check._compared),  # noqa: SLF001  # the table of this class's own operators
    "@in": Check._contained,  # noqa: SLF001
    "_+_": Check._added,  # noqa: SLF001
    "_-_": Check._added,  # noqa: SLF001
    "-_": Check._added,  # noqa: SLF001
    "_*_": Check._multiplied,  # noqa: SLF001
    "_/_": Check._divided,  # noqa: SLF001
    "_%_": Check._divided,  # noqa: SLF001
    "_[_]": Check._indexed,  # noqa: SLF001
    "_?_:_": Check._chosen,  # noqa: SLF001
}


def _say(found: Found) -> str:
    """What a part is, for a person."""
    names = {
        "text": "a text", "texts": "a list of texts", "whole": "a count", "money": "money", "quantity": "a quantity",
        "attributes": "attributes", "truth": "true or false", "number": "a number", "numbers": "a list of numbers",
        "anything": "an attribute", "list": "a list",
    }  # fmt: skip
    return f"`{found.fact}` ({names[found.kind]})" if found.fact else names[found.kind]


def _mend(one: Found, other: Found) -> str | None:
    kinds = {one.kind, other.kind}
    if "text" in kinds and kinds & {"money", "quantity", "whole", "number"}:
        return "write the number without quotes: 500"
    if kinds == {"texts", "text"}:
        return "write 'x' in member.segments"
    return None
