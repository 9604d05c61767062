"""Events of the books as bytes, and back: the CloudEvent that is hashed, stored and published.

Source of the shape: contracts.ledger_events. Fields that an event has beyond those of all events stand in `details`,
by their names; those that have their default are left out. orjson writes ids, instants and the fields of contract
models as they are, so that nothing is validated on the way out; the UUIDs of asyncpg, which it does not know, by `str`.
"""

import dataclasses
import types
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson
from asyncpg.pgproto import pgproto
from pydantic import BaseModel

from contracts import ids
from contracts.awards import RuleShare, Source, Standing
from services.ledger.domain.account import Account, Lot
from services.ledger.domain.account_events import EVENTS
from services.ledger.domain.decide import Recorded
from services.ledger.domain.events import Activity, Event, Movement, PointsAccrued
from services.ledger.domain.refusals import Refusal
from services.runtime.shard import LogEntry

SOURCE: Final = "urn:bonus:ledger"
REJECTED: Final = "bonus.command.rejected.v1"

_ANY_ID: Final = UUID(int=0)
"""Stands where an event's id goes."""

_Convert = Callable[[Any], Any]
_read_uuid: Final[Callable[[str], UUID]] = pgproto.UUID
"""A UUID as rows of the database have it too; made in a tenth of the time."""

_SCALARS: Final[dict[Any, _Convert]] = {UUID: _read_uuid, datetime: datetime.fromisoformat, date: date.fromisoformat}


class _Field(NamedTuple):
    """A field of `details`: what it is when it is left out, and how it is written and read."""

    name: str
    default: Any
    write: _Convert | None
    read: _Convert


class EntryWriter:
    """Writes the log entries of one transaction, whose clock is `now`: what its envelopes share is written once."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._frames: dict[tuple[str, str, str | None], tuple[bytes, bytes]] = {}

    def entry(
        self, account: Account, recorded: Recorded, data: Mapping[str, Any], key: str, traceparent: str | None
    ) -> LogEntry:
        """The log entry of an event that was just recorded; `data` as from `data_of`, `key` the account's id."""
        event = recorded.event
        kind = event.type
        before_id, after_id = self._frames.get((kind, account.tenant, traceparent)) or self._frame(
            kind, account, traceparent
        )
        event_id = event_id_of(event)
        body = before_id + str(event_id).encode() + after_id + orjson.dumps(data, default=str) + b"}"
        return LogEntry(event_id, key, kind, body, traceparent, (account.account_id, recorded.version))

    def _frame(self, kind: str, account: Account, traceparent: str | None) -> tuple[bytes, bytes]:
        whole = orjson.dumps(envelope_of(kind, _ANY_ID, account, self._now, traceparent))
        before_id, after_id = whole.split(str(_ANY_ID).encode(), 1)
        frame = before_id, after_id[:-1] + b',"data":'
        self._frames[kind, account.tenant, traceparent] = frame
        return frame


def rejection_of(
    account: Account, command_id: UUID, refusal: Refusal, context: Mapping[str, Any], now: datetime
) -> LogEntry:
    """The log entry that tells of a refused command; it is no event of the account, whose version stays.

    `context` are further fields of the event's data, such as `source` and `decision_id`; `occurred_at` must be there.
    """
    event_id = ids.event_of(REJECTED, command_id)
    data = {
        "account_id": account.account_id,
        "member_id": account.member_id,
        "programme": account.programme,
        "version": account.version,
        "command_id": command_id,
        "effective_at": now,
        "refusal": {"code": refusal.code, "message": refusal.message, "facts": dict(refusal.facts)},
        **context,
    }
    body = orjson.dumps(envelope_of(REJECTED, event_id, account, now, None) | {"data": data}, default=str)
    return LogEntry(event_id, str(account.account_id), REJECTED, body, None, (account.account_id, account.version))


def event_id_of(event: Event) -> UUID:
    """The event's id, derived from its type, its cause and its part."""
    if event.part:
        return ids.event_of(event.type, event.command_id, str(event.part))
    return ids.event_of(event.type, event.command_id)


