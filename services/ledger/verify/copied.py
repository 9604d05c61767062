"""Rows that stand beside the log, as the text in which PostgreSQL copies them out.

Nearly every row is as the log says, and text that is equal needs no reading: it is compared whole. A row that differs
is read into values, column by column.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg

Read = Callable[[str], Any]

NULL: Final = "\\N"
_PARAMETER: Final = re.compile(r"\$(\d+)")
_ESCAPED: Final = re.compile(r"\\(.)")
_CONTROL: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class Copied:
    """Rows in the order of the log's positions, which come first in each; `ahead` is what was read so far.

    They are copied out on a connection of their own, a block at a time: no further one is asked for before it is used.
    """

    def __init__(self, connection: asyncpg.Connection, statement: str, *parameters: int) -> None:
        self.ahead: deque[str] = deque()
        self._all_read = False
        self._blocks: asyncio.Queue[bytes] = asyncio.Queue(1)
        self._copying = asyncio.create_task(self._copy(connection, statement, *parameters))

    async def read(self, position: int | None) -> None:
        """Read on until the rows of this position are there (None: to the end)."""
        ahead = self.ahead
        while not self._all_read and (position is None or not ahead or position_of(ahead[-1]) <= position):
            block = await self._blocks.get()
            if block:
                # Whole rows, each with the end of its line.
                ahead.extend(block.decode().split("\n"))
                ahead.pop()
            else:
                self._all_read = True
                await self._copying

    async def close(self) -> None:
        """Ask for no more; the connection is of no further use unless everything was read."""
        self._copying.cancel()
        await asyncio.gather(self._copying, return_exceptions=True)

    async def _copy(self, connection: asyncpg.Connection, statement: str, *parameters: int) -> None:
        # COPY takes no parameters; these are numbers.
        query = _PARAMETER.sub(lambda found: str(int(parameters[int(found[1]) - 1])), statement)
        try:
            await connection.copy_from_query(query, output=self._blocks.put)
        except Exception:
            # Whoever reads is told that there is no more, and finds out why.
            await self._blocks.put(b"")
            raise
        await self._blocks.put(b"")


def position_of(line: str) -> int:
    """The position in a row."""
    return int(line[: line.index("\t")])


def values_in(line: str, columns: Sequence[Read]) -> list[Any]:
    """The values of a row; its columns are read as is said, null is None."""
    return [
        None if text == NULL else read(_ESCAPED.sub(_plain, text) if "\\" in text else text)
        for read, text in zip(columns, line.split("\t"), strict=True)
    ]


def escaped(text: str) -> str:
    """A text without control characters, as it stands in a row."""
    return text.replace("\\", "\\\\") if "\\" in text else text


def instant_or_text(text: str) -> datetime | str:
    """An instant; what is none (`infinity`) stays as it is, and is equal to none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


def _plain(found: re.Match[str]) -> str:
    return _CONTROL.get(found[1], found[1])
