"""Kafka's jars: fetched once by `jgo` from the coordinates in `jars.txt`, checked against their hashes, then kept.

They stand in a directory of the user's cache, so that all clones share them. The directory's name holds the hash of
the list, and it appears whole or not at all: a download that is cut short leaves nothing that looks complete, and the
next start goes on with what is missing.
"""

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from deploy.local.errors import DownloadError
from deploy.local.settings import LocalSettings
from deploy.local.state import locked

if TYPE_CHECKING:
    from jgo.maven import MavenContext

LIST_FILE = Path(__file__).with_name("jars.txt")
COORDINATES = ("org.apache.kafka:kafka_2.13:4.2.0", "org.slf4j:slf4j-jdk14:1.7.36")
DOWNLOADS_AT_ONCE = 6
SAID_EVERY = 10
MAVEN_SETTINGS = Path("~/.m2/settings.xml")
CENTRAL = "central"


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar: its Maven coordinates and the SHA-256 of its bytes in hexadecimal."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The jar's name in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def listed() -> tuple[Jar, ...]:
    """Read the list of jars that this version of the project runs Kafka with."""
    lines = (line.split() for line in LIST_FILE.read_text().splitlines() if line and not line.startswith("#"))
    return tuple(_jar(coordinates, sha256) for coordinates, sha256 in lines)


def _jar(coordinates: str, sha256: str) -> Jar:
    group, artifact, version = coordinates.split(":")
    return Jar(group, artifact, version, sha256)


def class_path(settings: LocalSettings, say: Callable[[str], None]) -> list[Path]:
    """Give the jars in the order of the list, downloading them if this user has not yet. Raises `DownloadError`."""
    jars = listed()
    name = hashlib.sha256("".join(jar.sha256 for jar in jars).encode()).hexdigest()[:12]
    home = settings.cache_directory / f"kafka-{name}"
    if not home.is_dir():
        with locked(settings.cache_directory / "kafka.lock"):
            # Another clone may have fetched them while this one waited for the lock.
            if not home.is_dir():
                _fetch(jars, home, settings, say)
    return [home / jar.file_name for jar in jars]


def _fetch(jars: tuple[Jar, ...], home: Path, settings: LocalSettings, say: Callable[[str], None]) -> None:
    partial = home.with_name(home.name + ".partial")
    repository = home.with_name(home.name + ".repository")
    shutil.rmtree(repository, ignore_errors=True)
    repository.mkdir(parents=True)
    partial.mkdir(exist_ok=True)
    context = maven(repository, settings)
    missing = [jar for jar in jars if not _is_whole(jar, partial / jar.file_name)]
    say(f"downloading Apache Kafka: {len(missing)} of {len(jars)} jars, about 45 MB in all, once for this user")
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        waiting = [pool.submit(_fetch_one, jar, context, partial, settings.kafka_download_attempts) for jar in missing]
        try:
            for done, future in enumerate(as_completed(waiting), start=1):
                future.result()
                if done % SAID_EVERY == 0 or done == len(missing):
                    say(f"downloading Apache Kafka: {done} of {len(missing)} jars")
        except DownloadError:
            pool.shutdown(cancel_futures=True)
            raise
    shutil.rmtree(repository)
    partial.rename(home)


def _is_whole(jar: Jar, file: Path) -> bool:
    """Say whether an earlier start, which was cut short, has fetched this jar already."""
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == jar.sha256


def _fetch_one(jar: Jar, context: "MavenContext", into: Path, attempts: int) -> None:
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    for attempt in range(1, attempts + 1):
        try:
            source = Path(artifact.resolve())
            break
        except Exception as error:
            # jgo passes on whatever the network raised; all of it means the same to whoever starts the stack.
            if attempt == attempts:
                raise DownloadError(f"cannot download {jar.file_name}: {error}") from error
    found = hashlib.sha256(source.read_bytes()).hexdigest()
    if found != jar.sha256:
        raise DownloadError(f"{jar.file_name} is not what {LIST_FILE.name} lists: its SHA-256 is {found}")
    source.replace(into / jar.file_name)


def maven(repository: Path, settings: LocalSettings) -> "MavenContext":
    """Give jgo's view of Maven with the repositories that this machine is set up to use."""
    # Imported here: it takes longer than all the rest of a start for which everything is there.
    from jgo.config import GlobalSettings  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    context = MavenContext(repo_cache=repository, timeout=settings.kafka_download_timeout_s)
    context.remote_repos |= GlobalSettings.load().repositories
    mirror = mirror_of_central(MAVEN_SETTINGS.expanduser())
    if mirror is not None:
        context.remote_repos[CENTRAL] = mirror
    return context


def mirror_of_central(settings_file: Path) -> str | None:
    """Give the address that Maven's own settings name as the mirror of its central repository, if they do."""
    try:
        root = ET.parse(settings_file).getroot()  # noqa: S314 - the user's own file, read with the user's rights
    except (OSError, ET.ParseError):
        return None
    for mirror in root.iterfind("{*}mirrors/{*}mirror"):
        of = {word.strip() for word in (mirror.findtext("{*}mirrorOf") or "").split(",")}
        url = mirror.findtext("{*}url")
        if url and {"*", "external:*", CENTRAL} & of and f"!{CENTRAL}" not in of:
            return url.strip().rstrip("/")
    return None
