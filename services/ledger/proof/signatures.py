"""Signed statements: JSON that says who signed it, with an Ed25519 signature (RFC 8032) over its canonical bytes.

A statement is one line: `{"signed": {...}, "key_id": "...", "signature": "..."}`. The signature is in base64, over the
object under `signed` as JSON with sorted keys and no spaces (what RFC 8785 makes of texts and integers). `key_id` is
the SHA-256 of the public key's 32 bytes, so that it can be told which key of several to take.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Content = Mapping[str, Any]


class KeyFileError(ValueError):
    """The file does not hold an Ed25519 key in PEM."""


class StatementRefusedError(ValueError):
    """A statement is not what its signature says, was signed with another key, or is of another kind."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with a private key."""

    key: Ed25519PrivateKey

    def sign(self, content: Content) -> bytes:
        """The statement, one line without its end."""
        signature = base64.b64encode(self.key.sign(canonical(content))).decode()
        return canonical({"signed": content, "key_id": key_id(self.key.public_key()), "signature": signature})


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks with a public key."""

    key: Ed25519PublicKey

    def open(self, statement: bytes, kind: str) -> Content:
        """What a statement of this kind says. Raises `StatementRefusedError`."""
        try:
            document = orjson.loads(statement)
            content, signature = document["signed"], base64.b64decode(document["signature"], validate=True)
            signed_by, found = document["key_id"], content["kind"]
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise StatementRefusedError(f"this is not a signed statement: {error!r}") from error
        if signed_by != key_id(self.key):
            raise StatementRefusedError(f"signed with the key {signed_by}, not with {key_id(self.key)}")
        try:
            self.key.verify(signature, canonical(content))
        except InvalidSignature as error:
            raise StatementRefusedError("what it says is not what was signed") from error
        if found != kind:
            raise StatementRefusedError(f"it is a {found}, not a {kind}")
        signed: Content = content
        return signed


def canonical(content: Content) -> bytes:
    """The bytes that are signed."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def key_id(key: Ed25519PublicKey) -> str:
    """The name of a key pair."""
    return sha256(key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)).hexdigest()


def signer_of(file: Path) -> Signer:
    """A signer with the private key (PKCS #8) in a PEM file. Raises `KeyFileError`, `OSError`."""
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"{file} holds no private key in PEM: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{file} holds another private key than Ed25519")
    return Signer(key)


def checker_of(file: Path) -> Checker:
    """A checker with the public key (SubjectPublicKeyInfo) in a PEM file. Raises `KeyFileError`, `OSError`."""
    try:
        key = serialization.load_pem_public_key(file.read_bytes())
    except ValueError as error:
        raise KeyFileError(f"{file} holds no public key in PEM: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError(f"{file} holds another public key than Ed25519")
    return Checker(key)
