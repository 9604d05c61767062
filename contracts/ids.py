"""Ids derived from what caused them, so that doing anything twice changes nothing.

Source: RFC 9562, name-based UUIDs (version 5).
"""

from datetime import datetime
from hashlib import sha1
from typing import Final
from uuid import NAMESPACE_URL, UUID, SafeUUID, uuid5

NAMESPACE: Final = uuid5(NAMESPACE_URL, "bonus-ledger")
_SEPARATOR: Final = "\x1f"
_NAMESPACE_BYTES: Final = NAMESPACE.bytes
_KEPT: Final = ~((0xF000 << 64) | (0xC000 << 48))
_VERSION_AND_VARIANT: Final = (5 << 76) | (0x8000 << 48)
_new: Final = object.__new__
_set: Final = object.__setattr__


def derive(*parts: str | UUID) -> UUID:
    """The id of what `parts` name together; the first part is the kind.

    The same as `uuid5(NAMESPACE, ...)` in half the time: the books derive several for each purchase.
    """
    name = _SEPARATOR.join([part if type(part) is str else str(part) for part in parts])
    digest = sha1(_NAMESPACE_BYTES + name.encode()).digest()  # noqa: S324  # RFC 9562 says SHA-1; nothing is secret here
    made = _new(UUID)
    # What UUID's constructor does after its checks, which cost more than the hash.
    _set(made, "int", (int.from_bytes(digest[:16], "big") & _KEPT) | _VERSION_AND_VARIANT)
    _set(made, "is_safe", SafeUUID.unknown)
    return made


def purchase_key(tenant: str, programme: str, purchase_id: str) -> UUID:
    """The business key of a purchase."""
    return derive("purchase", tenant, programme, purchase_id)


def return_key(tenant: str, programme: str, return_id: str) -> UUID:
    """The business key of a return."""
    return derive("return", tenant, programme, return_id)


def activity_key(tenant: str, programme: str, activity_id: str) -> UUID:
    """The business key of an activity."""
    return derive("activity", tenant, programme, activity_id)


def member_of_event(tenant: str, source: str, event_id: str) -> UUID:
    """The member that an enrolment event makes when it names none."""
    return derive("member", tenant, source, event_id)


def member_of_identifier(tenant: str, identifier: str) -> UUID:
    """The member that an unknown identifier makes where the programme says `unknown_card: enrol`."""
    return derive("member", tenant, identifier)


def account_of(tenant: str, programme: str, member_id: UUID) -> UUID:
    """The account of a member in a programme."""
    return derive("account", tenant, programme, member_id)


def decision_of(account_id: UUID, cause: UUID | str) -> UUID:
    """The decision on a purchase, return or activity (its key), or on the enrolment (`enrolment`)."""
    return derive("decision", account_id, cause)


def command_of(kind: str, decision_id: UUID, *ordinal: str) -> UUID:
    """The command of one kind that a decision sends to the ledger; `ordinal` tells several apart."""
    return derive(kind, decision_id, *ordinal)


def lot_of(command_id: UUID, index: int) -> UUID:
    """The lot that a command opens, counted from 0."""
    return derive("lot", command_id, str(index))


def command_of_request(tenant: str, caller: str, route: str, key: str) -> UUID:
    """The command of an HTTP request with its Idempotency-Key."""
    return derive("http", tenant, caller, route, key)


def transition_of(kind: str, subject: UUID, due_at: datetime) -> UUID:
    """A due transition (activation, expiry, time-out) of a lot, hold or account."""
    return derive(kind, subject, due_at.isoformat())


def event_of(event_type: str, cause: UUID, *ordinal: str) -> UUID:
    """The event of one type that a command or transition causes."""
    return derive(event_type, cause, *ordinal)
