"""What verification reads a shard with: three connections that see the same instant, while writing goes on."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import asyncpg

SCHEMA: Final = "ledger"
ROLE: Final = f"bonus_{SCHEMA}"

_SORT_MEMORY: Final = "64MB"
"""Lines and verdicts of a shard are sorted by position."""

Given = TypeVar("Given")


@dataclass(frozen=True, slots=True)
class Reading:
    """The log and the state are read on `main`, statement lines and verdicts beside the log on their own."""

    main: asyncpg.Connection
    lines: asyncpg.Connection
    verdicts: asyncpg.Connection

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str, role: str = ROLE) -> AsyncIterator["Reading"]:
        """Connect for the time of a block; `role` as for `connect`."""
        async with AsyncExitStack() as stack:
            connections = []
            for _ in range(3):
                connection = await connect(dsn, role)
                stack.push_async_callback(connection.close)
                connections.append(connection)
            yield cls(*connections)

    @asynccontextmanager
    async def one_instant(self) -> AsyncIterator[None]:
        """Read what stood there at one instant, for the time of a block."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.main.transaction(isolation="repeatable_read", readonly=True))
            snapshot = await self.main.fetchval("select pg_export_snapshot()")
            for connection in (self.lines, self.verdicts):
                await stack.enter_async_context(connection.transaction(isolation="repeatable_read", readonly=True))
                await connection.execute(f"set transaction snapshot '{snapshot}'")
            yield


async def connect(dsn: str, role: str = ROLE) -> asyncpg.Connection:
    """A connection that reads as the books' role (`none`: as who logs in), without the time-outs of the services."""
    return await asyncpg.connect(
        dsn,
        server_settings={
            "role": role, "search_path": SCHEMA, "timezone": "UTC", "jit": "off", "work_mem": _SORT_MEMORY,
        },
    )  # fmt: skip


async def with_database(dsn: str, action: Callable[[asyncpg.Connection], Awaitable[Given]]) -> Given:
    """What an action gives on a connection of its own."""
    connection = await connect(dsn)
    try:
        return await action(connection)
    finally:
        await connection.close()
