"""The manifest of the golden samples: what was published is never changed and never removed.

One line a sample, as `sha256sum -c` reads it.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

NAME: Final = "manifest.txt"


def read(directory: Path) -> dict[str, str]:
    """The SHA-256 of each published sample, in hexadecimal, by its file name."""
    file = directory / NAME
    lines = file.read_text().splitlines() if file.exists() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def digests(directory: Path) -> dict[str, str]:
    """The SHA-256 of each sample as it lies there."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(directory.glob("*.json"))}


def extended(published: Mapping[str, str], present: Mapping[str, str]) -> bytes:
    """The manifest with new samples added. Lines that stand already are kept, whatever became of their files."""
    lines = sorted((dict(present) | dict(published)).items())
    return "".join(f"{digest}  {name}\n" for name, digest in lines).encode()


def violations(published: Mapping[str, str], present: Mapping[str, str]) -> list[str]:
    """What was done to published samples, in words."""
    problems = []
    for name, digest in published.items():
        if name not in present:
            problems.append(f"samples/{name} was published and is gone")
        elif present[name] != digest:
            problems.append(f"samples/{name} was published and is changed; add another sample instead")
    return problems
