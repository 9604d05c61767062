"""What happens to an account as a whole, and between accounts. `EVENTS` at the end names every event."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from services.ledger.domain.events import (
    Activity,
    Carried,
    DebtSettled,
    Event,
    ExpiryAnnounced,
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    HoldTimedOut,
    PointsAccrued,
    PointsActivated,
    PointsAdjusted,
    PointsExpired,
    PointsRedeemed,
    PointsRestored,
    PointsReversed,
    RedemptionForwarded,
    RedemptionMatched,
)  # fmt: skip
from services.ledger.domain.value import value


@value(frozen=True, slots=True, kw_only=True)
class AccountOpened(Event):
    """The account exists; `scales` are its currencies, as far as known."""

    type: ClassVar[str] = "bonus.account.opened.v1"
    tenant: str
    programme: str
    member_id: UUID | None


@value(frozen=True, slots=True, kw_only=True)
class TierChanged(Event):
    """Rules put the member into another tier."""

    type: ClassVar[str] = "bonus.tier.changed.v1"
    tier: str | None
    previous: str | None
    since: datetime
    until: datetime | None
    reason: str
    cause: str = ""


@value(frozen=True, slots=True, kw_only=True)
class StandingNoted(Event):
    """Progress to the next tier changed, the tier did not."""

    type: ClassVar[str] = "bonus.standing.noted.v1"


@value(frozen=True, slots=True, kw_only=True)
class AccountFrozen(Event):
    """No redemptions until it is unfrozen."""

    type: ClassVar[str] = "bonus.account.frozen.v1"
    reason: str
    operator: str


@value(frozen=True, slots=True, kw_only=True)
class AccountUnfrozen(Event):
    """As before it was frozen."""

    type: ClassVar[str] = "bonus.account.unfrozen.v1"
    reason: str
    operator: str


@value(frozen=True, slots=True, kw_only=True)
class AccountClosed(Event):
    """Nothing is booked on it any more but what its past still causes."""

    type: ClassVar[str] = "bonus.account.closed.v1"
    reason: str
    operator: str


@value(frozen=True, slots=True, kw_only=True)
class MemberErased(Event):
    """The member behind it was erased; figures stay."""

    type: ClassVar[str] = "bonus.account.erased.v1"


@value(frozen=True, slots=True, kw_only=True)
class TransferSent(Event):
    """Points left for another account and are in transit; `carried` is what the receiver opens.

    `owed` is debt that goes along (a merge); `merge` says that everything goes, for ever. `month` is the month in which
    it counts against the limit of transfers, `last_active` what the receiver's inactivity reckons with.
    """

    type: ClassVar[str] = "bonus.transfer.sent.v1"
    transfer_id: UUID
    transit_id: UUID
    to_account_id: UUID
    currency: str
    scale: int
    carried: tuple[Carried, ...]
    owed: int = 0
    merge: bool = False
    month: str = ""
    last_active: Activity | None = None


@value(frozen=True, slots=True, kw_only=True)
class TransferReceived(Event):
    """Points from another account arrived."""

    type: ClassVar[str] = "bonus.transfer.received.v1"
    transit_id: UUID
    from_account_id: UUID
    currency: str
    merge: bool = False


@value(frozen=True, slots=True, kw_only=True)
class TransferCompleted(Event):
    """Points in transit arrived at the other account."""

    type: ClassVar[str] = "bonus.transfer.completed.v1"
    transit_id: UUID


@value(frozen=True, slots=True, kw_only=True)
class TransferReturned(Event):
    """Points in transit were refused by the other account, for this reason (a code), and are back."""

    type: ClassVar[str] = "bonus.transfer.returned.v1"
    transit_id: UUID
    reason: str


@value(frozen=True, slots=True, kw_only=True)
class MergeAccepted(Event):
    """This account agreed to take up another, and cannot be taken up itself until that ends."""

    type: ClassVar[str] = "bonus.merge.accepted.v1"
    from_account_id: UUID


@value(frozen=True, slots=True, kw_only=True)
class MergeCompleted(Event):
    """The other account was taken up."""

    type: ClassVar[str] = "bonus.merge.completed.v1"
    from_account_id: UUID


@value(frozen=True, slots=True, kw_only=True)
class MergeAbandoned(Event):
    """The other account was not taken up."""

    type: ClassVar[str] = "bonus.merge.abandoned.v1"
    from_account_id: UUID
    reason: str


@value(frozen=True, slots=True, kw_only=True)
class AccountMerged(Event):
    """This account was taken up by another: what comes for it later goes there, for ever."""

    type: ClassVar[str] = "bonus.account.merged.v1"
    into_account_id: UUID


_CLASSES: Final[tuple[type[Event], ...]] = (
    AccountOpened, PointsAccrued, PointsActivated, PointsExpired, ExpiryAnnounced, DebtSettled, PointsRedeemed,
    RedemptionMatched, RedemptionForwarded, PointsRestored, PointsReversed, PointsAdjusted, HoldPlaced, HoldCaptured,
    HoldReleased, HoldTimedOut, TierChanged, StandingNoted, AccountFrozen, AccountUnfrozen, AccountClosed, MemberErased,
    TransferSent, TransferReceived, TransferCompleted, TransferReturned, MergeAccepted, MergeCompleted, MergeAbandoned,
    AccountMerged,
)  # fmt: skip

EVENTS: Final[Mapping[str, type[Event]]] = {each.type: each for each in _CLASSES}
"""Every event by its type on the wire."""
