"""Given, when, then for the account decider: commands by name, events and balances in words.

Points are whole numbers in the smallest unit. A lot is named by the label of the command that opened it, with `.1` for
its second grant. `told` shows what happened as the kind of event and its movements:
`("points.redeemed", "A 50 available > redeemed")`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.awards import (
    Accrual,
    Grant,
    Merge,
    PurchaseRedemption,
    RedemptionRestore,
    Reversal,
    Source,
    SpentPolicy,
)
from contracts.ids import derive, lot_of
from contracts.programmes import CurrencyTerms, RedemptionGuards
from services.ledger.domain.account import Account, unopened
from services.ledger.domain.books import imbalances
from services.ledger.domain.commands import (
    Adjust,
    CaptureHold,
    Command,
    PlaceHold,
    ReceivePoints,
    Redeem,
    ReleaseHold,
    ReverseRedemption,
    SendPoints,
)
from services.ledger.domain.decide import Outcome, Recorded, catch_up, handle
from services.ledger.domain.decision import Onward
from services.ledger.domain.evolve import replay
from services.ledger.domain.guards import Guards

ANNA = derive("test", "account", "anna")
BARTEK = derive("test", "account", "bartek")
MEMBER = derive("test", "member")
DAY = timedelta(days=1)
POINTS = "points"
BUCKETS = (
    "issued", "adjusted", "transferred_in", "transferred_out", "pending", "available", "held", "in_transit",
    "redeemed", "expired", "reversed", "debt",
)  # fmt: skip


def on(text: str) -> datetime:
    """An instant such as `2026-03-01` or `2026-03-01 18:00`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NOW = on("2026-01-15 12:00")


_LABELS: dict[UUID, str] = {}


def named(label: str) -> UUID:
    """The command id, and so the hold or redemption, of a label."""
    command_id = derive("test", label)
    _LABELS[command_id] = label
    return command_id


def grant(points: int, **fields: Any) -> Grant:
    """A lot to open, in points without decimals unless told."""
    return Grant(**{"currency": POINTS, "scale": 0, "points": points, **fields})


def accrue(
    label: str, points: int = 0, *, occurred: datetime | None = None, grants: Iterable[Grant] = (), **fields: Any
) -> Accrual:
    """Earn `points`, or these grants."""
    given = {key: fields.pop(key) for key in ("activates_at", "expires_at", "inactivity") if key in fields}
    return Accrual(
        **{
            "command_id": named(label),
            "account_id": ANNA,
            "member_id": MEMBER,
            "programme": "grocer",
            "occurred_at": occurred or NOW,
            "decision_id": named("decision " + label),
            "source": Source(kind="purchase", id=label),
            "grants": tuple(grants) or (grant(points, **given),),
            **fields,
        }
    )


def reverse(
    label: str, accrual: str, points: int, policy: SpentPolicy = "negative", currency: str = POINTS
) -> Reversal:
    """Take back points of an accrual."""
    return Reversal(
        command_id=named(label), account_id=ANNA, member_id=MEMBER, programme="grocer", occurred_at=NOW,
        decision_id=named("decision " + label), accrual_id=named(accrual), source=Source(kind="return", id=label),
        currency=currency, points=points, spent_policy=policy,
    )  # fmt: skip


def pay(label: str, points: int, *, occurred: datetime = NOW, **named_by: Any) -> PurchaseRedemption:
    """A purchase says that it was paid with points; `hold` or `redemption` is the label that it names."""
    hold_label, redemption_label = named_by.pop("hold", None), named_by.pop("redemption", None)
    return PurchaseRedemption(
        command_id=named(label), account_id=ANNA, member_id=MEMBER, programme="grocer", occurred_at=occurred,
        source=Source(kind="purchase", id=label), currency=POINTS, scale=0, points=points,
        hold_id=named(hold_label) if hold_label else None,
        redemption_id=named(redemption_label) if redemption_label else None, **named_by,
    )  # fmt: skip


