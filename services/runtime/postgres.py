"""Postgres: a pool in a service's role and schema, statements from .sql files, and whose fault an error is."""

import asyncio
import re
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

import asyncpg
from aiokafka.errors import KafkaError

from services.runtime.settings import RuntimeSettings

_HEADER: Final = re.compile(r"\A-- (?P<name>[a-z][a-z0-9_]*): \S.*\n")
_PARAMETER: Final = re.compile(r"^-- \$(?P<number>\d+) ", re.MULTILINE)


class StatementError(ValueError):
    """A .sql file is not one statement with its header."""


class Statements:
    """The statements of one package: `SQL.name` or `SQL["name"]` gives the text of `sql/name.sql`, header left out."""

    def __init__(self, package: str) -> None:
        texts = {}
        for file in resources.files(package).joinpath("sql").iterdir():
            if file.name.endswith(".sql"):
                name = file.name.removesuffix(".sql")
                texts[name] = _body_of(f"{package}/sql/{file.name}", name, file.read_text(encoding="utf-8"))
        self._texts = MappingProxyType(texts)

    def __getitem__(self, name: str) -> str:
        return self._texts[name]

    def __getattr__(self, name: str) -> str:
        try:
            return self._texts[name]
        except KeyError:
            raise AttributeError(f"no statement {name!r}") from None

    @property
    def names(self) -> frozenset[str]:
        """The names of all statements."""
        return frozenset(self._texts)


def statements(package: str) -> Statements:
    """Load what stands beside a package; modules keep it as their `SQL`.

    Raises `StatementError`.
    """
    return Statements(package)


def _body_of(path: str, name: str, text: str) -> str:
    header = _HEADER.match(text)
    if header is None or header["name"] != name:
        raise StatementError(f"{path} must begin with '-- {name}: what it is for'")
    lines = text.splitlines()
    first = next((index for index, line in enumerate(lines) if not line.startswith("--")), len(lines))
    body = "\n".join(lines[first:]).strip().removesuffix(";")
    described = {int(number) for number in _PARAMETER.findall("\n".join(lines[:first]))}
    used = {int(number) for number in re.findall(r"\$(\d+)", body)}
    if described != used:
        raise StatementError(f"{path}: parameters described {sorted(described)}, used {sorted(used)}")
    if not body or ";" in re.sub(r"'[^']*'|--[^\n]*", "", body):
        raise StatementError(f"{path} must hold one statement")
    return body


class Pool(asyncpg.Pool):  # type: ignore[misc] # asyncpg ships no types
    """A pool of connections in one service's role and schema; `gate` is what its writers share (`gate.gate_of`)."""

    gate: Any = None
    schema: str = ""


async def open_pool(
    settings: RuntimeSettings, schema: str, *, max_size: int | None = None, session: Mapping[str, str] | None = None
) -> Pool:
    """Open the pool of a service: connections act as the role `bonus_<schema>` and see its schema alone.

    `session` are further settings of PostgreSQL for its sessions.
    """
    pool = Pool(
        settings.postgres_dsn,
        min_size=settings.postgres_pool_min,
        max_size=max_size or settings.postgres_pool_max,
        init_size=None,
        max_queries=2**62,
        max_inactive_connection_lifetime=300.0,
        connect=None,
        setup=None,
        init=_prepare,
        reset=_give_back,
        loop=None,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
        timeout=settings.postgres_connect_timeout_s,
        command_timeout=settings.postgres_command_timeout_s,
        server_settings=_session(settings, schema) | dict(session or {}),
    )
    pool.schema = schema
    await pool
    return pool


def _session(settings: RuntimeSettings, schema: str) -> dict[str, str]:
    return {
        "role": f"bonus_{schema}",
        "search_path": schema,
        "application_name": f"bonus {schema}",
        "lock_timeout": str(settings.postgres_lock_timeout_ms),
        "statement_timeout": str(settings.postgres_statement_timeout_ms),
        "idle_in_transaction_session_timeout": str(settings.postgres_idle_in_transaction_timeout_ms),
        "timezone": "UTC",
        "jit": "off",
    }


async def _prepare(connection: asyncpg.Connection) -> None:
    # Statements that go out together with `begin` and `commit`, see gate.py; planned once a session.
    for name in ("take_known_shard", "move_head"):
        await connection.execute(f"prepare {name} as {SQL[name]}")
    # asyncpg learns a type of array when it meets one by itself; within a row of a row it cannot, and gives up.
    await connection.fetchrow(SQL.arrays)


async def _give_back(_connection: asyncpg.Connection) -> None:
    # Nothing here changes a session's state, so the reset that asyncpg sends each time would be a round trip for
    # nothing.
    return


SQL: Final = statements("services.runtime")

# SQLSTATE classes and codes that say that the world is at fault, and not the message:
# connection, authorisation, missing database or schema objects (a release before its migration), transaction
# rollback (serialization, deadlock), resources (disk, memory, connections), cancellation and shutdown, system errors,
# configuration, internal errors and corruption.
# Source: PostgreSQL manual, appendix A, "PostgreSQL Error Codes".
_WORLD_CLASSES: Final = frozenset({"08", "28", "3D", "3F", "40", "42", "53", "57", "58", "F0", "XX"})
_WORLD_CODES: Final = frozenset({"25006", "25P03", "25P04", "55P03", "55P04", "55000", "0A000"})


def is_world_fault(error: BaseException) -> bool:
    """Whether an error says something about Postgres, Kafka or this machine, and nothing about a message."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_world_fault(each) for each in error.exceptions)
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or "XX000"
        return state[:2] in _WORLD_CLASSES or state in _WORLD_CODES
    if isinstance(error, asyncpg.DataError | ValueError):
        # asyncpg's complaints about an argument are ValueErrors: the message carried a value that no column takes.
        return False
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        return True
    return isinstance(error, KafkaError | OSError | TimeoutError | asyncio.IncompleteReadError | MemoryError)
