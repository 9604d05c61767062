"""Contact data of a member, as it is encrypted and decrypted."""

import re
from dataclasses import asdict, dataclass
from typing import Final, Self
from uuid import UUID

import orjson

from contracts.ids import derive
from services.runtime.privacy import Cipher

EMAIL_MAX: Final = 254
EMAIL_PATTERN: Final = (
    r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"
)
"""Source: RFC 5321 (dot-atom local part, domain names). Domains with other letters are written in punycode."""

_EMAIL: Final = re.compile(EMAIL_PATTERN[:-1] + r"\Z")
_ABOUT: Final = b"contact:"


@dataclass(frozen=True, slots=True)
class Contact:
    """How a member is reached and addressed; `name` may be empty."""

    email: str
    name: str = ""

    def sealed(self, subject: UUID, cipher: Cipher) -> bytes:
        """Encrypted, bound to the member."""
        return cipher.encrypt(orjson.dumps(asdict(self)), _ABOUT + subject.bytes)

    @classmethod
    def opened(cls, sealed: bytes, subject: UUID, cipher: Cipher) -> Self:
        """Decrypted. Raises `services.runtime.privacy.KeysError`."""
        content = orjson.loads(cipher.decrypt(sealed, _ABOUT + subject.bytes))
        return cls(content["email"], content.get("name", ""))


def is_email(text: str) -> bool:
    """Whether a text can be an address that mail systems deliver to."""
    return len(text) <= EMAIL_MAX and _EMAIL.match(text) is not None


def subject_of(tenant: str, member_id: UUID) -> UUID:
    """Whose key a member's contact data is under: two tenants may give two members the same id."""
    return derive("recipient", tenant, member_id)
