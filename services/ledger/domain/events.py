"""What happens to an account. Each event that moves points lists its movements; `evolve` applies them as they stand.

Source of the shapes on the wire: contracts.ledger_events. Fields of a class beyond those of `Event` are what the wire
carries in `details`; they are only words, numbers, ids, instants, days and tuples of these.
"""

from datetime import date, datetime
from typing import ClassVar, Final, NamedTuple
from uuid import UUID

from contracts.awards import Inactivity, RuleShare, Source, Standing
from contracts.ledger_events import Bucket
from services.ledger.domain.account import Lot
from services.ledger.domain.value import value

MAX_SHARES: Final = 500
"""Movements of one event; more become parts of it, in one transaction."""


class Movement(NamedTuple):
    """Points from one bucket to another; `lot_id` None where no lot is touched (debt without points)."""

    currency: str
    lot_id: UUID | None
    source: Bucket
    target: Bucket
    points: int


class Activity(NamedTuple):
    """What inactivity reckons with from now on, in one currency; `lapses_at` None: nothing lapses any more."""

    currency: str
    inactivity: Inactivity | None
    active_at: datetime | None
    lapses_at: datetime | None
    notice_at: datetime | None


class TakenBack(NamedTuple):
    """How much more of a lot counts as taken back, and how much of that had expired."""

    lot_id: UUID
    points: int
    written_off: int


class Carried(NamedTuple):
    """Points of one lot on their way to another account, with everything that stays true of them there."""

    lot_id: UUID
    accrual_id: UUID
    points: int
    earned_at: datetime
    activates_at: datetime | None
    expires_at: datetime | None
    campaign: str | None
    partner: str


