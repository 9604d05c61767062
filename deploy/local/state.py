"""What is known about the stack between two commands: ports and processes, in one small file."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from deploy.local.processes import Started

VERSION = 1


@dataclass(slots=True)
class State:
    """Ports by name, and processes by name; what is written to `file` survives a crash of whoever wrote it."""

    file: Path
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, Started] = field(default_factory=dict)
    _writing: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def load(cls, file: Path) -> "State":
        """Read the state; a file that is missing or damaged is an empty one."""
        try:
            raw: dict[str, Any] = json.loads(file.read_text())
            if raw["version"] != VERSION:
                return cls(file)
            processes = {name: Started(**record) for name, record in raw["processes"].items()}
            return cls(file, ports={name: int(port) for name, port in raw["ports"].items()}, processes=processes)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # Nothing is lost: parts that run unrecorded are found by their command lines and cleared.
            return cls(file)

    def record(self, started: Started, **ports: int) -> None:
        """Note a process that was started, and the ports it was given."""
        with self._writing:
            self.processes[started.name] = started
            self.ports.update(ports)
            self._save()

    def forget(self, name: str) -> None:
        """Drop a process that has ended; its ports stay preferred."""
        with self._writing:
            self.processes.pop(name, None)
            self._save()

    def _save(self) -> None:
        raw = {
            "version": VERSION,
            "ports": self.ports,
            "processes": {name: asdict(record) for name, record in self.processes.items()},
        }
        write_whole(self.file, json.dumps(raw, indent=2) + "\n")


def write_whole(file: Path, text: str, mode: int = 0o644) -> None:
    """Write a file with these rights, whatever the umask, so that a reader sees all of it or what was there before."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.chmod(mode)
    partial.replace(file)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a lock between processes; the system gives it back if the holder dies."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
