"""What one version of a programme says, as the evaluation reads it: made from a file, never changed.

Money is in ten-thousandths of the programme's currency; points in the smallest unit of their currency; percentages and
factors are exact fractions; instants are aware. Nothing here is computed: the file's reader fills in every default.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Final, Literal, Protocol

EventName = str
"""`purchase`, `enrolment`, `birthday`, `activity.NAME`, `every.month`, `lapse`, `challenge.NAME`."""

PURCHASE: Final = "purchase"
ENROLMENT: Final = "enrolment"
BIRTHDAY: Final = "birthday"

Rounding = Literal["half_up", "half_even", "floor"]
RoundBy = Literal["basket", "line"]
Base = Literal["gross", "net"]
DurationUnit = Literal["minutes", "hours", "days", "weeks", "months", "years"]
PeriodEnd = Literal["end_of_day", "end_of_week", "end_of_month", "end_of_quarter", "end_of_year"]
GiveKind = Literal["percent", "percent_off", "fixed", "per_amount", "per_unit", "multiplier"]
CapPeriod = Literal["purchase", "day", "week", "month", "year", "campaign", "member"]
SpentPolicy = Literal["pending_only", "to_zero", "negative"]
UnbackedPolicy = Literal["to_zero", "negative", "refuse"]

Text = Mapping[str, str]
"""Words for people by language (`pl`, `ru`, `en`); a text written without a language stands under `""`."""


class ConditionGroup(Protocol):
    """Conditions that read the same facts, answered together: a line is asked once, not once for every rule."""

    reads: tuple[str, ...]

    def answer(self, values: tuple[object, ...]) -> tuple[int, Mapping[int, str]]:
        """Bits of the conditions that hold for these values of `reads`, and by bit why the others could not be told."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the file: `text` as written, answered by bit number `bit` of its group."""

    text: str
    group: ConditionGroup
    bit: int


@dataclass(frozen=True, slots=True)
class Duration:
    """`14 days`: counted on the calendar of the programme's zone, except minutes and hours, which are exact."""

    count: int
    unit: DurationUnit

    def __str__(self) -> str:
        return f"{self.count} {self.unit if self.count != 1 else self.unit[:-1]}"


@dataclass(frozen=True, slots=True)
class Term:
    """When something begins or ends, counted from the purchase: after a duration, then on to `at` or to the next `day`.

    `day` is (month, day); `on` is a date of its own and leaves the others out. Without any of them: at once, or never.
    """

    after: Duration | None = None
    at: PeriodEnd | None = None
    day: tuple[int, int] | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Currency:
    """What can be earned. `worth` is the money value of one point; `activates` none: at once; `expires` none: never.

    Its words: `one` and `many` in the nominative, `of_one` and `of_many` in the genitive of languages that have one.
    """

    key: str
    scale: int = 0
    worth: int = 10_000
    rounding: Rounding = "half_up"
    round_by: RoundBy = "basket"
    activates: Term | None = None
    expires: Term | None = None
    inactive: Duration | None = None
    inactivity_notice: Duration | None = None
    one: Text = field(default_factory=dict)
    many: Text = field(default_factory=dict)
    of_one: Text = field(default_factory=dict)
    of_many: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Give:
    """How much, of what.

    `value` is: for `percent` and `percent_off` the fraction (5 % is 1/20); for `fixed`, `per_amount` (points per full
    `per` of money) and `per_unit` points in the smallest unit; for `multiplier` the N of xN. `percent_off` has no
    currency.
    """

    kind: GiveKind
    currency: str
    value: Fraction
    per: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `times` or `points` in each `period`, by date of purchase; `per_member`: for each one of a household."""

    period: CapPeriod
    times: int | None = None
    points: int | None = None
    currency: str = ""
    per_member: bool = False


@dataclass(frozen=True, slots=True)
class Budget:
    """What a campaign may pay in all, to everybody; `last` says what becomes of an award that no longer fits whole."""

    total: int
    currency: str
    last: Literal["partial", "all_or_nothing"] = "partial"


@dataclass(frozen=True, slots=True)
class BirthdayWindow:
    """Days before and after the birthday that count, and how many days before the purchase its date must be on file."""

    before: int = 0
    after: int = 0
    on_file: int = 0


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is meant: anyone in one of the segments, or named; empty means everybody. `holdout` is the share kept out."""

    segments: tuple[str, ...] = ()
    members: frozenset[str] = frozenset()
    holdout: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Rule:
    """One earning rule, in the order of the file within its priority (higher first).

    Either `give`, or `by_tier` with a give for each tier named. `starts_at` and `ends_at` bound the purchase's time,
    the end left out. `once_per` is `member`, `birthday`, or a fact such as `activity.product`. `activates` and
    `expires` none: as the currency says. `to` names the fact that says who receives (`member.referred_by`,
    `line.seller`); empty: the buyer. `terms` is what members read of it, where the file says it in its own words.
    """

    key: str
    give: Give | None = None
    by_tier: Mapping[str, Give] = field(default_factory=dict)
    event: EventName = PURCHASE
    when: Condition | None = None
    lines: Condition | None = None
    partner: str | None = None
    best_of: str | None = None
    priority: int = 0
    stop: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    caps: tuple[Cap, ...] = ()
    once_per: str | None = None
    birthday: BirthdayWindow | None = None
    budget: Budget | None = None
    card_categories: frozenset[str] = frozenset()
    audience: Audience = Audience()
    to: str = ""
    base: Base = "gross"
    counts_points_paid: bool = False
    activates: Term | None = None
    expires: Term | None = None
    name: Text = field(default_factory=dict)
    terms: Text = field(default_factory=dict)

    @property
    def gives(self) -> tuple[Give, ...]:
        """Every give that the rule may come to."""
        return (self.give,) if self.give else tuple(self.by_tier.values())


