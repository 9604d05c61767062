"""What comes to the index, read once: entries of purchases, and returns."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from contracts.ids import purchase_key as key_of_purchase
from contracts.ids import return_key
from contracts.problems import FieldProblem
from contracts.purchases import PurchaseReturned
from services.rules.domain.identifier import Holder
from services.rules.domain.purchase_index import Entry, Return
from services.rules.incoming import Mark, Origin, fingerprint_of, is_code, is_id
from services.rules.publishing import PURCHASE_INDEXED
from services.runtime.messages import Message, MessageFault, invalid_data

_REMEMBERED: Final = 65_536


@dataclass(slots=True)
class Entering:
    """A purchase that identification took in."""

    purchase_key: UUID
    purchase_id: str
    programme: str
    entry: Entry
    origin: Origin

    @property
    def mark(self) -> Mark:
        """What tells this message from every other about the same purchase."""
        return (self.purchase_key, self.origin.source, self.origin.id)


@dataclass(slots=True)
class Returning:
    """A return as it came. `data` is what the message carries, unknown fields included. `kept`: it waited here."""

    back: Return
    purchase_key: UUID
    purchase_id: str
    return_id: str
    programme: str
    returned_at: datetime
    fingerprint: bytes
    origin: Origin
    data: dict[str, Any]
    kept: bool = False

    @property
    def key(self) -> UUID:
        """Its business key."""
        return self.back.key

    @property
    def mark(self) -> Mark:
        """What tells this message from every other about the same return."""
        return (self.back.key, self.origin.source, self.origin.id)


@dataclass(slots=True)
class Faulty:
    """A return whose `data` is not what its type says. `key` is its own where that can be told."""

    key: UUID
    programme: str | None
    return_id: str
    origin: Origin
    problems: tuple[FieldProblem, ...] = field(repr=False)


Reading = Entering | Returning | Faulty


def key_of(message: Message) -> str:
    """The purchase id, which decides the shard; of a faulty message its own, if it says none that can be used."""
    data = message.content.get("data")
    purchase_id = data.get("purchase_id") if isinstance(data, dict) else None
    return purchase_id if is_id(purchase_id) else message.id


def read(message: Message) -> Reading:
    """Read an entry or a return. Raises `MessageFault` for an entry that is none: it came from ourselves."""
    origin = Origin.of(message)
    event = message.event
    if message.type == PURCHASE_INDEXED:
        return _entering(message, origin)
    if isinstance(event, PurchaseReturned):
        return _returning(event, message.content["data"], origin)
    return _faulty(message, origin)


def _entering(message: Message, origin: Origin) -> Entering:
    """Read an entry from its JSON as it is: identification made it a moment ago."""
    if message.problems:
        raise invalid_data(message.problems)
    try:
        data = message.content["data"]
        entry = Entry(
            _holder(data["holder"]),
            bytes.fromhex(data["fingerprint"]),
            datetime.fromisoformat(data["purchased_at"]),
            tuple([(line, quantity, amount) for line, quantity, amount in data["lines"]]),
        )
        return Entering(UUID(data["purchase_key"]), data["purchase_id"], data["programme"], entry, origin)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MessageFault("invalid_data", f"not what {message.type} says: {type(error).__name__}") from error


def _holder(told: dict[str, str] | None) -> Holder | None:
    if told is None:
        return None
    return Holder(
        _known_uuid(told["account_id"]),
        _known_uuid(told["member_id"]),
        told["programme"],
        told.get("card_category", ""),
    )


_known_uuid: Final[Callable[[str], UUID]] = lru_cache(maxsize=_REMEMBERED)(UUID)


def _returning(event: PurchaseReturned, data: dict[str, Any], origin: Origin) -> Returning:
    said = event.data
    key = return_key(origin.tenant, said.programme, said.return_id)
    lines = tuple((line.line, line.quantity, line.amount) for line in said.lines)
    return Returning(
        Return(key, lines),
        key_of_purchase(origin.tenant, said.programme, said.purchase_id),
        said.purchase_id,
        said.return_id,
        said.programme,
        said.returned_at,
        fingerprint_of(data),
        origin,
        data,
    )


def _faulty(message: Message, origin: Origin) -> Faulty:
    data = message.content.get("data")
    found = data if isinstance(data, dict) else {}
    programme, return_id = found.get("programme"), found.get("return_id")
    if not is_id(return_id):
        return Faulty(
            origin.as_subject, programme if is_code(programme) else None, message.id, origin, message.problems
        )
    if not is_code(programme):
        return Faulty(origin.as_subject, None, return_id, origin, message.problems)
    key = return_key(origin.tenant, programme, return_id)
    return Faulty(key, programme, return_id, origin, message.problems)
