"""What tests of deployments share: whether words are a command of `bonus`."""

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from services.command import PARTS

UnknownOptions = Callable[[Sequence[str]], set[str]]


@pytest.fixture
def unknown_options() -> UnknownOptions:
    """A function that finds the command which arguments of `bonus` name, and gives the options it does not have."""

    def check(arguments: Sequence[str]) -> set[str]:
        command: Any = get_command(importlib.import_module(PARTS[arguments[0]].module).app)
        rest = list(arguments[1:])
        if isinstance(command, TyperGroup):
            # Some are imported only when they are asked for.
            command, rest = command.get_command(typer.Context(command), rest[0]), rest[1:]
        known = {option for parameter in command.params for option in parameter.opts}
        return {word for word in rest if word.startswith("--")} - known

    return check
