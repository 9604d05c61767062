"""Rows that are added to a table: many by COPY, few by a prepared INSERT, which costs half as many round trips."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg
import orjson


class Table:
    """A table's name, and its columns with their types (no arrays), in the order of the values of a row.

    The first column is the shard.
    """

    def __init__(self, name: str, columns: Mapping[str, str]) -> None:
        self.name = name
        self.columns = tuple(columns)
        arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(columns.values(), start=1))
        # The names are those that a service states in its code.
        self._insert = f"insert into {name} ({', '.join(self.columns)}) select * from unnest({arrays})"  # noqa: S608

    async def add(self, connection: asyncpg.Connection, rows: Sequence[Iterable[Any]], *, copy_rows_min: int) -> None:
        """Add rows; from `copy_rows_min` on by COPY. Nothing where there are none."""
        if len(rows) >= copy_rows_min:
            await connection.copy_records_to_table(self.name, records=rows, columns=self.columns)
        elif rows:
            await connection.execute(self._insert, *map(list, zip(*rows, strict=True)))


async def write(connection: asyncpg.Connection, statement: str, tables: Sequence[Sequence[Mapping[str, Any]]]) -> None:
    """Run a statement whose parameters are JSON arrays of rows."""
    await connection.execute(statement, *(orjson.dumps(rows, default=str).decode() for rows in tables))
