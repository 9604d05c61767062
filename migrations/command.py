"""`bonus migrate`: bring schemas to the newest version, or back. Safe to run twice and from two places at once."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit, urlunsplit

import sqlalchemy
import typer
from alembic import command as alembic_command
from alembic.config import Config
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from migrations.frame import SERVICES

HERE: Final = Path(__file__).parent
# Any number will do, as long as all migrations of one database use the same.
LOCK: Final = 7_305_011
ROLE_ATTEMPTS: Final = 5
# Alembic keeps its context in module globals: two threads of one process would run each other's statements.
_ONE_AT_A_TIME: Final = threading.Lock()

app = typer.Typer(help="Bring the database to the newest version, or back.")


@app.command()
def migrate(
    dsn: Annotated[str, typer.Option(envvar="BONUS_POSTGRES_DSN", help="postgresql://user:password@host/database")],
    service: Annotated[str | None, typer.Option(help=f"One of {', '.join(SERVICES)}; all if left out.")] = None,
    down: Annotated[str | None, typer.Option(metavar="REVISION", help="Go back to this revision, or `base`.")] = None,
) -> None:
    """Make or change the tables of the services, and their roles."""
    if service is not None and service not in SERVICES:
        raise typer.BadParameter(f"no such service; there are {', '.join(SERVICES)}", param_hint="--service")
    if down is None:
        upgrade(dsn, service)
        typer.echo("every schema is at its newest version")
    else:
        downgrade(dsn, service, to=down)
        typer.echo(f"went back to {down}")


def upgrade(dsn: str, service: str | None = None) -> None:
    """Bring one service's schema, or all, to the newest version; roles and schemas are made where they are missing.

    Runs an event loop of its own, so a coroutine calls it in a thread.
    """
    with _ONE_AT_A_TIME:
        asyncio.run(_run(dsn, service, lambda config: alembic_command.upgrade(config, "head")))


def downgrade(dsn: str, service: str | None = None, *, to: str = "base") -> None:
    """Take one service's schema, or all, back to a revision; `base` leaves an empty schema."""
    with _ONE_AT_A_TIME:
        asyncio.run(_run(dsn, service, lambda config: alembic_command.downgrade(config, to)))


async def _run(dsn: str, service: str | None, action: Callable[[Config], None]) -> None:
    address = urlunsplit(urlsplit(dsn)._replace(scheme="postgresql+asyncpg"))
    engine = create_async_engine(address, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            # Two at once on one database: the second waits and finds nothing left to do.
            await connection.execute(sqlalchemy.text("select pg_advisory_lock(:lock)"), {"lock": LOCK})
            for name in (service,) if service is not None else SERVICES:
                await _prepare(connection, name)
                await connection.run_sync(_with_config(name, action))
                await connection.commit()
            await connection.execute(sqlalchemy.text("select pg_advisory_unlock(:lock)"), {"lock": LOCK})
            await connection.commit()
    finally:
        await engine.dispose()


def _with_config(service: str, action: Callable[[Config], None]) -> Callable[[sqlalchemy.Connection], None]:
    def run(connection: sqlalchemy.Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(HERE))
        config.set_main_option("version_locations", str(HERE / service))
        config.set_main_option("path_separator", "newline")
        config.attributes.update(connection=connection, service=service)
        action(config)

    return run


async def _prepare(connection: AsyncConnection, service: str) -> None:
    """Make the role and the schema of a service, and look into that schema alone from here on."""
    await _make_role(connection, f"bonus_{service}")
    for statement in (
        f"create schema if not exists {service}",
        f"grant usage on schema {service} to bonus_{service}",
        f"set search_path to {service}",
    ):
        await connection.execute(sqlalchemy.text(statement))
    await connection.commit()


async def _make_role(connection: AsyncConnection, role: str) -> None:
    make = sqlalchemy.text((HERE / "runtime" / "make_role.sql").read_text(encoding="utf-8").replace("ROLE", role))
    for attempt in range(1, ROLE_ATTEMPTS + 1):
        try:
            await connection.execute(make)
            await connection.commit()
        except DBAPIError as error:
            # Roles belong to the whole server: a migration of another database may be at the same row just now.
            await connection.rollback()
            if attempt == ROLE_ATTEMPTS or "concurrently" not in str(error):
                raise
        else:
            return
