"""The stack as a whole: its parts, started together, found again, and stopped."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.kafka import Kafka
from deploy.local.postgres import Postgres
from deploy.local.settings import LocalSettings
from deploy.local.state import State, locked

LOCK = "stack.lock"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the running parts are reached."""

    postgres_dsn: str
    kafka_bootstrap: str


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One part as it stands: its process and port, if it runs, and whether it answers."""

    name: str
    healthy: bool
    pid: int | None
    port: int | None


class Stack:
    """One stack in one directory. Commands on the same directory wait for each other."""

    def __init__(self, settings: LocalSettings, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.directory = settings.directory
        logs = self.directory / "logs"
        self.postgres = Postgres(self.directory / "postgres", logs / "postgres.log", settings, say)
        self.kafka = Kafka(self.directory / "kafka", logs, settings, say)

    def up(self) -> Endpoints:
        """Have every part running and healthy; parts that run already are left as they are."""
        with self.lock():
            return self.up_locked()

    def up_locked(self) -> Endpoints:
        """Do as `up` does, for a caller who holds the lock."""
        state = self.state()
        with ThreadPoolExecutor(2) as pool:
            starting = [pool.submit(part.up, state) for part in (self.postgres, self.kafka)]
        for part in starting:
            part.result()
        return self.endpoints()

    def endpoints(self) -> Endpoints:
        """Give the addresses of a stack that is up."""
        recorded = self.state().ports
        return Endpoints(self.postgres.dsn(recorded["postgres"]), self.kafka.bootstrap(recorded["kafka"]))

    def down(self, *, wipe: bool = False) -> list[str]:
        """Stop every part; `wipe` removes the data too. Gives the names of what was stopped."""
        with self.lock():
            return self.down_locked(wipe=wipe)

    def down_locked(self, *, wipe: bool = False) -> list[str]:
        """Do as `down` does, for a caller who holds the lock."""
        state = self.state()
        with ThreadPoolExecutor(2) as pool:
            stopping = {name: pool.submit(stop, state) for name, stop in self._stops()}
        stopped = [name for name, done in stopping.items() if done.result()]
        if wipe:
            self._wipe()
        return stopped

    def status(self) -> list[PartStatus]:
        """Give each part as it stands."""
        state = self.state()
        checks = {"postgres": self.postgres.healthy, "kafka": self.kafka.healthy}
        return [self._status(name, check(state), state) for name, check in checks.items()]

    def state(self) -> State:
        """Read what is recorded of the stack."""
        return State.load(self.directory / "state.json")

    def lock(self) -> AbstractContextManager[None]:
        """Hold the stack against other commands."""
        return locked(self.directory / LOCK)

    def _stops(self) -> list[tuple[str, Callable[[State], bool]]]:
        return [("postgres", self.postgres.down), ("kafka", self.kafka.down)]

    def _status(self, name: str, healthy: bool, state: State) -> PartStatus:
        known = state.processes.get(name)
        return PartStatus(name, healthy, known.pid if known else None, state.ports.get(name) if known else None)

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
