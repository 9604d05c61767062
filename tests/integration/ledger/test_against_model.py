"""Random commands of all kinds, in any order, with clock steps: what Postgres holds is what the model has, after each.

The model is that of tests/properties/ledger, which shares no code with the services and is compared there with the
decider. Here the same commands go through the writer to tables and back, under ids and at times of their own.
"""

import asyncio
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import BaseModel

from contracts.awards import (
    AccountOpening,
    Accrual,
    Merge,
    PurchaseRedemption,
    RedemptionRestore,
    Reversal,
    TierAssignment,
)
from contracts.ids import derive
from contracts.shards import SHARDS, shard_of
from services.ledger.domain import commands
from services.ledger.domain.account import Account
from services.ledger.domain.commands import Command, SendPoints
from services.ledger.domain.guards import Guards
from services.ledger.intake import Request
from services.ledger.processor import LOG_COLUMNS, LedgerProcessor
from services.ledger.programmes import Programmes
from services.ledger.verify.plan import Plan
from services.ledger.verify.run import verify_shards
from services.runtime.messages import Message
from services.runtime.writer import ShardWriter
from tests.integration.ledger.conftest import Books
from tests.properties.ledger.model import BUCKETS
from tests.properties.ledger.pair import ACCOUNT, LOT_FIELDS, START, Pair
from tests.properties.ledger.steps import LIMITS, STEPS, Step

EXAMPLES = 8
DAYS_APART = 70
ABOVE_ALL_KEYS = 64


KINDS: dict[type, str] = {
    Accrual: "bonus.points.accrue.v1",
    AccountOpening: "bonus.account.open.v1",
    Reversal: "bonus.points.reverse.v1",
    PurchaseRedemption: "bonus.purchase.redeem.v1",
    RedemptionRestore: "bonus.redemption.restore.v1",
    TierAssignment: "bonus.tier.change.v1",
    Merge: "bonus.accounts.merge.v1",
    commands.Redeem: "bonus.points.redeem.v1",
    commands.PlaceHold: "bonus.hold.place.v1",
    commands.CaptureHold: "bonus.hold.capture.v1",
    commands.ReleaseHold: "bonus.hold.release.v1",
    commands.ReverseRedemption: "bonus.redemption.reverse.v1",
    commands.Adjust: "adjustment",
    commands.Freeze: "freeze",
    commands.Unfreeze: "unfreeze",
    commands.Close: "close",
    commands.Erase: "bonus.member.erased.v1",
    commands.SendPoints: "transfer",
    commands.ReceivePoints: "bonus.transfer.offered.v1",
    commands.CompleteTransfer: "bonus.transfer.accepted.v1",
    commands.ReturnTransfer: "bonus.transfer.refused.v1",
    commands.Surrender: "bonus.command.forwarded.v1",
    commands.ConcludeMerge: "bonus.command.forwarded.v1",
    commands.TakeBack: "bonus.command.forwarded.v1",
}
"""What each command comes as: verification knows which messages lead to which events."""


def asked_of(command: Command) -> str:
    """What a caller would have asked, in ten-thousandths; points have no decimals here."""
    if not isinstance(command, commands.Redeem | commands.PlaceHold | commands.SendPoints):
        return "{}"
    return orjson.dumps({"currency": command.currency, "points": command.points * 10_000}).decode()


class Guarded(Programmes):
    """The programme of one example."""

    def __init__(self, guards: Guards) -> None:
        super().__init__()
        self._guards = guards

    def guards(self, tenant: str, programme: str, at: datetime) -> Guards:
        """The same at any time."""
        _ = tenant, programme, at
        return self._guards


class Elsewhere:
    """An example's commands under ids and at times of their own: many examples share one database."""

    def __init__(self, number: int) -> None:
        self._mask = number << ABOVE_ALL_KEYS
        self._later = timedelta(days=DAYS_APART * number)
        self._transits: dict[UUID, UUID] = {}

    def there(self, value: Any) -> Any:
        """The value with every id and instant in it moved."""
        if isinstance(value, UUID):
            return self._transits.get(value) or UUID(int=value.int ^ self._mask)
        if isinstance(value, datetime):
            return value + self._later
        if isinstance(value, tuple):
            return tuple(map(self.there, value))
        if isinstance(value, BaseModel):
            return value.model_copy(update={name: self.there(each) for name, each in value})
        if is_dataclass(value) and not isinstance(value, type):
            moved: Any = replace(value, **{each.name: self.there(getattr(value, each.name)) for each in fields(value)})
            if isinstance(value, SendPoints):
                # What is in transit goes by an id that follows from the command's.
                self._transits[derive("transit", value.command_id, "0")] = derive("transit", moved.command_id, "0")
            return moved
        return value


