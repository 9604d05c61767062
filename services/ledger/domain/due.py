"""What time alone does to an account: activation, expiry, time-outs, lapse by inactivity."""

from datetime import datetime

from services.ledger.domain.account import Account
from services.ledger.domain.events import Event


def due(account: Account, now: datetime) -> list[Event]:
    """The transitions whose instant has come, in the order of their instants, under their deterministic ids."""
    raise NotImplementedError


def next_due(account: Account) -> datetime | None:
    """The earliest instant at which something loaded becomes due; None: nothing does."""
    raise NotImplementedError
