"""Who may know whom: services apart, the domains pure."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from tests.architecture.sources import PROJECT, domain_modules, tree, with_suffix

# What a decision may not touch: clocks and ids are arguments, and nothing is read, written, logged or waited for.
WORLD = {
    "aiohttp", "asyncio", "concurrent", "contextvars", "ctypes", "http", "io", "logging", "multiprocessing", "os",
    "pathlib", "random", "secrets", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile",
    "threading", "time", "urllib",
}  # fmt: skip
CLOCKS_AND_CHANCE = {"now", "today", "utcnow", "uuid1", "uuid4", "perf_counter", "monotonic"}


def test_services_keep_apart() -> None:
    """No service imports another, the runtime knows no points, contracts know no service."""
    assert lint_imports(config_filename=str(PROJECT / "pyproject.toml"), no_cache=True) == EXIT_STATUS_SUCCESS


def test_there_are_domains() -> None:
    """A search that finds nothing proves nothing."""
    assert {path.parts[1] for path in domain_modules()} == {"ledger", "rules", "notifier"}


def test_a_domain_imports_contracts_and_the_standard_library() -> None:
    """Decisions are plain values in and out: they can be read, tested and run anywhere."""
    allowed = (sys.stdlib_module_names - WORLD) | {"contracts"}
    found = [
        f"{path}:{line} {name}"
        for path in domain_modules()
        for line, name in _imported(tree(path))
        if name.split(".")[0] not in allowed and not name.startswith(".".join(path.parts[:3]))
    ]
    assert found == []


def test_a_domain_asks_no_clock_and_no_chance() -> None:
    """The instant and new ids are arguments, so that a decision taken twice is the same decision."""
    found = [
        f"{path}:{node.lineno} {called}"
        for path in domain_modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and (called := _called(node.func)) in CLOCKS_AND_CHANCE
    ]
    assert found == []


def test_the_words_of_http_stay_in_the_api() -> None:
    """HTTP's codes are words for callers: they stand in the api modules and the runtime's http alone."""
    found = [
        str(path)
        for path in _service_modules()
        if "api" not in path.parts and "http" not in path.parts and any(_raises_problem(tree(path)))
    ]
    assert found == []


def _imported(module: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or "."


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _service_modules() -> Iterator[Path]:
    return with_suffix(".py", "services")


def _raises_problem(module: ast.Module) -> Iterator[bool]:
    for node in ast.walk(module):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield _called(node.exc.func) == "Problem"
