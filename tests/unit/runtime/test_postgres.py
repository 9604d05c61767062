"""Statements in files, and whose fault an error is."""

import asyncio
import importlib
import sys
from pathlib import Path

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError

from services.runtime.gate import CommitLostError
from services.runtime.messages import MessageFault
from services.runtime.postgres import StatementError, is_world_fault, statements

GOOD = """-- good: what it is for
-- $1 shard int  the shard
select 1 -- a remark; with a semicolon
from shard
where shard = $1;
"""


def package(folder: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> str:
    """A package with these .sql files."""
    name = f"statements_{folder.name}"
    (folder / name / "sql").mkdir(parents=True)
    (folder / name / "__init__.py").touch()
    for file, text in files.items():
        (folder / name / "sql" / file).write_text(text)
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
    sys.modules.pop(name, None)
    return name


def test_a_statement_is_its_file_without_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By attribute and by name; other files are left alone."""
    found = statements(package(tmp_path, monkeypatch, {"good.sql": GOOD, "notes.txt": "no statement"}))
    text = "select 1 -- a remark; with a semicolon\nfrom shard\nwhere shard = $1"
    assert (found.good, found["good"], found.names) == (text, text, frozenset({"good"}))
    with pytest.raises(AttributeError, match="no statement 'other'"):
        _ = found.other


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("select 1;", "must begin with"),
        ("-- other: of another name\nselect 1;", "must begin with"),
        ("-- bad: nothing behind it\n", "one statement"),
        ("-- bad: two\nselect 1; select 2;", "one statement"),
        ("-- bad: a parameter without words\nselect $1;", "parameters described"),
        ("-- bad: words without a parameter\n-- $1 x int  unused\nselect 1;", "parameters described"),
    ],
)
def test_a_file_that_breaks_the_rules_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, complaint: str
) -> None:
    """One statement, its name, what it is for, and every parameter described."""
    with pytest.raises(StatementError, match=complaint):
        statements(package(tmp_path, monkeypatch, {"bad.sql": text}))


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ReadOnlySQLTransactionError("read-only"),
        asyncpg.DiskFullError("disk full"),
        asyncpg.OutOfMemoryError("out of memory"),
        asyncpg.TooManyConnectionsError("too many connections"),
        asyncpg.AdminShutdownError("terminating"),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.SerializationError("could not serialize"),
        asyncpg.DeadlockDetectedError("deadlock"),
        asyncpg.LockNotAvailableError("lock time-out"),
        asyncpg.QueryCanceledError("statement time-out"),
        asyncpg.ConnectionDoesNotExistError("connection was closed"),
        asyncpg.UndefinedTableError("not migrated yet"),
        asyncpg.InsufficientPrivilegeError("no right"),
        asyncpg.InvalidPasswordError("wrong password"),
        asyncpg.DataCorruptedError("corrupted"),
        asyncpg.InvalidCachedStatementError("cached plan must not change"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("unexpected"),
        ConnectionRefusedError(),
        TimeoutError(),
        asyncio.IncompleteReadError(b"", 4),
        MemoryError(),
        KafkaConnectionError(),
        CommitLostError("rolled back"),
        ExceptionGroup("both", [ValueError(), ConnectionResetError()]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_world_is_at_fault(error: Exception) -> None:
    """Nothing is set aside for these: the same message may go through in a moment."""
    assert is_world_fault(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UniqueViolationError("duplicate key"),
        asyncpg.CheckViolationError("check"),
        asyncpg.NotNullViolationError("null"),
        asyncpg.CharacterNotInRepertoireError("NUL"),
        asyncpg.NumericValueOutOfRangeError("too large"),
        asyncpg.RaiseError("raised by a trigger"),
        asyncpg.exceptions._base.DataError("value out of int64 range"),
        MessageFault("invalid_data", "no"),
        KeyError("missing"),
        ValueError("wrong"),
        RecursionError(),
        ZeroDivisionError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_message_is_at_fault(error: Exception) -> None:
    """These come again however often it is tried."""
    assert not is_world_fault(error)
