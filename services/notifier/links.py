"""Links for members that need no login: whoever holds one reads one member's page, or ends his mail.

A link is encrypted under a master key of the service, so it tells nobody whose it is, cannot be guessed, and outlives
a change of the current key as long as the old one is kept.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from services.runtime.privacy import KeysError, MasterKeys

Purpose = Literal["page", "unsubscribe"]

TOKEN_MAX: Final = 400
_PATHS: Final[dict[Purpose, str]] = {"page": "/m/", "unsubscribe": "/v1/unsubscribe/"}
_ID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads links; `public_url` is where members reach the API, empty: nowhere."""

    masters: MasterKeys
    public_url: str = ""

    def to(self, purpose: Purpose, tenant: str, member_id: UUID) -> str:
        """The whole address, empty where members reach no API."""
        if not self.public_url:
            return ""
        return self.public_url.rstrip("/") + _PATHS[purpose] + self.token(purpose, tenant, member_id)

    def token(self, purpose: Purpose, tenant: str, member_id: UUID) -> str:
        """The part of a link that names the member."""
        sealed = self.masters.seal(member_id.bytes + tenant.encode(), _about(purpose))
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def member_of(self, purpose: Purpose, token: str) -> tuple[str, UUID] | None:
        """Tenant and member of a link made for this purpose; None for anything else."""
        if len(token) > TOKEN_MAX or not token.isascii():
            return None
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            content = self.masters.unseal(sealed, _about(purpose))
        except (binascii.Error, ValueError, KeysError):
            return None
        return content[_ID_BYTES:].decode(), UUID(bytes=content[:_ID_BYTES])


def _about(purpose: Purpose) -> bytes:
    return b"link:" + purpose.encode()
