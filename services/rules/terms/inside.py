"""The programme for the shop: every part that differs from the defaults, in the words of the file.

Members' sentences leave out what is no business of theirs; here nothing is left out, so that a comparison of two
versions sees every change.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Final

from services.rules.domain.programme import Condition, Duration, Give, ProgrammeVersion, Term
from services.rules.terms.page import Item

_NOT_SAID: Final = frozenset(
    {"content_hash", "version", "starts_at", "spend_windows", "purchase_windows", "asks_preference"}
)
_MANY: Final = frozenset({"currencies", "rules", "segments", "partners"})


def inside(version: ProgrammeVersion) -> Iterator[Item]:
    """One item for each rule, currency and other part; the order of the rules is an item of its own."""
    parts: dict[str, list[str]] = {}
    for path, said in said_by(version).items():
        part, _, field = path.rpartition("/")
        parts.setdefault(part or field, []).append(f"{field} {said}" if part else said)
    for part, said_of_it in parts.items():
        yield Item(f"inside:{part}", f"`{part}`: {'; '.join(said_of_it)}", bullet=True)


def said_by(version: ProgrammeVersion) -> Mapping[str, str]:
    """Everything that differs from the defaults: `rules/level/give` is `5 %`, `redeem/step` is 1000."""
    found = {"order": ", ".join(rule.key for rule in version.rules)}
    for each in fields(version):
        value = getattr(version, each.name)
        if each.name in _MANY:
            for part in value:
                found |= _fields_of(f"{each.name}/{part.key}", part)
        elif each.name not in _NOT_SAID and value != _default(each):
            if is_dataclass(value) and not isinstance(value, Condition):
                found |= _fields_of(each.name, value)
            else:
                found[each.name] = _written(value)
    return found


def _fields_of(path: str, part: Any) -> dict[str, str]:  # noqa: ANN401  # any part of the model
    return {f"{path}/{name}": said for name, said in _said_fields(part)}


def _said_fields(part: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  # any part of the model
    for each in fields(part):
        value = getattr(part, each.name)
        if each.name != "key" and value != _default(each):
            yield each.name, _written(value)


def _parts(part: Any) -> str:  # noqa: ANN401  # any part of the model
    """The fields of a part that were said."""
    return "; ".join(f"{name} {said}" for name, said in _said_fields(part)) or "as usual"


def _default(each: Field[Any]) -> object:
    if each.default is not MISSING:
        return each.default
    return each.default_factory() if each.default_factory is not MISSING else MISSING


def _written(value: Any) -> str:  # noqa: ANN401  # any value of the model
    """A value as the file writes it, or near to it."""
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    return _parts(value) if is_dataclass(value) else str(value)


_WRITERS: Final[tuple[tuple[type, Callable[[Any], str]], ...]] = (
    (Condition, lambda value: f'"{value.text}"'),
    (Give, lambda value: value.text),
    (Term, lambda value: "none" if value == Term() else _parts(value)),
    (Duration, str),
    (Fraction, lambda value: f"{float(value * 100):g} %"),
    (datetime, datetime.isoformat),
    (Mapping, lambda value: "{" + ", ".join(f"{key or 'text'}: {_written(each)}" for key, each in value.items()) + "}"),
    (frozenset, lambda value: ", ".join(sorted(map(str, value)))),
    (tuple, lambda value: "(" + "), (".join(_written(each) for each in value) + ")"),
)
