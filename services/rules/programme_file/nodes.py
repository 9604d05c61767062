"""A YAML text as a tree of texts with their places; nothing is typed yet.

YAML 1.2 allows more than a programme needs and a reader expects, so anchors, aliases, tags, nulls, duplicate keys and
several documents are refused, with the place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from services.rules.programme_file.errors import InvalidProgrammeError, ProgrammeError

MAX_TEXT_BYTES: Final = 512_000
MAX_DEPTH: Final = 10
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_UNREADABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""Control characters and halves of characters: escapes can bring them in; neither JSON nor a database keeps them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, from 1, and the path of words that leads there."""

    line: int
    column: int
    path: str = ""

    def error(self, code: str, message: str, suggestion: str | None = None) -> ProgrammeError:
        """A fault found here."""
        return ProgrammeError(self.line, self.column, self.path or "programme", code, message, suggestion)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text. `raw` is how it stands in the file, quotes included, so that a place inside it can be found."""

    value: str
    place: Place
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple["Node", ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Mapping:
    """Words with what stands under them, in the order of the file."""

    entries: dict[str, "Node"]
    keys: dict[str, Place]
    place: Place


Node = Scalar | Sequence | Mapping


def parsed(text: str) -> Mapping:
    """The tree of a programme's text; InvalidProgrammeError at the first place where it cannot be read."""
    start = Place(1, 1)
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise _refused(start, "too_long", f"a programme has at most {MAX_TEXT_BYTES} bytes")
    try:
        root = _Reader(text).document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else start
        raise _refused(place, "not_yaml", f"this cannot be read: {error.problem or error.context}") from error
    except YAMLError as error:
        raise _refused(start, "not_yaml", f"this cannot be read: {error}") from error
    if not isinstance(root, Mapping):
        raise _refused(root.place, "not_a_programme", "a programme begins with words such as programme: and zone:")
    return root


def _refused(place: Place, code: str, message: str, suggestion: str | None = None) -> InvalidProgrammeError:
    return InvalidProgrammeError([place.error(code, message, suggestion)])


@dataclass(slots=True)
class _Reader:
    """Reads events one by one; every event that a programme has no use for is refused."""

    text: str
    events: Iterator[Event] = field(init=False)
    documents: int = 0

    def __post_init__(self) -> None:
        self.events = iter(YAML(typ="rt", pure=True).parse(StringIO(self.text)))

    def document(self) -> Node:
        """The one document of the text."""
        root: Node | None = None
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                self.documents += 1
                if self.documents > 1:
                    raise _refused(_place(event, ""), "several_documents", "a file holds one programme: remove ---")
                root = self.node(next(self.events), "", 0)
        if root is None:
            raise _refused(Place(1, 1), "empty", "the file is empty: begin with programme: and its key")
        return root

    def node(self, event: Event, path: str, depth: int) -> Node:
        """The node that begins with `event`."""
        place = _place(event, path)
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refused(place, "anchor", "anchors and aliases (& and *) are not understood: write it out")
        tag = getattr(event, "tag", None)
        if tag is not None and str(tag) != "!":
            raise _refused(place, "tag", f"tags such as {tag} are not understood: write only the text")
        if depth > MAX_DEPTH:
            raise _refused(place, "too_deep", "this is nested too deeply")
        if isinstance(event, ScalarEvent):
            return self.scalar(event, place)
        if isinstance(event, SequenceStartEvent):
            return self.sequence(place, depth)
        if isinstance(event, MappingStartEvent):
            return self.mapping(place, depth)
        raise _refused(place, "not_yaml", "something else was expected here")

    def scalar(self, event: ScalarEvent, place: Place) -> Scalar:
        """A text; a plain null or nothing at all is refused."""
        if event.style in {None, ""} and event.value in _NULLS:
            raise _refused(place, "nothing", "nothing stands here: write a value, or leave the word out")
        if _UNREADABLE.search(event.value):
            raise _refused(place, "unreadable", "a character stands here that nobody can read: leave it out")
        raw = self.text[event.start_mark.index : event.end_mark.index]
        return Scalar(event.value, place, raw)

    def sequence(self, place: Place, depth: int) -> Sequence:
        """A list."""
        items: list[Node] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            items.append(self.node(event, f"{place.path}[{len(items) + 1}]", depth + 1))
        return Sequence(tuple(items), place)

    def mapping(self, place: Place, depth: int) -> Mapping:
        """Words and what stands under them; a word that comes twice is refused."""
        entries: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self.node(event, place.path, depth + 1)
            if not isinstance(key, Scalar):
                raise _refused(key.place, "not_a_word", "a word was expected here, followed by a colon")
            path = f"{place.path}.{key.value}" if place.path else key.value
            if key.value in entries:
                first = keys[key.value]
                message = f"{key.value} was said before, on line {first.line}: keep one of them"
                raise _refused(Place(key.place.line, key.place.column, path), "said_twice", message)
            value = next(self.events)
            self.refuse_split_number(key, value, entries)
            keys[key.value] = Place(key.place.line, key.place.column, path)
            entries[key.value] = self.node(value, path, depth + 1)
        return Mapping(entries, keys, place)

    def refuse_split_number(self, key: Scalar, value: Event, before: dict[str, Node]) -> None:
        """Within braces a comma ends a value, so `{give: 0,10 points}` reads as a word `10 points` without a value."""
        last = next(reversed(before.values()), None)
        empty = isinstance(value, ScalarEvent) and not value.value and not value.style
        if empty and key.value[:1].isdigit() and isinstance(last, Scalar) and last.value[-1:].isdigit():
            suggestion = f"write {last.value}.{key.value}"
            raise _refused(last.place, "not_understood", "a decimal comma is not understood", suggestion)


def _place(event: Event, path: str) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1, path)
