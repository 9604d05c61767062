"""The processes of the three services on one machine: what each is started with, and when it counts as healthy."""

import http
import http.client
import importlib.util
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.local import ports, processes
from deploy.local.processes import Command, Started
from deploy.local.settings import PROJECT, LocalSettings
from deploy.local.state import State

PROBE_TIMEOUT_S = 2.0
COMMAND = "services.command"
WORKER = 8
"""The niceness of what works off streams: whoever waits for an answer over HTTP goes first."""
BACKGROUND = 12
"""The niceness of what nobody waits for."""
NOT_FOR_SERVICES = re.compile(r"BONUS_(TOKEN|METRICS_PORT|KEEP_\w+|LOCAL_\w+)")


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """One process: the Python module that is run, its arguments, and how it tells that it is ready.

    In the arguments `{port}` stands for the port that the process was given, `{directory}` for that of the stack. A
    process that is `ready` by HTTP answers on that port; a worker learns it from `BONUS_METRICS_PORT`. On a machine
    that is busy those of less `niceness` go first.
    """

    name: str
    arguments: tuple[str, ...]
    module: str = COMMAND
    ready: Literal["http", "connect"] = "http"
    niceness: int = 0

    @classmethod
    def work(cls, *arguments: str, niceness: int = WORKER) -> "ServiceProcess":
        """A worker of a service: `bonus ledger work`."""
        return cls("-".join(arguments), arguments, niceness=niceness)

    @classmethod
    def serve(cls, service: str) -> "ServiceProcess":
        """The API of a service."""
        return cls(f"{service}-serve", (service, "serve", "--host", ports.LOOPBACK, "--port", "{port}"))


MAIL = ServiceProcess(
    "mail",
    (
        "--nosetuid",
        "--listen",
        f"{ports.LOOPBACK}:{{port}}",
        "--class",
        "aiosmtpd.handlers.Mailbox",
        "{directory}/mail",
    ),
    module="aiosmtpd",
    ready="connect",
    niceness=BACKGROUND,
)
SERVICES = (
    MAIL,
    ServiceProcess.work("ledger", "work"),
    ServiceProcess.work("ledger", "relay"),
    ServiceProcess.serve("ledger"),
    ServiceProcess.work("rules", "work"),
    ServiceProcess.work("rules", "relay"),
    ServiceProcess.serve("rules"),
    ServiceProcess.work("rules", "rehearsals", niceness=BACKGROUND),
    ServiceProcess.work("notifier", "work", niceness=BACKGROUND),
    ServiceProcess.serve("notifier"),
)


@dataclass(frozen=True, slots=True)
class Services:
    """All service processes of one stack."""

    directory: Path
    log_directory: Path
    settings: LocalSettings
    say: Callable[[str], None]
    declared: tuple[ServiceProcess, ...] = SERVICES

    def present(self) -> list[ServiceProcess]:
        """Give the processes whose service is installed."""
        return [
            service for service in self.declared if service.module != COMMAND or _is_installed(service.arguments[0])
        ]

    def choose_ports(self, state: State) -> dict[str, int]:
        """Give each process its port: the one it has, else a preferred one that is free, else any."""
        chosen: dict[str, int] = {}
        for service in self.present():
            known = state.processes.get(service.name)
            running = known is not None and processes.find(known) is not None
            preferred = state.ports.get(service.name, self._preferred(service))
            chosen[service.name] = state.ports[service.name] if running else ports.pick(preferred, chosen.values())
        return chosen

    def up(self, state: State, environment: dict[str, str], chosen: Mapping[str, int]) -> None:
        """Have every process running and ready. Raises `StartError` with the log of the one that is not."""
        present = self.present()
        if not present:
            return
        with ThreadPoolExecutor(len(present)) as pool:
            starting = [pool.submit(self._up_one, service, state, environment, chosen) for service in present]
        for one in starting:
            one.result()

    def down(self, state: State) -> list[str]:
        """Stop every process, all at once; each finishes what it is at first. Gives the names of what was stopped."""
        names = [service.name for service in self.declared]
        with ThreadPoolExecutor(len(names)) as pool:
            stopping = {name: pool.submit(self._down_one, name, state) for name in names}
        return [name for name, stopped in stopping.items() if stopped.result()]

    def healthy(self, name: str, state: State) -> bool:
        """Say whether a recorded process runs and is ready."""
        known = state.processes.get(name)
        ready = next(service.ready for service in self.declared if service.name == name)
        return known is not None and processes.find(known) is not None and is_ready(ready, state.ports[name])

    def _up_one(
        self, service: ServiceProcess, state: State, environment: dict[str, str], chosen: Mapping[str, int]
    ) -> None:
        port = chosen[service.name]
        command = self._command(service, environment, port)
        known = state.processes.get(service.name)
        if known is not None and known.fingerprint == command.fingerprint and processes.find(known) is not None:
            self._wait(service, known, port)
            return
        self._down_one(service.name, state)
        started = processes.start(command)
        state.record(started, **{service.name: port})
        self._wait(service, started, port)

    def _wait(self, service: ServiceProcess, started: Started, port: int) -> None:
        timeout_s = self.settings.service_start_timeout_s
        processes.wait_healthy(started, lambda _: is_ready(service.ready, port), timeout_s=timeout_s)

    def _down_one(self, name: str, state: State) -> bool:
        grace_s = self.settings.service_stop_grace_s
        known = state.processes.get(name)
        stopped = known is not None and processes.stop(known, grace_s=grace_s)
        program = Path(sys.executable).name
        cleared = processes.clear(name, program, self._mark(name), gently=signal.SIGTERM, grace_s=grace_s)
        state.forget(name)
        return stopped or cleared

    def _mark(self, name: str) -> str:
        # An option of the interpreter that it ignores: it names the stack that a process belongs to.
        return f"-Xbonus-stack={self.directory}#{name}"

    def _command(self, service: ServiceProcess, environment: dict[str, str], port: int) -> Command:
        places = {"port": port, "directory": self.directory}
        # A worker's port is for health and metrics alone; what is told its port otherwise answers all of that there.
        told = any("{port}" in argument for argument in service.arguments)
        own = {} if told else {"BONUS_METRICS_PORT": str(port)}
        # What is meant for this command or for clients is no setting of a service, and no reason to start it anew.
        inherited = {name: value for name, value in os.environ.items() if not NOT_FOR_SERVICES.fullmatch(name)}
        arguments = [argument.format(**places) for argument in service.arguments]
        return Command(
            service.name,
            [sys.executable, self._mark(service.name), "-m", service.module, *arguments],
            environment=inherited | environment | own,
            directory=PROJECT,
            log_file=self.log_directory / f"{service.name}.log",
            niceness=service.niceness,
        )

    def _preferred(self, service: ServiceProcess) -> int | None:
        preferred = {
            "ledger-serve": self.settings.ledger_port,
            "rules-serve": self.settings.rules_port,
            "notifier-serve": self.settings.notifier_port,
        }
        return preferred.get(service.name)


def is_ready(ready: Literal["http", "connect"], port: int) -> bool:
    """Say whether the process on this port answers that it is ready for work, or at least takes connections."""
    if ready == "connect":
        return not ports.is_free(port)
    # Spoken directly: a proxy that the environment names has no business between two processes of one machine.
    connection = http.client.HTTPConnection(ports.LOOPBACK, port, timeout=PROBE_TIMEOUT_S)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _is_installed(service: str) -> bool:
    package = f"services.{service}"
    return importlib.util.find_spec(package) is not None and importlib.util.find_spec(f"{package}.command") is not None