@dataclass(frozen=True, slots=True)
class Level:
    """A tier and what it takes to reach it: ten-thousandths of money, smallest units of points, or visits."""

    tier: str
    least: int
    name: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tiers:
    """How members rise and fall. `window` none: see `calendar_year`, else the whole life of the account."""

    levels: tuple[Level, ...]
    by: Literal["spend", "points", "visits"] = "spend"
    currency: str = ""
    window: Duration | None = None
    calendar_year: bool = False
    applies_from: Literal["next_purchase", "this_purchase"] = "next_purchase"
    keep_for: Duration = Duration(12, "months")
    grace: Duration = Duration(0, "days")
    then: Literal["one_step", "reassess", "keep"] = "reassess"
    on_return: Literal["reassess", "keep"] = "reassess"
    of: Literal["member", "account"] = "account"


@dataclass(frozen=True, slots=True)
class Redeem:
    """What may be spent, on what bill; points in the smallest unit of `currency`."""

    currency: str
    share_of_bill: Fraction = Fraction(1)
    step: int = 1
    at_least: int = 0
    per_day: int | None = None
    hold: Duration = Duration(15, "minutes")
    confirm_above: int | None = None
    unbacked: UnbackedPolicy = "to_zero"


@dataclass(frozen=True, slots=True)
class Returns:
    """What happens when points to take back are spent, and how long restored points past their date live on."""

    spent: SpentPolicy = "to_zero"
    restore_for: Duration | None = None
    frees_once: bool = False


@dataclass(frozen=True, slots=True)
class Members:
    """What becomes of a purchase by a card that nobody holds: kept for `keep`, or a member is made at once."""

    unknown_card: Literal["keep", "enrol"] = "keep"
    keep: Duration = Duration(30, "days")


@dataclass(frozen=True, slots=True)
class Segment:
    """Members of whom a condition over `member` facts holds at the time of purchase."""

    key: str
    condition: Condition
    name: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner of a coalition, known by its stores; its own rates are rules with its key in `Rule.partner`."""

    key: str
    stores: frozenset[str] = frozenset()
    name: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Texts:
    """Words of the programme: name, hint for the cashier, text for the slip; `{member.tier}` stands for a fact.

    `words` says what members call a code that conditions name: a category, a store, a segment, an activity.
    """

    name: Text = field(default_factory=dict)
    cashier: Text = field(default_factory=dict)
    slip: Text = field(default_factory=dict)
    words: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Transfers:
    """How many points a member may give away in a calendar month; none: no transfers."""

    currency: str
    per_month: int


@dataclass(frozen=True, slots=True, eq=False)
class ProgrammeVersion:
    """A whole programme file. `content_hash` (SHA-256 of the text) identifies it.

    `version` (0: a draft) and `starts_at` come with publication: `dataclasses.replace(draft, version=3, starts_at=…)`.
    `asks_preference` says whether a condition asks for the member's favourite category, which is counted only then.
    `spend_windows` and `purchase_windows` are the windows that conditions read: `Facts.spend_in` and
    `Facts.purchases_in` must hold a sum for each. Compared by identity: two loads of one text are two objects.
    """

    key: str
    zone: str
    money: str
    currencies: tuple[Currency, ...]
    rules: tuple[Rule, ...] = ()
    caps: tuple[Cap, ...] = ()
    exclude_earn: Condition | None = None
    exclude_redeem: Condition | None = None
    exclude_payments: frozenset[str] = frozenset()
    card_categories: frozenset[str] = frozenset()
    tiers: Tiers | None = None
    redeem: Redeem | None = None
    returns: Returns = Returns()
    members: Members = Members()
    segments: tuple[Segment, ...] = ()
    partners: tuple[Partner, ...] = ()
    transfers: Transfers | None = None
    debt_allowed: bool = False
    texts: Texts = Texts()
    spend_windows: tuple[Duration, ...] = ()
    purchase_windows: tuple[Duration, ...] = ()
    asks_preference: bool = False
    content_hash: str = ""
    version: int = 0
    starts_at: datetime | None = None

    def currency(self, key: str) -> Currency:
        """The currency of that key; KeyError if the programme has none."""
        for currency in self.currencies:
            if currency.key == key:
                return currency
        raise KeyError(key)


def in_force(versions: Sequence[ProgrammeVersion], at: datetime) -> ProgrammeVersion | None:
    """The version that judges a purchase made at `at`: the last to start by then; None before the first.

    Of two that start at the same instant the higher number counts. Versions without `starts_at` are drafts and never
    count.
    """
    started = [version for version in versions if version.starts_at is not None and version.starts_at <= at]
    return max(started, key=_start, default=None)


def _start(version: ProgrammeVersion) -> tuple[datetime, int]:
    if version.starts_at is None:
        raise ValueError(f"version {version.version} of {version.key} has no start")
    return version.starts_at, version.version
