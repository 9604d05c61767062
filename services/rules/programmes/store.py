"""The store of programmes: drafts are kept, versions published, programmes suspended, each in one transaction.

What is published goes out with the same transaction, on the topic that every service reads.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import asyncpg
import orjson

from contracts.shards import shard_of
from services.rules.domain import publication
from services.rules.domain.programme import ProgrammeVersion
from services.rules.domain.publication import Edition, Programme, Suspension
from services.rules.domain.refusals import Refusal
from services.rules.programme_file import ProgrammeError, load
from services.rules.programmes.guards import announcement, key_of
from services.rules.programmes.support import NOT_YET, unsupported
from services.rules.programmes.versions import SQL, compiled
from services.runtime.gate import ShardGate
from services.runtime.http.idempotency import KeptAnswer, keep, recall
from services.runtime.postgres import Pool
from services.runtime.shard import ShardTransaction

FILE_MAX_BYTES = 200_000
"""The largest programme file that is taken in."""


class Place(NamedTuple):
    """A programme of a tenant."""

    tenant: str
    programme: str

    @property
    def shard(self) -> int:
        """Where it is kept."""
        return shard_of(key_of(*self))


@dataclass(frozen=True, slots=True)
class Keyed:
    """Under which key a request came, and the fingerprint of what it asked."""

    scope: str
    key: str
    fingerprint: bytes
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a change came to: `said` for the caller; `again` if it was said before under the same key."""

    said: Mapping[str, Any]
    is_new: bool
    again: bool = False


class KeyReusedError(Exception):
    """The key was used for another request."""

    def __init__(self, kept: KeptAnswer) -> None:
        super().__init__(f"key {kept.key!r} was used before")
        self.kept = kept


