"""Faults need the tally's fixtures, and a broker that may be stopped without disturbing other tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.kafka import Kafka
from deploy.local.settings import LocalSettings
from deploy.local.state import State
from tests.integration.runtime.conftest import (
    _log_lines,
    admin,
    kafka_settings,
    pool,
    publish,
    running,
    settings,
    topics,
    until,
)

__all__ = ["_log_lines", "admin", "kafka_settings", "pool", "publish", "running", "settings", "topics", "until"]


class OwnBroker:
    """A broker of this test alone: it can be stopped and started again on the same port."""

    def __init__(self, directory: Path) -> None:
        settings = LocalSettings(dir=directory)
        self._kafka = Kafka(directory / "kafka", directory / "logs", settings, say=lambda _: None)
        self._state = State(directory / "state.json")

    def start(self) -> str:
        """Start it and give its address."""
        return self._kafka.bootstrap(self._kafka.up(self._state))

    def stop(self) -> None:
        """Stop it; what it holds stays."""
        self._kafka.down(self._state)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[OwnBroker]:
    """A broker of this test's own."""
    own = OwnBroker(tmp_path)
    own.start()
    yield own
    own.stop()
