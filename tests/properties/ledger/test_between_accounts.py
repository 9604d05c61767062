"""Several accounts that send each other points and take up each other, with messages late, interleaved and repeated."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.awards import (
    Accrual,
    Grant,
    Inactivity,
    Merge,
    PurchaseRedemption,
    RedemptionRestore,
    Reversal,
    Source,
)
from services.ledger.domain.account import Account, unopened
from services.ledger.domain.books import imbalances
from services.ledger.domain.commands import CaptureHold, Command, PlaceHold, Redeem, ReleaseHold, SendPoints
from services.ledger.domain.decide import Outcome, Recorded, catch_up, handle
from services.ledger.domain.decision import Onward
from services.ledger.domain.evolve import replay
from services.ledger.domain.guards import UNGUARDED
from services.ledger.domain.needs import needs
from tests.properties.ledger.loading import in_part

START = datetime(2026, 3, 1, tzinfo=UTC)
ACCOUNTS = tuple(UUID(int=number << 64) for number in (1, 2, 3))
MEMBER = UUID(int=4 << 64)
CURRENCIES = ("points", "stamps")
LAPSING = Inactivity(days=2, notice_days=1, zone="Europe/Warsaw")


@dataclass(frozen=True)
class Move:
    """What is done next: to which account, with how much, concerning which earlier thing."""

    kind: str
    who: int = 0
    whom: int = 0
    points: int = 0
    of: int = 0
    minutes: int = 0


_WHO = st.integers(0, 2)
_ANY = {"who": _WHO, "whom": _WHO, "points": st.integers(1, 80), "of": st.integers(0, 6)}
_EARN = st.builds(Move, st.sampled_from(["accrue", "accrue", "lapsing"]), minutes=st.integers(0, 300), **_ANY)
_SPEND = st.builds(Move, st.sampled_from(["redeem", "hold", "hold", "pay"]), minutes=st.integers(0, 90), **_ANY)
_CONCERN = st.builds(Move, st.sampled_from(["capture", "release", "restore", "restore", "reverse", "pay"]), **_ANY)
_BETWEEN = st.builds(Move, st.sampled_from(["send", "merge"]), **_ANY)
_CARRY = st.builds(Move, st.sampled_from(["deliver", "deliver", "deliver", "repeat"]), of=st.integers(0, 6))
_WAIT = st.builds(Move, st.just("wait"), minutes=st.sampled_from([1, 10, 60, 1500]))
MOVES = st.builds(
    lambda first, second, others: [
        *(Move("accrue", who=who, points=80, of=1 + who, minutes=2_000) for who in range(3)), *first, *second, *others
    ],
    st.lists(_EARN, max_size=4),
    st.lists(_SPEND, min_size=1, max_size=6),
    st.lists(st.one_of(_EARN, _SPEND, _CONCERN, _CONCERN, _BETWEEN, _CARRY, _CARRY, _WAIT), min_size=5, max_size=40),
)  # fmt: skip
"""Everybody has points; some are spent; then anything."""


@dataclass
class World:
    """Accounts, and messages between them: in order from one account to another, otherwise as it happens."""

    now: datetime = START
    accounts: dict[UUID, Account] = field(default_factory=dict)
    history: dict[UUID, list[Recorded]] = field(default_factory=lambda: defaultdict(list))
    queues: dict[tuple[UUID, UUID], list[Command]] = field(default_factory=lambda: defaultdict(list))
    decided: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    applied: set[UUID] = field(default_factory=set)
    waiting: dict[UUID, list[Command]] = field(default_factory=lambda: defaultdict(list))
    delivered: list[Command] = field(default_factory=list)
    made: dict[str, list[tuple[UUID, UUID]]] = field(default_factory=lambda: defaultdict(list))
    numbers: int = 0

    def account(self, account_id: UUID) -> Account:
        """An account as it stands."""
        return self.accounts.get(account_id) or unopened(account_id, "default", "grocer", MEMBER)

    def do(self, command: Command) -> Outcome | None:
        """Decide a command once, whole and in part alike; what waited for it follows."""
        account_id = command.account_id
        if command.command_id in self.decided[account_id]:
            return None
        account = replace(self.account(account_id), decided_commands=frozenset(self.decided[account_id]))
        outcome = handle(account, command, UNGUARDED, self.now)
        part = handle(in_part(account, needs(command), self.now), command, UNGUARDED, self.now)
        assert replace(part, account=outcome.account) == outcome
        self._take(outcome)
        if outcome.waiting is not None:
            self.waiting[account_id].append(command)
            return outcome
        self.decided[account_id].add(command.command_id)
        if outcome.refusal is None:
            self.applied.add(command.command_id)
        self._resume(account_id, command.command_id)
        return outcome

    def _resume(self, account_id: UUID, command_id: UUID) -> None:
        """What waited for a command follows it; once the account is merged, all that waits goes where it went."""
        merged = self.account(account_id).status == "merged"
        ready = [
            late
            for late in self.waiting[account_id]
            if merged or command_id in (getattr(late, "accrual_id", 0), getattr(late, "redemption_id", 0))
        ]
        self.waiting[account_id] = [late for late in self.waiting[account_id] if late not in ready]
        for late in ready:
            self.do(late)

    def _take(self, outcome: Outcome) -> None:
        account_id = outcome.account.account_id
        self.accounts[account_id] = replace(outcome.account, decided_commands=frozenset())
        self.history[account_id] += outcome.recorded
        for message in outcome.onward:
            self.queues[account_id, message.to_account_id].append(message.command)

    def deliver(self, of: int) -> None:
        """The next message from some account to some other."""
        ready = sorted(pair for pair, queue in self.queues.items() if queue)
        if ready:
            command = self.queues[ready[of % len(ready)]].pop(0)
            self.delivered.append(command)
            self.do(command)

    def settle(self) -> None:
        """Everything is delivered, holds time out, and what that sends is delivered too."""
        for _ in range(3):
            while any(self.queues.values()):
                self.deliver(0)
            self.now += timedelta(days=1)
            for account_id in ACCOUNTS:
                self._take(catch_up(self.account(account_id), self.now))

    def wait(self, minutes: int) -> None:
        """Time passes; some accounts are swept."""
        self.now += timedelta(minutes=minutes)
        self._take(catch_up(self.account(ACCOUNTS[0]), self.now))

    def move(self, move: Move) -> None:
        """Do what a move says."""
        if move.kind == "wait":
            self.wait(move.minutes)
        elif move.kind == "deliver":
            self.deliver(move.of)
        elif move.kind == "repeat":
            self._repeat(move.of)
        else:
            self.numbers += 1
            command = self._command(move, UUID(int=self.numbers))
            outcome = self.do(command)
            if outcome is not None and outcome.refusal is None:
                self.made[move.kind].append((command.account_id, command.command_id))

    def _repeat(self, of: int) -> None:
        """A message comes a second time and passes the record of what was decided: it changes nothing by itself."""
        if self.delivered:
            command = self.delivered[of % len(self.delivered)]
            told_apart = isinstance(command, _TOLD_APART) or getattr(command, "owed", 0) > 0
            if command.command_id in self.applied and not told_apart:
                outcome = handle(self.account(command.account_id), command, UNGUARDED, self.now)
                due = catch_up(self.account(command.account_id), self.now)
                assert outcome.recorded == due.recorded

    def _earlier(self, kinds: tuple[str, ...], of: int) -> tuple[UUID, UUID]:
        """One of the things made, or one that never was."""
        made = [each for kind in kinds for each in self.made[kind]]
        return made[-1 - of % len(made)] if made else (ACCOUNTS[0], UUID(int=10_000 + of))

    def _command(self, move: Move, command_id: UUID) -> Command:
        direct: dict[str, Any] = {"command_id": command_id, "account_id": ACCOUNTS[move.who], "occurred_at": self.now}
        award = {**direct, "member_id": MEMBER, "programme": "grocer"}
        currency = CURRENCIES[move.of % 5 == 4]
        source = Source(kind="purchase", id="1")
        if move.kind in {"accrue", "lapsing"}:
            return Accrual(**award, decision_id=command_id, source=source, grants=(self._grant(move, currency),))
        if move.kind == "redeem":
            return Redeem(**direct, currency=currency, points=move.points)
        if move.kind == "hold":
            return PlaceHold(**direct, currency=currency, points=move.points, time_out_s=60 * (move.minutes + 1))
        if move.kind == "send":
            return SendPoints(**direct, to_account_id=ACCOUNTS[move.whom], currency=currency, points=move.points)
        if move.kind == "merge":
            return Merge(**award, from_account_id=ACCOUNTS[move.whom], from_member_id=MEMBER)
        return self._later_command(move, award, direct)

    def _grant(self, move: Move, currency: str) -> Grant:
        later = self.now + timedelta(minutes=move.minutes)
        return Grant(
            currency=currency,
            scale=0,
            points=move.points,
            activates_at=later if move.of % 3 == 0 else None,
            expires_at=later + timedelta(minutes=30) if move.of % 2 else None,
            inactivity=LAPSING if move.kind == "lapsing" else None,
        )

    def _later_command(self, move: Move, award: dict[str, Any], direct: dict[str, Any]) -> Command:
        """A command about something that was done before, to the account that it was done to."""
        source = Source(kind="return", id="1")
        if move.kind in {"capture", "release", "pay"}:
            account_id, hold_id = self._earlier(("hold",), move.of)
            direct, award = {**direct, "account_id": account_id}, {**award, "account_id": account_id}
            if move.kind == "capture":
                return CaptureHold(**direct, hold_id=hold_id, points=None if move.of % 2 else move.points)
            if move.kind == "release":
                return ReleaseHold(**direct, hold_id=hold_id)
            policy = "negative" if move.of % 2 else "to_zero"
            return PurchaseRedemption(
                **award, source=source, currency="points", scale=0, points=move.points, hold_id=hold_id, unbacked=policy
            )
        if move.kind == "restore":
            account_id, redemption_id = self._earlier(("redeem", "pay", "capture"), move.of)
            award = {**award, "account_id": account_id}
            return RedemptionRestore(
                **award, redemption_id=redemption_id, source=source, currency="points", points=move.points
            )
        account_id, accrual_id = self._earlier(("accrue", "lapsing"), move.of)
        return Reversal(
            **{**award, "account_id": account_id}, decision_id=UUID(int=1), accrual_id=accrual_id, source=source,
            currency="points", points=move.points, spent_policy="negative",
        )  # fmt: skip


_TOLD_APART = (Reversal, RedemptionRestore, CaptureHold)
"""What only the record of decided commands tells from a second wish; debt that goes along is another such thing."""


def ran(moves: list[Move]) -> World:
    """The world after these moves, with everything delivered."""
    world = World()
    for move in moves:
        world.move(move)
        for account_id in ACCOUNTS:
            assert list(imbalances(world.account(account_id))) == []
    world.settle()
    return world


@given(MOVES)
@settings(max_examples=200, deadline=None)
def test_points_are_on_one_side_or_the_other(moves: list[Move]) -> None:
    """When all messages have arrived nothing is in transit, and over all accounts nothing was made or lost."""
    world = ran(moves)
    for currency in CURRENCIES:
        balances = [account.balances[currency] for account in world.accounts.values() if currency in account.balances]
        came_in = sum(each.issued + each.adjusted for each in balances)
        is_there = sum(each.pending + each.available + each.held - each.debt for each in balances)
        went_out = sum(each.redeemed + each.expired + each.reversed for each in balances)
        assert came_in == is_there + went_out
        assert sum(each.in_transit for each in balances) == 0
        assert sum(each.transferred_in - each.transferred_out for each in balances) == 0


@given(MOVES)
@settings(max_examples=200, deadline=None)
def test_merges_end(moves: list[Move]) -> None:
    """No account waits for ever, none went into itself by any way round, and a merged one keeps nothing."""
    world = ran(moves)
    for account in world.accounts.values():
        assert account.merging_from == frozenset()
        seen = {account.account_id}
        into = account.merged_into
        while into is not None:
            assert into not in seen
            seen.add(into)
            into = world.account(into).merged_into
        for balance in account.balances.values() if account.status == "merged" else ():
            assert (balance.pending, balance.available, balance.held, balance.debt) == (0, 0, 0, 0)


@given(MOVES)
@settings(max_examples=100, deadline=None)
def test_every_account_is_its_history(moves: list[Move]) -> None:
    """Replayed from nothing, each account is what it is, with gap-free versions and ids of their own."""
    world = ran(moves)
    for account_id, history in world.history.items():
        events = [each.event for each in history]
        blank = unopened(account_id, "default", "grocer", MEMBER)
        assert replay(blank, events) == world.account(account_id)
        assert [each.version for each in history] == list(range(1, len(history) + 1))
        assert len({(event.type, event.command_id, event.part) for event in events}) == len(events)


def test_a_message_is_for_the_account_that_it_names() -> None:
    """What goes onward is addressed by its command too."""
    world = World()
    world.move(Move("accrue", points=50, of=1, minutes=300))
    world.move(Move("send", who=0, whom=1, points=20))
    assert [Onward(receiver, command) for (_, receiver), queue in world.queues.items() for command in queue] == [
        Onward(ACCOUNTS[1], command) for command in world.queues[ACCOUNTS[0], ACCOUNTS[1]]
    ]
    assert [command.account_id for command in world.queues[ACCOUNTS[0], ACCOUNTS[1]]] == [ACCOUNTS[1]]
