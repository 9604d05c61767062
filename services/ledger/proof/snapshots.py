"""A snapshot of the books: where each shard's log stood, and what followed from it, in a directory of its own.

`manifest.json` is the signed statement: the heads, and for each shard the name, size and SHA-256 of its file of state.
A file of state is gzipped JSON Lines: `{"account": …}` for each account, `{"total": […]}` for each total of a day,
`{"letter": […]}` for each message that was set aside. It is written and read as a stream.
"""

import gzip
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final

import orjson

from services.ledger.domain.account import Account
from services.ledger.proof.heads import Head, Heads, documents, heads_in
from services.ledger.proof.signatures import Checker, Content, Signer, StatementRefusedError
from services.ledger.proof.states import account_in, line_of

KIND: Final = "bonus.ledger.checkpoint"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"

_LEVEL: Final = 1
_READ_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class StateFile:
    """A shard's file as it was written."""

    name: str
    size_bytes: int
    sha256: str


class StateWriter:
    """Writes the state of one shard; `close` says what was written."""

    def __init__(self, directory: Path, shard: int) -> None:
        self._path = directory / f"state-{shard:02d}.jsonl.gz"
        # No instant in the file: the same state makes the same bytes.
        self._raw = self._path.open("wb")
        self._out = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, compresslevel=_LEVEL, mtime=0)

    def account(self, account: Account, known_at: datetime, position: int) -> None:
        """Add an account."""
        self._out.write(b'{"account":' + line_of(account, known_at, position) + b"}\n")

    def total(self, key: tuple[Any, ...], points: int, movements: int) -> None:
        """Add a total of a day."""
        self._out.write(orjson.dumps({"total": [*key, points, movements]}) + b"\n")

    def letter(self, values: list[Any]) -> None:
        """Add a message that was set aside."""
        self._out.write(orjson.dumps({"letter": values}) + b"\n")

    def close(self) -> StateFile:
        """Finish the file, on disk."""
        self._out.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        return described(self._path)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot whose manifest was signed as it should be; its files are checked when they are read."""

    directory: Path
    at: datetime
    heads: Heads
    files: Mapping[int, StateFile]

    def lines(self, shard: int) -> Iterator[tuple[str, bytes]]:
        """What a shard's file holds: the kind of each line, and its JSON. Raises `StatementRefusedError`, `OSError`."""
        path = self.directory / self.files[shard].name
        with gzip.open(path, "rb") as lines:
            for line in lines:
                kind, _, rest = line.partition(b":")
                yield kind[2:-1].decode(), rest[:-2]

    def check(self, shard: int) -> None:
        """Compare a shard's file with the manifest. Raises `StatementRefusedError` or `OSError`."""
        file = self.files.get(shard)
        if file is None:
            raise StatementRefusedError(f"{self.directory} holds nothing of shard {shard}")
        path = self.directory / file.name
        if described(path) != file:
            raise StatementRefusedError(f"{path} is not the file that was signed")


def described(path: Path) -> StateFile:
    """Name, size and hash of a file."""
    digest, size = sha256(), 0
    with path.open("rb") as content:
        while portion := content.read(_READ_BYTES):
            digest.update(portion)
            size += len(portion)
    return StateFile(path.name, size, digest.hexdigest())


def write_manifest(
    directory: Path, heads: Heads, files: Mapping[int, StateFile], at: datetime, signer: Signer
) -> bytes:
    """Sign a snapshot whose files are written: with this it is one."""
    line = signer.sign(
        {
            "kind": KIND,
            "version": VERSION,
            "at": at.isoformat(),
            "heads": documents(heads),
            "files": [{"shard": shard, **file_document(file)} for shard, file in sorted(files.items())],
        }
    )
    _write_whole(directory / MANIFEST, line + b"\n")
    return line


def file_document(file: StateFile) -> dict[str, Any]:
    """A file as manifests name it."""
    return {"name": file.name, "size_bytes": file.size_bytes, "sha256": file.sha256}


def file_in(document: Mapping[str, Any]) -> StateFile:
    """A file that a manifest names. Raises KeyError."""
    if Path(document["name"]).name != document["name"]:
        raise StatementRefusedError(f"{document['name']} is not the name of a file beside the manifest")
    return StateFile(document["name"], document["size_bytes"], document["sha256"])


def open_snapshot(directory: Path, checker: Checker) -> Snapshot:
    """A snapshot in a directory. Raises `StatementRefusedError` or `OSError`."""
    content: Content = checker.open((directory / MANIFEST).read_bytes(), KIND)
    try:
        files = {document["shard"]: file_in(document) for document in content["files"]}
        at = datetime.fromisoformat(content["at"])
    except (KeyError, TypeError, ValueError) as error:
        raise StatementRefusedError(f"its files cannot be read: {error!r}") from error
    return Snapshot(directory, at, heads_in(content), files)


def account_of_line(line: bytes) -> tuple[Account, datetime, int]:
    """The account, `known_at` and position of a line of kind `account`. Raises `StatementRefusedError`."""
    try:
        return account_in(line)
    except (KeyError, TypeError, ValueError) as error:
        raise StatementRefusedError(f"an account cannot be read: {error!r}") from error


def head_of(snapshot: Snapshot | None, shard: int, none: Head) -> Head:
    """Where a shard's log stood; `none` where there is no snapshot."""
    return none if snapshot is None else snapshot.heads[shard]


def _write_whole(path: Path, content: bytes) -> None:
    beside = path.with_suffix(".new")
    out: IO[bytes]
    with beside.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
