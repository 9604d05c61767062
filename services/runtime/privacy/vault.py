"""The keys of subjects: made when first needed, opened with the master keys, destroyed when a subject is erased."""

import os
from collections.abc import Collection, Iterable
from uuid import UUID

import asyncpg

from contracts.shards import SHARDS
from services.runtime.postgres import statements
from services.runtime.privacy.keys import KEY_BYTES, Cipher, MasterKeys

SQL = statements(__package__)


async def forget(connection: asyncpg.Connection, shard: int, subjects: Collection[UUID]) -> None:
    """Destroy the keys of subjects in all shards, and have none made for them in this one. It cannot be undone.

    It needs no master keys. It is the one write that goes beyond its shard: what was set aside may have been kept
    where its Kafka partition said, when nobody could read whose it was.
    """
    await connection.execute(SQL.bury_keys, shard, list(subjects))
    await connection.execute(SQL.destroy_keys, list(range(SHARDS)), list(subjects))


class Vault:
    """Subjects' ciphers. Each shard that keeps something of a subject has a key of its own for it."""

    def __init__(self, masters: MasterKeys) -> None:
        self._masters = masters

    async def ciphers(
        self, connection: asyncpg.Connection, shard: int, subjects: Collection[UUID]
    ) -> dict[UUID, Cipher]:
        """The ciphers of these subjects in this shard, under the shard row; keys are made where there are none.

        A subject that was erased is left out: nothing more can be kept about it.
        """
        if not subjects:
            return {}
        opened, known = await self._open(connection, shard, subjects)
        missing = {subject: os.urandom(KEY_BYTES) for subject in subjects if subject not in known}
        if missing:
            wrapped = [self._masters.wrap(subject, key) for subject, key in missing.items()]
            await connection.execute(SQL.make_keys, shard, list(missing), self._masters.current, wrapped)
        return opened | {subject: Cipher(key) for subject, key in missing.items()}

    async def existing(
        self, connection: asyncpg.Connection, shards: Iterable[int], subjects: Collection[UUID]
    ) -> dict[tuple[int, UUID], Cipher]:
        """The ciphers that there are, by shard and subject, for reading."""
        if not subjects:
            return {}
        places = list(shards)
        if len(places) == 1:
            rows = await connection.fetch(SQL.find_keys, places[0], list(subjects))
        else:
            rows = await connection.fetch(SQL.find_keys_everywhere, places, list(subjects))
        return {(row["shard"], row["subject"]): self._cipher(row) for row in rows if row["wrapped"] is not None}

    def opened(self, subject: UUID, master: str | None, wrapped: bytes | None) -> Cipher | None:
        """The cipher of a key that was read together with other things; None where there is none, or it was destroyed.

        Raises `KeysError`.
        """
        if master is None or wrapped is None:
            return None
        return Cipher(self._masters.unwrap(subject, master, wrapped))

    async def destroy(self, connection: asyncpg.Connection, subjects: Collection[UUID]) -> int:
        """Destroy the keys of these subjects in all shards; gives how many there were. It cannot be undone."""
        rows = await connection.fetch(SQL.destroy_keys, list(range(SHARDS)), list(subjects))
        return len(rows)

    async def _open(
        self, connection: asyncpg.Connection, shard: int, subjects: Collection[UUID]
    ) -> tuple[dict[UUID, Cipher], set[UUID]]:
        rows = await connection.fetch(SQL.find_keys, shard, list(subjects))
        opened = {row["subject"]: self._cipher(row) for row in rows if row["wrapped"] is not None}
        return opened, {row["subject"] for row in rows}

    def _cipher(self, row: asyncpg.Record) -> Cipher:
        return Cipher(self._masters.unwrap(row["subject"], row["master"], row["wrapped"]))