def event_of(content: Mapping[str, Any]) -> Event:
    """The event in a parsed CloudEvent of the log. Raises KeyError, TypeError or ValueError if it is none of ours."""
    data = content["data"]
    kind = EVENTS[content["type"]]
    recorded_at = datetime.fromisoformat(content["time"])
    command_id = _read_uuid(data["command_id"])
    details = data.get("details", {})
    lots = data.get("lots", ())
    fields = {field.name: field.read(details[field.name]) for field in _DETAILS[kind] if field.name in details}
    if kind is PointsAccrued:
        fields["rules"] = tuple(tuple(map(RuleShare.model_validate, lot.get("rules", ()))) for lot in lots)
    return kind(
        command_id=command_id,
        occurred_at=datetime.fromisoformat(data["occurred_at"]),
        effective_at=datetime.fromisoformat(data["effective_at"]),
        known_at=datetime.fromisoformat(data["known_at"]) if "known_at" in data else recorded_at,
        movements=tuple(
            Movement(each["currency"], _uuid_or_none(each["lot_id"]), each["from"], each["to"], each["points"])
            for each in data.get("movements", ())
        ),
        lots=tuple(_lot_of(terms, command_id, recorded_at) for terms in lots),
        activity=tuple(map(_READ_ACTIVITY, details.get("activity", ()))),
        scales=tuple((currency, scale) for currency, scale in details.get("scales", ())),
        part=details.get("part", 0),
        source=Source.model_validate(data["source"]) if "source" in data else None,
        decision_id=_uuid_or_none(data.get("decision_id")),
        standing=Standing.model_validate(data["standing"]) if "standing" in data else None,
        **fields,
    )


def envelope_of(
    event_type: str, event_id: UUID, account: Account, now: datetime, traceparent: str | None
) -> dict[str, Any]:
    """The attributes of a message about an account, without its data."""
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "type": event_type,
        "id": event_id,
        "source": SOURCE,
        "time": now,
        "datacontenttype": "application/json",
        "tenant": account.tenant,
    }
    if traceparent is not None:
        envelope["traceparent"] = traceparent
    return envelope


def data_of(account: Account, recorded: Recorded, now: datetime) -> dict[str, Any]:
    """An event's data as orjson writes it, `now` being the transaction's clock."""
    event = recorded.event
    data: dict[str, Any] = {
        "account_id": account.account_id,
        "member_id": account.member_id,
        "programme": account.programme,
        "version": recorded.version,
        "command_id": event.command_id,
        "occurred_at": event.occurred_at,
        "effective_at": event.effective_at,
    }
    if event.known_at != now:
        data["known_at"] = event.known_at
    if event.source is not None:
        data["source"] = event.source.__dict__
    if event.decision_id is not None:
        data["decision_id"] = event.decision_id
    if event.movements:
        data["movements"] = [
            {"currency": currency, "lot_id": lot_id, "from": source, "to": target, "points": points}
            for currency, lot_id, source, target, points in event.movements
        ]
    if event.lots:
        data["lots"] = _terms_of(event, now)
    if recorded.balances:
        data["balances"] = {
            currency: {
                "scale": balance.scale,
                "pending": balance.pending,
                "available": balance.available,
                "held": balance.held,
                "in_transit": balance.in_transit,
                "debt": balance.debt,
            }
            for currency, balance in recorded.balances
        }
    details = _details_of(event)
    if details:
        data["details"] = details
    if event.standing is not None:
        data["standing"] = event.standing.__dict__
    return data


def _details_of(event: Event) -> dict[str, Any]:
    details = {}
    for name, default, write, _ in _DETAILS[type(event)]:
        value = getattr(event, name)
        if value != default:
            details[name] = value if write is None else write(value)
    if event.activity:
        details["activity"] = [_WRITE_ACTIVITY(each) for each in event.activity]
    if event.scales:
        details["scales"] = event.scales
    if event.part:
        details["part"] = event.part
    return details


def _terms_of(event: Event, now: datetime) -> list[dict[str, Any]]:
    rules = event.rules if isinstance(event, PointsAccrued) else ()
    terms = []
    for index, lot in enumerate(event.lots):
        term: dict[str, Any] = {
            "lot_id": lot.lot_id,
            "sequence": lot.sequence,
            "currency": lot.currency,
            "points": lot.points,
            "earned_at": lot.earned_at,
            "activates_at": lot.activates_at,
            "expires_at": lot.expires_at,
        }
        if lot.accrual_id != event.command_id:
            term["origin"] = lot.accrual_id
        if lot.booked_at != now:
            term["booked_at"] = lot.booked_at
        if lot.campaign is not None:
            term["campaign"] = lot.campaign
        if lot.partner:
            term["partner"] = lot.partner
        if index < len(rules) and rules[index]:
            term["rules"] = [share.__dict__ for share in rules[index]]
        terms.append(term)
    return terms


