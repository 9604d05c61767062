"""What events mean for the state."""

from services.ledger.domain.account import Account
from services.ledger.domain.events import Event


def evolve(account: Account, event: Event) -> Account:
    """The account after one more event. Total: a lot, hold or redemption that is not loaded is left alone."""
    raise NotImplementedError
