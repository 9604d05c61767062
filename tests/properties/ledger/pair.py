"""The account decider and the model side by side: one step is taken by both, and all that can be seen is compared."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from contracts.awards import (
    Accrual,
    Grant,
    Inactivity,
    PurchaseRedemption,
    RedemptionRestore,
    Reversal,
    Source,
    SpentPolicy,
    UnbackedPolicy,
)
from contracts.ids import derive
from contracts.programmes import CurrencyTerms, RedemptionGuards
from services.ledger.domain.account import Account, unopened
from services.ledger.domain.commands import (
    Adjust,
    CaptureHold,
    Close,
    Command,
    CompleteTransfer,
    Erase,
    Freeze,
    PlaceHold,
    Redeem,
    ReleaseHold,
    ReturnTransfer,
    ReverseRedemption,
    SendPoints,
    Unfreeze,
)
from services.ledger.domain.decide import Outcome, Recorded, catch_up, handle
from services.ledger.domain.guards import Guards
from tests.properties.ledger.model import BUCKETS, FOR_EVER, Model
from tests.properties.ledger.steps import CURRENCIES, NEVER_MADE, Step

START = datetime(2026, 3, 1, tzinfo=UTC)
ACCOUNT = UUID(int=1 << 100)
OTHER = UUID(int=2 << 100)
MEMBER = UUID(int=3 << 100)
POINTS = "points"
MONEY = 10_000

LOT_FIELDS = (
    "points",
    "pending",
    "available",
    "held",
    "in_transit",
    "redeemed",
    "expired",
    "reversed",
    "taken_back",
    "written_off",
)


def instant(minute: int) -> datetime:
    """A minute of the model as the decider knows it."""
    return START + timedelta(minutes=minute)


def command_id(key: int) -> UUID:
    """Ids in the order of the keys, so that ties are broken alike."""
    return UUID(int=key + 1)


def guards_of(limits: dict[str, Any]) -> Guards:
    """The model's limits as the programme would publish them; a point is worth one unit of money."""
    return Guards(
        currencies={name: CurrencyTerms.model_construct(currency=name, scale=0, worth=MONEY) for name in CURRENCIES},
        redemption=RedemptionGuards.model_construct(
            currency=POINTS,
            share_of_bill=limits.get("share"),
            per_day=limits.get("per_day"),
            at_least=limits.get("at_least"),
            step=limits.get("step"),
        ),
        debt_allowed=limits.get("debt_allowed", False),
        transfer_month=limits.get("month"),
    )


_OF_ALL = {"debt_allowed", "month", "inactive"}
"""Limits that hold in every currency; the others are for spending points."""

_MAKES = {
    "accrue": "accrue",
    "hold": "hold",
    "send": "send",
    "redeem": "spent",
    "capture": "spent",
    "purchase": "spent",
}


