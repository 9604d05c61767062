"""Identifiers as they are stored: keyed hashes, so that a card number can be looked up but not read.

Source: HMAC-SHA256 (RFC 2104). Card numbers are few enough to try them all, so a hash without a key would hide nothing.
"""

import hmac
from typing import Final
from uuid import UUID

from services.runtime.privacy.keys import decode_key

_KNOWN_MAX: Final = 65_536
"""How many identifiers are remembered, so that a member's next purchase needs no hash."""


class Pseudonyms:
    """Hashes identifiers of tenants. The key never changes in the life of a deployment."""

    def __init__(self, key: str) -> None:
        """Take the key in base64. Raises `KeysError`."""
        self._key = decode_key(key)
        self._known: dict[tuple[str, str], bytes] = {}

    def of(self, tenant: str, identifier: str) -> bytes:
        """The 32 bytes under which `type:value` is stored."""
        known = self._known.get((tenant, identifier))
        if known is None:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            known = hmac.digest(self._key, f"{tenant}\x1f{identifier}".encode(), "sha256")
            self._known[tenant, identifier] = known
        return known

    def subject_of(self, tenant: str, identifier: str) -> UUID:
        """The subject of what is kept about whoever holds an identifier, while nobody knows who that is."""
        return subject_of_hash(self.of(tenant, identifier))


def subject_of_hash(pseudonym: bytes) -> UUID:
    """The same from the hash as it is stored."""
    return UUID(bytes=pseudonym[:16])