def restore(
    label: str, redemption: str, points: int, *, occurred: datetime = NOW, restore_for: timedelta = timedelta()
) -> RedemptionRestore:
    """Goods paid with points came back."""
    return RedemptionRestore(
        command_id=named(label), account_id=ANNA, member_id=MEMBER, programme="grocer", occurred_at=occurred,
        redemption_id=named(redemption), source=Source(kind="return", id=label), currency=POINTS, points=points,
        restore_for_s=int(restore_for.total_seconds()),
    )  # fmt: skip


def merge(label: str, into: UUID, source: UUID) -> Merge:
    """Let one account take up another."""
    return Merge(
        command_id=named(label), account_id=into, member_id=MEMBER, programme="grocer", occurred_at=NOW,
        from_account_id=source, from_member_id=MEMBER,
    )  # fmt: skip


def redeem(label: str, points: int, **fields: Any) -> Redeem:
    """Spend points at once."""
    return Redeem(
        **{"command_id": named(label), "account_id": ANNA, "occurred_at": NOW, "currency": POINTS, **fields},
        points=points,
    )


def hold(label: str, points: int, **fields: Any) -> PlaceHold:
    """Set points aside."""
    return PlaceHold(
        **{"command_id": named(label), "account_id": ANNA, "occurred_at": NOW, "currency": POINTS, **fields},
        points=points,
    )


def capture(label: str, held: str, points: int | None = None, *, keep: bool = False) -> CaptureHold:
    """Spend points that are on hold."""
    return CaptureHold(
        command_id=named(label), account_id=ANNA, occurred_at=NOW, hold_id=named(held), points=points, keep=keep
    )


def release(label: str, held: str) -> ReleaseHold:
    """Give held points back."""
    return ReleaseHold(command_id=named(label), account_id=ANNA, occurred_at=NOW, hold_id=named(held))


def undo(label: str, redemption: str, points: int | None = None) -> ReverseRedemption:
    """Undo a redemption."""
    return ReverseRedemption(
        command_id=named(label), account_id=ANNA, occurred_at=NOW, redemption_id=named(redemption), points=points
    )


def adjust(label: str, points: int, **fields: Any) -> Adjust:
    """An operator's correction."""
    return Adjust(
        **{
            "command_id": named(label), "account_id": ANNA, "occurred_at": NOW, "currency": POINTS, "points": points,
            "reason": "goodwill", "operator": "ewa", **fields,
        }
    )  # fmt: skip


def send(label: str, points: int, to: UUID = BARTEK) -> SendPoints:
    """Transfer points."""
    return SendPoints(
        command_id=named(label), account_id=ANNA, occurred_at=NOW, to_account_id=to, currency=POINTS, points=points
    )


def guarded(worth: int = 10_000, scale: int = 0, **limits: Any) -> Guards:
    """A programme whose point is worth one unit of money (`worth` in ten-thousandths), with limits on redemptions."""
    fields = {key: limits.pop(key) for key in ("transfer_month", "suspended", "debt_allowed", "zone") if key in limits}
    return Guards(
        currencies={POINTS: CurrencyTerms.model_construct(currency=POINTS, scale=scale, worth=worth)},
        redemption=RedemptionGuards.model_construct(**{"currency": POINTS, **limits}) if limits else None,
        **fields,
    )


def told(recorded: Iterable[Recorded], labels: Mapping[UUID, str]) -> list[tuple[str, ...]]:
    """Events in words."""
    return [
        (
            each.event.type.removeprefix("bonus.").removesuffix(".v1"),
            *(
                f"{labels.get(lot_id, '?') if lot_id else '-'} {points} {source} > {target}"
                for _, lot_id, source, target, points in each.event.movements
            ),
        )
        for each in recorded
    ]


