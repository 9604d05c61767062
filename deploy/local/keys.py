"""The keys of one machine: they sign tokens for whoever tries the stack, and encrypt what is personal in it."""

import base64
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deploy.local.state import write_whole
from services.runtime import tokens
from services.runtime.privacy.keys import KEY_BYTES

TOKEN_LIFETIME_S = 30 * 24 * 3600
SUBJECT = "local"
TENANT = "default"
OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Keys:
    """Files of keys in one directory; `ensure` makes those that are missing."""

    directory: Path

    @property
    def private_file(self) -> Path:
        """The key that signs tokens, in PEM."""
        return self.directory / "token_key.pem"

    @property
    def public_file(self) -> Path:
        """The key that tokens are checked with, in PEM."""
        return self.directory / "token_key.pub.pem"

    @property
    def proof_private_file(self) -> Path:
        """The key that signs anchors, checkpoints and archives of the books, in PEM."""
        return self.directory / "proof_key.pem"

    @property
    def proof_public_file(self) -> Path:
        """The key that they are checked with, in PEM."""
        return self.directory / "proof_key.pub.pem"

    @property
    def _master_file(self) -> Path:
        return self.directory / "master_keys"

    @property
    def _identifier_file(self) -> Path:
        return self.directory / "identifier_key"

    @property
    def _confirmation_file(self) -> Path:
        return self.directory / "confirmation_key"

    def ensure(self) -> None:
        """Make the keys that are not there."""
        _ensure_pair(self.private_file, self.public_file)
        _ensure_pair(self.proof_private_file, self.proof_public_file)
        if not self._master_file.exists():
            write_whole(self._master_file, f"local:{_new_key()}\n", mode=OWNER_ONLY)
        if not self._identifier_file.exists():
            write_whole(self._identifier_file, f"{_new_key()}\n", mode=OWNER_ONLY)
        if not self._confirmation_file.exists():
            write_whole(self._confirmation_file, "\n".join(tokens.new_encoded_key_pair()), mode=OWNER_ONLY)

    def environment(self) -> dict[str, str]:
        """Give the variables by which the services find their keys."""
        confirmation_key, confirmation_public_key = self._confirmation_file.read_text().split()
        return {
            "BONUS_TOKEN_PUBLIC_KEY_FILE": str(self.public_file),
            "BONUS_TOKEN_PRIVATE_KEY_FILE": str(self.private_file),
            "BONUS_LEDGER_PROOF_PRIVATE_KEY_FILE": str(self.proof_private_file),
            "BONUS_LEDGER_PROOF_PUBLIC_KEY_FILE": str(self.proof_public_file),
            "BONUS_MASTER_KEYS": self._master_file.read_text().strip(),
            "BONUS_IDENTIFIER_KEY": self._identifier_file.read_text().strip(),
            "BONUS_CONFIRMATION_KEY": confirmation_key,
            "BONUS_CONFIRMATION_PUBLIC_KEY": confirmation_public_key,
        }

    def token(self, now: datetime) -> str:
        """Issue a token that may do everything in the tenant `default`."""
        return tokens.issue(
            self.private_file.read_bytes(),
            subject=SUBJECT,
            tenant=TENANT,
            scopes=tokens.SCOPES,
            now=now,
            lifetime_s=TOKEN_LIFETIME_S,
        )


def _ensure_pair(private_file: Path, public_file: Path) -> None:
    if not (private_file.exists() and public_file.exists()):
        private, public = tokens.new_key_pair()
        write_whole(public_file, public.decode())
        write_whole(private_file, private.decode(), mode=OWNER_ONLY)


def _new_key() -> str:
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()
