"""Processes that outlive whoever starts them: start, find again, wait until healthy, stop by pid.

A pid alone says little, because the system gives it to another process later. So a record keeps the pid together
with when the process was made; only both together name a process.
"""

import hashlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from deploy.local.errors import StartError, StopError

POLL_S = 0.02
KILL_WAIT_S = 10.0
LOG_TAIL_BYTES = 3000
# A log that has grown beyond this is put aside at the next start; one old log is kept.
LOG_FILE_BYTES_MAX = 20_000_000

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
# The twentieth of the fields that stand behind a process's name in its line of /proc.
START_TICKS_FIELD = 19

# Children are held on to until they end, so that they are reaped; they are never waited for otherwise.
_children: list[subprocess.Popen[bytes]] = []
_children_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Started:
    """A process that was started: which one, and where its output goes.

    `birth` says when the system made the process (see `birth_of`); `fingerprint` is that of the command it was started
    with.
    """

    name: str
    pid: int
    birth: str
    log_file: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """The system user and group a process runs as."""

    user_id: int
    group_id: int


@dataclass(frozen=True, slots=True)
class Command:
    """What to start, and how. Without an owner it runs as the present user."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    log_file: Path
    owner: Owner | None = None
    niceness: int = 0

    @property
    def fingerprint(self) -> str:
        """A hash of the arguments and of this project's own variables; another hash, another process."""
        own = sorted(item for item in self.environment.items() if item[0].startswith("BONUS_"))
        return hashlib.sha256(repr((list(self.arguments), own)).encode()).hexdigest()[:16]


def start(command: Command) -> Started:
    """Start a process in a session of its own, with its output appended to its log file.

    Raises `StartError` if it cannot be executed or ends at once.
    """
    _reap()
    log_file = command.log_file
    _make_room(log_file)
    with log_file.open("ab") as log:
        try:
            child = subprocess.Popen(  # noqa: S603 - the arguments are a list made by the stack, never a shell's line
                list(command.arguments),
                env=dict(command.environment),
                cwd=command.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **as_owner(command.owner),
            )
        except OSError as error:
            raise StartError(f"{command.name} cannot be started: {error}") from error
    with _children_lock:
        _children.append(child)
    _give_way(child.pid, command.niceness)
    try:
        birth = birth_of(psutil.Process(child.pid))
    except psutil.NoSuchProcess as error:
        raise StartError(f"{command.name} ended at once.\n{tail(log_file)}") from error
    return Started(command.name, child.pid, birth, str(log_file), command.fingerprint)


def _give_way(pid: int, niceness: int) -> None:
    """Let others go first on a busy machine, by as much as `niceness` says (0: nobody)."""
    if not niceness:
        return
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
        # Where the scheduler shares the machine out by sessions, niceness within one changes nothing; its own does.
        Path(f"/proc/{pid}/autogroup").write_text(str(niceness))


