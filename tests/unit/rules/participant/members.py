"""A member who buys and returns: the participant's decisions one after the other, on a storage that is a list."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from contracts.ids import NAMESPACE, decision_of
from services.rules.domain.basket import Basket, BasketLine, BasketPayment
from services.rules.domain.commands import Accrue, ChangeTier, Redeem, Restore, Reverse
from services.rules.domain.occasions import Joining, join
from services.rules.domain.participant import Background, Decided, Participant, PublishedProgramme, to_read
from services.rules.domain.programme import Condition, Currency, Duration, Give, Level, ProgrammeVersion, Rule, Tiers
from services.rules.domain.purchases import Inputs, PointsPayment, Receipt, judge
from services.rules.domain.records import awarded_in
from services.rules.domain.remainders import Bought, GoodsReturned, Left, Refund
from services.rules.domain.returns import reread_from, take_back
from services.rules.domain.standing import age
from services.rules.domain.sums import Contribution, Contributions, Measures

WARSAW = ZoneInfo("Europe/Warsaw")
ACCOUNT, MEMBER = uuid5(NAMESPACE, "account"), uuid5(NAMESPACE, "member")
START = datetime(2026, 1, 1, tzinfo=UTC)

THREE_LEVELS = Tiers(
    levels=(Level("bronze", 100_0000), Level("silver", 500_0000), Level("gold", 1000_0000)),
    window=Duration(12, "months"),
    keep_for=Duration(12, "months"),
    grace=Duration(30, "days"),
    then="one_step",
)
BY_LEVEL = Rule(
    "level",
    by_tier={
        tier: Give("percent", "points", Fraction(percent, 100), text=f"{percent} %")
        for tier, percent in (("bronze", 5), ("silver", 10), ("gold", 15))
    },
)


def percent(value: int, key: str = "cashback", **terms: Any) -> Rule:
    """A rule that gives a percentage to everybody."""
    return Rule(key, Give("percent", "points", Fraction(value, 100), text=f"{value} %"), **terms)


def fixed(points: int, key: str = "extra", **terms: Any) -> Rule:
    """A rule that gives whole points."""
    return Rule(key, Give("fixed", "points", Fraction(points * 100), text=f"{points} points"), **terms)


@dataclass
class Says:
    """A group of one condition, asked of one fact."""

    reads: tuple[str, ...]
    holds: Callable[[Any], bool]

    def answer(self, values: tuple[object, ...]) -> tuple[int, Mapping[int, str]]:
        """Bit 0 when it holds."""
        return int(self.holds(values[0])), {}


def condition(fact: str, holds: Callable[[Any], bool]) -> Condition:
    """What the file's reader compiles, made by hand."""
    return Condition(fact, Says((fact,), holds), 0)


def programme_of(*rules: Rule, **terms: Any) -> ProgrammeVersion:
    """The first version of a programme in Warsaw, in points with two decimals."""
    defaults: dict[str, Any] = {"currencies": (Currency("points", scale=2),), "version": 1, "starts_at": START}
    return ProgrammeVersion("club", "Europe/Warsaw", "PLN", rules=rules, **(defaults | terms))


def money(amount: float) -> int:
    """Ten-thousandths."""
    return round(amount * 10_000)


