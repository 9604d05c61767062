"""Random commands of all kinds, in any order, with clock steps: what Postgres holds is what the model has, after each.

The model is that of tests/properties/ledger, which shares no code with the services and is compared there with the
decider. Here the same commands go through the writer to tables and back, under ids and at times of their own.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from itertools import count, dropwhile, takewhile
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from pydantic import BaseModel

from contracts.awards import (
    AccountOpening,
    Accrual,
    Merge,
    PurchaseRedemption,
    RedemptionRestore,
    Reversal,
    Standing,
    TierAssignment,
)
from contracts.shards import SHARDS, shard_of
from contracts.topics import TRANSFERS
from services.ledger.domain import commands
from services.ledger.domain.account import Account, unopened
from services.ledger.domain.commands import Command
from services.ledger.domain.decision import Onward
from services.ledger.domain.guards import Guards
from services.ledger.domain.purchases import forwarded_id
from services.ledger.intake import CATCH_UP, Request
from services.ledger.onward import message_entry
from services.ledger.processor import LOG_COLUMNS, LedgerProcessor
from services.ledger.programmes import Programmes
from services.ledger.verify.plan import Plan
from services.ledger.verify.run import verify_shards
from services.runtime.messages import Message
from services.runtime.writer import ShardWriter
from tests.integration.ledger.conftest import Books, cloud_event
from tests.properties.ledger.comparing import LOT_FIELDS
from tests.properties.ledger.lives import BY_HAND
from tests.properties.ledger.model import BUCKETS
from tests.properties.ledger.pair import ACCOUNTS, START, Pair, Taken
from tests.properties.ledger.steps import LIMITS, STEPS, Step

EXAMPLES = 40
FOUND = (Phase.generate,)
"""What fails is shown as it was found: to look for less would take more than messages have years for."""

MONTHS = (3, 8)
"""In which examples begin, the next later than the one before: those that follow are as long, wherever time goes on."""
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
        years, half = divmod(number, len(MONTHS))
        self._later = START.replace(year=START.year + years, month=MONTHS[half]) - START
        self._derived: dict[UUID, UUID] = {}

    def there(self, value: Any) -> Any:
        """The value with every id and instant in it moved."""
        if isinstance(value, UUID):
            return self._derived.get(value) or UUID(int=value.int ^ self._mask)
        if isinstance(value, datetime):
            return value + self._later
        if isinstance(value, tuple):
            return tuple(map(self.there, value))
        if isinstance(value, BaseModel):
            if isinstance(value, PurchaseRedemption):
                # Of an account that was taken up, the rest goes by an id that follows from this one.
                here = value.command_id
                self._derived[forwarded_id(here)] = forwarded_id(self.there(here))
            return value.model_copy(update={name: self.there(each) for name, each in value})
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{each.name: self.there(getattr(value, each.name)) for each in fields(value)})
        return value

    @property
    def accounts(self) -> list[UUID]:
        """The accounts."""
        return [self.there(account_id) for account_id in ACCOUNTS]

    @property
    def shards(self) -> list[int]:
        """Their shards."""
        return [shard_of(str(account_id)) for account_id in self.accounts]


class Stored:
    """One example's accounts in Postgres, and what they have for each other there."""

    def __init__(self, books: Books, pair: Pair, elsewhere: Elsewhere) -> None:
        self._books = books
        self._elsewhere = elsewhere
        self._accounts, self._shards = elsewhere.accounts, elsewhere.shards
        self._letters: dict[tuple[int, int], list[Message]] = defaultdict(list)
        self._read_until: dict[int, int] = {}
        self._earlier: list[tuple[int, Message, str | None]] = []
        self._writer = ShardWriter(
            books.pool, LedgerProcessor(Guarded(pair.guards)), settings=books.settings, clock=books.clock,
            log_columns=LOG_COLUMNS,
        )  # fmt: skip

    async def begin(self) -> None:
        """Pass over what earlier examples left in the same shards."""
        for row in await self._books.pool.fetch(
            "select shard, max(position) as head from event where shard = any($1) group by shard", self._shards
        ):
            self._read_until[row["shard"]] = row["head"]

    async def take(self, taken: Taken, resumed: Sequence[Taken]) -> None:
        """What an account decided in the model, decided here: twice over, perhaps much later again, with one verdict.

        What had waited for it, `resumed`, follows by itself.
        """
        group = [taken, *resumed]
        onward = [each for one in group for each in one.outcome.onward]
        if taken.command is None and not onward:
            # Without a sweeper all is the same, as long as nobody else has to hear of it.
            return
        message = self._message(taken)
        self._books.clock.now = self._elsewhere.there(taken.now)
        code = taken.outcome.refusal.code if taken.outcome.refusal else None
        assert [await self._write(taken.who, message) for _ in range(2)] == [code, code]
        if self._earlier:
            who, earlier, its_code = self._earlier[len(self._earlier) // 2]
            assert await self._write(who, earlier) == its_code
        if taken.command is not None and taken.outcome.waiting is None:
            self._earlier.append((taken.who, message, code))
        await self._collect(taken.who, onward)
        if group[-1].outcome.account.version:
            await self._compare(taken.who, group[-1].outcome.account)

    async def _write(self, who: int, message: Message) -> str | None:
        [verdict] = await self._writer.write(self._shards[who], [message])
        return verdict.code

    def _message(self, taken: Taken) -> Message:
        """An award as rules send it, or a request; what one account has for another comes as that one's log has it."""
        account_id, command = self._accounts[taken.who], taken.command
        if command is None:
            return Message(type=CATCH_UP, id="1", source="urn:test", tenant="default", key=str(account_id))
        if taken.sender is not None:
            return self._letters[taken.sender, taken.who].pop(0)
        moved: Command = self._elsewhere.there(command)
        if isinstance(moved, BaseModel):
            event = cloud_event(KINDS[type(moved)], moved.model_dump(mode="json", by_alias=True))
            return self._books.decoded(event, self._writer)
        if taken.outcome.redirect is not None:
            # A request to such an account is refused; a message is passed on.
            account = unopened(account_id, "default", "grocer")
            entry = message_entry(account, Onward(account_id, moved), self._books.clock.now, None)
            return self._books.decoded(orjson.loads(entry.body), self._writer)
        return Message(
            type=KINDS[type(moved)], id=str(moved.command_id), source="urn:test", tenant="default",
            key=str(account_id), payload=Request("default", "grocer", moved, asked_of(moved)),
        )  # fmt: skip

    async def _collect(self, who: int, onward: Sequence[Onward]) -> None:
        """What the account has for others now, once each, and for whom the model says."""
        shard = self._shards[who]
        rows = await self._books.pool.fetch(
            "select position, key, body from event where shard = $1 and position > $2 and type = any($3)"
            " order by position",
            shard, self._read_until.get(shard, 0), list(TRANSFERS.types),
        )  # fmt: skip
        receivers = [ACCOUNTS.index(each.to_account_id) for each in onward]
        assert [row["key"] for row in rows] == [str(self._accounts[receiver]) for receiver in receivers]
        for row, receiver in zip(rows, receivers, strict=True):
            self._read_until[shard] = row["position"]
            letter = self._books.decoded(orjson.loads(row["body"]), self._writer)
            self._letters[who, receiver].append(letter)

    async def _compare(self, who: int, account: Account) -> None:
        """Tier, balances, lots, holds and redemptions stand there as they should."""
        there = self._elsewhere.there
        [row] = await self._rows("select * from account where shard = $1 and account_id = $2", who)
        stands = ("status", "erased", "version", "tier", "tier_since", "tier_until", "merged_into")
        assert tuple(row[name] for name in stands) == (
            account.status, account.erased, account.version, account.tier and account.tier.tier,
            account.tier and there(account.tier.since), account.tier and there(account.tier.until),
            account.merged_into and there(account.merged_into),
        )  # fmt: skip
        assert (row["standing"] and Standing.model_validate_json(row["standing"])) == account.standing
        rows = await self._rows("select * from balance where shard = $1 and account_id = $2", who)
        assert {row["currency"]: [row[name] for name in BUCKETS] for row in rows} == {
            currency: [getattr(balance, name) for name in BUCKETS] for currency, balance in account.balances.items()
        }
        lots = await self._rows("select * from lot where shard = $1 and account_id = $2 order by sequence", who)
        assert [(*(lot[name] for name in LOT_FIELDS), lot["expires_at"]) for lot in lots] == [
            (*(getattr(lot, name) for name in LOT_FIELDS), there(lot.expires_at))
            for lot in sorted(account.lots.values(), key=lambda lot: lot.sequence)
        ]
        holds = await self._rows("select * from hold where shard = $1 and account_id = $2", who)
        assert {hold["hold_id"]: (hold["state"], sum(hold["held"]), hold["captured"]) for hold in holds} == {
            there(key): (hold.state, hold.held, hold.captured) for key, hold in account.holds.items()
        }
        spent = await self._rows("select * from redemption where shard = $1 and account_id = $2", who)
        assert {
            each["redemption_id"]: (
                sum(each["points"]) + each["owed"],
                sum(each["restored"]) + each["owed_restored"],
                each["forwarded"],
            )
            for each in spent
        } == {there(key): (each.taken, each.restored, each.forwarded) for key, each in account.redemptions.items()}

    async def _rows(self, statement: str, who: int) -> Any:
        return await self._books.pool.fetch(statement, self._shards[who], self._accounts[who])


async def check(books: Books, limits: dict[str, Any], steps: list[Step], elsewhere: Elsewhere) -> None:
    """Take the steps in the model, then the same in Postgres; compare after each command."""
    pair = Pair(limits)
    for step in steps:
        pair.take(step)
    stored = Stored(books, pair, elsewhere)
    await stored.begin()
    while pair.taken:
        taken = pair.taken.pop(0)
        await stored.take(taken, list(takewhile(lambda each: each.resumed, pair.taken)))
        pair.taken = list(dropwhile(lambda each: each.resumed, pair.taken))


@pytest.mark.slow
async def test_what_postgres_holds_is_what_the_model_has(books: Books, database: str) -> None:
    """After each command, each delivered twice: tier, balances, lots, holds, redemptions, refusals and letters."""
    loop = asyncio.get_running_loop()
    # Each account in a shard of its own: what one has decided, the others have not heard of.
    places = (each for number in count(1) if len(set((each := Elsewhere(number)).shards)) == len(ACCOUNTS))

    @given(LIMITS, STEPS)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=FOUND, suppress_health_check=list(HealthCheck)
    )
    def run(limits: dict[str, Any], steps: list[Step]) -> None:
        asyncio.run_coroutine_threadsafe(check(books, limits, steps, next(places)), loop).result()

    for limits, steps in BY_HAND:
        await check(books, limits, steps, next(places))
    await asyncio.to_thread(run)
    assert books.clock.now > START
    assert (await verify_shards(database, range(SHARDS), Plan(now=books.clock.now))).differences == []
