"""What happened in the books: published by the ledger, keyed by account, stored as the very bytes that were hashed.

Every event that moves points lists its movements, from one bucket of the account to another; the balances after it
follow.
For every account and currency, at every version:
`issued + adjusted + transferred in - transferred out
= pending + available + held + in_transit + redeemed + expired + reversed - debt`.
"""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from contracts.amounts import Scale, SignedPoints
from contracts.awards import RuleShare, Source, Standing
from contracts.envelope import CloudEvent, Code, Instant, Refusal, Shape

MAX_MOVEMENTS: Final = 1_000

Bucket = Literal[
    "issued", "adjusted", "transferred_in", "transferred_out",
    "pending", "available", "held", "in_transit", "redeemed", "expired", "reversed", "debt",
]  # fmt: skip
"""`issued`, `adjusted` and `transferred_in` are sources: they grow when points leave them; others when points enter.
`debt` is what a member owes: it grows when points are taken from it and shrinks when they are put into it."""

EventType = Literal[
    "bonus.account.opened.v1",
    "bonus.points.accrued.v1",
    "bonus.points.activated.v1",
    "bonus.points.redeemed.v1",
    "bonus.points.restored.v1",
    "bonus.points.expired.v1",
    "bonus.points.reversed.v1",
    "bonus.points.adjusted.v1",
    "bonus.debt.settled.v1",
    "bonus.hold.placed.v1",
    "bonus.hold.captured.v1",
    "bonus.hold.released.v1",
    "bonus.hold.timed-out.v1",
    "bonus.tier.changed.v1",
    "bonus.standing.noted.v1",
    "bonus.account.frozen.v1",
    "bonus.account.unfrozen.v1",
    "bonus.account.closed.v1",
    "bonus.account.merged.v1",
    "bonus.merge.accepted.v1",
    "bonus.transfer.sent.v1",
    "bonus.transfer.received.v1",
    "bonus.transfer.returned.v1",
    "bonus.transfer.completed.v1",
    "bonus.merge.completed.v1",
    "bonus.merge.abandoned.v1",
    "bonus.redemption.matched.v1",
    "bonus.account.erased.v1",
    "bonus.expiry.announced.v1",
    "bonus.command.rejected.v1",
]


class Movement(Shape):
    """Points from one bucket of a lot to another; `lot_id` null where no lot is touched (debt without points)."""

    currency: Code
    lot_id: UUID | None
    source: Bucket = Field(alias="from")
    target: Bucket = Field(alias="to")
    points: SignedPoints


class LotTerms(Shape):
    """A lot as it was opened or changed by this event.

    `origin` is the accrual's command id where that is not this event's; `sequence` counts the account's lots from 1.
    `booked_at` is when the books opened it, where that is not when this event was recorded.
    """

    lot_id: UUID
    sequence: Annotated[int, Field(ge=0)] = 0
    currency: Code
    points: int
    earned_at: Instant
    activates_at: Instant | None
    expires_at: Instant | None
    origin: UUID | None = None
    booked_at: Instant | None = None
    campaign: Code | None = None
    partner: str = ""
    rules: tuple[RuleShare, ...] = ()


class BalanceAfter(Shape):
    """The account's buckets after the event, in the currency's smallest unit."""

    scale: Scale
    pending: int
    available: int
    held: int
    in_transit: int = 0
    debt: int


class Happened(Shape):
    """The part that every event of the books has.

    `command_id` is the command (or due transition) that caused it; `version` counts the account's events from 1;
    `occurred_at` is its cause's time, `effective_at` when it counts; the envelope's `time` is when it was recorded.
    `known_at` is from when a look back knows of it, where that is not when it was recorded: what time alone does counts
    as known from its instant, however late it was written down.
    """

    account_id: UUID
    member_id: UUID | None = None
    programme: Code
    version: Annotated[int, Field(ge=0)]
    command_id: UUID
    occurred_at: Instant
    effective_at: Instant
    known_at: Instant | None = None
    source: Source | None = None
    decision_id: UUID | None = None
    movements: Annotated[tuple[Movement, ...], Field(max_length=MAX_MOVEMENTS)] = ()
    lots: tuple[LotTerms, ...] = ()
    balances: dict[str, BalanceAfter] = Field(default_factory=dict)
    details: dict[str, Any] = Field(default_factory=dict)
    standing: Standing | None = None
    refusal: Refusal | None = None


class LedgerEvent(CloudEvent):
    """One event of the books; its `type` says what it means, its movements what it does."""

    type: EventType
    data: Happened
