"""What a decision reads of an account, so that an account with 100,000 lots costs no more than one with ten.

Whatever is asked for, these are loaded always (`due` reads them), with `now` the transaction's clock:
- the account and all its balances;
- lots with `pending > 0 and activates_at <= now`, or `pending + available > 0 and expires_at <= now`;
- holds that are open with `expires_at <= now`, with the lots of their shares;
- where a balance has `lapses_at <= now`: all lots of that currency with `pending + available + held > 0`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.ledger.domain.commands import Command


@dataclass(frozen=True, slots=True)
class Needs:
    """What to load for some commands of one account, beside what is loaded always.

    `cover`: per currency, lots with `available > 0 and (expires_at is null or expires_at > now)`, in the order
    (expires_at, nulls last; earned_at; sequence), the fewest whose available points reach this number (all, if they do not).
    `accruals`: lots by `accrual_id`. `lots`: lots by id. `holds`: with the lots of their shares and with the redemptions
    whose `hold_id` they are. `redemptions`: those with this id or claimed by it (`claimed_by`), with the lots of their
    shares. `transits`: with their lots. `open_lots`: every lot with `pending + available + held > 0`.
    `commands`: which of these commands were refused (`Account.refused_commands`).
    """

    cover: Mapping[str, int] = field(default_factory=dict)
    accruals: frozenset[UUID] = frozenset()
    holds: frozenset[UUID] = frozenset()
    redemptions: frozenset[UUID] = frozenset()
    transits: frozenset[UUID] = frozenset()
    commands: frozenset[UUID] = frozenset()
    open_lots: bool = False


def needs(command: Command) -> Needs:
    """What deciding `command` reads."""
    raise NotImplementedError


def together(each: Iterable[Needs]) -> Needs:
    """What deciding several commands on one account reads, one after the other at the same `now`: covers add up."""
    raise NotImplementedError
