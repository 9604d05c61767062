"""The partitions of the log: each holds a range of positions of every shard."""

import re
from typing import Final, NamedTuple

import asyncpg

from services.ledger.archive import SQL

_BOUNDS: Final = re.compile(r"FOR VALUES FROM \('?(?P<begin>\d+)'?\) TO \('?(?P<end>\d+)'?\)")


class Partition(NamedTuple):
    """Positions from `begin` on and before `end`."""

    name: str
    begin: int
    end: int

    @property
    def until(self) -> int:
        """The last position in it."""
        return self.end - 1


async def partitions(connection: asyncpg.Connection) -> list[Partition]:
    """Those that have bounds, in order."""
    found = []
    for row in await connection.fetch(SQL.partitions):
        bounds = _BOUNDS.fullmatch(row["bounds"])
        if bounds is not None:
            found.append(Partition(row["name"], int(bounds["begin"]), int(bounds["end"])))
    return sorted(found, key=lambda each: each.begin)


async def extend(connection: asyncpg.Connection, positions: int, ahead: int) -> list[Partition]:
    """Make partitions of so many positions, until `ahead` of them lie beyond every head; gives those made.

    None is made below a head: the rows that are there already could not move into it.
    """
    highest = await connection.fetchval(SQL.highest)
    existing = await partitions(connection)
    beyond = sum(each.begin > highest for each in existing)
    begin = max((each.end for each in existing), default=0)
    if highest and begin <= highest:
        begin = (highest // positions + 1) * positions
    made = []
    for _ in range(beyond, ahead):
        partition = Partition(f"event_{begin:010d}", begin, begin + positions)
        async with connection.transaction():
            text = SQL.make.replace("PARTITION", partition.name)
            await connection.execute(text.replace("BEGIN", str(begin)).replace("END", str(partition.end)))
            await connection.execute(SQL.guard.replace("PARTITION", partition.name))
        made.append(partition)
        begin = partition.end
    return made
