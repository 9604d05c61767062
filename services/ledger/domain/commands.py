"""What the ledger may be told to do, beside the awards of contracts.awards, which it takes as they come.

Points are integers in the currency's smallest unit; money is in ten-thousandths. `command_id` is derived from what
caused the command; the hold or redemption that a command makes bears its id, or that of the confirmation it needed.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.awards import (
    AccountOpening,
    Accrual,
    Merge,
    PurchaseRedemption,
    RedemptionRestore,
    Reversal,
    Source,
    SpentPolicy,
    TierAssignment,
)
from services.ledger.domain.events import Activity, Carried


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """A command that does not come from rules: over HTTP, from a till over Kafka, or from another account."""

    command_id: UUID
    account_id: UUID
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Confirmation:
    """That the member confirmed an amount: `points` in ten-thousandths, or what is wrong with it (a refusal's code).

    `made_id` is the id of the one hold or redemption that may be made with it.
    """

    made_id: UUID | None = None
    points: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeem(Direct):
    """Spend points at once. `bill` and `redeemable` are money, as quoted; `partner` is where they are spent."""

    currency: str
    points: int
    bill: int | None = None
    redeemable: int | None = None
    reference: str | None = None
    partner: str = ""
    confirmation: Confirmation | None = None

    @property
    def made_id(self) -> UUID:
        """The id of what it makes: its own, or that of the confirmation, with which no more can be made."""
        return (self.confirmation and self.confirmation.made_id) or self.command_id


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceHold(Redeem):
    """Set points aside, for `time_out_s` seconds (None: as the programme says)."""

    time_out_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureHold(Direct):
    """Spend all (`points` None) or part of a hold; `keep` leaves the rest on hold."""

    hold_id: UUID
    points: int | None = None
    keep: bool = False
    reference: str | None = None
    partner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHold(Direct):
    """Give back what is still on hold."""

    hold_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseRedemption(Direct):
    """Undo a redemption, wholly (`points` None) or in part."""

    redemption_id: UUID
    points: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjust(Direct):
    """Put points in (`points` > 0, a lot that expires at `expires_at`) or take them away (`points` < 0)."""

    currency: str
    points: int
    reason: str
    operator: str
    allow_debt: bool = False
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operate(Direct):
    """What an operator does to an account as a whole."""

    reason: str
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze(Operate):
    """No redemptions from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfreeze(Operate):
    """Redemptions again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Operate):
    """End the account: what is left on it lapses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase(Direct):
    """The member was erased: only figures stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPoints(Direct):
    """Transfer points to another account of the programme."""

    to_account_id: UUID
    currency: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivePoints(Direct):
    """Take up points from another account; its fields are those of contracts.transfers and of TransferSent."""

    transit_id: UUID
    from_account_id: UUID
    currency: str
    scale: int
    carried: tuple[Carried, ...]
    owed: int = 0
    merge: bool = False
    last_active: Activity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteTransfer(Direct):
    """The receiver took the points up."""

    transit_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnTransfer(Direct):
    """The receiver refused the points, for `reason` (a refusal's code)."""

    transit_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surrender(Direct):
    """Let `into_account_id`, which agreed, take this account up."""

    into_account_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcludeMerge(Direct):
    """The other account was given up, or it refused (`refused_because`, a refusal's code)."""

    from_account_id: UUID
    refused_because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack(Direct):
    """What a reversal at an account that this one took up has still to take; that account counted it already."""

    accrual_id: UUID
    currency: str
    points: int
    spent_policy: SpentPolicy
    source: Source | None = None
    decision_id: UUID | None = None


Command = (
    AccountOpening | Accrual | Reversal | PurchaseRedemption | RedemptionRestore | TierAssignment | Merge
    | Redeem | PlaceHold | CaptureHold | ReleaseHold | ReverseRedemption | Adjust | Freeze | Unfreeze | Close | Erase
    | SendPoints | ReceivePoints | CompleteTransfer | ReturnTransfer | Surrender | ConcludeMerge | TakeBack
)  # fmt: skip
