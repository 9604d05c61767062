"""Anchors: which hash the log of every shard ended with, said and signed at an instant, and kept somewhere else.

Whoever can write in the database can compute a whole chain anew; what he cannot is to sign, or to change what lies
elsewhere. A file of anchors has one to a line, the newest last.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from services.ledger.proof import SQL
from services.ledger.proof.heads import Head, Heads, documents, heads_in
from services.ledger.proof.signatures import Checker, Content, Signer, StatementRefusedError

KIND: Final = "bonus.ledger.anchor"
VERSION: Final = 1

Anchored = dict[int, dict[int, set[bytes]]]
"""Shard to position to the hashes that anchors say stand there: more than one is a contradiction in itself."""


async def read_heads(connection: asyncpg.Connection) -> dict[int, Head]:
    """The heads of all shards, at one instant."""
    rows = await connection.fetch(SQL.heads)
    return {row["shard"]: Head(row["head"], row["hash"]) for row in rows}


def anchor_of(heads: Heads, at: datetime) -> Content:
    """What an anchor says."""
    return {"kind": KIND, "version": VERSION, "at": at.isoformat(), "heads": documents(heads)}


def append(file: Path, heads: Heads, at: datetime, signer: Signer) -> bytes:
    """Sign an anchor, add it to a file, and give its line. Raises `OSError`."""
    line = signer.sign(anchor_of(heads, at))
    with file.open("ab") as out:
        out.write(line + b"\n")
    return line


def anchored_in(lines: Iterable[bytes], checker: Checker) -> Anchored:
    """What anchors say, by shard and position. Raises `StatementRefusedError` with the line's number."""
    found: Any = defaultdict(lambda: defaultdict(set))
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                heads = heads_in(checker.open(line, KIND))
            except StatementRefusedError as error:
                raise StatementRefusedError(f"line {number}: {error}") from error
            for shard, head in heads.items():
                found[shard][head.position].add(head.hash)
    return {shard: dict(positions) for shard, positions in found.items()}
