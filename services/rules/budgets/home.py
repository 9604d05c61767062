"""The home of a campaign: who asks is granted in order, each ask once, and never more than there is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from contracts.ids import event_of
from services.rules.budgets.storage import SQL
from services.rules.decide.readings import uuid_of
from services.rules.domain.budgets import grant
from services.rules.publishing import entry
from services.runtime.messages import Message
from services.runtime.shard import LogEntry, ShardTransaction, Verdict

GRANTED: Final = "bonus.budget.granted.v1"

Campaign = tuple[str, str, str]
"""Tenant, programme and campaign."""


@dataclass(slots=True)
class Kept:
    """A campaign's budget. Points are in the smallest unit; `total` is what the last ask said."""

    rule: str
    currency: str
    scale: int
    total: int
    granted: int = 0
    asks: int = 0
    cut: int = 0


async def take(transaction: ShardTransaction, messages: Sequence[Message]) -> dict[int, Verdict]:
    """Answer asks, in their order; verdicts by the identity of the message."""
    if not messages:
        return {}
    asks = [uuid_of(message.content["data"]["ask_id"]) for message in messages]
    known = await transaction.connection.fetch(SQL.known_grants, transaction.shard, asks)
    granted = {row["ask_id"] for row in known}
    budgets = await _budgets(transaction, {_campaign(message) for message in messages})
    rows: list[tuple[Any, ...]] = []
    verdicts: dict[int, Verdict] = {}
    for message, ask_id in zip(messages, asks, strict=True):
        if ask_id in granted:
            verdicts[id(message)] = Verdict("duplicate")
            continue
        granted.add(ask_id)
        points, left = _answer(message, budgets)
        transaction.append(_granted(message, points, left, transaction.now))
        rows.append(_row(message, ask_id, points))
        verdicts[id(message)] = Verdict("applied")
    await _write(transaction, budgets, rows)
    return verdicts


def _answer(message: Message, budgets: dict[Campaign, Kept]) -> tuple[int, int]:
    """What is granted, and what is left after it."""
    data = message.content["data"]
    kept = budgets.get(_campaign(message))
    if kept is None:
        kept = budgets[_campaign(message)] = Kept(data["rule"], data["currency"], data["scale"], data["total"])
    points = grant(
        asked=data["points"],
        total=data["total"],
        granted_before=kept.granted,
        partial=data["policy"] == "partial",
    )
    kept.total = data["total"]
    kept.granted += points
    kept.asks += 1
    kept.cut += points < data["points"]
    return points, max(kept.total - kept.granted, 0)


def _granted(message: Message, points: int, left: int, now: datetime) -> LogEntry:
    """The answer, on its way to the account."""
    asked = message.content["data"]
    said = ("ask_id", "programme", "campaign", "rule", "account_id", "decision_id", "currency", "scale")
    data = {name: asked[name] for name in said} | {"asked": asked["points"], "granted": points, "left": left}
    return entry(
        GRANTED, event_of(GRANTED, uuid_of(asked["ask_id"])), key=asked["account_id"], tenant=message.tenant,
        data=data, now=now, traceparent=message.traceparent,
    )  # fmt: skip


def _row(message: Message, ask_id: UUID, points: int) -> tuple[Any, ...]:
    data = message.content["data"]
    return (
        ask_id, *_campaign(message), uuid_of(data["account_id"]), uuid_of(data["decision_id"]), data["points"], points,
    )  # fmt: skip


def _campaign(message: Message) -> Campaign:
    data = message.content["data"]
    return message.tenant, data["programme"], data["campaign"]


async def _budgets(transaction: ShardTransaction, campaigns: Iterable[Campaign]) -> dict[Campaign, Kept]:
    wanted = map(list, zip(*campaigns, strict=True))
    rows = await transaction.connection.fetch(SQL.find_budgets, transaction.shard, *wanted)
    return {(row["tenant"], row["programme"], row["campaign"]): _kept(row) for row in rows}


def _kept(row: Mapping[str, Any]) -> Kept:
    return Kept(
        row["rule"], row["currency"], row["scale"], row["total"], row["granted"], row["asks"], row["cut"]
    )  # fmt: skip


async def _write(transaction: ShardTransaction, budgets: Mapping[Campaign, Kept], rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    await transaction.connection.execute(
        SQL.add_grants, transaction.shard, *map(list, zip(*rows, strict=True)), transaction.now
    )
    columns = zip(
        *[
            (*campaign, kept.rule, kept.currency, kept.scale, kept.total, kept.granted, kept.asks, kept.cut)
            for campaign, kept in budgets.items()
        ],
        strict=True,
    )
    await transaction.connection.execute(SQL.save_budgets, transaction.shard, *map(list, columns), transaction.now)
