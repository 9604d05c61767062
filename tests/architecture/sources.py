"""The project's own files, as git lists them, and their syntax trees."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parents[2]


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that belongs to the project, as a path within it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - the developer's own git
        cwd=PROJECT,
        check=True,
        capture_output=True,
    )
    paths = (Path(name) for name in listed.stdout.decode().split("\0") if name)
    return tuple(path for path in paths if (PROJECT / path).is_file())


def with_suffix(suffix: str, *folders: str) -> Iterator[Path]:
    """The files of one kind; of `folders` alone, where some are named."""
    return (path for path in tracked() if path.suffix == suffix and (not folders or path.parts[0] in folders))


def read(path: Path) -> str:
    """The text of a file."""
    return (PROJECT / path).read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """The syntax of a Python file."""
    return ast.parse(read(path), str(path))


def domain_modules() -> list[Path]:
    """The pure core of every service."""
    return [path for path in with_suffix(".py", "services") if "domain" in path.parts]
