"""Keys: the master keys that the operator holds, and the key of one subject, wrapped under one of them.

Source: AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce, which stands before the ciphertext. A subject's key
encrypts far fewer than the 2^32 messages that a random nonce allows.
"""

import base64
import binascii
import os
from dataclasses import dataclass, field
from typing import Final, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class KeysError(ValueError):
    """The keys in the settings cannot be used, or what is read was not written under them."""


class Cipher:
    """Encrypts and decrypts under one key. `about` binds a text to its place: moved elsewhere it does not decrypt."""

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def encrypt(self, text: bytes, about: bytes) -> bytes:
        """Nonce and ciphertext."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, text, about)

    def decrypt(self, sealed: bytes, about: bytes) -> bytes:
        """The text again. Raises `KeysError` where the key, the place or the bytes are others."""
        try:
            return self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
        except InvalidTag:
            raise KeysError("this was not encrypted under this key, or it was altered") from None


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """Keys that wrap subjects' keys. The current one wraps new keys; older ones still open theirs."""

    current: str
    _ciphers: dict[str, Cipher] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name:base64,name:base64`; the first is the current one. Raises `KeysError`."""
        ciphers = {}
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            name, _, encoded = part.partition(":")
            ciphers[name] = Cipher(decode_key(encoded))
        if not ciphers:
            raise KeysError("no master key is set")
        return cls(next(iter(ciphers)), ciphers)

    def wrap(self, subject: UUID, key: bytes) -> bytes:
        """A subject's key under the current master key."""
        return self._ciphers[self.current].encrypt(key, subject.bytes)

    def seal(self, text: bytes, about: bytes) -> bytes:
        """A text of the service's own, such as a link, under the current master key."""
        return self._ciphers[self.current].encrypt(text, about)

    def unseal(self, sealed: bytes, about: bytes) -> bytes:
        """That text again, whichever of these master keys it is under. Raises `KeysError`."""
        for cipher in self._ciphers.values():
            try:
                return cipher.decrypt(sealed, about)
            except KeysError:
                continue
        raise KeysError("this was not encrypted under any of these master keys, or it was altered")

    def unwrap(self, subject: UUID, master: str, wrapped: bytes) -> bytes:
        """A subject's key again. Raises `KeysError` where its master key is not among these."""
        cipher = self._ciphers.get(master)
        if cipher is None:
            raise KeysError(f"master key {master!r} is not among those in the settings")
        return cipher.decrypt(wrapped, subject.bytes)


def decode_key(encoded: str) -> bytes:
    """32 bytes from base64. Raises `KeysError`."""
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise KeysError("a key is written in base64") from None
    if len(key) != KEY_BYTES:
        raise KeysError(f"a key has {KEY_BYTES} bytes, this one has {len(key)}")
    return key


def new_key() -> str:
    """A new random key in base64."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()