class Pair:
    """The decider and the model, and everything that happened to them."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self.models = {POINTS: Model(limits)}
        for name in CURRENCIES[1:]:
            self.models[name] = Model({key: limits[key] for key in limits.keys() & _OF_ALL}, self.models[POINTS])
        self.model = self.models[POINTS]
        self.guards = guards_of(limits)
        days, notice_days = limits.get("inactive", (0, 0))
        self._inactivity = Inactivity(days=days, notice_days=notice_days, zone="UTC") if days else None
        self.account: Account = unopened(ACCOUNT, "default", "grocer", MEMBER)
        self.history: list[Recorded] = []
        self.taken: list[tuple[Command | None, datetime]] = []
        self.outcomes: list[Outcome] = []
        self._made: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._waiting: list[tuple[Step, int]] = []
        self._decided: set[UUID] = set()
        self._idempotent: list[Command] = []
        self._keys = 0

    @property
    def now(self) -> datetime:
        """The one clock of both."""
        return instant(self.model.now)

    @property
    def currency(self) -> str:
        """The currency of the step that is being taken."""
        return next(name for name, model in self.models.items() if model is self.model)

    def take(self, step: Step) -> None:
        """One step, taken by both and compared."""
        if step.kind == "wait":
            self.model.wait(step.minutes)
            self._record(catch_up(self.account, self.now), None)
        elif step.kind == "again":
            self._again(step.of)
        else:
            self._keys += 1
            self._decide(step, self._keys)
        self.compare()

    def _decide(self, step: Step, key: int) -> None:
        # What is due by now comes before a command, also a notice that was due when it was set.
        self.model = self.models[step.currency]
        self.model.wait(0)
        command, expected = getattr(self, f"_{step.kind}")(step, key)
        outcome = handle(
            replace(self.account, decided_commands=frozenset(self._decided)), command, self.guards, self.now
        )
        self._record(outcome, command)
        verdict = "waiting" if outcome.waiting else outcome.refusal.code if outcome.refusal else "ok"
        assert verdict == expected, (step, verdict, expected)
        if outcome.waiting:
            self._waiting.append((step, key))
            return
        self._decided.add(command.command_id)
        made = _MAKES.get(step.kind)
        if made and (verdict == "ok" or step.kind in {"accrue", "purchase"}):
            self._made[made, step.currency].append(key)
        if verdict == "ok" and step.kind in {"accrue", "redeem", "hold", "purchase"}:
            self._idempotent.append(command)

    def _again(self, of: int) -> None:
        """What waits is tried again; what was done is delivered again, and changes nothing."""
        waiting, self._waiting = self._waiting, []
        for step, key in waiting:
            self._decide(step, key)
        self.model.wait(0)
        self._record(catch_up(self.account, self.now), None)
        if self._idempotent:
            command = self._idempotent[of % len(self._idempotent)]
            outcome = handle(self.account, command, self.guards, self.now)
            assert outcome.recorded == ()
            assert outcome.account == self.account

    def _record(self, outcome: Outcome, command: Command | None) -> None:
        self.account = replace(outcome.account, decided_commands=frozenset())
        self.history += outcome.recorded
        self.taken.append((command, self.now))
        self.outcomes.append(outcome)

    def compare(self) -> None:
        """Balances, lots, holds and redemptions are the same."""
        for currency, model in self.models.items():
            self._compare_currency(currency, model)
        assert (self.account.status, self.account.erased) == (self.model.status, self.model.erased)

    def _compare_currency(self, currency: str, model: Model) -> None:
        balance = self.account.balances.get(currency)
        seen = {bucket: getattr(balance, bucket) if balance else 0 for bucket in BUCKETS}
        assert seen == model.total
        silence = (balance.lapses_at, balance.notice_at) if balance else (None, None)
        assert silence == tuple(None if minute is None else instant(minute) for minute in (model.lapses, model.notice))
        lots = [
            (*(getattr(lot, name) for name in LOT_FIELDS), lot.expires_at)
            for lot in sorted(self.account.lots.values(), key=lambda lot: lot.sequence)
            if lot.currency == currency
        ]
        assert lots == [
            (*(lot[name] for name in LOT_FIELDS), None if lot["ends"] == FOR_EVER else instant(lot["ends"]))
            for lot in model.lots.values()
        ]
        holds = [hold for hold in self.account.holds.values() if hold.currency == currency]
        assert [(hold.state, hold.held, hold.captured) for hold in holds] == [
            (hold["state"], sum(share["held"] for share in hold["shares"]), hold["captured"])
            for hold in model.holds.values()
        ]
        spent = {key: each for key, each in self.account.redemptions.items() if each.currency == currency}
        assert {key.int - 1: (each.taken, each.restored) for key, each in spent.items()} == {
            key: (Model.taken(each), Model.given_back(each)) for key, each in model.spent.items()
        }

    def _pick(self, kind: str, of: int) -> int:
        """One of the things made, the latest first; sometimes one that never was."""
        made = self._made[kind, self.currency]
        return made[-1 - of % len(made)] if made and of != NEVER_MADE else 10_000 + of

    def _common(self, key: int) -> dict[str, Any]:
        return {"command_id": command_id(key), "account_id": ACCOUNT, "occurred_at": self.now}

    def _award(self, key: int) -> dict[str, Any]:
        return {**self._common(key), "member_id": MEMBER, "programme": "grocer"}

    def _accrue(self, step: Step, key: int) -> tuple[Command, str]:
        earned = self.model.now - step.of
        starts = earned + step.minutes if step.minutes else -1
        ends = earned + step.later if step.later else FOR_EVER
        grant = Grant.model_construct(
            currency=step.currency,
            scale=0,
            points=step.points,
            activates_at=instant(starts) if starts > earned else None,
            expires_at=None if ends == FOR_EVER else instant(ends),
            rules=(),
            campaign=None,
            partner="",
            inactivity=self._inactivity,
        )
        command = Accrual.model_construct(
            **{**self._award(key), "occurred_at": instant(earned)},
            decision_id=command_id(key),
            grants=(grant,),
            source=Source(kind="purchase", id=str(key)),
            spent_policy="to_zero",
            standing=None,
        )
        return command, self.model.accrue(key, step.points, earned, starts, ends)

    def _reverse(self, step: Step, key: int) -> tuple[Command, str]:
        award = self._pick("accrue", step.of)
        command = Reversal.model_construct(
            **self._award(key),
            decision_id=command_id(key),
            accrual_id=command_id(award),
            source=Source(kind="return", id=str(key)),
            currency=step.currency,
            points=step.points,
            spent_policy=cast("SpentPolicy", step.word),
            standing=None,
        )
        return command, self.model.reverse(award, step.points, step.word)

    def _redeem(self, step: Step, key: int) -> tuple[Command, str]:
        bill = None if step.later is None else step.later * MONEY
        command = Redeem(**self._common(key), currency=step.currency, points=step.points, bill=bill)
        return command, self.model.redeem(key, step.points, step.later)

    def _hold(self, step: Step, key: int) -> tuple[Command, str]:
        bill = None if step.later is None else step.later * MONEY
        command = PlaceHold(
            **self._common(key), currency=step.currency, points=step.points, bill=bill, time_out_s=step.minutes * 60
        )
        return command, self.model.hold(key, step.points, step.later, step.minutes)

    def _capture(self, step: Step, key: int) -> tuple[Command, str]:
        hold, points = self._pick("hold", step.of), step.points or None
        command = CaptureHold(**self._common(key), hold_id=command_id(hold), points=points, keep=step.flag)
        return command, self.model.capture(key, hold, points, keep=step.flag)

    def _release(self, step: Step, key: int) -> tuple[Command, str]:
        hold = self._pick("hold", step.of)
        return ReleaseHold(**self._common(key), hold_id=command_id(hold)), self.model.release(hold)

    def _purchase(self, step: Step, key: int) -> tuple[Command, str]:
        hold = self._pick("hold", step.of) if step.flag else None
        spent = self._pick("spent", step.of + 1) if step.later else None
        made = self.model.now - step.minutes
        command = PurchaseRedemption.model_construct(
            **{**self._award(key), "occurred_at": instant(made)},
            source=Source(kind="purchase", id=str(key)),
            currency=step.currency,
            scale=0,
            points=step.points,
            unbacked=cast("UnbackedPolicy", step.word),
            hold_id=None if hold is None else command_id(hold),
            redemption_id=None if spent is None else command_id(spent),
        )
        verdict = self.model.purchase(key, step.points, step.word, made, hold, spent)
        if verdict != "ok":
            self.model.refused.add(key)
        return command, verdict

    def _restore(self, step: Step, key: int) -> tuple[Command, str]:
        spent = self._pick("spent", step.of)
        command = RedemptionRestore.model_construct(
            **self._award(key),
            redemption_id=command_id(spent),
            source=Source(kind="return", id=str(key)),
            currency=step.currency,
            points=step.points,
            restore_for_s=(step.later or 0) * 60,
        )
        if command_id(spent) in self._decided:
            self.model.refused.add(spent)
        grace_until = None if step.later is None else self.model.now + step.later
        return command, self.model.restore(spent, step.points, grace_until)

    def _undo(self, step: Step, key: int) -> tuple[Command, str]:
        spent, points = self._pick("spent", step.of), step.points or None
        command = ReverseRedemption(**self._common(key), redemption_id=command_id(spent), points=points)
        return command, self.model.undo(spent, points)

    def _adjust(self, step: Step, key: int) -> tuple[Command, str]:
        command = Adjust(
            **self._common(key),
            currency=step.currency,
            points=step.points,
            reason="test",
            operator="ewa",
            allow_debt=step.flag,
        )
        return command, self.model.adjust(key, step.points, allow_debt=step.flag)

    def _send(self, step: Step, key: int) -> tuple[Command, str]:
        command = SendPoints(**self._common(key), to_account_id=OTHER, currency=step.currency, points=step.points)
        return command, self.model.send(key, step.points)

    def _answer(self, step: Step, key: int) -> tuple[Command, str]:
        sent = self._pick("send", step.of)
        transit_id = derive("transit", command_id(sent), "0")
        expected = self.model.answer(sent, accepted=step.flag)
        if step.flag:
            return CompleteTransfer(**self._common(key), transit_id=transit_id), expected
        return ReturnTransfer(**self._common(key), transit_id=transit_id, reason="account_closed"), expected

    def _freeze(self, _: Step, key: int) -> tuple[Command, str]:
        return Freeze(**self._common(key), reason="test", operator="ewa"), self.model.freeze(on=True)

    def _unfreeze(self, _: Step, key: int) -> tuple[Command, str]:
        return Unfreeze(**self._common(key), reason="test", operator="ewa"), self.model.freeze(on=False)

    def _close(self, _: Step, key: int) -> tuple[Command, str]:
        return Close(**self._common(key), reason="test", operator="ewa"), self.model.close()

    def _erase(self, _: Step, key: int) -> tuple[Command, str]:
        return Erase(**self._common(key)), self.model.erase()
