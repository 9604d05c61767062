"""Conditions compiled once per version, by Google's CEL, and answered in groups.

Source: the Common Expression Language, in cel-expr-python. A group is one expression whose value is a whole number with
one bit for each condition: crossing into the library costs more than a condition does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cel_expr_python import cel

from services.rules.domain.programme import Condition, Duration
from services.rules.programme_file.errors import ProgrammeError
from services.rules.programme_file.expression_check import Check
from services.rules.programme_file.expression_facts import Kind, Stage
from services.rules.programme_file.expression_source import ConditionError, edited, original_place
from services.rules.programme_file.expression_tree import Tree, tree_of
from services.rules.programme_file.nodes import Place, Scalar

MAX_EXPRESSION_CHARACTERS: Final = 2_000
GROUP_SIZE: Final = 60
"""Conditions of one group: as many as a signed 64-bit number has bits for, and some to spare."""

ANSWERS_KEPT: Final = 4_096
"""Answers that a group remembers, where the facts that it reads take few values."""

_FEW_VALUES: Final = frozenset({
    "line.category", "line.brand", "line.seller", "line.partner", "purchase.store", "purchase.partner",
    "purchase.channel", "purchase.weekday", "purchase.hour", "purchase.day", "purchase.month", "purchase.year",
    "purchase.date", "member.tier", "member.card_category", "member.favourite_category", "activity.name",
})  # fmt: skip
_TYPES: Final[Mapping[Kind, Any]] = {
    "text": cel.Type.STRING,
    "texts": cel.Type.List(cel.Type.STRING),
    "whole": cel.Type.INT,
    "money": cel.Type.INT,
    "quantity": cel.Type.INT,
    "attributes": cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
}
_FAULT: Final = re.compile(r"ERROR: <input>:(\d+|-1):(\d+|-1): (.*)")
_IN_WORDS: Final = (
    (re.compile(r" expecting \{.*"), ""),
    (re.compile(r"Syntax error: mismatched input '<EOF>'"), "the condition ends too early"),
    (re.compile(r"Syntax error: (?:extraneous|mismatched) input ('.*')"), r"\1 does not belong here"),
    (re.compile(r"Syntax error: no viable alternative at input ('.*')"), r"\1 cannot be read"),
    (re.compile(r"Syntax error: "), ""),
)
_NO_FAILURES: Final[Mapping[int, str]] = {}


@dataclass(slots=True)
class CelGroup:
    """Conditions that are answered together; sealed when the whole programme is read."""

    reads: tuple[str, ...]
    remembers: bool
    sources: list[str] = field(default_factory=list)
    _together: Any = None
    _alone: list[Any] = field(default_factory=list)
    _remembered: dict[tuple[object, ...], tuple[int, Mapping[int, str]]] = field(default_factory=dict)

    def seal(self, environment: Any) -> None:  # noqa: ANN401  # the library ships no types that a checker follows
        """Compile the group as one, and each condition alone, to know which failed if one does."""
        self._alone = [environment.compile(source) for source in self.sources]
        # A condition may end in a comment, so its bracket closes on a line of its own.
        bits = [f"(({source}\n) ? {1 << bit} : 0)" for bit, source in enumerate(self.sources)]
        try:
            self._together = environment.compile(_sum(bits))
        except RuntimeError:
            # One that is nested as deeply as the parser allows leaves no room for the sum; each is asked alone then.
            self._together = None

    def answer(self, values: tuple[object, ...]) -> tuple[int, Mapping[int, str]]:
        """Bits of the conditions that hold, and why others could not be told."""
        if not self.remembers:
            return self._ask(values)
        known = self._remembered.get(values)
        if known is None:
            if len(self._remembered) >= ANSWERS_KEPT:
                self._remembered.clear()
            known = self._remembered[values] = self._ask(values)
        return known

    def _ask(self, values: tuple[object, ...]) -> tuple[int, Mapping[int, str]]:
        facts = dict(zip(self.reads, values, strict=True))
        if self._together is not None:
            answer = _value(self._together, facts)
            if type(answer) is int:
                return answer, _NO_FAILURES
        bits = 0
        failures: dict[int, str] = {}
        for bit, expression in enumerate(self._alone):
            held = _value(expression, facts)
            if held is True:
                bits |= 1 << bit
            elif held is not False:
                failures[bit] = str(held)
        return bits, failures


def _value(expression: Any, facts: Mapping[str, object]) -> object:  # noqa: ANN401  # as above
    """The value; for a failure its message, which is a text."""
    try:
        found: object = expression.eval(data=facts).value()
    except RuntimeError as error:
        # Raised when a loop takes more rounds than the library allows.
        return str(error)
    return found


def _sum(parts: list[str]) -> str:
    """A sum in balanced brackets: the parser allows few levels of depth."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return f"({_sum(parts[:half])} + {_sum(parts[half:])})"


