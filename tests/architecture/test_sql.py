"""SQL of the services: each statement alone in its file, under a header that is its contract."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.sources import read, tree, with_suffix

NAME_LINE = re.compile(r"-- (?P<name>\w+): \S.*")
PARAMETER_LINE = re.compile(r"-- \$(?P<number>[0-9]+) +(?P<name>\w+) +(?P<type>[a-z]+(\[\])?)( +\S.*)?")
FURTHER_LINE = re.compile(r"-- \S.*|-- {2,}\S.*")
LITERAL = re.compile(r"'(?:[^']|'')*'")
COMMENT = re.compile(r"--[^\n]*")
PARAMETER = re.compile(r"\$([0-9]+)")

STATEMENTS = list(with_suffix(".sql", "services"))


def test_there_are_statements() -> None:
    """A search that finds nothing proves nothing."""
    assert len(STATEMENTS) > 50


@pytest.mark.parametrize("path", STATEMENTS, ids=str)
def test_the_header_names_the_statement_and_every_parameter(path: Path) -> None:
    """Whoever calls a statement reads its header alone."""
    lines = read(path).splitlines()
    header = lines[: _header_length(lines)]
    named = NAME_LINE.fullmatch(header[0]) if header else None
    described = [int(found["number"]) for line in header if (found := PARAMETER_LINE.fullmatch(line))]
    used = sorted({int(number) for number in PARAMETER.findall(_statement(path))})
    assert (named["name"] if named else None, described) == (path.stem, used)
    assert used == list(range(1, len(used) + 1))


@pytest.mark.parametrize("path", STATEMENTS, ids=str)
def test_a_file_holds_one_statement(path: Path) -> None:
    """One statement is one round trip, and what a file does stands in its name."""
    statement = _statement(path).strip()
    assert statement
    assert statement.removesuffix(";").count(";") == 0


def test_sql_stands_in_files() -> None:
    """Storage modules load statements; a statement inside Python is found by nobody who looks for it."""
    written = re.compile(
        r"^\s*(select|insert into|update|delete from|with)\s[^\n]*\n?.*\b(from|values|set)\b", re.DOTALL
    )
    found = [
        f"{path}: {literal.splitlines()[0][:60]}"
        for path in with_suffix(".py", "services")
        for literal in _literals(path)
        if written.match(literal)
    ]
    assert found == []


def _header_length(lines: list[str]) -> int:
    return next((number for number, line in enumerate(lines) if not line.startswith("--")), len(lines))


def _statement(path: Path) -> str:
    return LITERAL.sub("''", COMMENT.sub("", read(path)))


def _literals(path: Path) -> list[str]:
    return [
        node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