def local(text: str) -> datetime:
    """An instant in Warsaw: `2026-05-10 18:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=WARSAW).astimezone(UTC)


@dataclass
class Member:
    """Buys, returns, waits; keeps everything that was decided, as a storage would."""

    programme: PublishedProgramme
    joined_at: datetime = START
    contributions: list[Contribution] = field(default_factory=list)
    bought: dict[str, Bought] = field(default_factory=dict)
    participant: Participant = field(init=False)
    enrolled: Decided = field(init=False)
    _left: dict[str, dict[int, tuple[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        joining = Joining(ACCOUNT, MEMBER, "default", self.programme.key, self.joined_at)
        self.enrolled = join(joining, Background(self.programme, Contributions()))
        self.participant = self.enrolled.participant

    @property
    def tier(self) -> str | None:
        """The tier now."""
        return self.participant.history[-1].tier if self.participant.history else None

    def background(self, *instants: datetime) -> Background:
        """What a storage reads before a decision: the bands asked for, and nothing else."""
        needed = to_read(self.participant, self.programme, instants)
        return Background(
            self.programme,
            Contributions.of(one for one in self.contributions for band in needed if band.after < one.at <= band.until),
        )

    def buys(  # noqa: PLR0913 - what a receipt may say, all by name but two
        self,
        at: datetime,
        *amounts: float,
        purchase_id: str = "",
        categories: Iterable[str] = (),
        payments: tuple[BasketPayment, ...] = (),
        points_payments: tuple[PointsPayment, ...] = (),
        quantity: int = 1,
    ) -> Decided:
        """Buy one line for each amount."""
        named = [*categories, *([""] * len(amounts))]
        lines = tuple(
            BasketLine(number, category=category, amount=money(amount), quantity=quantity * 10_000)
            for number, (amount, category) in enumerate(zip(amounts, named, strict=False), start=1)
        )
        purchase_id = purchase_id or f"p{len(self.bought) + 1}"
        receipt = Receipt(
            decision_of(ACCOUNT, purchase_id), MEMBER, key(purchase_id), purchase_id,
            Basket(lines, at, payments), points_payments=points_payments,
        )  # fmt: skip
        decided = judge(self.participant, receipt, self.background(at))
        self._keep(decided)
        decision = decided.decision
        assert isinstance(decision.inputs, Inputs)
        self.bought[purchase_id] = Bought(
            decision.inputs, decision.programme_version, awarded_in(decision.facts),
            counted_in(decision.facts), decision.measures,
        )  # fmt: skip
        return decided

    def returns(
        self,
        at: datetime,
        purchase_id: str,
        remaining: Mapping[int, tuple[float, float]],
        refunds: tuple[Refund, ...] | None = None,
    ) -> Decided:
        """Bring goods back; `remaining` says what is left: quantity and amount by line."""
        bought = self.bought[purchase_id]
        whole = {line.line: (line.quantity, line.amount) for line in bought.inputs.receipt.basket.lines}
        left = self._left.get(purchase_id, whole) | {
            line: (money(quantity), money(amount)) for line, (quantity, amount) in remaining.items()
        }
        self._left[purchase_id] = left
        return_id = f"return-of-{purchase_id}-{at.isoformat()}"
        goods = GoodsReturned(decision_of(ACCOUNT, return_id), key(return_id), return_id, at, left, refunds)
        since = reread_from(self.participant, bought.inputs.receipt.basket.at)
        decided = take_back(self.participant, goods, bought, self.background(at, *([since] if since else [])))
        self._keep(decided)
        facts: Any = decided.decision.facts["left"]
        after = Left(facts["payments"], facts["points_back"], facts["taken"], Measures(*facts["measures"]))
        self.bought[purchase_id] = replace(bought, left_before=after)
        return decided

    def waits(self, until: datetime) -> tuple[tuple[str | None, datetime, datetime | None, str], ...]:
        """Let time pass; gives tier, since, until and reason of the periods that begin."""
        participant, changes = age(self.participant, self.background(until), until)
        self.participant = participant
        return tuple((each.period.tier, each.period.since, each.period.until, each.period.reason) for each in changes)

    def _keep(self, decided: Decided) -> None:
        self.participant = decided.participant
        if any(decided.decision.measures):
            self.contributions.append(Contribution(decided.decision.counts_at, decided.decision.measures))


def counted_in(facts: Mapping[str, Any]) -> Mapping[str, int]:
    """The counters that a decision took."""
    counted: Mapping[str, int] = facts.get("counted", {})
    return counted


def key(name: str) -> UUID:
    """A business key."""
    return uuid5(NAMESPACE, name)


def earned(decided: Decided) -> int:
    """Points accrued, in the smallest unit."""
    return sum(award.points for one in decided.commands if isinstance(one, Accrue) for award in one.awards)


def taken(decided: Decided) -> int:
    """Points taken back."""
    return sum(one.points for one in decided.commands if isinstance(one, Reverse))


def restored(decided: Decided) -> int:
    """Spent points given back."""
    return sum(one.points for one in decided.commands if isinstance(one, Restore))


def redeemed(decided: Decided) -> int:
    """Points that the purchase was paid with."""
    return sum(one.points for one in decided.commands if isinstance(one, Redeem))


def tier_changes(decided: Decided) -> list[tuple[str | None, str | None, str, str]]:
    """Previous tier, tier, reason, cause of each change that the books are told of; notes of a standing left out."""
    return [
        (one.previous, one.tier, one.reason, one.cause)
        for one in decided.commands
        if isinstance(one, ChangeTier) and one.reason != "standing"
    ]


def member_of(*versions: ProgrammeVersion, joined_at: datetime = START, **terms: Any) -> Member:
    """A new member of a programme with one version, or with several."""
    return Member(PublishedProgramme("club", versions, **terms), joined_at)
