"""What every file of the project has in common: its size, its name, what it says of itself, what it leaves unsaid."""

import ast
import re
from pathlib import Path

from tests.architecture.sources import read, tracked, tree, with_suffix

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
BINARY = {".png", ".ico", ".gz", ".parquet", ".woff2"}

NAMES_WITHOUT_MEANING = re.compile(r"(\A|_)(utils?|helpers?|common|managers?|misc)(\Z|_)")
CLASSES_WITHOUT_MEANING = re.compile(r"(Utils?|Helpers?|Common|Managers?)\Z")
# Written so that the patterns do not find themselves.
REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted\.org|repo1?\.maven|search\.maven|registry\.npmjs|registry\.yarnpkg|crates\.io"
    r"|proxy\.golang|docker\.io|ghcr\.io|quay\.io|gcr\.io|mcr\.microsoft|\bartifactory\b|\bnexus\b|deb\.debian\.org"
)
INDEX_OPTIONS = re.compile(r"--(extra-)?index-url|--find-links|--trusted-host")
PATHS_OF_A_MACHINE = re.compile(r"(?<![\w./:-])/(home|root|Users|work|workspace|mnt|media)/\w")


def texts() -> list[tuple[Path, str]]:
    return [(path, read(path)) for path in tracked() if path.suffix not in BINARY]


def test_no_file_is_longer_than_one_can_see_through() -> None:
    """A file that one cannot hold in mind is two files."""
    lengths = {str(path): len(read(path).splitlines()) for path in with_suffix(".py")}
    assert {path: length for path, length in lengths.items() if length > FILE_LINES_MAX} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    """A function is seen whole, or it hides something."""
    too_long = {
        f"{path}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in with_suffix(".py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES_MAX
    }
    assert too_long == {}


def test_names_say_what_is_in_them() -> None:
    """What is called utils, helpers, common or manager could be anything: it is named after what it does."""
    files = [
        str(path)
        for path in with_suffix(".py")
        if any(NAMES_WITHOUT_MEANING.search(Path(part).stem) for part in path.parts)
    ]
    classes = [
        f"{path}:{node.lineno} {node.name}"
        for path in with_suffix(".py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and CLASSES_WITHOUT_MEANING.search(node.name)
    ]
    assert (files, classes) == ([], [])


def test_no_file_names_a_package_registry() -> None:
    """Everybody has mirrors of their own: where packages come from is each machine's own affair."""
    found = [f"{path}: {match}" for path, text in texts() for match in sorted(_all(REGISTRIES, text))]
    locks = [
        f"{path}: {match}"
        for path, text in texts()
        if path.name.startswith("requirements")
        for match in sorted(_all(INDEX_OPTIONS, text))
    ]
    assert (found, locks) == ([], [])


def test_no_file_names_a_place_on_one_machine() -> None:
    """The project runs wherever it is cloned to."""
    found = [f"{path}: {match}" for path, text in texts() for match in sorted(_all(PATHS_OF_A_MACHINE, text))]
    assert found == []


def _all(pattern: re.Pattern[str], text: str) -> set[str]:
    return {match.group() for match in pattern.finditer(text)}
