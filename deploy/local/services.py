"""The processes of the three services on one machine: what each is started with, and when it counts as healthy."""

import http
import http.client
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.local import ports, processes
from deploy.local.processes import Command, Started
from deploy.local.settings import PROJECT, LocalSettings
from deploy.local.state import State

PROBE_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """One process: its arguments to the command `bonus`; `serves` names the API that it answers, if any."""

    name: str
    arguments: tuple[str, ...]
    serves: str | None = None

    @property
    def module(self) -> str:
        """The module that holds the command."""
        return f"services.{self.arguments[0]}.command"


SERVICES = (
    ServiceProcess("ledger-work", ("ledger", "work")),
    ServiceProcess("ledger-relay", ("ledger", "relay")),
    ServiceProcess("ledger-serve", ("ledger", "serve"), serves="ledger"),
    ServiceProcess("rules-work", ("rules", "work")),
    ServiceProcess("rules-relay", ("rules", "relay")),
    ServiceProcess("rules-serve", ("rules", "serve"), serves="rules"),
    ServiceProcess("notifier-work", ("notifier", "work")),
    ServiceProcess("notifier-serve", ("notifier", "serve"), serves="notifier"),
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
        return [service for service in self.declared if _is_installed(service.module)]

    def choose_ports(self, state: State) -> dict[str, int]:
        """Give each process its port: the one it has, else a preferred one that is free, else any."""
        chosen: dict[str, int] = {}
        for service in self.present():
            known = state.processes.get(service.name)
            running = known is not None and processes.find(known) is not None
            preferred = state.ports.get(service.name, self._preferred(service))
            chosen[service.name] = state.ports[service.name] if running else ports.pick(preferred, chosen.values())
        return chosen

    def up(self, state: State, environment: Mapping[str, str], chosen: Mapping[str, int]) -> None:
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
        return known is not None and processes.find(known) is not None and is_ready(state.ports[name])

    def _up_one(
        self, service: ServiceProcess, state: State, environment: Mapping[str, str], chosen: Mapping[str, int]
    ) -> None:
        port = chosen[service.name]
        command = self._command(service, environment, port)
        known = state.processes.get(service.name)
        if known is not None and known.fingerprint == command.fingerprint and processes.find(known) is not None:
            self._wait(known, port)
            return
        self._down_one(service.name, state)
        started = processes.start(command)
        state.record(started, **{service.name: port})
        self._wait(started, port)

    def _wait(self, started: Started, port: int) -> None:
        processes.wait_healthy(started, lambda _: is_ready(port), timeout_s=self.settings.service_start_timeout_s)

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

    def _command(self, service: ServiceProcess, environment: Mapping[str, str], port: int) -> Command:
        arguments = [sys.executable, self._mark(service.name), "-m", "services.command", *service.arguments]
        own: dict[str, str] = {"BONUS_METRICS_PORT": str(port)}
        if service.serves is not None:
            arguments += ["--host", ports.LOOPBACK, "--port", str(port)]
            own = {}
        return Command(
            service.name,
            arguments,
            environment=os.environ | dict(environment) | own,
            directory=PROJECT,
            log_file=self.log_directory / f"{service.name}.log",
        )

    def _preferred(self, service: ServiceProcess) -> int | None:
        preferred = {
            "ledger": self.settings.ledger_port,
            "rules": self.settings.rules_port,
            "notifier": self.settings.notifier_port,
        }
        return preferred.get(service.serves) if service.serves is not None else None


def is_ready(port: int) -> bool:
    """Say whether the process on this port answers that it is ready for work."""
    # Spoken directly: a proxy that the environment names has no business between two processes of one machine.
    connection = http.client.HTTPConnection(ports.LOOPBACK, port, timeout=PROBE_TIMEOUT_S)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _is_installed(module: str) -> bool:
    package = module.rpartition(".")[0]
    return importlib.util.find_spec(package) is not None and importlib.util.find_spec(module) is not None
