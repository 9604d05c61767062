"""A participant as its row keeps it: what decides, as JSON in the open; what is personal, as JSON to be encrypted."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from services.rules.domain.participant import Celebrated, Known, Participant, counters_with
from services.rules.domain.sums import Measures, Span, WindowSum
from services.rules.domain.tiers import TierPeriod


def state_of(participant: Participant) -> bytes:
    """What decides, and is not personal."""
    span = participant.span
    return orjson.dumps(
        {
            "last_purchase_at": participant.last_purchase_at,
            "span": span and (span.first, span.last),
            "history": [_period_data(period) for period in participant.history],
            "counters": participant.counters,
            "birthdays": {str(member): tuple(seen) for member, seen in participant.birthdays.items()},
            "sums": {name: (known.at, known.since, tuple(known.measures)) for name, known in participant.sums.items()},
        }
    )


def known_of(known: tuple[Known, ...]) -> bytes:
    """What is personal of one member."""
    return orjson.dumps([_known_data(each) for each in known])


def known_in(text: bytes) -> tuple[Known, ...]:
    """The same again, decrypted."""
    return tuple([_known(data) for data in orjson.loads(text)])


def sealed_by_member(known: bytes) -> dict[UUID, str]:
    """What is personal as a row has it: sealed, in base64, by member."""
    return {UUID(member): text for member, text in orjson.loads(known).items()}


def participant_of(row: Mapping[str, Any], known: Mapping[UUID, bytes]) -> Participant:
    """A participant from its row; `known` is decrypted, of the members of whom it could be."""
    state = orjson.loads(row["state"])
    span = state["span"]
    last = state["last_purchase_at"]
    return Participant(
        account_id=row["account_id"],
        member_id=row["member_id"],
        tenant=row["tenant"],
        programme=row["programme"],
        enrolled_at=row["enrolled_at"],
        known={member: known_in(text) for member, text in known.items()},
        decisions=row["decisions"],
        last_purchase_at=datetime.fromisoformat(last) if last else None,
        span=Span(*map(datetime.fromisoformat, span)) if span else None,
        history=tuple([_period(data) for data in state["history"]]),
        counters=state["counters"],
        sums={name: _sum(data) for name, data in state["sums"].items()},
        birthdays={UUID(member): _celebrated(*seen) for member, seen in state["birthdays"].items()},
    )


def without_counted(state: bytes, counted: Mapping[str, int]) -> bytes:
    """What decides, once an award was refused: it no longer uses up what is given only so often, or only so much."""
    said = orjson.loads(state)
    said["counters"] = counters_with(said["counters"], counted, -1)
    return orjson.dumps(said)


def _period_data(period: TierPeriod) -> tuple[Any, ...]:
    return (
        period.tier, period.effective_at, period.since, period.until, period.reason, period.cause, period.qualifying,
        period.reached_at,
    )  # fmt: skip


def _period(data: list[Any]) -> TierPeriod:
    tier, effective_at, since, until, reason, cause, qualifying, reached_at = data
    return TierPeriod(
        tier, datetime.fromisoformat(effective_at), datetime.fromisoformat(since), _instant(until), reason, cause,
        qualifying, _instant(reached_at),
    )  # fmt: skip


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _sum(data: list[Any]) -> WindowSum:
    at, since, measures = data
    return WindowSum(datetime.fromisoformat(at), datetime.fromisoformat(since), Measures(*measures))


def _celebrated(through: str, year: int) -> Celebrated:
    return Celebrated(date.fromisoformat(through), year)


def _known_data(known: Known) -> tuple[Any, ...]:
    segments = None if known.segments is None else sorted(known.segments)
    return (known.at, known.birthday, segments, known.attributes, known.referred_by)


def _known(data: list[Any]) -> Known:
    at, birthday, segments, attributes, referred_by = data
    return Known(
        datetime.fromisoformat(at),
        date.fromisoformat(birthday) if birthday else None,
        None if segments is None else frozenset(segments),
        attributes,
        referred_by,
    )
