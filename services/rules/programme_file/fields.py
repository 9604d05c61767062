"""The words of one part of a programme file, read as the published schema says.

The schema is the one place for words, choices and defaults; this reads them from it, notes every fault with its place,
and goes on, so that a file's author sees all of them at once.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from string import ascii_letters, digits
from typing import Any, Final, TypeVar

from services.rules.domain.programme import Duration, Text
from services.rules.programme_file import scalars
from services.rules.programme_file.errors import ProgrammeError, nearest
from services.rules.programme_file.nodes import Mapping, Node, Place, Scalar, Sequence
from services.rules.programme_file.scalars import NotUnderstoodError

Value = TypeVar("Value")

LATER: Final = frozenset({"trade", "rewards", "challenges", "badges", "leaderboard", "contest", "offer"})
"""Words of the language that this version does not run yet."""

_MAX_TEXT: Final = 1_000
_MAX_CODE: Final = 64
_CODE_CHARACTERS: Final = frozenset(ascii_letters + digits + "._-")


@cache
def schema() -> dict[str, Any]:
    """The published JSON Schema of a programme file."""
    text = files(__package__).joinpath("programme.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@dataclass(slots=True)
class Faults:
    """What was found wrong so far."""

    found: list[ProgrammeError] = field(default_factory=list)

    def add(self, place: Place, code: str, message: str, suggestion: str | None = None) -> None:
        """Note a fault."""
        self.found.append(place.error(code, message, suggestion))


@dataclass(slots=True)
class Fields:
    """The words under one mapping of the file; `part` is the name of its definition in the schema."""

    node: Mapping
    part: str
    faults: Faults

    def __post_init__(self) -> None:
        words = self._definition["properties"]
        for word, place in self.node.keys.items():
            if word in words:
                continue
            if word in LATER:
                self.faults.add(place, "not_yet", f"`{word}` is a word of the language that is not run yet")
            else:
                known = ", ".join(words)
                suggestion = nearest(word, words) or f"known here: {known}"
                self.faults.add(place, "unknown_word", f"`{word}` is not known here", suggestion)
        for word in self._definition.get("required", ()):
            if word not in self.node.entries:
                self.faults.add(self.node.place, "missing", f"`{word}` is missing", f"write {word}: and its value")

    @property
    def _definition(self) -> dict[str, Any]:
        found: dict[str, Any] = schema()["$defs"][self.part]
        return found

    def has(self, word: str) -> bool:
        """Whether the file says this word."""
        return word in self.node.entries

    def place(self, word: str) -> Place:
        """Where the value of a word stands; where the part begins if it is left out."""
        node = self.node.entries.get(word)
        return node.place if node else self.node.place

    def get(self, word: str) -> Node | None:
        """What stands under a word."""
        return self.node.entries.get(word)

    def read(self, word: str, meaning: Callable[[str], Value]) -> Value | None:
        """What the text under a word means; its default if left out, None without one or if it means nothing."""
        node = self.node.entries.get(word)
        if node is None:
            default = self._definition["properties"][word].get("default")
            return None if default is None else meaning(default)
        return understood(node, meaning, self.faults)

    def text(self, word: str) -> str:
        """A text, empty if left out."""
        return self.read(word, _any_text) or ""

    def code(self, word: str) -> str:
        """A key of our own choosing, empty if left out or wrong."""
        return self.read(word, code_of) or ""

    def choice(self, word: str) -> str:
        """One of the words that the schema allows."""
        definition = self._definition["properties"][word]
        options = [option for option in definition["enum"] if isinstance(option, str)]

        def chosen(text: str) -> str:
            if text in options:
                return text
            suggestion = nearest(text, options) or f"write one of {', '.join(options)}"
            raise NotUnderstoodError(f"`{text}` is not one of the choices", suggestion)

        return self.read(word, chosen) or definition.get("default", options[0])

    def yes(self, word: str) -> bool:
        """Whether it says yes."""
        return self.read(word, scalars.yes_or_no) or False

    def whole(self, word: str) -> int:
        """A whole number within the schema's bounds; may be below zero."""
        definition = self._definition["properties"][word]
        least, most = definition["minimum"], definition["maximum"]

        def whole_number(text: str) -> int:
            written = scalars.plain(text)
            if not written.lstrip("-").isdecimal() or not least <= int(written) <= most:
                raise NotUnderstoodError(f"`{text}` is not a whole number from {least} to {most}")
            return int(written)

        return self.read(word, whole_number) or 0

    def duration(self, word: str) -> Duration | None:
        """`14 days`."""
        return self.read(word, scalars.duration)

    def days(self, word: str) -> int:
        """A duration in days, or whole weeks."""
        found = self.duration(word)
        if found is None:
            return 0
        if found.unit not in {"days", "weeks"}:
            self.faults.add(self.place(word), "not_days", f"`{found}` is not counted in days", "write it in days")
        return found.count * (7 if found.unit == "weeks" else 1)

    def part_of(self, word: str, part: str) -> "Fields | None":
        """The part under a word; None if it is left out."""
        node = self.node.entries.get(word)
        return None if node is None else part_of(node, part, self.faults)

    def items(self, word: str) -> tuple[Node, ...]:
        """The entries of a list, or the one thing that stands there alone."""
        node = self.node.entries.get(word)
        if node is None:
            return ()
        if isinstance(node, Sequence):
            return node.items
        if self._definition["properties"][word].get("type") == "array":
            self.faults.add(node.place, "not_a_list", "a list is expected here", "begin each entry with a hyphen")
        return (node,)

    def codes(self, word: str) -> tuple[str, ...]:
        """A list of keys."""
        found = [understood(node, _any_text, self.faults) for node in self.items(word)]
        return tuple([code for code in found if code])

    def entries(self, word: str) -> Iterator[tuple[str, Node]]:
        """Keys of our own choosing with what stands under each."""
        node = self.node.entries.get(word)
        if node is None:
            return
        if not isinstance(node, Mapping):
            self.faults.add(node.place, "not_words", f"`{word}` holds names, each with what belongs to it")
            return
        for key, value in node.entries.items():
            try:
                code_of(key)
            except NotUnderstoodError as error:
                self.faults.add(node.keys[key], "not_understood", str(error), error.suggestion)
            yield key, value

    def words(self, word: str) -> Text:
        """A text, or one for each language."""
        node = self.node.entries.get(word)
        return self._text_of(node) if node is not None else {}

    def glossary(self, word: str) -> dict[str, Text]:
        """Words for whatever the file or a till writes: each has a text, or one for each language."""
        node = self.node.entries.get(word)
        if node is None:
            return {}
        if not isinstance(node, Mapping):
            self.faults.add(node.place, "not_words", f"`{word}` holds codes, each with what people call it")
            return {}
        return {key: self._text_of(value) for key, value in node.entries.items()}

    def _text_of(self, node: Node) -> Text:
        if isinstance(node, Mapping):
            found = {key: understood(value, _any_text, self.faults) for key, value in node.entries.items()}
            return {key: text for key, text in found.items() if text}
        text = understood(node, _any_text, self.faults)
        return {"": text} if text else {}