class FaultyFileError(Exception):
    """The file is no programme that can run; `errors` say where and why."""

    def __init__(self, errors: list[ProgrammeError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors


class ProgrammeStore:
    """Reads and changes programmes. `lead` is how long before its start a version must be published."""

    def __init__(self, pool: Pool, gate: ShardGate, *, lead: timedelta) -> None:
        self._pool = pool
        self._gate = gate
        self._lead = lead

    async def draft(self, place: Place, file: str, by: str, keyed: Keyed | None = None) -> Answer | Refusal:
        """Keep a file as the next version. Raises FaultyFileError, KeyReusedError.

        Refused: `another_programme` (the file names one), `too_many_versions`.
        """
        version = checked(file)
        if version.key != place.programme:
            return Refusal("another_programme", f"the file is of programme {version.key!r}", "$.programme")

        async def keep_draft(transaction: ShardTransaction, before: Programme) -> Answer | Refusal:
            after = publication.draft(before, version.content_hash)
            if isinstance(after, Refusal):
                return after
            number = after.editions[-1].version
            if after is not before:
                await transaction.connection.execute(
                    SQL.add_draft, place.shard, *place, number, file, version.content_hash, transaction.now, by
                )
            return Answer({"programme": place.programme, "version": number, "state": "draft"}, after is not before)

        return await self._change(place, keyed, keep_draft)

    async def publish(
        self, place: Place, version: int, starts_at: datetime | None, by: str, keyed: Keyed | None = None
    ) -> Answer | Refusal:
        """Let a version start. Raises KeyReusedError.

        Refused: as `publication.publish`, and `not_supported_yet`.
        """

        async def let_start(transaction: ShardTransaction, before: Programme) -> Answer | Refusal:
            after = publication.publish(before, version, starts_at, transaction.now, self._lead)
            if isinstance(after, Refusal):
                return after
            missing = await _missing(transaction.connection, place, version)
            if missing:
                return Refusal(NOT_YET, "; ".join(missing))
            edition = after.edition(version)
            start = edition.starts_at if edition else None
            if after is not before:
                await transaction.connection.execute(
                    SQL.publish_version, place.shard, *place, version, start, transaction.now, by
                )
                await _announce(transaction, place, after, keyed)
            said = {"programme": place.programme, "version": version, "state": "published", "starts_at": start}
            return Answer(said, after is not before)

        return await self._change(place, keyed, let_start)

    async def roll_back(
        self, place: Place, version: int, starts_at: datetime | None, by: str, keyed: Keyed | None = None
    ) -> Answer | Refusal:
        """Let the file of an earlier version start again as the next one. Raises KeyReusedError.

        Refused: as `publication.roll_back`.
        """

        async def start_again(transaction: ShardTransaction, before: Programme) -> Answer | Refusal:
            after = publication.roll_back(before, version, starts_at, transaction.now, self._lead)
            if isinstance(after, Refusal):
                return after
            row = await transaction.connection.fetchrow(SQL.find_file, place.shard, *place, version)
            edition = after.editions[-1]
            await transaction.connection.execute(
                SQL.add_draft, place.shard, *place, edition.version, row["file"], edition.content_hash,
                transaction.now, by,
            )  # fmt: skip
            await transaction.connection.execute(
                SQL.publish_version, place.shard, *place, edition.version, edition.starts_at, transaction.now, by
            )
            await _announce(transaction, place, after, keyed)
            said = {"programme": place.programme, "version": edition.version, "state": "published"}
            return Answer(said | {"starts_at": edition.starts_at, "file_of_version": version}, is_new=True)

        return await self._change(place, keyed, start_again)

    async def suspend(
        self, place: Place, starts_at: datetime | None, ends_at: datetime | None, keyed: Keyed | None = None
    ) -> Answer | Refusal:
        """Let a programme stand still. Raises KeyReusedError. Refused: as `publication.suspend`."""
        return await self._pause(place, keyed, lambda before, now: publication.suspend(before, starts_at, ends_at, now))

    async def resume(self, place: Place, keyed: Keyed | None = None) -> Answer | Refusal:
        """Let a programme go on. Raises KeyReusedError. Refused: as `publication.resume`."""
        return await self._pause(place, keyed, publication.resume)

    async def _pause(
        self, place: Place, keyed: Keyed | None, decide: Callable[[Programme, datetime], Programme | Refusal]
    ) -> Answer | Refusal:
        async def change(transaction: ShardTransaction, before: Programme) -> Answer | Refusal:
            after = decide(before, transaction.now)
            if isinstance(after, Refusal):
                return after
            if after is not before:
                await _announce(transaction, place, after, keyed)
            said = {"programme": place.programme, "suspensions": _suspensions_data(after)}
            return Answer(said, after is not before)

        return await self._change(place, keyed, change)

    async def _change(self, place: Place, keyed: Keyed | None, change: Callable[..., Any]) -> Answer | Refusal:
        async with self._gate.transaction(place.shard) as transaction:
            kept = (await recall(transaction, [(keyed.scope, keyed.key)])) if keyed else {}
            for before in kept.values():
                if keyed and before.fingerprint != keyed.fingerprint:
                    raise KeyReusedError(before)
                return Answer(orjson.loads(before.answer), is_new=False, again=True)
            answer: Answer | Refusal = await change(transaction, await _load(transaction.connection, place))
            if keyed and isinstance(answer, Answer):
                said = orjson.dumps(answer.said)
                await keep(transaction, [KeptAnswer(keyed.scope, keyed.key, keyed.fingerprint, 200, said)])
            return answer


def checked(file: str) -> ProgrammeVersion:
    """The draft that a file says. Raises FaultyFileError."""
    found = load(file)
    if isinstance(found, ProgrammeVersion):
        return found
    raise FaultyFileError(found)


async def _missing(connection: asyncpg.Connection, place: Place, version: int) -> list[str]:
    """What a version says that would never happen."""
    row = await connection.fetchrow(SQL.find_file, place.shard, *place, version)
    return unsupported(compiled(row))


async def _load(connection: asyncpg.Connection, place: Place) -> Programme:
    row = await connection.fetchrow(SQL.find_programme, place.shard, *place)
    editions = [
        Edition(each["version"], each["content_hash"], each["starts_at"])
        for each in await connection.fetch(SQL.find_versions, place.shard, *place)
    ]
    if row is None:
        return Programme(place.programme, editions=tuple(editions))
    suspensions = [
        Suspension(
            datetime.fromisoformat(each["starts_at"]),
            datetime.fromisoformat(each["ends_at"]) if each["ends_at"] else None,
        )
        for each in orjson.loads(row["suspensions"])
    ]
    return Programme(place.programme, row["revision"], tuple(editions), tuple(suspensions))


async def _announce(transaction: ShardTransaction, place: Place, programme: Programme, keyed: Keyed | None) -> None:
    """Save what was published, and tell everybody."""
    suspensions = orjson.dumps(_suspensions_data(programme)).decode()
    await transaction.connection.execute(
        SQL.save_programme, place.shard, *place, programme.revision, suspensions, transaction.now
    )
    rows = await transaction.connection.fetch(SQL.published_files, place.shard, *place, [])
    versions = [compiled(row) for row in rows]
    transaction.append(
        announcement(place.tenant, programme, versions, transaction.now, keyed.traceparent if keyed else None)
    )


def _suspensions_data(programme: Programme) -> list[dict[str, datetime | None]]:
    return [{"starts_at": each.starts_at, "ends_at": each.ends_at} for each in programme.suspensions]
