"""An archive: the events of a range of positions, with the snapshot of the state at their end, in one directory.

Beside what a snapshot has, there is a file of events for each shard, gzipped JSON Lines in the order of the log:
`{"position": …, "key": …, "hash": …, "body": …}`. All else that the log's row held is in the body, which is the text
that was hashed. `archive.json` is the signed statement: from where on, and the name, size and SHA-256 of each file.
"""

import gzip
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import orjson

from services.ledger.proof.heads import Head, Heads, documents
from services.ledger.proof.signatures import Checker, Signer, StatementRefusedError
from services.ledger.proof.snapshots import Snapshot, StateFile, described, file_document, file_in, open_snapshot

KIND: Final = "bonus.ledger.archive"
VERSION: Final = 1
STATEMENT: Final = "archive.json"
_LEVEL: Final = 1


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive whose statements were signed as they should be; its files are checked when they are read."""

    snapshot: Snapshot
    begins: Heads
    files: Mapping[int, StateFile]

    def rows(self, shard: int) -> Iterator[tuple[int, str, bytes, bytes]]:
        """Position, key, body and hash of each event of a shard. Raises `StatementRefusedError`, `OSError`."""
        file = self.files[shard]
        path = self.snapshot.directory / file.name
        if described(path) != file:
            raise StatementRefusedError(f"{path} is not the file that was signed")
        with gzip.open(path, "rb") as lines:
            for line in lines:
                row = orjson.loads(line)
                yield row["position"], row["key"], row["body"].encode(), bytes.fromhex(row["hash"])


class EventWriter:
    """Writes the events of one shard; `close` says what was written."""

    def __init__(self, directory: Path, shard: int) -> None:
        self._path = directory / f"events-{shard:02d}.jsonl.gz"
        self._raw = self._path.open("wb")
        self._out = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, compresslevel=_LEVEL, mtime=0)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add events, in order. Raises `UnicodeDecodeError` for bytes that are no text."""
        for row in rows:
            document = {
                "position": row["position"],
                "key": row["key"],
                "hash": row["hash"].hex(),
                "body": row["body"].decode(),
            }
            self._out.write(orjson.dumps(document) + b"\n")

    def close(self) -> StateFile:
        """Finish the file, on disk."""
        self._out.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        return described(self._path)


def write_statement(directory: Path, begins: Heads, files: Mapping[int, StateFile], signer: Signer) -> bytes:
    """Sign an archive whose files are written, beside the manifest of its snapshot."""
    line = signer.sign(
        {
            "kind": KIND,
            "version": VERSION,
            "begins": documents(begins),
            "files": [{"shard": shard, **file_document(file)} for shard, file in sorted(files.items())],
        }
    )
    path = directory / STATEMENT
    with path.open("wb") as out:
        out.write(line + b"\n")
        out.flush()
        os.fsync(out.fileno())
    return line


def open_archive(directory: Path, checker: Checker) -> Archive:
    """An archive in a directory. Raises `StatementRefusedError` or `OSError`."""
    snapshot = open_snapshot(directory, checker)
    content = checker.open((directory / STATEMENT).read_bytes(), KIND)
    try:
        begins = {row["shard"]: Head(row["position"], bytes.fromhex(row["hash"])) for row in content["begins"]}
        files = {document["shard"]: file_in(document) for document in content["files"]}
    except (KeyError, TypeError, ValueError) as error:
        raise StatementRefusedError(f"its files cannot be read: {error!r}") from error
    return Archive(snapshot, begins, files)


def in_order(archives: Sequence[Archive]) -> tuple[Archive, ...]:
    """Archives, oldest first, each on top of the one before. Raises `StatementRefusedError` where one is missing."""
    ordered = sorted(archives, key=lambda each: each.begins[0].position)
    for before, after in pairwise(ordered):
        if before.snapshot.heads != after.begins:
            raise StatementRefusedError(
                f"{after.snapshot.directory} does not go on where {before.snapshot.directory} ends"
            )
    return tuple(ordered)
