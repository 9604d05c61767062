"""The account: the ledger's aggregate, as its events left it.

Points are integers in their currency's smallest unit. Every instant carries a time zone. Nothing here is ever changed
in place: `evolve` makes a new account. An account may be loaded in part (see `needs`): its balances are always whole,
its lots, holds, redemptions and transits only those that a decision asks for.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, date, datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID

from contracts.awards import Inactivity, Standing
from services.ledger.domain.value import value

Status = Literal["unopened", "open", "frozen", "closed", "merged"]
UNKNOWN: Final = datetime.min.replace(tzinfo=UTC)
NEVER: Final = datetime.max.replace(tzinfo=UTC)

HoldState = Literal["open", "captured", "released", "timed_out"]


@value(frozen=True, slots=True)
class Lot:
    """Points earned together: they activate, expire and come back together.

    `points = pending + available + held + in_transit + redeemed + expired + reversed + withdrawn`, where `withdrawn`
    left otherwise: settled a debt, was adjusted away, arrived in another account. `sequence` counts the account's lots
    from 1. `accrual_id` is the command that earned it (a merge keeps it); `booked_at` when the ledger opened it here.
    `taken_back` is how much of it reversals have asked for, wherever they took it; `written_off` the part of that
    which had expired.
    """

    lot_id: UUID
    currency: str
    sequence: int
    accrual_id: UUID
    earned_at: datetime
    booked_at: datetime
    activates_at: datetime | None
    expires_at: datetime | None
    points: int
    pending: int = 0
    available: int = 0
    held: int = 0
    in_transit: int = 0
    redeemed: int = 0
    expired: int = 0
    reversed: int = 0
    withdrawn: int = 0
    taken_back: int = 0
    written_off: int = 0
    campaign: str | None = None
    partner: str = ""


class HeldShare(NamedTuple):
    """A lot's part of a hold: `points` not captured yet, of which `held` are still set aside (0 once released)."""

    lot_id: UUID
    points: int
    held: int


@value(frozen=True, slots=True)
class Hold:
    """Points set aside. `day` is the day on which it counts as a redemption, in the programme's zone.

    `partner` of a coalition is where they are to be spent.
    """

    hold_id: UUID
    currency: str
    state: HoldState
    shares: tuple[HeldShare, ...]
    captured: int
    placed_at: datetime
    expires_at: datetime
    day: date | None = None
    reference: str | None = None
    partner: str = ""

    @property
    def held(self) -> int:
        """What is still set aside."""
        return sum(share.held for share in self.shares)


class SpentShare(NamedTuple):
    """A lot's part of a redemption: `points` taken, of which `restored` came back."""

    lot_id: UUID
    points: int
    restored: int


@value(frozen=True, slots=True)
class Redemption:
    """Points spent. `owed` of them went into debt (a purchase that nothing backed), of which `owed_restored` came back.

    `hold_id` is the hold it captured; `claimed_by` the command of the purchase that said it was paid with it (its own
    where the purchase made it).
    `unbacked` is what a purchase said beyond that and nobody gave; `forwarded` what a merged account asked of the one
    that took it up, less what came back. `day` is the day on which it counts against the limit,
    `partner` of a coalition where the points were spent.
    """

    redemption_id: UUID
    currency: str
    shares: tuple[SpentShare, ...]
    owed: int
    owed_restored: int
    unbacked: int
    redeemed_at: datetime
    hold_id: UUID | None = None
    claimed_by: UUID | None = None
    day: date | None = None
    reference: str | None = None
    forwarded: int = 0
    partner: str = ""

    @property
    def taken(self) -> int:
        """Points that it took, from lots and into debt."""
        return sum(share.points for share in self.shares) + self.owed

    @property
    def restored(self) -> int:
        """Points of it that came back."""
        return sum(share.restored for share in self.shares) + self.owed_restored


@value(frozen=True, slots=True)
class Transit:
    """Points on their way to another account: one message of a transfer, or of a merge; gone once it was answered."""

    transit_id: UUID
    to_account_id: UUID
    currency: str
    shares: tuple[tuple[UUID, int], ...]
    """Lots and points."""
    month: str = ""
    """The month in which it counts against the limit of transfers (`2026-03`); empty: in none."""


@value(frozen=True, slots=True)
class Balance:
    """An account's buckets in one currency; contracts.ledger_events says what each means and what holds between them.

    `debt_since` is when the debt last grew. With inactivity terms, `active_at` is the last accrual or redemption,
    `lapses_at` when all points expire, `notice_at` when that is announced (None once it was). `sent` is what was
    transferred out in the month `sent_month` (`2026-03`, in the programme's zone).
    """

    scale: int
    issued: int = 0
    adjusted: int = 0
    transferred_in: int = 0
    transferred_out: int = 0
    pending: int = 0
    available: int = 0
    held: int = 0
    in_transit: int = 0
    redeemed: int = 0
    expired: int = 0
    reversed: int = 0
    debt: int = 0
    debt_since: datetime | None = None
    inactivity: Inactivity | None = None
    active_at: datetime | None = None
    lapses_at: datetime | None = None
    notice_at: datetime | None = None
    sent_month: str = ""
    sent: int = 0


EMPTY_BALANCE: Final = Balance(scale=0)


@value(frozen=True, slots=True)
class Tier:
    """Where rules put the member; `tier` None is below the first."""

    tier: str | None
    since: datetime
    until: datetime | None


@value(frozen=True, slots=True)
class Account:
    """A member's (or household's) books in one programme.

    `version` counts its events, `lots_opened` its lots. `redemptions_on_day` counts redemptions of `redemption_day`.
    `merging_from` are accounts that it has agreed to take up and has not yet; `merged_into` the one that took it up.
    `decided_commands` are those, among the commands that `needs` named, that have come, whatever became of them.
    `due_from` is a bound that spares work: nothing loaded becomes due before it. Storage leaves it out.
    """

    account_id: UUID
    tenant: str
    programme: str
    member_id: UUID | None
    status: Status = "unopened"
    erased: bool = False
    version: int = 0
    lots_opened: int = 0
    balances: Mapping[str, Balance] = field(default_factory=dict)
    lots: Mapping[UUID, Lot] = field(default_factory=dict)
    holds: Mapping[UUID, Hold] = field(default_factory=dict)
    redemptions: Mapping[UUID, Redemption] = field(default_factory=dict)
    transits: Mapping[UUID, Transit] = field(default_factory=dict)
    tier: Tier | None = None
    standing: Standing | None = None
    merged_into: UUID | None = None
    merging_from: frozenset[UUID] = frozenset()
    redemption_day: date | None = None
    redemptions_on_day: int = 0
    decided_commands: frozenset[UUID] = frozenset()
    due_from: datetime = field(default=UNKNOWN, compare=False)


def unopened(account_id: UUID, tenant: str, programme: str, member_id: UUID | None = None) -> Account:
    """An account that has no event yet: what a decision starts from when nothing is stored."""
    return Account(account_id, tenant, programme, member_id)
