"""Opening balances into the books: one command an account, under an id of its own, so that a second run adds nothing.

Every line is checked before the first is booked; each account is booked whole, in one transaction. A run that was
interrupted is simply run again.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson

from contracts import ids
from contracts.awards import MAX_GRANTS, Accrual, Grant, Source
from contracts.shards import shard_of
from services.ledger.intake import Request
from services.ledger.opening.file import Opening, OpeningLot
from services.ledger.wire import SOURCE
from services.runtime.messages import Message
from services.runtime.writer import ShardWriter

KIND: Final = "opening"


@dataclass(slots=True)
class Loaded:
    """What became of a file: commands by verdict, points booked now by currency, members that stand otherwise."""

    commands: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    differing: list[UUID] = field(default_factory=list)
    refused: list[tuple[UUID, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Destination:
    """Whose programme the balances open, when, and how many decimals its currencies have."""

    tenant: str
    programme: str
    now: datetime
    scales: Mapping[str, int]


async def load(writer: ShardWriter, opening: Opening, to: Destination) -> Loaded:
    """Book every account of a file without bad lines."""
    loaded = Loaded()
    by_shard: dict[int, list[tuple[UUID, Message, Sequence[OpeningLot]]]] = {}
    for member, lots in opening.lots.items():
        for message, taken in _commands(member, lots, to):
            by_shard.setdefault(shard_of(message.key), []).append((member, message, taken))
    for shard, batch in sorted(by_shard.items()):
        verdicts = await writer.write(shard, [message for _, message, _ in batch])
        for (member, _, taken), verdict in zip(batch, verdicts, strict=True):
            loaded.commands[verdict.kind] += 1
            if verdict.kind == "applied":
                for lot in taken:
                    loaded.points[lot.currency] += lot.points
            elif verdict.kind == "conflict":
                loaded.differing.append(member)
            elif verdict.code is not None:
                loaded.refused.append((member, verdict.code))
    return loaded


def _commands(
    member: UUID, lots: Sequence[OpeningLot], to: Destination
) -> Iterator[tuple[Message, Sequence[OpeningLot]]]:
    """One command for points that were earned together, as many lots as it may have."""
    account_id = ids.account_of(to.tenant, to.programme, member)
    decision_id = ids.decision_of(account_id, KIND)
    by_date: dict[datetime | None, list[OpeningLot]] = {}
    for lot in lots:
        by_date.setdefault(lot.earned_at, []).append(lot)
    for earned_at, together in by_date.items():
        for part, first in enumerate(range(0, len(together), MAX_GRANTS)):
            taken = together[first : first + MAX_GRANTS]
            ordinal = "" if earned_at is None else earned_at.isoformat()
            command = Accrual(
                command_id=ids.command_of("open", decision_id, ordinal, str(part)),
                account_id=account_id,
                member_id=member,
                programme=to.programme,
                occurred_at=earned_at or to.now,
                decision_id=decision_id,
                source=Source(kind="opening", id=f"line {taken[0].line}"),
                grants=tuple(_grant(lot, to.scales[lot.currency]) for lot in taken),
            )
            yield (
                _message(command, [[lot.currency, lot.points, lot.expires_at, lot.partner] for lot in taken], to),
                taken,
            )


def _grant(lot: OpeningLot, scale: int) -> Grant:
    return Grant(currency=lot.currency, scale=scale, points=lot.points, expires_at=lot.expires_at, partner=lot.partner)


def _message(command: Accrual, asked: Sequence[object], to: Destination) -> Message:
    return Message(
        type="bonus.points.accrue.v1",
        id=str(command.command_id),
        source=SOURCE,
        tenant=to.tenant,
        key=str(command.account_id),
        payload=Request(to.tenant, to.programme, command, orjson.dumps(asked).decode()),
    )
