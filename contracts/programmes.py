"""What rules publish of a programme: all its versions with their instants, and the guards of direct commands."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.amounts import Amount, Scale
from contracts.awards import UnbackedPolicy
from contracts.envelope import CloudEvent, Code, Instant, Shape


class CurrencyTerms(Shape):
    """A currency: its decimals and the money value of one point, in ten-thousandths of the money currency.

    `name` is how members read its amounts ("120 punktów"), by language.
    """

    currency: Code
    scale: Scale
    worth: Amount
    name: dict[str, str] = Field(default_factory=dict)


class RedemptionGuards(Shape):
    """What the ledger checks of a redemption or hold; points in the smallest unit, shares exact fractions."""

    currency: Code
    share_of_bill: tuple[int, int] | None = None
    step: Annotated[int, Field(gt=0)] | None = None
    at_least: Annotated[int, Field(ge=0)] | None = None
    per_day: Annotated[int, Field(gt=0)] | None = None
    confirm_above: int | None = None
    unbacked: UnbackedPolicy = "to_zero"
    hold_s: Annotated[int, Field(gt=0)] = 900


class ProgrammeGuards(Shape):
    """The part of a version that the ledger needs for commands that come to it directly, and how members read it.

    `name` is the programme's name by language, `tiers` the name of each tier by language.
    """

    version: Annotated[int, Field(ge=1)]
    starts_at: Instant
    zone: str
    money: str
    currencies: tuple[CurrencyTerms, ...]
    redemption: RedemptionGuards | None = None
    debt_allowed: bool = False
    transfer_month: int | None = None
    name: dict[str, str] = Field(default_factory=dict)
    tiers: dict[str, dict[str, str]] = Field(default_factory=dict)


class Suspension(Shape):
    """While suspended nothing is earned and nothing is redeemed; open holds are captured, expiry goes on."""

    starts_at: Instant
    ends_at: Instant | None = None


class ProgrammeState(Shape):
    """All published versions of one programme, oldest first; `content` hashes tie a decision to its file."""

    programme: Code
    revision: Annotated[int, Field(ge=1)]
    versions: tuple[ProgrammeGuards, ...]
    suspensions: tuple[Suspension, ...] = ()
    published_by: UUID | None = None


class ProgrammePublished(CloudEvent):
    """Compacted; keyed by `tenant/programme`."""

    type: Literal["bonus.programme.published.v1"] = "bonus.programme.published.v1"
    data: ProgrammeState
