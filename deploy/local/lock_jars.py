"""Write `jars.txt` anew: resolve Kafka's coordinates with everything they need, and hash every jar.

Run by hand when Kafka's version changes: python -m deploy.local.lock_jars
"""

import hashlib
import tempfile
from pathlib import Path

from deploy.local import jars
from deploy.local.settings import LocalSettings

HEADER = "# The jars that Apache Kafka runs with, resolved from its coordinates; written by deploy.local.lock_jars.\n"


def resolve(repository: Path) -> list[str]:
    """Give the lines of the list, in the order of the class path. Raises `ValueError` at anything but plain jars."""
    context = jars.maven(repository, LocalSettings())
    wanted = [context.create_dependency(coordinates) for coordinates in jars.COORDINATES]
    asked_for, needed = context.resolver.resolve(wanted)
    lines: dict[str, str] = {}
    for dependency in (*asked_for, *needed):
        artifact = dependency.artifact
        coordinates = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
        if artifact.classifier or artifact.packaging != "jar":
            raise ValueError(f"{coordinates} is not a plain jar; the list has no place for it")
        lines[coordinates] = hashlib.sha256(Path(artifact.resolve()).read_bytes()).hexdigest()
    return [f"{coordinates} {sha256}\n" for coordinates, sha256 in lines.items()]


def main() -> None:
    """Resolve into a directory that is thrown away, and write the list."""
    with tempfile.TemporaryDirectory() as repository:
        lines = resolve(Path(repository))
    jars.LIST_FILE.write_text(HEADER + "".join(lines))


if __name__ == "__main__":
    main()
