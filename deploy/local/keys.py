"""The key pair of one machine: signs tokens for whoever tries the stack, and lets the services check them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deploy.local.state import write_whole
from services.runtime import tokens

TOKEN_LIFETIME_S = 30 * 24 * 3600
SUBJECT = "local"
TENANT = "default"


@dataclass(frozen=True, slots=True)
class Keys:
    """The files of the key pair, both in PEM."""

    private_file: Path
    public_file: Path

    @classmethod
    def at(cls, directory: Path) -> "Keys":
        """Give the key pair of a stack; it is made by `ensure`."""
        return cls(directory / "token_key.pem", directory / "token_key.pub.pem")

    def ensure(self) -> None:
        """Make the pair where there is none."""
        if self.private_file.exists() and self.public_file.exists():
            return
        private, public = tokens.new_key_pair()
        write_whole(self.public_file, public.decode())
        write_whole(self.private_file, private.decode(), mode=0o600)

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
