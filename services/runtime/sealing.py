"""What is set aside is kept encrypted: under the key of whom it is about, else under a key of its own.

Nobody has read a message that could not be taken in, so whose it is can be unknown. Erasing a member destroys the keys
of what is known to be theirs; what cannot be told has a key of its own, which goes with the dead letter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self
from uuid import UUID

from services.runtime.messages import Message
from services.runtime.privacy import Cipher, MasterKeys, Vault
from services.runtime.shard import Personal, ShardTransaction


class Sealed(NamedTuple):
    """A message as it is kept. `subject` None: no master key is set, and it is not encrypted."""

    subject: UUID | None
    key: bytes | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Sealing:
    """How a process keeps what it sets aside. `vault` None: it has no master keys."""

    vault: Vault | None
    processor: object = None

    @classmethod
    def of(cls, master_keys: str, processor: object = None) -> Self:
        """Read the master keys of the settings. Raises `KeysError`."""
        return cls(Vault(MasterKeys.parse(master_keys)) if master_keys else None, processor)

    async def seal(self, transaction: ShardTransaction, letters: Sequence[tuple[UUID, Message]]) -> list[Sealed]:
        """Encrypt messages by the ids of their dead letters, in their order."""
        if self.vault is None:
            return [Sealed(None, message.record_key, message.body) for _, message in letters]
        connection, shard = transaction.connection, transaction.shard
        subjects = {letter_id: self._subject_of(message) or letter_id for letter_id, message in letters}
        ciphers = await self.vault.ciphers(connection, shard, set(subjects.values()))
        # Of a subject that was erased nothing more can be kept under its key: it may be somebody else's by now.
        orphans = {letter_id for letter_id, subject in subjects.items() if subject not in ciphers}
        subjects |= {letter_id: letter_id for letter_id in orphans}
        ciphers |= await self.vault.ciphers(connection, shard, orphans)
        return [
            _sealed(ciphers[subjects[letter_id]], subjects[letter_id], letter_id, message)
            for letter_id, message in letters
        ]

    def _subject_of(self, message: Message) -> UUID | None:
        if isinstance(self.processor, Personal):
            return self.processor.subject_of(message)
        return member_in(message)


def member_in(message: Message) -> UUID | None:
    """The member that a message names, as far as it can be read."""
    data = message.content.get("data") if isinstance(message.content, dict) else None
    if not isinstance(data, dict):
        return None
    holder = data.get("holder")
    member_id = holder.get("member_id") if isinstance(holder, dict) else data.get("member_id")
    try:
        return UUID(member_id) if isinstance(member_id, str) else None
    except ValueError:
        return None


def _sealed(cipher: Cipher, subject: UUID, letter_id: UUID, message: Message) -> Sealed:
    key = None if message.record_key is None else cipher.encrypt(message.record_key, letter_id.bytes)
    return Sealed(subject, key, cipher.encrypt(message.body, letter_id.bytes))
