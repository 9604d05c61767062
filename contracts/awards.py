"""What rules tell the ledger to book: one command a message, keyed by account.

A command carries every value that the ledger needs (dates, terms, currencies), so the ledger knows nothing of a
programme's earning rules. `command_id` is derived from what caused it (UUIDv5), so the same cause is booked once.
"""

from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from contracts.amounts import Points, Scale
from contracts.envelope import CloudEvent, Code, Identifier, Instant, Shape, Text

SpentPolicy = Literal["pending_only", "to_zero", "negative"]
"""What happens when points that must be taken back are spent: take what is pending, what is there, or go into debt."""

UnbackedPolicy = Literal["to_zero", "negative", "refuse"]
SourceKind = Literal[
    "purchase", "return", "enrolment", "birthday", "activity", "referral", "conflict", "manual", "opening"
]

MAX_GRANTS: Final = 50


class Source(Shape):
    """What caused a movement, in the words of the one who sent it: `purchase krakow-12/3/000451`."""

    kind: SourceKind
    id: Identifier
    store: Text = ""


class Command(Shape):
    """What every command says. `occurred_at` is when its cause happened, by the source's clock."""

    command_id: UUID
    account_id: UUID
    member_id: UUID
    programme: Code
    occurred_at: Instant


class RuleShare(Shape):
    """How much of a grant one rule gave; shares add up to the grant's points."""

    rule: Code
    points: int


class Inactivity(Shape):
    """All points of a currency lapse after this long with no accrual or redemption.

    The last day counts whole, in `zone`: they lapse at the midnight after it. `notice_days` before that day the member
    is told, once; 0: never.
    """

    months: Annotated[int, Field(ge=0, le=1_200)] = 0
    days: Annotated[int, Field(ge=0, le=36_600)] = 0
    notice_days: Annotated[int, Field(ge=0, le=366)] = 0
    zone: Text


class Grant(Shape):
    """One lot to open. `activates_at` null: at once; `expires_at` null: never.

    The lot's id is derived from the command's id and the grant's index, counted from 0. `inactivity` holds for the
    whole currency, from the latest grant that names it.
    """

    currency: Code
    scale: Scale
    points: Points
    activates_at: Instant | None = None
    expires_at: Instant | None = None
    rules: tuple[RuleShare, ...] = ()
    campaign: Code | None = None
    partner: Text = ""
    inactivity: Inactivity | None = None


class Standing(Shape):
    """Where a member stands in the tiers; for display, never for a decision.

    Amounts are in ten-thousandths of the currency.
    """

    tier: Code | None
    since: Instant | None = None
    until: Instant | None = None
    qualifying: int
    next_tier: Code | None = None
    missing: int | None = None


class AccountOpening(Command):
    """Open an account, so that it can be asked for before it has earned."""

    currencies: tuple["CurrencyScale", ...] = ()


class CurrencyScale(Shape):
    """A currency of the programme and how many decimals it has."""

    currency: Code
    scale: Scale


class OpenAccount(CloudEvent):
    """Sent once, on enrolment."""

    type: Literal["bonus.account.open.v1"] = "bonus.account.open.v1"
    data: AccountOpening


class Accrual(Command):
    """Points earned. `spent_policy` is the term under which they may be taken back."""

    decision_id: UUID
    source: Source
    grants: Annotated[tuple[Grant, ...], Field(min_length=1, max_length=MAX_GRANTS)]
    spent_policy: SpentPolicy = "to_zero"
    standing: Standing | None = None


class AccruePoints(CloudEvent):
    """Open lots."""

    type: Literal["bonus.points.accrue.v1"] = "bonus.points.accrue.v1"
    data: Accrual


class Reversal(Command):
    """Points of an accrual to take back, because of a return or a conflict.

    `accrual_id` is the accrual's command id.
    """

    decision_id: UUID
    accrual_id: UUID
    source: Source
    currency: Code
    points: Points
    spent_policy: SpentPolicy
    standing: Standing | None = None


class ReversePoints(CloudEvent):
    """Take points back: from the accrual's own lots first, then as the terms say."""

    type: Literal["bonus.points.reverse.v1"] = "bonus.points.reverse.v1"
    data: Reversal


class PurchaseRedemption(Command):
    """Points that a purchase says it was paid with.

    It names a hold, or a redemption that was placed before, or nothing. `partner` of a coalition is where it was made.
    """

    source: Source
    currency: Code
    scale: Scale
    points: Points
    hold_id: UUID | None = None
    redemption_id: UUID | None = None
    unbacked: UnbackedPolicy = "to_zero"
    partner: Text = ""


class RedeemForPurchase(CloudEvent):
    """Capture the hold, match the redemption, or treat the points as unbacked."""

    type: Literal["bonus.purchase.redeem.v1"] = "bonus.purchase.redeem.v1"
    data: PurchaseRedemption


class RedemptionRestore(Command):
    """Points spent on a purchase that came back: they return to their lots with their original expiry.

    `redemption_id` is the command id of the redemption for that purchase; `restore_for_s` the grace, in seconds, for
    lots past their date.
    """

    redemption_id: UUID
    source: Source
    currency: Code
    points: Points
    restore_for_s: Annotated[int, Field(ge=0)] = 0


class RestoreRedemption(CloudEvent):
    """Give back points that were spent on returned goods."""

    type: Literal["bonus.redemption.restore.v1"] = "bonus.redemption.restore.v1"
    data: RedemptionRestore


class TierAssignment(Command):
    """A tier decided by rules; `tier` null means none.

    `reason` is a code, `cause` the purchase, return or day behind it.
    """

    tier: Code | None
    previous: Code | None
    since: Instant
    until: Instant | None = None
    reason: Code
    cause: Text = ""
    standing: Standing | None = None


class ChangeTier(CloudEvent):
    """Record a tier."""

    type: Literal["bonus.tier.change.v1"] = "bonus.tier.change.v1"
    data: TierAssignment


class Merge(Command):
    """Move everything of `from_account_id` to the message's account, for ever."""

    from_account_id: UUID
    from_member_id: UUID


class MergeAccounts(CloudEvent):
    """Decided by rules; the survivor is the message's account."""

    type: Literal["bonus.accounts.merge.v1"] = "bonus.accounts.merge.v1"
    data: Merge
