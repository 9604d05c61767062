"""Rows in portions, and the words for what is wrong with them."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from services.ledger.verify.report import Difference, Report

Row = Sequence[Any]


class Findings:
    """Where the differences of one shard are noted."""

    def __init__(self, report: Report, shard: int) -> None:
        self.report = report
        self.shard = shard

    def differs(self, what: str, table: str, key: object, expected: object = "", found: object = "") -> None:
        """Note a difference."""
        self.report.add(Difference(what, table, self.shard, str(key), str(expected), str(found)))


class Portions:
    """The rows of a statement, `at_once` of them in memory; inside a transaction."""

    def __init__(self, connection: asyncpg.Connection, statement: str, *parameters: object, at_once: int) -> None:
        self._connection = connection
        self._statement = statement
        self._parameters = parameters
        self._at_once = at_once
        self._cursor: Any = None
        self._all_read = False

    async def take(self) -> list[Row]:
        """The next rows; none after the last."""
        if self._all_read:
            return []
        if self._cursor is None:
            self._cursor = await self._connection.cursor(self._statement, *self._parameters)
        rows: list[Row] = await self._cursor.fetch(self._at_once)
        self._all_read = len(rows) < self._at_once
        return rows
