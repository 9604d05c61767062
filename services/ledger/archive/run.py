"""Putting the oldest partition of the log away: verified, exported, signed, and only then dropped."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

import asyncpg

from contracts.shards import SHARDS
from services.ledger.archive import SQL
from services.ledger.archive.partitions import Partition, partitions
from services.ledger.proof.archives import Archive, EventWriter, open_archive, write_statement
from services.ledger.proof.heads import Head
from services.ledger.proof.signatures import Checker, Signer, StatementRefusedError
from services.ledger.proof.snapshots import Snapshot, StateFile, open_snapshot, write_manifest
from services.ledger.verify.plan import EMPTY, Limits, Plan
from services.ledger.verify.report import Report
from services.ledger.verify.run import verify

SCHEMA: Final = "ledger"
_ROWS_AT_ONCE: Final = 2_000
_LOCK_TIMEOUT: Final = "2s"


class NothingToArchiveError(ValueError):
    """The oldest partition is still needed."""


@dataclass(frozen=True, slots=True)
class Archiving:
    """How to archive: where to, with what keys, on top of which archive (None: of none)."""

    dsn: str
    directory: Path
    signer: Signer
    checker: Checker
    since: Path | None
    limits: Limits
    processes: int
    keep: bool = False


async def connect(dsn: str) -> asyncpg.Connection:
    """A connection of whoever owns the tables."""
    return await asyncpg.connect(dsn, server_settings={"search_path": SCHEMA, "timezone": "UTC", "jit": "off"})


async def oldest(connection: asyncpg.Connection) -> Partition:
    """The partition to archive next. Raises `NothingToArchiveError` while it is still needed."""
    found = await partitions(connection)
    if not found:
        raise NothingToArchiveError("the log has no partition with bounds")
    behind = await connection.fetch(SQL.not_past, found[0].end)
    if behind:
        words = ", ".join(f"{row['shard']} (at {row['head']}, published {row['relayed']})" for row in behind)
        raise NothingToArchiveError(
            f"{found[0].name} ends at position {found[0].until}; not past it are shards {words}"
        )
    return found[0]


def check(wish: Archiving, partition: Partition) -> tuple[Report, Snapshot | None]:
    """Verify the log to the end of a partition, and write down the state there. Raises `StatementRefusedError`."""
    since = None if wish.since is None else open_snapshot(wish.since, wish.checker)
    ends = {0} if since is None else {head.position for head in since.heads.values()}
    if ends != {max(0, partition.begin - 1)}:
        raise StatementRefusedError(
            f"{partition.name} begins at position {partition.begin}: go on from the archive that ends before it"
        )
    until = dict.fromkeys(range(SHARDS), partition.until)
    wish.directory.mkdir(parents=True)
    plan = Plan(wish.limits, since, until=until, write_to=wish.directory)
    return verify(wish.dsn, wish.processes, plan), since


async def export(
    connection: asyncpg.Connection, wish: Archiving, report: Report, since: Snapshot | None, at: datetime
) -> Archive:
    """Write the events and sign everything; then read it all again. Raises `StatementRefusedError` if it differs."""
    begins = dict.fromkeys(range(SHARDS), EMPTY) if since is None else dict(since.heads)
    files: dict[int, StateFile] = {}
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        for shard in range(SHARDS):
            files[shard] = await _export_shard(connection, wish.directory, shard, begins[shard], report.heads[shard])
    write_manifest(wish.directory, report.heads, report.files, at, wish.signer)
    write_statement(wish.directory, begins, files, wish.signer)
    archive = open_archive(wish.directory, wish.checker)
    for shard in range(SHARDS):
        compare_chain(archive, shard)
    return archive


async def put_away(connection: asyncpg.Connection, wish: Archiving, partition: Partition, at: datetime) -> None:
    """Note the archive and drop its partition. Raises `asyncpg.LockNotAvailableError` if the log is too busy."""
    manifest = (wish.directory / "manifest.json").read_text().strip()
    statement = (wish.directory / "archive.json").read_text().strip()
    async with connection.transaction():
        await connection.execute(f"set local lock_timeout = '{_LOCK_TIMEOUT}'")
        await connection.execute(SQL.note, partition.until, manifest, statement, at)
        await connection.execute(SQL.detach.replace("PARTITION", partition.name))
        await connection.execute(SQL.drop.replace("PARTITION", partition.name))


def compare_chain(archive: Archive, shard: int) -> None:
    """Compare the chain of an archive with its ends. Raises `StatementRefusedError`."""
    position, digest = archive.begins[shard]
    for place, _, body, stated in archive.rows(shard):
        digest = sha256(digest + body).digest()
        position += 1
        if (position, digest) != (place, stated):
            raise StatementRefusedError(f"the archive breaks at position {place} of shard {shard}")
    if Head(position, digest) != archive.snapshot.heads[shard]:
        raise StatementRefusedError(f"the archive of shard {shard} ends at {position}, not where its snapshot is")


async def _export_shard(
    connection: asyncpg.Connection, directory: Path, shard: int, begins: Head, ends: Head
) -> StateFile:
    out = EventWriter(directory, shard)
    cursor = await connection.cursor(SQL.events, shard, begins.position, ends.position)
    while rows := await cursor.fetch(_ROWS_AT_ONCE):
        out.add(rows)
    return out.close()
