"""Rows that are added to a table: many by COPY, few by a prepared INSERT, which costs half as many round trips."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg


class Table:
    """A table's name, and its columns with their types (no arrays), in the order of the values of a row.

    The first column is the shard, one for all rows.
    """

    def __init__(self, name: str, columns: Mapping[str, str]) -> None:
        self.name = name
        self.columns = tuple(columns)
        first, *others = columns.items()
        arrays = ", ".join(f"${number}::{kind}[]" for number, (_, kind) in enumerate(others, start=2))
        # The names are those that a service states in its code.
        self._insert = f"insert into {name} ({', '.join(self.columns)}) select $1::{first[1]}, * from unnest({arrays})"  # noqa: S608

    async def add(self, connection: asyncpg.Connection, rows: Sequence[Iterable[Any]], *, copy_rows_min: int) -> None:
        """Add rows, all of one shard; from `copy_rows_min` on by COPY. Nothing where there are none."""
        if len(rows) >= copy_rows_min:
            await connection.copy_records_to_table(self.name, records=rows, columns=self.columns)
        elif rows:
            shards, *columns = zip(*rows, strict=True)
            await connection.execute(self._insert, shards[0], *map(list, columns))