class Stored:
    """One example's account in Postgres."""

    def __init__(self, books: Books, pair: Pair, number: int) -> None:
        self._books = books
        self._elsewhere = Elsewhere(number)
        self.account_id: UUID = self._elsewhere.there(ACCOUNT)
        self.shard = shard_of(str(self.account_id))
        self._writer = ShardWriter(
            books.pool, LedgerProcessor(Guarded(pair.guards)), settings=books.settings, clock=books.clock,
            log_columns=LOG_COLUMNS,
        )  # fmt: skip

    async def take(self, command: Command, now: datetime, times: int = 1) -> list[str | None]:
        """Submit a command, perhaps more than once; the codes of its verdicts."""
        moved: Command = self._elsewhere.there(command)
        self._books.clock.now = self._elsewhere.there(now)
        message = Message(
            type=KINDS[type(moved)], id=str(moved.command_id), source="urn:test", tenant="default",
            key=str(self.account_id), payload=Request("default", "grocer", moved, asked_of(moved)),
        )  # fmt: skip
        return [(await self._writer.write(self.shard, [message]))[0].code for _ in range(times)]

    async def compare(self, account: Account) -> None:
        """Balances, lots, holds and redemptions stand there as they should."""
        rows = await self._rows("select * from balance where shard = $1 and account_id = $2")
        assert {row["currency"]: [row[name] for name in BUCKETS] for row in rows} == {
            currency: [getattr(balance, name) for name in BUCKETS] for currency, balance in account.balances.items()
        }
        lots = await self._rows("select * from lot where shard = $1 and account_id = $2 order by sequence")
        assert [(*(lot[name] for name in LOT_FIELDS), lot["expires_at"]) for lot in lots] == [
            (*(getattr(lot, name) for name in LOT_FIELDS), self._elsewhere.there(lot.expires_at))
            for lot in sorted(account.lots.values(), key=lambda lot: lot.sequence)
        ]
        holds = await self._rows("select * from hold where shard = $1 and account_id = $2")
        assert {hold["hold_id"]: (hold["state"], sum(hold["held"]), hold["captured"]) for hold in holds} == {
            self._elsewhere.there(key): (hold.state, hold.held, hold.captured) for key, hold in account.holds.items()
        }
        spent = await self._rows("select * from redemption where shard = $1 and account_id = $2")
        assert {
            each["redemption_id"]: (sum(each["points"]) + each["owed"], sum(each["restored"]) + each["owed_restored"])
            for each in spent
        } == {self._elsewhere.there(key): (each.taken, each.restored) for key, each in account.redemptions.items()}

    async def _rows(self, statement: str) -> Any:
        return await self._books.pool.fetch(statement, self.shard, self.account_id)


async def check(books: Books, limits: dict[str, Any], steps: list[Step], number: int) -> None:
    """Take the steps in the model, then the same in Postgres; compare after each command."""
    pair = Pair(limits)
    for step in steps:
        pair.take(step)
    stored = Stored(books, pair, number)
    for (command, now), outcome in zip(pair.taken, pair.outcomes, strict=True):
        if command is None or outcome.waiting is not None:
            # Without a sweeper all is the same. What waits is sent when it can be decided.
            continue
        code = outcome.refusal.code if outcome.refusal else None
        assert await stored.take(command, now, times=2) == [code, code]
        if outcome.account.version:
            await stored.compare(outcome.account)


@pytest.mark.slow
async def test_what_postgres_holds_is_what_the_model_has(books: Books, database: str) -> None:
    """After each command, each of them delivered twice: balances, lots, holds, redemptions and refusals."""
    loop, numbers = asyncio.get_running_loop(), count(1)

    @given(LIMITS, STEPS)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def run(limits: dict[str, Any], steps: list[Step]) -> None:
        checking = check(books, limits, steps, next(numbers))
        asyncio.run_coroutine_threadsafe(checking, loop).result()

    await asyncio.to_thread(run)
    assert books.clock.now > START
    assert (await verify_shards(database, range(SHARDS), Plan(now=books.clock.now))).differences == []