def part_of(node: Node, part: str, faults: Faults) -> Fields | None:
    """A mapping as a part of the schema; None and a fault for anything else."""
    if isinstance(node, Mapping):
        return Fields(node, part, faults)
    faults.add(node.place, "not_words", "words with values are expected here", f"known here: {_words_of(part)}")
    return None


def understood(node: Node, meaning: Callable[[str], Value], faults: Faults) -> Value | None:
    """What a scalar means; None and a fault if it cannot be understood."""
    if not isinstance(node, Scalar):
        faults.add(node.place, "not_a_text", "one value is expected here, not a list or words")
        return None
    try:
        return meaning(node.value)
    except NotUnderstoodError as error:
        faults.add(node.place, "not_understood", str(error), error.suggestion)
        return None


def code_of(text: str) -> str:
    """A key: letters, digits, dots, hyphens and underscores."""
    if text.isascii() and text[:1].isalnum() and len(text) <= _MAX_CODE and set(text) <= _CODE_CHARACTERS:
        return text
    raise NotUnderstoodError(f"`{text}` cannot be a key", "write up to 64 letters, digits, dots, hyphens, underscores")


def _any_text(text: str) -> str:
    if len(text) > _MAX_TEXT:
        raise NotUnderstoodError(f"this is longer than {_MAX_TEXT} characters")
    return text


def _words_of(part: str) -> str:
    return ", ".join(schema()["$defs"][part]["properties"])
