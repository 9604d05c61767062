"""One command on one account, from beginning to end: what was due, what is decided, what follows from it at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.ledger.domain.account import Account, Balance
from services.ledger.domain.commands import Command
from services.ledger.domain.events import Event
from services.ledger.domain.guards import Guards
from services.ledger.domain.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it stands in the account's history, with the balances that it changed, after it."""

    event: Event
    version: int
    balances: tuple[tuple[str, Balance], ...]


@dataclass(frozen=True, slots=True)
class Onward:
    """A command for another account: points in transit, an answer, or what a merged account passes on."""

    to_account_id: UUID
    command: Command


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command.

    `recorded` includes what was due before it, which stands even if the command is refused. One of these, or none, is set:
    `refusal`; `waiting` (the command that must come first); `redirect` (the account that took this one up: `onward` has the
    command for it). None set: applied, or already so.
    """

    account: Account
    recorded: tuple[Recorded, ...]
    refusal: Refusal | None = None
    waiting: UUID | None = None
    redirect: UUID | None = None
    onward: tuple[Onward, ...] = ()


def handle(account: Account, command: Command, guards: Guards, now: datetime) -> Outcome:
    """Decide a command, at the transaction's clock."""
    raise NotImplementedError


def catch_up(account: Account, now: datetime) -> Outcome:
    """What is due until `now` and nothing else: what sweepers and readers need."""
    raise NotImplementedError


def replay(account: Account, events: Sequence[Event]) -> Account:
    """The account after these events."""
    raise NotImplementedError
