"""Bearer tokens: who calls, for which tenant, and what the caller may do. Ed25519 signatures (JWT, `EdDSA`).

Whoever issues holds the private key; the services hold the public key alone. `sign` and `read` are for tokens that say
something else, such as that a member confirmed an amount.
"""

import base64
import binascii
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM: Final = "EdDSA"
AUDIENCE: Final = "bonus"
SCOPES: Final = (
    "ledger:read",
    "ledger:write",
    "ledger:adjust",
    "rules:read",
    "rules:write",
    "programmes:write",
    "notifier:read",
    "notifier:write",
)
# Clocks of two machines differ a little; a token that is younger than this machine's clock is not yet a forged one.
CLOCK_SKEW_S: Final = 30
VERIFIED_TOKENS_MAX: Final = 4096
TOKEN_CHARACTERS_MAX: Final = 4096


class TokenError(Exception):
    """The token cannot be used; `code` is stable."""

    code: ClassVar[str] = "token_refused"


class MalformedTokenError(TokenError):
    """It is not a token: not three parts, not JSON, too long, or of another algorithm."""

    code = "token_malformed"


class ForgedTokenError(TokenError):
    """It was not signed with the key that this service knows."""

    code = "token_forged"


class ExpiredTokenError(TokenError):
    """Its time is over."""

    code = "token_expired"


class EarlyTokenError(TokenError):
    """It was issued later than now."""

    code = "token_from_future"


class ForeignTokenError(TokenError):
    """It was issued for another audience."""

    code = "token_for_others"


class IncompleteTokenError(TokenError):
    """A claim is missing, or has another type than it must have."""

    code = "token_incomplete"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. `expires_at` is in whole seconds since the epoch: the first that is too late."""

    subject: str
    tenant: str
    scopes: frozenset[str]
    expires_at: int


def issue(  # noqa: PLR0913 - keyword-only, and each is a claim of the token
    private_key_pem: bytes,
    *,
    subject: str,
    tenant: str,
    scopes: Iterable[str],
    now: datetime,
    lifetime_s: int,
    audience: str = AUDIENCE,
) -> str:
    """Sign a token that is valid from `now` (with zone) for `lifetime_s` seconds.

    Raises ValueError or TypeError if the key is not an Ed25519 private key in PEM.
    """
    key = serialization.load_pem_private_key(private_key_pem, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("the private key is not an Ed25519 key")
    issued_at = int(now.timestamp())
    claims = {
        "sub": subject,
        "tenant": tenant,
        "scope": " ".join(sorted(scopes)),
        "aud": audience,
        "iat": issued_at,
        "exp": issued_at + lifetime_s,
    }
    return sign(key, claims)


def sign(key: Ed25519PrivateKey, claims: Mapping[str, Any]) -> str:
    """Sign claims (RFC 7519) as they are; `aud`, `iat` and `exp` are what `read` asks for."""
    return jwt.encode(dict(claims), key, algorithm=ALGORITHM)


def read(key: Ed25519PublicKey, token: str, audience: str, now: datetime) -> dict[str, Any]:
    """Give the claims of a good token of `audience`. Raises a subclass of `TokenError`."""
    now_s = int(now.timestamp())
    claims = _checked(_decoded(key, token), audience, now_s)
    if now_s >= _number(claims, "exp"):
        raise ExpiredTokenError("the token has expired")
    return claims


def private_key_of(encoded: str) -> Ed25519PrivateKey:
    """Read a private key from the base64 of its 32 bytes. Raises ValueError."""
    return Ed25519PrivateKey.from_private_bytes(_key_bytes(encoded))


def public_key_of(encoded: str) -> Ed25519PublicKey:
    """Read a public key from the base64 of its 32 bytes. Raises ValueError."""
    return Ed25519PublicKey.from_public_bytes(_key_bytes(encoded))


def new_encoded_key_pair() -> tuple[str, str]:
    """Make an Ed25519 key pair as `private_key_of` and `public_key_of` read it."""
    key = Ed25519PrivateKey.generate()
    return (
        base64.b64encode(key.private_bytes_raw()).decode(),
        base64.b64encode(key.public_key().public_bytes_raw()).decode(),
    )


def _key_bytes(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError("a key is written in base64") from None


def _decoded(key: Ed25519PublicKey, token: str) -> dict[str, Any]:
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise MalformedTokenError("the token is too long")
    # The clock comes in as an argument, so PyJWT is told to leave everything that needs one to this module.
    options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
    try:
        return jwt.decode(token, key, algorithms=[ALGORITHM], options=options)  # type: ignore[arg-type] # a literal dict is a TypedDict to PyJWT
    except jwt.InvalidSignatureError as error:
        raise ForgedTokenError("the token was signed with another key") from error
    except jwt.PyJWTError as error:
        raise MalformedTokenError("this is not a token") from error


def _checked(raw: dict[str, Any], audience: str, now_s: int) -> dict[str, Any]:
    if raw.get("aud") != audience:
        raise ForeignTokenError(f"the token is not for {audience!r}")
    if _number(raw, "iat") > now_s + CLOCK_SKEW_S:
        raise EarlyTokenError("the token was issued later than now")
    return raw


class Verifier:
    """Verifies tokens with one public key, and remembers those whose signature it has checked, until they expire."""

    def __init__(self, public_key_pem: bytes, audience: str = AUDIENCE, capacity: int = VERIFIED_TOKENS_MAX) -> None:
        key = serialization.load_pem_public_key(public_key_pem)
        if not isinstance(key, Ed25519PublicKey):
            raise TypeError("the public key is not an Ed25519 key")
        self._key = key
        self._audience = audience
        self._capacity = capacity
        self._verified: OrderedDict[str, Claims] = OrderedDict()

    def verify(self, token: str, now: datetime) -> Claims:
        """Give the claims of a good token. Raises a subclass of `TokenError`."""
        now_s = int(now.timestamp())
        claims = self._verified.get(token)
        if claims is None:
            claims = self._check(token, now_s)
        if now_s >= claims.expires_at:
            self._verified.pop(token, None)
            raise ExpiredTokenError("the token has expired")
        self._remember(token, claims)
        return claims

    def _check(self, token: str, now_s: int) -> Claims:
        raw = _checked(_decoded(self._key, token), self._audience, now_s)
        scopes = frozenset(_text(raw, "scope").split())
        return Claims(_text(raw, "sub"), _text(raw, "tenant"), scopes, _number(raw, "exp"))

    def _remember(self, token: str, claims: Claims) -> None:
        self._verified[token] = claims
        self._verified.move_to_end(token)
        if len(self._verified) > self._capacity:
            self._verified.popitem(last=False)


def verify(public_key_pem: bytes, token: str, now: datetime, audience: str = AUDIENCE) -> Claims:
    """Give the claims of a good token, with a verifier kept for each key. Raises a subclass of `TokenError`."""
    return _verifier(public_key_pem, audience).verify(token, now)


@lru_cache(maxsize=8)
def _verifier(public_key_pem: bytes, audience: str) -> Verifier:
    return Verifier(public_key_pem, audience)


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str) or (not value and name != "scope"):
        raise IncompleteTokenError(f"the claim {name!r} is missing or is not text")
    return value


def _number(raw: Mapping[str, Any], name: str) -> int:
    value = raw.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise IncompleteTokenError(f"the claim {name!r} is missing or is not a whole number")
    return value


def new_key_pair() -> tuple[bytes, bytes]:
    """Make an Ed25519 key pair: private key (PKCS #8) and public key (SubjectPublicKeyInfo), both in PEM."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private, public
