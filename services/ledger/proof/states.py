"""An account's state as a line of JSON, and back.

Source of the shape: services/ledger/domain/account.py, field by field; mappings are lists of their values, except
balances, which do not name their currency.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any, Final, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson
from pydantic import BaseModel

from services.ledger.domain.account import Account, Balance, Hold, Lot, Redemption, Tier, Transit
from services.ledger.wire import reader_of

_PARTS: Final[Mapping[str, tuple[type, str]]] = {
    "lots": (Lot, "lot_id"),
    "holds": (Hold, "hold_id"),
    "redemptions": (Redemption, "redemption_id"),
    "transits": (Transit, "transit_id"),
}
"""Fields of Account that are mappings: what is in them, and the field of it that is its key."""

_OWN: Final = tuple(
    field.name
    for field in fields(Account)
    if field.name not in {*_PARTS, "balances", "decided_commands", "due_from", "tier"}
)


def line_of(account: Account, known_at: datetime, position: int) -> bytes:
    """The state of an account after its event at `position`, without the end of the line."""
    document: dict[str, Any] = {name: getattr(account, name) for name in _OWN}
    document["tier"] = None if account.tier is None else _values(account.tier)
    document["balances"] = {name: _values(balance) for name, balance in sorted(account.balances.items())}
    for name in _PARTS:
        document[name] = [_values(part) for _, part in sorted(getattr(account, name).items())]
    document |= {"known_at": known_at, "position": position}
    return orjson.dumps(document, default=_plain)


def account_in(line: bytes) -> tuple[Account, datetime, int]:
    """An account, `known_at` and the position of its last event. Raises KeyError, TypeError or ValueError."""
    document = orjson.loads(line)
    own: dict[str, Any] = {name: _READERS[Account][name](document[name]) for name in _OWN}
    parts: dict[str, Any] = {
        name: {getattr(part, key): part for part in (_made(kind, values) for values in document[name])}
        for name, (kind, key) in _PARTS.items()
    }
    parts["tier"] = None if document["tier"] is None else _made(Tier, document["tier"])
    parts["balances"] = {name: _made(Balance, values) for name, values in document["balances"].items()}
    account = Account(**own, **parts)
    return account, datetime.fromisoformat(document["known_at"]), document["position"]


def _values(part: Any) -> list[Any]:  # noqa: ANN401 - any part of an account
    return [getattr(part, name) for name in _READERS[type(part)]]


def _made(kind: type, values: list[Any]) -> Any:  # noqa: ANN401 - any part of an account
    return kind(*(read(value) for read, value in zip(_READERS[kind].values(), values, strict=True)))


def _plain(value: Any) -> Any:  # noqa: ANN401 - what orjson does not know
    if isinstance(value, BaseModel):
        return value.__dict__
    if isinstance(value, frozenset):
        return sorted(value, key=str)
    if isinstance(value, tuple):
        return list(value)
    return str(value)


def _reader(annotation: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - a type as the domain wrote it
    """As the log's reader, but for what stands in lists here and in objects there."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is types.UnionType and types.NoneType in arguments:
        (kind,) = (each for each in arguments if each is not types.NoneType)
        inner = _reader(kind)
        return lambda value: None if value is None else inner(value)
    if origin is frozenset:
        item = _reader(arguments[0])
        return lambda value: frozenset(map(item, value))
    if origin is tuple:
        items = _reader(arguments[0]) if arguments[-1] is Ellipsis else None
        if items is not None:
            return lambda value: tuple(map(items, value))
    if isinstance(annotation, type) and issubclass(annotation, tuple) and hasattr(annotation, "_make"):
        readers = [_reader(hint) for hint in get_type_hints(annotation).values()]
        return lambda value: annotation(*(read(each) for read, each in zip(readers, value, strict=True)))
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    return reader_of(annotation)


_SCALARS: Final[Mapping[Any, Callable[[Any], Any]]] = {
    UUID: UUID,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
}
_READERS: Final[Mapping[type, Mapping[str, Callable[[Any], Any]]]] = {
    kind: {name: _reader(hint) for name, hint in get_type_hints(kind).items() if name in {f.name for f in fields(kind)}}
    for kind in (Account, Balance, Hold, Lot, Redemption, Tier, Transit)
}
