"""A member's confirmation that an amount may be spent, as a signed token: the notifier signs, the ledger checks.

The token is a JWT (RFC 7519) signed with Ed25519 (`EdDSA`, RFC 8037). Its claims are `Confirmation`; times are whole
seconds since the epoch. Who places a hold or a redemption above the programme's `confirm_above` hands it over as
`confirmation`. The ledger holds the public key alone (`BONUS_CONFIRMATION_PUBLIC_KEY`) and asks of the token:

- its signature is good, `aud` is `confirmation`, and `now < exp`;
- `tenant`, `account_id`, `programme`, `currency` are those of the command, and `points` is the same number;
- `till` is who places it: over HTTP the caller's name in the bearer token (`sub`), over Kafka the event's `source`;
- `jti` was not used by another command: one confirmation is for one hold or redemption.
"""

from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from contracts.envelope import Code, Identifier, Shape, Tenant

CONFIRMATION_AUDIENCE: Final = "confirmation"
CONFIRMATION_ISSUER: Final = "urn:bonus:notifier"

Seconds = Annotated[int, Field(ge=0)]


class Confirmation(Shape):
    """What a member confirmed. `points` is a decimal string in the currency's scale, `till` who may spend them."""

    iss: Literal["urn:bonus:notifier"] = "urn:bonus:notifier"
    aud: Literal["confirmation"] = "confirmation"
    jti: UUID
    iat: Seconds
    exp: Seconds
    tenant: Tenant
    account_id: UUID
    programme: Code
    currency: Code
    points: Annotated[str, Field(pattern=r"^[0-9]{1,19}(\.[0-9]{1,4})?$")]
    till: Identifier
