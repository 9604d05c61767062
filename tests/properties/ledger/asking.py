"""What a step asks, in both languages: a command for the decider, a call for the model."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from contracts.awards import (
    AccountOpening,
    Accrual,
    CurrencyScale,
    Grant,
    Inactivity,
    Merge,
    PurchaseRedemption,
    RedemptionRestore,
    Reversal,
    Source,
    SpentPolicy,
    Standing,
    TierAssignment,
    UnbackedPolicy,
)
from services.ledger.domain.commands import (
    Adjust,
    CaptureHold,
    Close,
    Command,
    Erase,
    Freeze,
    PlaceHold,
    Redeem,
    ReleaseHold,
    ReverseRedemption,
    SendPoints,
    Unfreeze,
)
from tests.properties.ledger.model import FOR_EVER, Model
from tests.properties.ledger.model_core import Entry
from tests.properties.ledger.steps import CURRENCIES, NEVER_MADE, Step

START = datetime(2026, 3, 1, tzinfo=UTC)
ACCOUNTS = tuple(UUID(int=number << 100) for number in (1, 2, 3))
MEMBER = UUID(int=9 << 100)
MONEY = 10_000


def instant(minute: int) -> datetime:
    """A minute of the model as the decider knows it."""
    return START + timedelta(minutes=minute)


def until(minute: int) -> datetime | None:
    """The same of an end."""
    return None if minute >= FOR_EVER else instant(minute)


def command_id(key: int) -> UUID:
    """Ids in the order of the keys, so that ties are broken alike."""
    return UUID(int=key + 1)


@dataclass(frozen=True)
class Asked:
    """A command and the same as a call: of the account `who`, in a currency; `makes` something under the key."""

    command: Command
    call: Callable[[Model], str]
    who: int
    currency: str
    key: int | None = None
    makes: str = ""
    in_currencies: tuple[str, ...] = ()

    @property
    def again_harmless(self) -> bool:
        """Whether it changes nothing even where nobody remembers that it came before."""
        return isinstance(self.command, Accrual | Redeem | PurchaseRedemption | AccountOpening)


class Asking:
    """Turns steps into commands and calls; knows what was made, so that later steps can name it."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self.made: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        self.now = 0
        days, notice_days = limits.get("inactive", (0, 0))
        self._inactivity = Inactivity(days=days, notice_days=notice_days, zone="UTC") if days else None

    def of(self, step: Step, key: int, now: int) -> Asked:
        """What the step asks now, under a key of its own."""
        self.now = now
        asked: Asked = getattr(self, f"_{step.kind}")(step, key)
        return asked

    def _pick(self, kind: str, step: Step, of: int | None = None) -> tuple[int, int]:
        """One of the things made, the latest first, and where it was made; sometimes one that never was."""
        made = self.made[kind, step.currency]
        of = step.of if of is None else of
        if not made or of == NEVER_MADE:
            return 10_000 + of, step.who
        key, who = made[-1 - of % len(made)]
        return key, step.who if step.elsewhere else who

    def _common(self, key: int, who: int) -> dict[str, Any]:
        return {"command_id": command_id(key), "account_id": ACCOUNTS[who], "occurred_at": instant(self.now)}

    def _award(self, key: int, who: int) -> dict[str, Any]:
        return {**self._common(key, who), "member_id": MEMBER, "programme": "grocer"}

    def _operator(self, key: int, who: int) -> dict[str, Any]:
        return {**self._common(key, who), "reason": "test", "operator": "ewa"}

    # Awards

    def _open(self, step: Step, key: int) -> Asked:
        scales = tuple(CurrencyScale(currency=name, scale=0) for name in CURRENCIES)
        command = AccountOpening(**self._award(key, step.who), currencies=scales)
        return Asked(command, Model.open, step.who, step.currency, key)

    def _accrue(self, step: Step, key: int) -> Asked:
        earned = self.now - step.of
        grant = {
            "currency": step.currency, "points": step.points,
            "starts": earned + step.minutes if step.minutes else -1,
            "ends": earned + step.later if step.later else FOR_EVER, "lapses": True,
        }  # fmt: skip
        return self._granted(step, key, earned, [grant], "purchase")

    def _opening(self, step: Step, key: int) -> Asked:
        """Opening balances: lots of several dates in one command, from long ago, without terms of their own."""
        grants = [
            {"currency": name, "points": points, "starts": -1, "ends": ends, "lapses": False}
            for name, points, ends in (
                (step.currency, step.points, self.now + (step.later or 0)),
                (step.currency, step.points + 7, FOR_EVER),
                (CURRENCIES[step.flag], 20, self.now + step.minutes),
            )
        ]
        return self._granted(step, key, self.now - 1000 * step.of, grants, "opening")

    def _granted(self, step: Step, key: int, earned: int, grants: list[Entry], kind: str) -> Asked:
        command = Accrual.model_construct(
            **{**self._award(key, step.who), "occurred_at": instant(earned)},
            decision_id=command_id(key),
            grants=tuple(
                Grant.model_construct(
                    currency=grant["currency"], scale=0, points=grant["points"],
                    activates_at=instant(grant["starts"]) if grant["starts"] > earned else None,
                    expires_at=until(grant["ends"]), rules=(), campaign=None, partner="",
                    inactivity=self._inactivity if grant["lapses"] else None,
                )
                for grant in grants
            ),
            source=Source.model_validate({"kind": kind, "id": str(key)}),
            spent_policy="to_zero",
            standing=standing_of(step.standing),
        )  # fmt: skip
        names = tuple(dict.fromkeys(grant["currency"] for grant in grants))
        return Asked(
            command, lambda model: model.accrue(key, earned, grants, step.standing), step.who, step.currency, key,
            "accrue", names,
        )  # fmt: skip

    def _reverse(self, step: Step, key: int) -> Asked:
        award, who = self._pick("accrue", step)
        command = Reversal.model_construct(
            **self._award(key, who),
            decision_id=command_id(key),
            accrual_id=command_id(award),
            source=Source(kind="return", id=str(key)),
            currency=step.currency,
            points=step.points,
            spent_policy=cast("SpentPolicy", step.word),
            standing=standing_of(step.standing),
        )
        return Asked(
            command, lambda model: model.reverse(award, step.points, step.word, step.standing), who, step.currency, key
        )

    def _purchase(self, step: Step, key: int) -> Asked:
        spent, who = self._pick("spent", step, step.of + 1) if step.later else (None, step.who)
        hold, who = self._pick("hold", step) if step.flag else (None, who)
        made = self.now - step.minutes
        command = PurchaseRedemption.model_construct(
            **{**self._award(key, who), "occurred_at": instant(made)},
            source=Source(kind="purchase", id=str(key)),
            currency=step.currency,
            scale=0,
            points=step.points,
            unbacked=cast("UnbackedPolicy", step.word),
            hold_id=None if hold is None else command_id(hold),
            redemption_id=None if spent is None else command_id(spent),
            partner="",
        )
        return Asked(
            command, lambda model: model.purchase(key, step.points, step.word, made, hold, spent), who, step.currency,
            key, "spent",
        )  # fmt: skip

    def _restore(self, step: Step, key: int) -> Asked:
        spent, who = self._pick("spent", step)
        command = RedemptionRestore.model_construct(
            **self._award(key, who),
            redemption_id=command_id(spent),
            source=Source(kind="return", id=str(key)),
            currency=step.currency,
            points=step.points,
            restore_for_s=(step.later or 0) * 60,
        )
        grace_until = None if step.later is None else self.now + step.later
        return Asked(command, lambda model: model.restore(spent, step.points, grace_until), who, step.currency, key)

    def _tier(self, step: Step, key: int) -> Asked:
        since = self.now - step.minutes
        ends = None if step.later is None else self.now + step.later
        command = TierAssignment(
            **self._award(key, step.who), tier=step.word or None, previous=None, since=instant(since),
            until=None if ends is None else instant(ends), reason="reached", standing=standing_of(step.standing),
        )  # fmt: skip
        tier = (step.word or None, since, ends)
        return Asked(command, lambda model: model.assign(tier, step.standing), step.who, step.currency, key)

    def _merge(self, step: Step, key: int) -> Asked:
        command = Merge(**self._award(key, step.who), from_account_id=ACCOUNTS[step.whom], from_member_id=MEMBER)
        return Asked(command, lambda model: model.take_up(step.whom), step.who, step.currency, key)

    # Tills, members, operators

    def _redeem(self, step: Step, key: int) -> Asked:
        bill = None if step.later is None else step.later * MONEY
        command = Redeem(**self._common(key, step.who), currency=step.currency, points=step.points, bill=bill)
        return Asked(
            command, lambda model: model.redeem(key, step.points, step.later), step.who, step.currency, key, "spent"
        )

    def _hold(self, step: Step, key: int) -> Asked:
        bill = None if step.later is None else step.later * MONEY
        common = self._common(key, step.who)
        command = PlaceHold(
            **common, currency=step.currency, points=step.points, bill=bill, time_out_s=step.minutes * 60
        )
        return Asked(
            command, lambda model: model.hold(key, step.points, step.later, step.minutes), step.who, step.currency,
            key, "hold",
        )  # fmt: skip

    def _capture(self, step: Step, key: int) -> Asked:
        (hold, who), points = self._pick("hold", step), step.points or None
        common = self._common(key, who)
        command = CaptureHold(**common, hold_id=command_id(hold), points=points, keep=step.flag)
        return Asked(
            command, lambda model: model.capture(key, hold, points, keep=step.flag), who, step.currency, key, "spent"
        )

    def _release(self, step: Step, key: int) -> Asked:
        hold, who = self._pick("hold", step)
        command = ReleaseHold(**self._common(key, who), hold_id=command_id(hold))
        return Asked(command, lambda model: model.release(hold), who, step.currency, key)

    def _undo(self, step: Step, key: int) -> Asked:
        (spent, who), points = self._pick("spent", step), step.points or None
        command = ReverseRedemption(**self._common(key, who), redemption_id=command_id(spent), points=points)
        return Asked(command, lambda model: model.undo(spent, points), who, step.currency, key)

    def _adjust(self, step: Step, key: int) -> Asked:
        ends = FOR_EVER if step.later is None else self.now + step.later
        command = Adjust(
            **self._operator(key, step.who), currency=step.currency, points=step.points, allow_debt=step.flag,
            expires_at=until(ends),
        )  # fmt: skip
        return Asked(
            command, lambda model: model.adjust(step.points, ends, allow_debt=step.flag), step.who, step.currency, key
        )

    def _send(self, step: Step, key: int) -> Asked:
        common = self._common(key, step.who)
        command = SendPoints(**common, to_account_id=ACCOUNTS[step.whom], currency=step.currency, points=step.points)
        return Asked(command, lambda model: model.send(step.points, step.whom), step.who, step.currency, key)

    def _freeze(self, step: Step, key: int) -> Asked:
        command = Freeze(**self._operator(key, step.who))
        return Asked(command, lambda model: model.freeze(on=True), step.who, step.currency, key)

    def _unfreeze(self, step: Step, key: int) -> Asked:
        command = Unfreeze(**self._operator(key, step.who))
        return Asked(command, lambda model: model.freeze(on=False), step.who, step.currency, key)

    def _close(self, step: Step, key: int) -> Asked:
        return Asked(Close(**self._operator(key, step.who)), Model.close, step.who, step.currency, key)

    def _erase(self, step: Step, key: int) -> Asked:
        return Asked(Erase(**self._common(key, step.who)), Model.erase, step.who, step.currency, key)


def standing_of(qualifying: int | None) -> Standing | None:
    """Progress to the next tier, which the model knows by its one figure."""
    return None if qualifying is None else Standing(tier=None, qualifying=qualifying)