@value(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events say.

    `command_id` is the command or due transition behind it, `part` tells events of one type and cause apart (their id
    is `ids.event_of(type, command_id)`, with the part as ordinal when it is not 0). `occurred_at`: when its cause
    happened; `effective_at`: when it counts; `known_at`: from when a two-time query knows it (for a due transition the
    later of its instant and its cause's recording). `lots` are terms of lots opened or changed, buckets left at zero;
    `scales` the decimals of currencies that the account may see for the first time.
    """

    type: ClassVar[str]

    command_id: UUID
    occurred_at: datetime
    effective_at: datetime
    known_at: datetime
    movements: tuple[Movement, ...] = ()
    lots: tuple[Lot, ...] = ()
    activity: tuple[Activity, ...] = ()
    scales: tuple[tuple[str, int], ...] = ()
    part: int = 0
    source: Source | None = None
    decision_id: UUID | None = None
    standing: Standing | None = None


@value(frozen=True, slots=True, kw_only=True)
class PointsAccrued(Event):
    """Lots were opened; `rules` says for each which rules gave it."""

    type: ClassVar[str] = "bonus.points.accrued.v1"
    rules: tuple[tuple[RuleShare, ...], ...] = ()


@value(frozen=True, slots=True, kw_only=True)
class PointsActivated(Event):
    """Pending points became available at their instant."""

    type: ClassVar[str] = "bonus.points.activated.v1"


@value(frozen=True, slots=True, kw_only=True)
class PointsExpired(Event):
    """Points lapsed; `reason`: `expired`, `inactive` or `closed`."""

    type: ClassVar[str] = "bonus.points.expired.v1"
    reason: str = "expired"


@value(frozen=True, slots=True, kw_only=True)
class ExpiryAnnounced(Event):
    """The member has not earned or spent for long: these points lapse at `lapses_at` unless that changes."""

    type: ClassVar[str] = "bonus.expiry.announced.v1"
    currency: str
    points: int
    lapses_at: datetime


@value(frozen=True, slots=True, kw_only=True)
class DebtSettled(Event):
    """Points that became available paid what was owed."""

    type: ClassVar[str] = "bonus.debt.settled.v1"


@value(frozen=True, slots=True, kw_only=True)
class PointsRedeemed(Event):
    """Points were spent, as (part of) redemption `redemption_id`.

    `day` is the day on which it counts against the limit of redemptions; None: it counts already, or never.
    `purchase`: a purchase said so, and no other purchase can claim it. `hold_id` is a hold that timed out after that
    purchase was made. `partner` of a coalition is where they were spent.
    `unbacked` is what it said it was paid with and nobody gave, `policy` the rule for that.
    """

    type: ClassVar[str] = "bonus.points.redeemed.v1"
    redemption_id: UUID
    currency: str
    day: date | None = None
    reference: str | None = None
    hold_id: UUID | None = None
    purchase: bool = False
    unbacked: int = 0
    policy: str | None = None
    partner: str = ""


@value(frozen=True, slots=True, kw_only=True)
class RedemptionMatched(Event):
    """A purchase named what a till had redeemed already (`claims`): nothing moved, they belong together from now on."""

    type: ClassVar[str] = "bonus.redemption.matched.v1"
    redemption_id: UUID
    currency: str
    claims: tuple[UUID, ...]


@value(frozen=True, slots=True, kw_only=True)
class RedemptionForwarded(Event):
    """A merged account asked the one that took it up for points that a purchase said beyond the hold captured here.

    Below zero: it asked it to give them back.
    """

    type: ClassVar[str] = "bonus.redemption.forwarded.v1"
    redemption_id: UUID
    to_account_id: UUID
    currency: str
    points: int


@value(frozen=True, slots=True, kw_only=True)
class PointsRestored(Event):
    """Points of a redemption came back to their lots; `owed` of them had been taken into debt.

    `partner` is where they had been spent.
    """

    type: ClassVar[str] = "bonus.points.restored.v1"
    redemption_id: UUID
    owed: int = 0
    partner: str = ""


@value(frozen=True, slots=True, kw_only=True)
class PointsReversed(Event):
    """Awarded points were taken back.

    `asked` is how much; `counted` what that means for the accrual's own lots; `forgiven` what the terms let go;
    `reason` is `already_expired` when there was nothing left to take.
    """

    type: ClassVar[str] = "bonus.points.reversed.v1"
    accrual_id: UUID
    currency: str
    policy: str
    asked: int = 0
    counted: tuple[TakenBack, ...] = ()
    forgiven: int = 0
    reason: str | None = None


@value(frozen=True, slots=True, kw_only=True)
class PointsAdjusted(Event):
    """An operator put points in or took them away."""

    type: ClassVar[str] = "bonus.points.adjusted.v1"
    currency: str
    points: int
    reason: str
    operator: str


@value(frozen=True, slots=True, kw_only=True)
class HoldPlaced(Event):
    """Points were set aside until `expires_at`."""

    type: ClassVar[str] = "bonus.hold.placed.v1"
    hold_id: UUID
    currency: str
    expires_at: datetime
    day: date | None = None
    reference: str | None = None
    partner: str = ""


@value(frozen=True, slots=True, kw_only=True)
class HoldCaptured(Event):
    """Held points were spent as redemption `redemption_id`; whatever was not captured went back, unless it was kept.

    `purchase`: a purchase did it, and no other purchase can claim it.
    """

    type: ClassVar[str] = "bonus.hold.captured.v1"
    hold_id: UUID
    redemption_id: UUID
    currency: str
    day: date | None = None
    reference: str | None = None
    purchase: bool = False
    partner: str = ""


@value(frozen=True, slots=True, kw_only=True)
class HoldReleased(Event):
    """Held points went back."""

    type: ClassVar[str] = "bonus.hold.released.v1"
    hold_id: UUID


@value(frozen=True, slots=True, kw_only=True)
class HoldTimedOut(Event):
    """Nobody captured the hold in time: its points went back."""

    type: ClassVar[str] = "bonus.hold.timed-out.v1"
    hold_id: UUID
