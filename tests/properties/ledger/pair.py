"""The account decider and the model side by side: one step is taken by both, and all that can be seen is compared."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.awards import Accrual, PurchaseRedemption
from contracts.programmes import CurrencyTerms, RedemptionGuards
from services.ledger.domain.account import unopened
from services.ledger.domain.commands import Command
from services.ledger.domain.decide import Outcome, Recorded, catch_up, handle
from services.ledger.domain.decision import Onward
from services.ledger.domain.guards import Guards
from services.ledger.domain.merges import readdressed
from tests.properties.ledger.asking import ACCOUNTS, MEMBER, MONEY, START, Asked, Asking, instant
from tests.properties.ledger.comparing import Names, compare
from tests.properties.ledger.model import PASSED_ON, Model, blank
from tests.properties.ledger.model_core import Entry
from tests.properties.ledger.steps import CURRENCIES, Step

__all__ = ["ACCOUNTS", "MEMBER", "START", "Pair", "Taken"]

POINTS = CURRENCIES[0]

_OF_ALL = {"debt_allowed", "month", "suspended", "inactive"}
"""Limits that hold in every currency; the others are for spending points."""


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
            confirm_above=None,
        ),
        debt_allowed=limits.get("debt_allowed", False),
        transfer_month=limits.get("month"),
        suspended=limits.get("suspended", False),
    )


_AWARDS = (Accrual, PurchaseRedemption)


class Side:
    """One account: as the decider has it, with its history, and as the model has it."""

    def __init__(self, who: int, limits: dict[str, Any], clock: Entry) -> None:
        self.blank = unopened(ACCOUNTS[who], "default", "grocer", MEMBER)
        self.account = self.blank
        self.history: list[Recorded] = []
        self.decided: set[UUID] = set()
        self.model = blank(who, clock)
        for name in CURRENCIES:
            Model(name, {key: limits[key] for key in limits.keys() & _OF_ALL} if name != POINTS else limits, self.model)

    def of(self, currency: str) -> Model:
        """The model of a currency."""
        model: Model = self.model["currencies"][currency]
        return model


@dataclass(frozen=True)
class Taken:
    """A command that one account decided, or nothing but time that passed.

    `sender` is the account that sent it; `resumed`: it had waited for the command before it.
    """

    command: Command | None
    now: datetime
    who: int
    outcome: Outcome
    sender: int | None = None
    resumed: bool = False


@dataclass
class Letters:
    """What accounts have for each other: in order from one to another, otherwise as it happens."""

    queues: dict[tuple[int, int], list[Asked]] = field(default_factory=lambda: defaultdict(list))

    def next(self, of: int) -> tuple[int, Asked] | None:
        """The next from some account to some other, with its sender; None where nothing is under way."""
        ready = sorted(pair for pair, queue in self.queues.items() if queue)
        if not ready:
            return None
        pair = ready[of % len(ready)]
        return pair[0], self.queues[pair].pop(0)


class Pair:
    """The decider and the model of three accounts, and everything that happened to them."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self.clock: Entry = {"now": 0}
        self.guards = guards_of(limits)
        self.sides = [Side(who, limits, self.clock) for who in range(len(ACCOUNTS))]
        self.taken: list[Taken] = []
        self._asking = Asking(limits)
        self._names = Names()
        self._letters = Letters()
        self._late: list[Asked] = []
        self._waiting: list[tuple[Asked, UUID]] = []
        self._harmless: list[Asked] = []
        self._keys = 0

    @property
    def now(self) -> datetime:
        """The one clock of both."""
        return instant(self.clock["now"])

    def take(self, step: Step) -> None:
        """One step, taken by both and compared."""
        if step.kind == "wait":
            self.clock["now"] += step.minutes
            self._sweep()
        elif step.kind == "again":
            self._again(step.of)
        elif step.kind == "arrive":
            if self._late:
                self._decide(self._late.pop(step.of % len(self._late)))
        elif step.kind == "deliver":
            for _ in range(step.points):
                self._deliver(step.of)
        else:
            self._keys += 1
            self._ask(self._asking.of(step, self._keys, self.clock["now"]), late=step.late)

    def _sweep(self) -> None:
        for who, side in enumerate(self.sides):
            side.of(POINTS).catch_up()
            self._record(Taken(None, self.now, who, catch_up(side.account, self.now)))

    def _deliver(self, of: int) -> None:
        found = self._letters.next(of)
        if found is not None:
            self._decide(found[1], found[0])

    def _ask(self, asked: Asked, *, late: bool) -> None:
        """Have it decided, or be on its way for long: others may speak of it before it comes."""
        if late:
            self._late.append(asked)
            self._make(asked)
        else:
            self._decide(asked)

    def _make(self, asked: Asked) -> None:
        for currency in asked.in_currencies or (asked.currency,):
            made = (asked.key or 0, asked.who)
            if asked.makes and made not in self._asking.made[asked.makes, currency]:
                self._asking.made[asked.makes, currency].append(made)

    def _decide(self, asked: Asked, sender: int | None = None, *, resumed: bool = False) -> None:
        side, command = self.sides[asked.who], asked.command
        model = side.of(asked.currency)
        # What is due by now comes before a command, also a notice that was due when it was set.
        model.catch_up()
        if asked.makes == "accrue":
            self._names.awards.add(asked.key)
        expected = asked.call(model)
        outcome = handle(
            replace(side.account, decided_commands=frozenset(side.decided)), command, self.guards, self.now
        )
        verdict = _verdict(outcome)
        assert verdict == expected, (command, verdict, expected)
        self._record(Taken(command, self.now, asked.who, outcome, sender, resumed), asked)
        if outcome.waiting:
            self._waiting.append((asked, outcome.waiting))
            return
        side.decided.add(command.command_id)
        side.model["came"].add(asked.key)
        # Of an award that was refused nothing can come back either.
        if (verdict == "ok" or isinstance(command, _AWARDS)) and outcome.redirect is None:
            self._make(asked)
        if verdict == "ok" and asked.again_harmless:
            self._harmless.append(asked)
        ready = [each for each, awaited in self._waiting if (each.who, awaited) == (asked.who, command.command_id)]
        self._waiting = [each for each in self._waiting if each[0] not in ready]
        for each in ready:
            self._decide(each, resumed=True)

    def _again(self, of: int) -> None:
        """What was done is delivered again, and changes nothing."""
        self._sweep()
        if self._harmless:
            asked = self._harmless[of % len(self._harmless)]
            outcome = handle(self.sides[asked.who].account, asked.command, self.guards, self.now)
            assert outcome.recorded == ()
            assert outcome.account == self.sides[asked.who].account

    def _record(self, taken: Taken, asked: Asked | None = None) -> None:
        side, outcome = self.sides[taken.who], taken.outcome
        side.account = replace(outcome.account, decided_commands=frozenset())
        side.history += outcome.recorded
        self.taken.append(taken)
        onward = list(outcome.onward)
        if asked is not None and outcome.redirect is not None:
            self._pass_on(asked, onward.pop(0))
        self._post(taken.who, onward)
        compare(side.account, side.model, self._names)

    def _pass_on(self, asked: Asked, onward: Onward) -> None:
        """What a merged account has no answer to is asked of the one that took it up, and so on."""
        into = self.sides[asked.who].model["into"]
        assert onward == Onward(ACCOUNTS[into], readdressed(asked.command, ACCOUNTS[into]))
        self._letters.queues[asked.who, into].append(replace(asked, command=onward.command, who=into))

    def _post(self, who: int, letters: list[Onward]) -> None:
        """Both have the same for the same accounts; it goes on its way in the decider's order."""
        expected, self.sides[who].model["mail"] = self.sides[who].model["mail"], []
        for onward in letters:
            told = self._names.told(who, onward.command, self.sides[who].account.lots)
            message = next((each for each in expected if {**each, **told} == each), None)
            assert message is not None, (told, expected)
            assert onward.to_account_id == onward.command.account_id
            expected.remove(message)
            self._names.learn(onward.command, message)
            asked = Asked(onward.command, _heard(message), message["to"], message["currency"], message.get("key"))
            self._letters.queues[who, asked.who].append(asked)
        assert expected == []


def _heard(message: Entry) -> Callable[[Model], str]:
    return lambda model: model.hear(message)


def _verdict(outcome: Outcome) -> str:
    if outcome.redirect is not None:
        return PASSED_ON
    return "waiting" if outcome.waiting else outcome.refusal.code if outcome.refusal else "ok"
