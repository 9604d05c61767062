"""What a command does where a key, a file or a server that it needs cannot be used: it says so, and checks nothing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
import typer
from aiokafka.errors import KafkaError

from services.ledger.proof.signatures import KeyFileError, StatementRefusedError

UNUSABLE: Final = 2
"""Exit code where nothing could be checked."""

_UNUSABLE: Final = (StatementRefusedError, KeyFileError, OSError, KafkaError, asyncpg.PostgresError, TimeoutError)


@contextmanager
def refusing() -> Iterator[None]:
    """Say what could not be used, and exit."""
    try:
        yield
    except _UNUSABLE as error:
        typer.echo(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise typer.Exit(UNUSABLE) from error
