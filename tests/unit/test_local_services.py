import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import processes
from deploy.local.errors import StartError
from deploy.local.services import MAIL, SERVICES, ServiceProcess, Services
from deploy.local.settings import LocalSettings
from deploy.local.state import State

# It answers what stands in a directory: ready, if a file of that name is there.
FILES = ServiceProcess("files", ("{port}", "--bind", "127.0.0.1", "--directory", "{directory}"), module="http.server")


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.load(tmp_path / "state.json")


@pytest.fixture
def services(tmp_path: Path, state: State) -> Iterator[Services]:
    """Two processes that need no server: one ready by HTTP, one as soon as it takes connections."""
    ready = tmp_path / "health" / "ready"
    ready.parent.mkdir()
    ready.write_text("ready")
    settings = LocalSettings(dir=tmp_path, service_start_timeout_s=10)
    services = Services(tmp_path, tmp_path / "logs", settings, lambda _: None, (FILES, MAIL))
    yield services
    services.down(state)


def up(services: Services, state: State, **environment: str) -> dict[str, int]:
    services.up(state, environment, services.choose_ports(state))
    return {name: started.pid for name, started in state.processes.items()}


def test_up_twice_leaves_the_processes_as_they_are(services: Services, state: State) -> None:
    """What runs with the same arguments and settings is not started anew, and keeps its port."""
    first, ports = up(services, state, BONUS_LOG_LEVEL="INFO"), dict(state.ports)
    assert (up(services, state, BONUS_LOG_LEVEL="INFO"), state.ports) == (first, ports)
    assert [services.healthy(name, state) for name in ("files", "mail")] == [True, True]


def test_a_token_in_the_shell_is_no_reason_to_start_anew(
    services: Services, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`eval "$(bonus local env)"` puts a new token into the environment each time; the services do not see it."""
    first = up(services, state)
    monkeypatch.setenv("BONUS_TOKEN", "another")
    assert up(services, state) == first


def test_a_changed_setting_starts_a_process_anew(services: Services, state: State) -> None:
    """After a part moved to another port, or with another log level, the old process would be wrong."""
    first = up(services, state, BONUS_LOG_LEVEL="INFO")
    second = up(services, state, BONUS_LOG_LEVEL="DEBUG")
    assert set(first.values()).isdisjoint(second.values())
    assert [services.healthy(name, state) for name in ("files", "mail")] == [True, True]


def test_a_process_that_died_comes_back_at_its_port(services: Services, state: State) -> None:
    """The others are left alone."""
    first, ports = up(services, state), dict(state.ports)
    processes.stop(state.processes["files"], grace_s=5)
    assert services.healthy("files", state) is False
    second = up(services, state)
    assert (second["mail"], second["files"] != first["files"], state.ports) == (first["mail"], True, ports)


def test_down_stops_all_and_says_which(services: Services, state: State) -> None:
    """Also one whose record was lost: its command line names the stack that it belongs to."""
    up(services, state)
    lost = state.processes.pop("files")
    assert services.down(state) == ["files", "mail"]
    assert (processes.find(lost), services.down(state)) == (None, [])


def test_a_process_that_is_not_ready_in_time_is_named(services: Services, state: State, tmp_path: Path) -> None:
    """The others are up; the message says whom to look at."""
    (tmp_path / "health" / "ready").unlink()
    impatient = LocalSettings(dir=tmp_path, service_start_timeout_s=0.5)
    hasty = Services(tmp_path, tmp_path / "logs", impatient, lambda _: None, services.declared)
    with pytest.raises(StartError, match="files was not healthy"):
        up(hasty, state)
    assert services.healthy("mail", state) is True


def test_mail_stays_in_the_directory_of_the_stack(services: Services, state: State, tmp_path: Path) -> None:
    """Nothing that is tried on one machine reaches a real mailbox."""
    up(services, state)
    with smtplib.SMTP("127.0.0.1", state.ports["mail"]) as server:
        server.sendmail(
            "bonus@shop.test", ["anna@example.test"], "Subject: 5.00 points\r\n\r\nThey count from today.\r\n"
        )
    received = [file.read_text() for file in (tmp_path / "mail" / "new").iterdir()]
    assert len(received) == 1
    assert "They count from today." in received[0]


def test_every_service_has_a_process_for_each_of_its_commands() -> None:
    """Names are unique, for they are what processes are recorded under."""
    assert [service.name for service in SERVICES] == [
        "mail",
        "ledger-work",
        "ledger-relay",
        "ledger-serve",
        "rules-work",
        "rules-relay",
        "rules-serve",
        "rules-rehearsals",
        "notifier-work",
        "notifier-serve",
    ]
