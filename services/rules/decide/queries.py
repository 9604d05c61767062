"""What people ask of decisions: what became of a purchase, and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import asyncpg
import orjson

from contracts.ids import command_of, decision_of
from contracts.shards import SHARDS, shard_of
from services.rules.decide.outcomes import Outcome, Points
from services.rules.decide.storage import SQL
from services.rules.domain.records import awarded_in
from services.rules.explanation.document import document
from services.runtime.postgres import Pool
from services.runtime.privacy import Vault

Status = Literal["decided", "booked", "refused"]

_ALL_SHARDS: Final = list(range(SHARDS))


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision with all that is known of it. `inputs` None: the member was erased."""

    decision_id: UUID
    account_id: UUID
    number: int
    kind: str
    cause_key: UUID
    cause_id: str
    of_decision_id: UUID | None
    occurred_at: datetime
    decided_at: datetime
    programme: str
    version: int | None
    reason: str | None
    qualifying: int
    spend: int
    record: Mapping[str, Any]
    status: Status
    refused: str | None
    inputs: Mapping[str, Any] | None


class Decisions:
    """Looks decisions up."""

    async def of_purchases(self, pool: Pool, wanted: Sequence[tuple[UUID, UUID]]) -> Mapping[UUID, Outcome]:
        """The decisions on purchases, by purchase key; `wanted` holds (account id, purchase key) of each."""
        keys = {decision_of(account_id, purchase_key): purchase_key for account_id, purchase_key in wanted}
        shards = sorted({shard_of(str(account_id)) for account_id, _ in wanted})
        async with pool.acquire() as connection:
            rows = await connection.fetch(SQL.decisions_of, shards, list(keys))
            by_decision = _by_decision(rows)
            by_decision = await _with_grants(connection, shards, by_decision)
            answers = await _answers(connection, shards, by_decision)
        return {
            keys[decision_id]: _outcome(decision_id, found, answers)
            for decision_id, found in by_decision.items()
            if decision_id in keys
        }

    async def find(self, pool: Pool, vault: Vault, tenant: str, decision_id: UUID) -> DecisionRow | None:
        """One decision; None where the tenant has none such."""
        async with pool.acquire() as connection:
            row = await connection.fetchrow(SQL.decision_for_people, _ALL_SHARDS, decision_id, tenant)
            if row is None:
                return None
            record = _granted(orjson.loads(row["record"]), await _grants(connection, [row["shard"]], [decision_id]))
            commands = _commands(decision_id, row["kind"], record)
            answers = await _verdicts(connection, [row["shard"]], commands)
            ciphers = await vault.existing(connection, [row["shard"]], [row["member_id"]])
        cipher = ciphers.get((row["shard"], row["member_id"]))
        inputs = orjson.loads(cipher.decrypt(row["inputs"], decision_id.bytes)) if cipher else None
        status, refused = _status(commands, answers)
        return DecisionRow(
            decision_id, row["account_id"], row["number"], row["kind"], row["cause_key"], row["cause_id"],
            row["of_decision_id"], row["occurred_at"], row["decided_at"], row["programme"], row["programme_version"],
            row["reason"], row["qualifying"], row["spend"], record, status, refused, inputs,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Taken:
    """One decision of those on a purchase, its record read."""

    decision_id: UUID
    kind: str
    reason: str | None
    record: Mapping[str, Any]


def _by_decision(rows: Iterable[asyncpg.Record]) -> dict[UUID, list[_Taken]]:
    """Decisions on purchases, each followed by those that took some of it back."""
    found: dict[UUID, list[_Taken]] = {}
    for row in rows:
        taken = _Taken(row["decision_id"], row["kind"], row["reason"], orjson.loads(row["record"]))
        found.setdefault(row["of_decision_id"] or row["decision_id"], []).append(taken)
    return found


async def _with_grants(
    connection: asyncpg.Connection, shards: Sequence[int], found: Mapping[UUID, list[_Taken]]
) -> dict[UUID, list[_Taken]]:
    """The same decisions, with what budgets granted of what they asked."""
    asked = [each.decision_id for taken in found.values() for each in taken if "asks" in each.record]
    grants = await _grants(connection, shards, asked) if asked else {}
    return {
        decision_id: [replace(each, record=_granted(each.record, grants)) for each in taken]
        for decision_id, taken in found.items()
    }


async def _grants(
    connection: asyncpg.Connection, shards: Sequence[int], decisions: Sequence[UUID]
) -> dict[str, tuple[int | None, int]]:
    rows = await connection.fetch(SQL.asks_of, list(shards), list(decisions))
    return {str(row["ask_id"]): (row["granted"], row["taken"]) for row in rows}


def _granted(record: Mapping[str, Any], grants: Mapping[str, tuple[int | None, int]]) -> Mapping[str, Any]:
    """A record that says of each ask what was granted (None: no answer yet), and what of that was reversed since."""
    if "asks" not in record:
        return record
    asks = []
    for ask in record["asks"]:
        granted, taken = grants.get(ask["ask_id"], (None, 0))
        asks.append({**ask, "granted": granted, "taken": taken})
    return {**record, "asks": asks}


async def _answers(
    connection: asyncpg.Connection, shards: Sequence[int], found: Mapping[UUID, Sequence[_Taken]]
) -> dict[UUID, str | None]:
    commands = [
        command
        for decision_id, taken in found.items()
        for command in _commands(decision_id, taken[0].kind, taken[0].record)
    ]
    return await _verdicts(connection, shards, commands)


async def _verdicts(
    connection: asyncpg.Connection, shards: Sequence[int], commands: Sequence[UUID]
) -> dict[UUID, str | None]:
    if not commands:
        return {}
    rows = await connection.fetch(SQL.verdicts_of, list(shards), list(commands))
    return {row["command_id"]: row["code"] for row in rows}


def _commands(decision_id: UUID, kind: str, record: Mapping[str, Any]) -> list[UUID]:
    """The commands by which a decision moves points."""
    if kind in ("return", "conflict", "self_referral"):
        reversed_ = [command_of("reverse", decision_id, currency) for currency in record.get("taken", {})]
        reversed_ += [command_of("reverse", decision_id, ask["ask_id"]) for ask in record.get("taken_of_asks", ())]
        return reversed_ + [UUID(each["command_id"]) for each in record.get("restored", ())]
    accrued = [command_of("accrue", decision_id)] if any(awarded_in(record).values()) else []
    # Until a budget has answered, nothing can be booked of what was asked of it.
    accrued += [command_of("accrue", UUID(ask["ask_id"])) for ask in record.get("asks", ()) if ask["granted"] != 0]
    return accrued + [UUID(each["command_id"]) for each in record.get("paid", ())]


def _status(commands: Sequence[UUID], answers: Mapping[UUID, str | None]) -> tuple[Status, str | None]:
    """Booked once every command was answered; refused if one of them was, with the reason."""
    refused = next((answers[command] for command in commands if answers.get(command) is not None), None)
    if refused is not None:
        return "refused", refused
    return ("booked", None) if all(command in answers for command in commands) else ("decided", None)


def _outcome(decision_id: UUID, taken: Sequence[_Taken], answers: Mapping[UUID, str | None]) -> Outcome:
    first = taken[0]
    status, refused = _status(_commands(decision_id, first.kind, first.record), answers)
    return Outcome(
        decision_id,
        "decided" if status == "decided" else "booked",
        _points(taken),
        first.reason or refused,
        document(first.record),
    )


def _points(taken: Sequence[_Taken]) -> tuple[Points, ...]:
    """What a purchase brought and what it was paid with, less what came back since."""
    scales: dict[str, int] = {}
    accrued: dict[str, int] = {}
    redeemed: dict[str, int] = {}
    for each in taken:
        for award in each.record.get("awards", ()):
            scales[award["currency"]] = award["scale"]
            _add(accrued, award["currency"], award["points"])
        for ask in each.record.get("asks", ()):
            scales[ask["currency"]] = ask["scale"]
            _add(accrued, ask["currency"], (ask["granted"] or 0) - ask["taken"])
        for paid in each.record.get("paid", ()):
            scales[paid["currency"]] = paid["scale"]
            _add(redeemed, paid["currency"], paid["points"])
        for currency, points in each.record.get("taken", {}).items():
            _add(accrued, currency, -points)
        for back in each.record.get("restored", ()):
            _add(redeemed, back["currency"], -back["points"])
    return tuple(
        Points(currency, scale, accrued.get(currency, 0), redeemed.get(currency, 0))
        for currency, scale in scales.items()
    )


def _add(sums: dict[str, int], currency: str, points: int) -> None:
    sums[currency] = sums.get(currency, 0) + points
