"""What a member confirmed, out of the token that a till hands over; see contracts.confirmations."""

from datetime import datetime
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from contracts import confirmations, ids
from contracts.amounts import parse_decimal
from services.ledger.domain.commands import Confirmation
from services.runtime import tokens

INVALID: Final = "confirmation_invalid"
EXPIRED: Final = "confirmation_expired"


class Confirmations:
    """Reads confirmations with the public key of who signs them; without a key none is good."""

    def __init__(self, public_key: str = "") -> None:
        self._key: Ed25519PublicKey | None = tokens.public_key_of(public_key) if public_key else None

    def read(  # noqa: PLR0913 - what a confirmation is bound to, each by name
        self, token: str | None, *, tenant: str, account_id: UUID, programme: str, currency: str, till: str,
        now: datetime,
    ) -> Confirmation | None:  # fmt: skip
        """What a token confirms to this till, on this account, in this currency; None where there is no token."""
        if token is None:
            return None
        if self._key is None:
            return Confirmation(problem=INVALID)
        try:
            claims = tokens.read(self._key, token, confirmations.CONFIRMATION_AUDIENCE, now)
            said = confirmations.Confirmation.model_validate(claims)
            points = parse_decimal(said.points)
        except tokens.ExpiredTokenError:
            return Confirmation(problem=EXPIRED)
        except (tokens.TokenError, ValidationError, ValueError):
            return Confirmation(problem=INVALID)
        bound = (said.tenant, said.account_id, said.programme, said.currency, said.till)
        if bound != (tenant, account_id, programme, currency, till):
            return Confirmation(problem=INVALID)
        return Confirmation(ids.derive("confirmed", account_id, said.jti), points)


NO_CONFIRMATIONS: Final = Confirmations()
"""Of a process that has no key."""
