"""Where tests take PostgreSQL and Kafka from: given addresses, else Docker, else the local stack."""

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.local import containers, stack
from deploy.local.settings import LocalSettings
from deploy.local.stack import Endpoints, Stack

POSTGRES_VARIABLE = "BONUS_POSTGRES_DSN"
KAFKA_VARIABLE = "BONUS_KAFKA_BOOTSTRAP"
KEEP_VARIABLE = "BONUS_KEEP_STACK"
USERS_LOCK = "users.lock"

Origin = Literal["given", "docker", "local"]


@dataclass(frozen=True, slots=True)
class Origins:
    """Where each part comes from, and why, in words for people."""

    postgres: Origin
    kafka: Origin
    reason: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"PostgreSQL: {self.postgres}, Kafka: {self.kafka} ({self.reason})"


@dataclass(frozen=True, slots=True)
class Parts:
    """Addresses of the running parts; `postgres_dsn` may make databases and roles."""

    postgres_dsn: str
    kafka_bootstrap: str


def decide(environment: Mapping[str, str]) -> Origins:
    """Say where the parts are to come from."""
    postgres_given, kafka_given = (bool(environment.get(name)) for name in (POSTGRES_VARIABLE, KAFKA_VARIABLE))
    if postgres_given and kafka_given:
        return Origins("given", "given", f"{POSTGRES_VARIABLE} and {KAFKA_VARIABLE} are set")
    absent = containers.why_absent()
    rest: Origin = "docker" if absent is None else "local"
    reason = "a Docker engine answers" if absent is None else f"no Docker: {absent}"
    return Origins("given" if postgres_given else rest, "given" if kafka_given else rest, reason)


@contextmanager
def provided(origins: Origins, environment: Mapping[str, str], say: Callable[[str], None]) -> Iterator[Parts]:
    """Have both parts running for as long as the context lasts."""
    with ExitStack() as holding:
        local: Endpoints | None = None
        if "local" in (origins.postgres, origins.kafka):
            keep = bool(environment.get(KEEP_VARIABLE))
            local = holding.enter_context(shared_stack(test_directory(), say, keep=keep)).endpoints()
        if origins.postgres == "docker":
            postgres = holding.enter_context(containers.postgres())
        else:
            postgres = local.postgres_dsn if local and origins.postgres == "local" else environment[POSTGRES_VARIABLE]
        if origins.kafka == "docker":
            kafka = holding.enter_context(containers.kafka())
        else:
            kafka = local.kafka_bootstrap if local and origins.kafka == "local" else environment[KAFKA_VARIABLE]
        yield Parts(postgres, kafka)


def test_directory() -> Path:
    """Give the directory of the stack that all test runs of this clone share."""
    return LocalSettings().directory / "test"


@contextmanager
def shared_stack(directory: Path, say: Callable[[str], None], *, keep: bool = False) -> Iterator[Stack]:
    """Have a stack running that others may use at the same time; the last one to leave stops and wipes it.

    `keep` leaves it running for the next. Users are counted by a lock that the system gives back when one dies.
    """
    shared = stack.at(directory, say)
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / USERS_LOCK).open("a") as users:
        with shared.lock():
            fcntl.flock(users, fcntl.LOCK_SH)
            shared.up_locked()
        try:
            yield shared
        finally:
            if not keep:
                _leave(shared, users.fileno())


def _leave(shared: Stack, users: int) -> None:
    with shared.lock():
        fcntl.flock(users, fcntl.LOCK_UN)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Somebody else's tests run on it.
            return
        shared.down_locked(wipe=True)
