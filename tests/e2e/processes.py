"""The processes of one system under test: started, killed, stopped; found and cleared if a run of tests died."""

import os
import re
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

from deploy.local import processes
from deploy.local.services import SERVICES, Services
from deploy.local.settings import LocalSettings
from deploy.local.state import State

# The directory of a system names the run of tests that it belongs to.
_OWNED: Final = re.compile(r"-Xbonus-stack=.*/system-(?P<owner>[0-9]+)-[^#]*#")

_LOOK_S: Final = 0.005

WORKERS: Final = ("rules-work", "rules-relay", "ledger-work", "ledger-relay")
SERVERS: Final = ("rules-serve", "ledger-serve")


class Processes:
    """Real processes, as a person would start them, each ready before anybody goes on."""

    def __init__(self, directory: Path, environment: Mapping[str, str], names: Sequence[str]) -> None:
        self.directory = directory
        self.environment = dict(environment)
        self._services = Services(
            directory,
            directory / "logs",
            LocalSettings(dir=directory),
            lambda _: None,
            tuple(service for service in SERVICES if service.name in names),
        )
        self._state = State.load(directory / "state.json")

    def start(self) -> None:
        """Have all of them running and ready; those that run already are left as they are."""
        self._services.up(self._state, self.environment, self._services.choose_ports(self._state))

    def stop(self) -> None:
        """Stop them politely: each finishes what it has in hand."""
        self._services.down(self._state)

    def kill(self, *names: str) -> None:
        """Kill these at one instant, whatever they are doing; gives back when they are gone."""
        killed = [self._state.processes[name] for name in names]
        for started in killed:
            os.kill(started.pid, signal.SIGKILL)
        while any(processes.find(started) for started in killed):
            time.sleep(_LOOK_S)

    def port(self, name: str) -> int:
        """Where a process answers."""
        return self._state.ports[name]

    def resident_mb(self, name: str) -> float:
        """Memory of a process, in megabytes."""
        return float(psutil.Process(self._state.processes[name].pid).memory_info().rss) / 1_000_000

    def logs(self) -> str:
        """The ends of all logs, for the report of a failure."""
        files = sorted((self.directory / "logs").glob("*.log"))
        return "\n".join(f"--- {file.name}\n{processes.tail(file)}" for file in files)


def clear_leftovers() -> None:
    """Stop the processes of runs that were killed: nobody else would."""
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        owned = next((found for word in words if (found := _OWNED.match(word))), None)
        if owned is not None and not psutil.pid_exists(int(owned["owner"])):
            process.kill()
