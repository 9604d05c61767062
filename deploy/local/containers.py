"""PostgreSQL and Kafka in containers, for tests on a machine where a Docker engine answers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local import ports

POSTGRES_IMAGE = "postgres:18"
KAFKA_IMAGE = "apache/kafka:4.2.0"
ENGINE_TIMEOUT_S = 5
DEFAULT_SOCKET = Path("/var/run/docker.sock")
KAFKA_PORT = 9092
KAFKA_STARTED = r"Kafka Server started"


def why_absent() -> str | None:
    """Say why containers cannot be used; None if an engine answers."""
    if "DOCKER_HOST" not in os.environ and not DEFAULT_SOCKET.exists():
        return f"{DEFAULT_SOCKET} does not exist"
    # Imported here: most machines that run tests have no engine, and the import takes as long as many tests.
    import docker  # noqa: PLC0415
    from docker.errors import DockerException  # noqa: PLC0415

    try:
        client = docker.from_env(timeout=ENGINE_TIMEOUT_S)
    except DockerException as error:
        return str(error)
    try:
        client.ping()
    except (DockerException, OSError) as error:
        return str(error)
    finally:
        client.close()
    return None


@contextmanager
def postgres() -> Iterator[str]:
    """Run PostgreSQL in a container; gives the address of its superuser."""
    from testcontainers.postgres import PostgresContainer  # noqa: PLC0415 - see why_absent

    with PostgresContainer(POSTGRES_IMAGE, username="bonus", dbname="bonus", driver=None) as running:
        yield running.get_connection_url()


@contextmanager
def kafka() -> Iterator[str]:
    """Run Kafka in a container; gives the address that clients start from."""
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - see why_absent
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy  # noqa: PLC0415 - see why_absent

    # The broker tells its clients where to find it, so the port on this machine is chosen before it starts.
    port = ports.pick(None)
    address = f"{ports.LOOPBACK}:{port}"
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(KAFKA_PORT, port)
    for name, value in _broker(address).items():
        container.with_env(name, value)
    with container.waiting_for(LogMessageWaitStrategy(KAFKA_STARTED)):
        yield address


def _broker(address: str) -> dict[str, str]:
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{KAFKA_PORT},CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{address}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "1",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_LOG_RETENTION_MS": "-1",
    }
