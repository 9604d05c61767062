"""What revisions are made of: SQL files run in the service's schema."""

from pathlib import Path
from typing import Final

import sqlalchemy
from alembic import op

HERE: Final = Path(__file__).parent
SERVICES: Final = ("ledger", "rules", "notifier")


def run(file: str) -> None:
    """Execute the statements of a .sql file below this folder, in the transaction of the revision."""
    execute((HERE / file).read_text(encoding="utf-8"))


def execute(sql: str) -> None:
    """Execute any number of statements that take no parameters."""
    bind = op.get_bind()
    # SQLAlchemy opens its transaction with the first statement of its own; the driver's call below must be inside it.
    bind.execute(sqlalchemy.text("select 1"))
    bind.connection.dbapi_connection.run_async(lambda connection: connection.execute(sql))  # type: ignore[union-attr] # an open connection has one


def grant(service: str, rights: dict[str, str]) -> None:
    """Give the service's role its rights: table to `select, insert`."""
    execute("".join(f"grant {words} on {table} to bonus_{service};\n" for table, words in rights.items()))


def runtime_up(service: str, *, append_only: bool) -> None:
    """Make the tables of the runtime. With `append_only` nobody may change or remove what the log holds."""
    run("runtime/0001_runtime.up.sql")
    grant(
        service,
        {
            "shard": "select, update",
            "event": "select, insert" if append_only else "select, insert, delete",
            "relay_position": "select, insert, update",
            "consumer_offset": "select, insert, update, delete",
            "data_key": "select, insert, update, delete",
            "dead_letter": "select, insert, update",
            "idempotency_key": "select, insert, delete",
        },
    )
    if append_only:
        run("runtime/0001_append_only.up.sql")


def runtime_down(*, append_only: bool) -> None:
    """Take back what `runtime_up` made."""
    if append_only:
        run("runtime/0001_append_only.down.sql")
    run("runtime/0001_runtime.down.sql")
