"""The stack as a whole: its parts and services, started together, found again, and stopped."""

import asyncio
import os
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.local import kafka, ports, postgres
from deploy.local.kafka import Kafka
from deploy.local.keys import Keys
from deploy.local.postgres import Postgres
from deploy.local.services import MAIL, Services
from deploy.local.settings import LocalSettings
from deploy.local.state import State, locked
from deploy.local.topics import create_topics
from deploy.topics import specifications

LOCK = "stack.lock"
MAIL_VARIABLE = "BONUS_SMTP_HOST"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the running parts are reached."""

    postgres_dsn: str
    kafka_bootstrap: str


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One process of the stack as it stands: its pid and port, if it was started, and whether it answers."""

    name: str
    healthy: bool
    pid: int | None
    port: int | None


class Stack:
    """One stack in one directory. Commands on the same directory wait for each other."""

    def __init__(self, settings: LocalSettings, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.directory = settings.directory
        self.say = say
        logs = self.directory / "logs"
        self.postgres = Postgres(self.directory / "postgres", logs / "postgres.log", settings, say)
        self.kafka = Kafka(self.directory / "kafka", logs, settings, say)
        self.keys = Keys(self.directory / "keys")
        self.services = Services(self.directory, logs, settings, say)

    def up(self, *, services: bool = False) -> Endpoints:
        """Have every part running and healthy; what runs already is left as it is.

        With `services` the database is migrated, the topics are made and the service processes run too.
        Raises `LocalStackError`.
        """
        with self.lock():
            endpoints = self.up_locked()
            if services:
                self._serve(endpoints)
            return endpoints

    def up_locked(self) -> Endpoints:
        """Have PostgreSQL and Kafka running, for a caller who holds the lock."""
        self.keys.ensure()
        state = self.state()
        with ThreadPoolExecutor(2) as pool:
            starting = [pool.submit(part.up, state) for part in (self.postgres, self.kafka)]
        for part in starting:
            part.result()
        return self.endpoints()

    def endpoints(self) -> Endpoints:
        """Give the addresses of a stack that is up."""
        recorded = self.state().ports
        return Endpoints(self.postgres.dsn(recorded[postgres.NAME]), self.kafka.bootstrap(recorded[kafka.NAME]))

    def environment(self) -> dict[str, str]:
        """Give the variables by which clients and tests find a stack that is up, a fresh token among them."""
        state = self.state()
        return {
            **self._shared_environment(self.endpoints()),
            **self._service_urls(state.ports),
            "BONUS_TOKEN": self.keys.token(datetime.now(UTC)),
        }

    def down(self, *, wipe: bool = False) -> list[str]:
        """Stop every process; `wipe` removes the data too. Gives the names of what was stopped."""
        with self.lock():
            return self.down_locked(wipe=wipe)

    def down_locked(self, *, wipe: bool = False) -> list[str]:
        """Do as `down` does, for a caller who holds the lock."""
        state = self.state()
        # Services first: they finish what they are at, and for that they need the servers.
        stopped = self.services.down(state)
        with ThreadPoolExecutor(2) as pool:
            stopping = [pool.submit(part.down, state) for part in (self.postgres, self.kafka)]
        stopped += [name for name, part in zip((postgres.NAME, kafka.NAME), stopping, strict=True) if part.result()]
        if wipe:
            self._wipe()
        return stopped

    def status(self) -> list[PartStatus]:
        """Give PostgreSQL and Kafka, and each service process that was started, as they stand."""
        state = self.state()
        services = [service.name for service in self.services.declared if service.name in state.processes]
        return [
            _status(postgres.NAME, state, healthy=self.postgres.healthy(state)),
            _status(kafka.NAME, state, healthy=self.kafka.healthy(state)),
            *(_status(name, state, healthy=self.services.healthy(name, state)) for name in services),
        ]

    def state(self) -> State:
        """Read what is recorded of the stack."""
        return State.load(self.directory / "state.json")

    def lock(self) -> AbstractContextManager[None]:
        """Hold the stack against other commands."""
        return locked(self.directory / LOCK)

    def _serve(self, endpoints: Endpoints) -> None:
        _migrate(endpoints.postgres_dsn)
        made = asyncio.run(create_topics(endpoints.kafka_bootstrap, specifications()))
        if made:
            self.say(f"made {len(made)} topics")
        state = self.state()
        chosen = self.services.choose_ports(state)
        urls = self._service_urls(chosen)
        environment = self._shared_environment(endpoints) | urls | _mail_environment(chosen)
        environment |= {"BONUS_PUBLIC_URL": urls["BONUS_NOTIFIER_URL"]}
        self.services.up(state, environment, chosen)

    def _shared_environment(self, endpoints: Endpoints) -> dict[str, str]:
        return {
            "BONUS_POSTGRES_DSN": endpoints.postgres_dsn,
            "BONUS_KAFKA_BOOTSTRAP": endpoints.kafka_bootstrap,
            **self.keys.environment(),
        }

    def _service_urls(self, recorded: Mapping[str, int]) -> dict[str, str]:
        preferred = {
            "ledger": self.settings.ledger_port,
            "rules": self.settings.rules_port,
            "notifier": self.settings.notifier_port,
        }
        return {
            f"BONUS_{name.upper()}_URL": f"http://{ports.LOOPBACK}:{recorded.get(f'{name}-serve', port)}"
            for name, port in preferred.items()
        }

    def _wipe(self) -> None:
        # Locks stay: another command may be waiting for one by this very file.
        for entry in self.directory.iterdir():
            if entry.suffix == ".lock":
                continue
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def at(directory: Path, say: Callable[[str], None]) -> Stack:
    """Give the stack of a directory other than the configured one."""
    return Stack(LocalSettings(dir=directory), say)


def _status(name: str, state: State, *, healthy: bool) -> PartStatus:
    known = state.processes.get(name)
    if known is None:
        return PartStatus(name, healthy=False, pid=None, port=None)
    return PartStatus(name, healthy, known.pid, state.ports.get(name))


def _mail_environment(chosen: Mapping[str, int]) -> dict[str, str]:
    # Whoever has named a mail server wants his mail there; else it stays in the directory of the stack.
    if MAIL_VARIABLE in os.environ:
        return {}
    return {MAIL_VARIABLE: ports.LOOPBACK, "BONUS_SMTP_PORT": str(chosen[MAIL.name])}


def _migrate(dsn: str) -> None:
    # Imported here, for alembic takes longer to import than a stack that is up takes to say so.
    from migrations.command import upgrade  # noqa: PLC0415

    upgrade(dsn)