@dataclass(slots=True)
class Compiler:
    """Takes in the conditions of one programme, tells what is wrong with each, and compiles them at the end."""

    tiers: tuple[str, ...] = ()
    windows: dict[str, tuple[str, Duration]] = field(default_factory=dict)
    _reads: dict[str, Kind] = field(default_factory=dict)
    _open: dict[object, CelGroup] = field(default_factory=dict)
    _groups: list[CelGroup] = field(default_factory=list)

    def condition(self, text: Scalar, stage: Stage) -> Condition | ProgrammeError:
        """The condition, or what is wrong with it and where in the file."""
        source = text.value
        check = Check(source, stage, self.tiers)
        try:
            self._examine(source, check)
        except ConditionError as error:
            return _place_in(text, error.place).error("condition", str(error), error.suggestion)
        self._reads |= check.reads
        self.windows |= check.windows
        group = self._group(stage, tuple(sorted(check.reads)))
        group.sources.append(edited(source, check.edits))
        return Condition(source, group, len(group.sources) - 1)

    def windows_of(self, name: str) -> tuple[Duration, ...]:
        """The windows that conditions look back over, of one kind of sum."""
        found = {window for kind, window in self.windows.values() if kind == name}
        return tuple(sorted(found, key=lambda window: (window.unit, window.count)))

    def reads(self, fact: str) -> bool:
        """Whether a condition reads a fact."""
        return fact in self._reads

    def seal(self) -> None:
        """Compile everything that was taken in."""
        environment = _environment(self._reads)
        for group in self._groups:
            group.seal(environment)

    def _examine(self, source: str, check: Check) -> None:
        if len(source) > MAX_EXPRESSION_CHARACTERS:
            raise ConditionError(0, f"a condition has at most {MAX_EXPRESSION_CHARACTERS} characters")
        parsed = _compiled(_environment({}), source, [], unchecked=True)
        found = check.kind_of(tree_of(parsed.serialize()))
        if found.kind not in {"truth", "anything"}:
            raise ConditionError(0, "a condition is true or false", "compare something: purchase.total >= 100")
        checked = _compiled(_environment(check.reads), edited(source, check.edits), check.edits)
        for pattern in check.patterns:
            # Only the library knows which regular expressions it takes; at run time the rule would fail for ever.
            matched = (
                cel.NewEnv(variables={"p": cel.Type.STRING}).compile("''.matches(p)").eval(data={"p": pattern.value})
            )
            if not isinstance(matched.value(), bool):
                raise ConditionError(pattern.place, f"{pattern.value!r} is not a regular expression")
        if checked.return_type() != cel.Type.BOOL:
            raise ConditionError(0, "a condition is true or false", "compare the attribute with a value")

    def _group(self, stage: Stage, reads: tuple[str, ...]) -> CelGroup:
        """The group for a condition; those over facts of few values go by what they read, to be remembered."""
        remembers = set(reads) <= _FEW_VALUES
        key = (stage, reads if remembers or stage == "line" else None)
        group = self._open.get(key)
        if group is None or len(group.sources) >= GROUP_SIZE:
            group = self._open[key] = CelGroup((), remembers)
            self._groups.append(group)
        group.reads = tuple(sorted({*group.reads, *reads}))
        return group


def tree_of_condition(source: str) -> Tree:
    """The syntax tree of a condition that compiled, for whoever wants to tell it in words."""
    return tree_of(_compiled(_environment({}), source, [], unchecked=True).serialize())


def _environment(reads: Mapping[str, Kind]) -> Any:  # noqa: ANN401  # as above
    return cel.NewEnv(variables={fact: _TYPES[kind] for fact, kind in sorted(reads.items())})


def _compiled(environment: Any, source: str, edits: list[Any], *, unchecked: bool = False) -> Any:  # noqa: ANN401  # as above
    try:
        return environment.compile(source, disable_check=unchecked)
    except RuntimeError as error:
        raise _fault(str(error), source, edits) from error


def _fault(message: str, source: str, edits: list[Any]) -> ConditionError:
    """The library's first complaint, with its place in the condition as written."""
    found = _FAULT.search(message)
    if found is None:
        return ConditionError(0, message)
    line, column, said = int(found[1]), int(found[2]), found[3].removesuffix(" [INVALID_ARGUMENT]")
    if line < 1:
        return ConditionError(0, said.rstrip("."), "write a shorter condition, or a list with in [...]")
    before = source.split("\n")[: line - 1]
    place = sum(len(part) + 1 for part in before) + column - 1
    for pattern, meant in _IN_WORDS:
        said = pattern.sub(meant, said)
    return ConditionError(original_place(place, edits), said)


def _place_in(text: Scalar, offset: int) -> Place:
    """The place in the file of an offset in a condition's text; of its beginning, where it spans several lines."""
    place, raw = text.place, text.raw
    if "\n" in raw:
        return place
    position = 1 if raw[:1] in {"'", '"'} else 0
    for _ in range(offset):
        # In quotes, two apostrophes and a backslash with what follows are one character of the text.
        doubled = raw[:1] == "'" and raw[position : position + 2] == "''"
        position += 2 if doubled or (raw[:1] == '"' and raw[position : position + 1] == "\\") else 1
    return Place(place.line, place.column + position, place.path)