def birth_of(process: psutil.Process) -> str:
    """When a process was made, the same at every reading. Raises psutil.NoSuchProcess.

    On Linux in clock ticks since the machine's start, with the name of that start: an instant of the wall clock, which
    is computed from them, moves when that clock is set.
    """
    if not BOOT_ID_FILE.exists():
        return f"{process.create_time():.2f}"
    try:
        line = Path(f"/proc/{process.pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError) as error:
        raise psutil.NoSuchProcess(process.pid) from error
    ticks = line.rpartition(")")[2].split()[START_TICKS_FIELD]
    return f"{BOOT_ID_FILE.read_text().strip()}:{ticks}"


def _make_room(log_file: Path) -> None:
    log_file.parent.mkdir(parents=True, exist_ok=True)
    if log_file.exists() and log_file.stat().st_size > LOG_FILE_BYTES_MAX:
        log_file.replace(log_file.with_suffix(".old" + log_file.suffix))


def as_owner(owner: Owner | None) -> dict[str, Any]:
    """Give the arguments by which `subprocess` runs a program as `owner`; none for the present user."""
    if owner is None:
        return {}
    return {"user": owner.user_id, "group": owner.group_id, "extra_groups": []}


def find(started: Started) -> psutil.Process | None:
    """Give the very process that was started, or None if it has ended."""
    _reap()
    try:
        process = psutil.Process(started.pid)
        if birth_of(process) != started.birth:
            return None
    except psutil.NoSuchProcess:
        return None
    return None if _is_over(process) else process


def wait_healthy(started: Started, healthy: Callable[[Started], bool], *, timeout_s: float) -> float:
    """Wait until `healthy` answers true; give the seconds it took.

    Raises `StartError` if the process ends or the time is over, with the end of the log.
    """
    begin = time.monotonic()
    log_file = Path(started.log_file)
    while not healthy(started):
        if find(started) is None:
            raise StartError(f"{started.name} ended before it was healthy; its log is {log_file}\n{tail(log_file)}")
        if time.monotonic() - begin > timeout_s:
            raise StartError(
                f"{started.name} was not healthy after {timeout_s:.0f} s; its log is {log_file}\n{tail(log_file)}"
            )
        time.sleep(POLL_S)
    return time.monotonic() - begin


def stop(started: Started, *, gently: signal.Signals = signal.SIGTERM, grace_s: float) -> bool:
    """Stop a process: `gently` first, kill it and its children after `grace_s` seconds.

    False says that it had ended before. Raises `StopError` if it survives even that.
    """
    process = find(started)
    if process is None:
        return False
    family = [process, *_children_of(process)]
    _send(process, gently)
    if _wait_over([process], grace_s):
        for member in family:
            _send(member, signal.SIGKILL)
        _wait_over(family, KILL_WAIT_S)
    if find(started) is not None:
        raise StopError(f"{started.name} (pid {started.pid}) is still there after it was killed")
    return True


def clear(name: str, program: str, argument: str, *, gently: signal.Signals, grace_s: float) -> bool:
    """Stop every `program` that was started with `argument`: left by a crash and recorded nowhere.

    False says that there was nothing.
    """
    found = False
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
            if not line or Path(line[0]).name != program or argument not in line:
                continue
            left = Started(name, process.pid, birth_of(process), os.devnull)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        found = stop(left, gently=gently, grace_s=grace_s) or found
    return found


def wait_gone(program: str, directory: Path, *, grace_s: float) -> None:
    """Wait until no `program` works in `directory`; after `grace_s` seconds kill those that still do."""
    left = [process for process in psutil.process_iter() if _works_in(process, program, directory)]
    alive = _wait_over(left, grace_s)
    for process in alive:
        _send(process, signal.SIGKILL)
    _wait_over(alive, KILL_WAIT_S)


def _wait_over(members: Sequence[psutil.Process], timeout_s: float) -> list[psutil.Process]:
    """Wait for processes to end; give those that have not."""
    until = time.monotonic() + timeout_s
    while alive := [member for member in members if not _is_over(member)]:
        if time.monotonic() > until:
            break
        time.sleep(POLL_S)
        _reap()
    return alive


def _is_over(process: psutil.Process) -> bool:
    try:
        # One that ended but was not reaped by its parent does nothing any more, however long it is listed; but while
        # other threads of it are still ending, it holds its files and ports.
        ended = process.status() == psutil.STATUS_ZOMBIE
        return not process.is_running() or (ended and process.num_threads() <= 1)
    except psutil.NoSuchProcess:
        return True


def _works_in(process: psutil.Process, program: str, directory: Path) -> bool:
    try:
        return bool(process.name() == program and process.cwd() == str(directory))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _children_of(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _reap() -> None:
    with _children_lock:
        _children[:] = [child for child in _children if child.poll() is None]


def tail(log_file: Path) -> str:
    """Give the last lines of a log, or nothing where there is none."""
    if not log_file.is_file():
        return ""
    with log_file.open("rb") as log:
        size = os.fstat(log.fileno()).st_size
        log.seek(max(0, size - LOG_TAIL_BYTES))
        return log.read().decode(errors="replace")
