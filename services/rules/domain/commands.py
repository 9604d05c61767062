"""What a decision tells the ledger to book. Points are in the smallest unit of their currency."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.rules.domain.outcome import Award
from services.rules.domain.programme import SpentPolicy, UnbackedPolicy
from services.rules.domain.value import value


class Cause(NamedTuple):
    """What it comes from, in the words of the one who sent it: `purchase`, `krakow-12/3/000451`, the store."""

    kind: str
    id: str
    store: str = ""


@value(frozen=True, slots=True)
class Standing:
    """Where a member stands in the tiers, in the unit by which they are reached; `missing` to the next one."""

    tier: str | None
    since: datetime | None
    until: datetime | None
    qualifying: int
    next_tier: str | None
    missing: int | None


@value(frozen=True, slots=True)
class OpenAccount:
    """The account can be asked for from now on; `currencies` are (key, scale)."""

    command_id: UUID
    occurred_at: datetime
    currencies: tuple[tuple[str, int], ...]


@value(frozen=True, slots=True)
class Accrue:
    """Open a lot for each award; lots may be taken back under `spent_policy`."""

    command_id: UUID
    occurred_at: datetime
    decision_id: UUID
    cause: Cause
    awards: tuple[Award, ...]
    spent_policy: SpentPolicy
    standing: Standing | None


@value(frozen=True, slots=True)
class Reverse:
    """Take back points of the accrual `accrual_id`."""

    command_id: UUID
    occurred_at: datetime
    decision_id: UUID
    accrual_id: UUID
    cause: Cause
    currency: str
    points: int
    spent_policy: SpentPolicy
    standing: Standing | None


@value(frozen=True, slots=True)
class Redeem:
    """Points that a purchase was paid with: backed by a hold, by a redemption, or by nothing."""

    command_id: UUID
    occurred_at: datetime
    cause: Cause
    currency: str
    scale: int
    points: int
    hold_id: UUID | None
    redemption_id: UUID | None
    unbacked: UnbackedPolicy


@value(frozen=True, slots=True)
class Restore:
    """Points spent on goods that came back; lots past their date live on for `restore_for_s` seconds."""

    command_id: UUID
    occurred_at: datetime
    redemption_id: UUID
    cause: Cause
    currency: str
    points: int
    restore_for_s: int


@value(frozen=True, slots=True)
class ChangeTier:
    """The tier is `tier` from `effective_at` on; `cause` names the purchase or return behind it, empty for a date."""

    command_id: UUID
    occurred_at: datetime
    tier: str | None
    previous: str | None
    since: datetime
    until: datetime | None
    reason: str
    cause: str
    standing: Standing


@value(frozen=True, slots=True)
class AskBudget:
    """Ask the budget of a campaign for an award; `accrual` is what the ledger is told once all of it is granted.

    `increments` is what the award has counted: of what is not granted it is given back.
    """

    command_id: UUID
    occurred_at: datetime
    rule: str
    campaign: str
    total: int
    partial: bool
    increments: Mapping[str, int]
    accrual: Accrue

    @property
    def award(self) -> Award:
        """What it asks for."""
        return self.accrual.awards[0]


@value(frozen=True, slots=True)
class AddressAward:
    """Points for whoever holds the identifier `recipient` (`type:value`): `award.points` is what it comes to now.

    `award_key` is the same whenever it changes, `command_id` is not; for the award itself they are equal. `member_id`,
    `version` and `decision_id` are those of the purchase behind it; `changed_at` is when goods came back.
    """

    command_id: UUID
    occurred_at: datetime
    changed_at: datetime
    award_key: UUID
    member_id: UUID
    recipient: str
    rule: str
    award: Award
    version: int
    decision_id: UUID


Command = OpenAccount | Accrue | Reverse | Redeem | Restore | ChangeTier | AskBudget | AddressAward