def _lot_of(terms: Mapping[str, Any], command_id: UUID, recorded_at: datetime) -> Lot:
    return Lot(
        lot_id=_read_uuid(terms["lot_id"]),
        currency=terms["currency"],
        sequence=terms["sequence"],
        accrual_id=_read_uuid(terms["origin"]) if "origin" in terms else command_id,
        earned_at=datetime.fromisoformat(terms["earned_at"]),
        booked_at=datetime.fromisoformat(terms["booked_at"]) if "booked_at" in terms else recorded_at,
        activates_at=_instant_or_none(terms["activates_at"]),
        expires_at=_instant_or_none(terms["expires_at"]),
        points=terms["points"],
        campaign=terms.get("campaign"),
        partner=terms.get("partner", ""),
    )


def _uuid_or_none(text: str | None) -> UUID | None:
    return None if text is None else _read_uuid(text)


def _instant_or_none(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def writer_of(annotation: Any) -> _Convert | None:  # noqa: ANN401 - a type as the domain wrote it
    """How a value of this type becomes what orjson writes; None: it is that already."""
    if get_origin(annotation) in {Union, types.UnionType}:
        inner = writer_of(_without_none(annotation))
        return None if inner is None else lambda value: None if value is None else inner(value)
    if get_origin(annotation) is tuple:
        kinds = get_args(annotation)
        item = writer_of(kinds[0]) if kinds[-1] is Ellipsis else None
        return list if item is None else lambda value: [item(each) for each in value]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return lambda value: value.__dict__
    if isinstance(annotation, type) and issubclass(annotation, tuple):
        return _writer_of_tuple(annotation)
    return None


def _writer_of_tuple(kind: type[tuple[Any, ...]]) -> _Convert:
    parts = [(name, writer_of(part)) for name, part in get_type_hints(kind).items()]
    return lambda value: {
        name: each if write is None else write(each) for (name, write), each in zip(parts, value, strict=True)
    }


def reader_of(annotation: Any) -> _Convert:  # noqa: ANN401 - a type as the domain wrote it
    """How what orjson read becomes a value of this type."""
    if get_origin(annotation) in {Union, types.UnionType}:
        inner = reader_of(_without_none(annotation))
        return lambda value: None if value is None else inner(value)
    if get_origin(annotation) is tuple:
        kinds = get_args(annotation)
        if kinds[-1] is Ellipsis:
            item = reader_of(kinds[0])
            return lambda value: tuple(map(item, value))
        items = [reader_of(kind) for kind in kinds]
        return lambda value: tuple(read(each) for read, each in zip(items, value, strict=True))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation.model_validate
    if isinstance(annotation, type) and issubclass(annotation, tuple):
        parts = {name: reader_of(kind) for name, kind in get_type_hints(annotation).items()}
        return lambda value: annotation(**{name: read(value[name]) for name, read in parts.items()})
    scalar: _Convert = _SCALARS.get(annotation, _as_it_is)
    return scalar


def _as_it_is(value: Any) -> Any:  # noqa: ANN401 - any JSON scalar
    return value


def _without_none(annotation: Any) -> Any:  # noqa: ANN401 - a type as the domain wrote it
    (kind,) = (each for each in get_args(annotation) if each is not types.NoneType)
    return kind


def _details(kind: type[Event]) -> tuple[_Field, ...]:
    common = {each.name for each in dataclasses.fields(Event)}
    hints = get_type_hints(kind)
    return tuple(
        _Field(each.name, each.default, writer_of(hints[each.name]), reader_of(hints[each.name]))
        for each in dataclasses.fields(kind)
        # The rules of an accrual stand with the terms of its lots.
        if each.name not in common and not (kind is PointsAccrued and each.name == "rules")
    )


_DETAILS: Final[dict[type[Event], tuple[_Field, ...]]] = {kind: _details(kind) for kind in EVENTS.values()}
_READ_ACTIVITY: Final = reader_of(Activity)
_WRITE_ACTIVITY: Final = _writer_of_tuple(Activity)