class Books:
    """Accounts under one clock; each command is decided as the processor would, redelivered commands aside."""

    def __init__(self, guards: Guards | None = None) -> None:
        self.now = NOW
        self.guards = guards or guarded()
        self.accounts: dict[UUID, Account] = {}
        self.history: dict[UUID, list[Recorded]] = {}
        self.outcome: Outcome | None = None
        self._labels: dict[UUID, str] = {}
        self._decided: set[UUID] = set()
        self.messages: list[Onward] = []

    def given(self, *commands: Command) -> "Books":
        """What happened before: nothing of it may be refused."""
        for command in commands:
            self.when(command)
            assert self.outcome is not None
            assert (self.outcome.refusal, self.outcome.waiting) == (None, None), command
        return self

    def at(self, now: datetime) -> "Books":
        """The clock moves on."""
        self.now = now
        return self

    def when(self, command: Command, guards: Guards | None = None) -> list[tuple[str, ...]]:
        """What a command does, in words."""
        account = self.account(command.account_id)
        account = replace(account, decided_commands=frozenset(self._decided))
        outcome = handle(account, command, guards or self.guards, self.now)
        if outcome.waiting is None and outcome.redirect is None:
            self._decided.add(command.command_id)
        return self._take(outcome)

    def passes(self, now: datetime, account_id: UUID = ANNA) -> list[tuple[str, ...]]:
        """What time alone does until `now`, in words."""
        self.now = now
        return self._take(catch_up(self.account(account_id), now))

    def refuses(self, command: Command, guards: Guards | None = None) -> tuple[str, dict[str, str]]:
        """Why a command is refused, as code and facts; nothing else may happen."""
        before = self.account(command.account_id)
        assert self.when(command, guards) == []
        assert self.outcome is not None
        assert self.outcome.refusal is not None, "it was not refused"
        after = self.account(command.account_id)
        assert after == replace(before, decided_commands=after.decided_commands)
        return self.outcome.refusal.code, dict(self.outcome.refusal.facts)

    def deliver(self) -> None:
        """Carry every message between accounts to its receiver, until there are none left."""
        while self.messages:
            self.when(self.messages.pop(0).command)

    def account(self, account_id: UUID = ANNA) -> Account:
        """An account as it stands."""
        return self.accounts.get(account_id) or unopened(account_id, "default", "grocer", MEMBER)

    def has(self, account_id: UUID = ANNA, currency: str = POINTS) -> dict[str, int]:
        """A balance: every bucket that is not empty."""
        balance = self.account(account_id).balances[currency]
        return {bucket: getattr(balance, bucket) for bucket in BUCKETS if getattr(balance, bucket)}

    def lots(self, account_id: UUID = ANNA) -> dict[str, dict[str, int]]:
        """The lots that still have something pending, available, held or in transit."""
        open_buckets = ("pending", "available", "held", "in_transit")
        return {
            self._labels.get(lot.lot_id, "?"): {name: getattr(lot, name) for name in open_buckets if getattr(lot, name)}
            for lot in sorted(self.account(account_id).lots.values(), key=lambda lot: lot.sequence)
            if any(getattr(lot, name) for name in open_buckets)
        }

    def _take(self, outcome: Outcome) -> list[tuple[str, ...]]:
        account_id = outcome.account.account_id
        history = self.history.setdefault(account_id, [])
        history += outcome.recorded
        self.outcome, self.accounts[account_id] = outcome, outcome.account
        self.messages += outcome.onward
        self._name_lots(outcome)
        self._check(outcome.account, history)
        return told(outcome.recorded, self._labels)

    def _name_lots(self, outcome: Outcome) -> None:
        for message in outcome.onward:
            if isinstance(message.command, ReceivePoints):
                for index, carried in enumerate(message.command.carried):
                    arriving = lot_of(message.command.command_id, index)
                    self._labels[arriving] = self._labels[carried.lot_id] + "'"
        for each in outcome.recorded:
            label = _LABELS.get(each.event.command_id, "?")
            for index in range(50 if each.event.lots else 0):
                self._labels.setdefault(lot_of(each.event.command_id, index), f"{label}.{index}" if index else label)

    def _check(self, account: Account, history: list[Recorded]) -> None:
        """The books add up, and the history alone gives the same account."""
        assert list(imbalances(account)) == []
        again = replay(
            unopened(account.account_id, account.tenant, account.programme, MEMBER), [each.event for each in history]
        )
        assert again == replace(account, decided_commands=frozenset())
        assert [each.version for each in history] == list(range(1, len(history) + 1))
