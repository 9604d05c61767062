"""The syntax tree of a condition, as the parser of cel-expr-python serializes it, with the place of every part.

Source: cel.expr.ParsedExpr of the CEL specification (proto/cel/expr/syntax.proto), in the protobuf wire format: a
varint key of (field number << 3 | wire type), then a varint, eight bytes, or a length and so many bytes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

_VARINT, _FIXED64, _BYTES = 0, 1, 2
_MORE: Final = 1 << 7
_SIGN: Final = 1 << 63
# Field numbers of the messages of syntax.proto.
_PARSED_EXPRESSION, _SOURCE_INFO = 2, 3
_POSITIONS: Final = 4
_ID: Final = 2
_BOOL, _INT64, _DOUBLE, _STRING = 2, 3, 5, 6
_TEST_ONLY: Final = 3
_ENTRIES, _ENTRY_VALUE = 2, 4
_FIELD = tuple[int, "int | bytes"]


@dataclass(frozen=True, slots=True)
class Literally:
    """A literal; `kind` tells a text from a number and a whole number from one with decimals."""

    place: int
    kind: Literal["whole", "decimal", "text", "truth", "other"]
    value: int | float | str | bool


@dataclass(frozen=True, slots=True)
class Name:
    """A name alone."""

    place: int
    name: str


@dataclass(frozen=True, slots=True)
class Field:
    """`of.name`; `asked` where `has(of.name)` only asks for it."""

    place: int
    of: "Tree"
    name: str
    asked: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator (`_==_`), with what it is called on."""

    place: int
    function: str
    target: "Tree | None"
    arguments: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Elements:
    """A list, or the values of a map."""

    place: int
    items: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """`all`, `exists` and the like over `over`; `names` are what they name, `parts` what they work out."""

    place: int
    names: tuple[str, ...]
    over: "Tree"
    parts: tuple["Tree", ...]


Tree = Literally | Name | Field | Call | Elements | Loop


def tree_of(serialized: bytes) -> Tree:
    """The tree of a parsed expression; places are offsets in its text, -1 for parts that macros made up."""
    fields = list(_fields(_message(_fields(serialized), 2)))  # within google.protobuf.Any, field 2
    places = dict(_places(_message(fields, _SOURCE_INFO)))
    return _tree(_message(fields, _PARSED_EXPRESSION), places)


def _places(source_info: bytes) -> Iterator[tuple[int, int]]:
    for number, value in _fields(source_info):
        if number == _POSITIONS and isinstance(value, bytes):
            entry = dict(_fields(value))
            yield _whole(entry.get(1, 0)), _whole(entry.get(2, 0))


def _tree(expression: bytes, places: dict[int, int]) -> Tree:
    """One Expr: its id is field 2, and one of the fields 3 to 9 says what it is."""
    fields = list(_fields(expression))
    place = places.get(next((_whole(value) for number, value in fields if number == _ID), 0), -1)
    for number, value in fields:
        if isinstance(value, bytes) and number in _KINDS:
            return _KINDS[number](place, list(_fields(value)), places)
    return Literally(place, "other", 0)


def _literal(place: int, fields: list[_FIELD], _places: dict[int, int]) -> Tree:
    number, value = fields[0] if fields else (1, 0)
    if isinstance(value, bytes):
        if number == _DOUBLE:
            return Literally(place, "decimal", float(struct.unpack("<d", value)[0]))
        return Literally(place, "text", value.decode()) if number == _STRING else Literally(place, "other", 0)
    if number == _BOOL:
        return Literally(place, "truth", bool(value))
    if number == _INT64:
        return Literally(place, "whole", value - 2 * _SIGN if value & _SIGN else value)
    return Literally(place, "other", 0)


def _name(place: int, fields: list[_FIELD], _places: dict[int, int]) -> Tree:
    return Name(place, _text(fields, 1))


def _field(place: int, fields: list[_FIELD], places: dict[int, int]) -> Tree:
    asked = any(number == _TEST_ONLY and value for number, value in fields)
    return Field(place, _tree(_message(fields, 1), places), _text(fields, 2), asked)


def _call(place: int, fields: list[_FIELD], places: dict[int, int]) -> Tree:
    target = next((value for number, value in fields if number == 1 and isinstance(value, bytes)), None)
    arguments = _trees(fields, 3, places)
    return Call(place, _text(fields, 2), None if target is None else _tree(target, places), arguments)


def _list(place: int, fields: list[_FIELD], places: dict[int, int]) -> Tree:
    return Elements(place, _trees(fields, 1, places))


def _struct(place: int, fields: list[_FIELD], places: dict[int, int]) -> Tree:
    entries = [list(_fields(value)) for number, value in fields if number == _ENTRIES and isinstance(value, bytes)]
    return Elements(place, tuple([tree for entry in entries for tree in _trees(entry, _ENTRY_VALUE, places)]))


def _loop(place: int, fields: list[_FIELD], places: dict[int, int]) -> Tree:
    """Comprehension: iter_var 1, iter_range 2, accu_var 3, accu_init 4, condition 5, step 6, result 7, iter_var2 8."""
    names = tuple([_text(fields, number) for number in (1, 3, 8)])
    parts = tuple([_tree(_message(fields, number), places) for number in (4, 5, 6, 7)])
    return Loop(place, names, _tree(_message(fields, 2), places), parts)


_KINDS: Final = {3: _literal, 4: _name, 5: _field, 6: _call, 7: _list, 8: _struct, 9: _loop}


def _trees(fields: list[_FIELD], wanted: int, places: dict[int, int]) -> tuple[Tree, ...]:
    return tuple([_tree(value, places) for number, value in fields if number == wanted and isinstance(value, bytes)])


def _text(fields: list[_FIELD], wanted: int) -> str:
    return _message(fields, wanted).decode()


def _message(fields: "list[_FIELD] | Iterator[_FIELD]", wanted: int) -> bytes:
    return next((value for number, value in fields if number == wanted and isinstance(value, bytes)), b"")


def _whole(value: int | bytes) -> int:
    return value if isinstance(value, int) else 0


def _fields(message: bytes) -> Iterator[_FIELD]:
    """Field numbers with their values, in the order of the wire."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        size = 8 if wire == _FIXED64 else 4
        if wire == _BYTES:
            size, at = _varint(message, at)
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & (_MORE - 1)) << shift
        if byte < _MORE:
            return value, at
        shift += 7
