"""Settings: every limit by a name, with a default and a description."""

import importlib
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from tests.architecture.sources import with_suffix

MODULES = [path for path in with_suffix(".py") if path.name == "settings.py"]


def classes() -> list[type[BaseSettings]]:
    """Every class of settings that the project has."""
    modules = [importlib.import_module(".".join(path.with_suffix("").parts)) for path in MODULES]
    return [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseSettings) and value.__module__ == module.__name__
    ]


def test_every_part_has_settings() -> None:
    """A search that finds nothing proves nothing."""
    assert {Path(*path.parts[:2]) for path in MODULES} >= {
        Path("services/ledger"), Path("services/rules"), Path("services/notifier"), Path("services/runtime")
    }  # fmt: skip


@pytest.mark.parametrize("settings", classes(), ids=lambda settings: settings.__name__)
def test_every_setting_is_described_and_has_a_default(settings: type[BaseSettings]) -> None:
    """Who runs this reads what a setting means, and sets only what he wants otherwise."""
    fields = settings.model_fields.items()
    silent = [name for name, field in fields if not field.description]
    demanded = [name for name, field in fields if field.default is PydanticUndefined and field.default_factory is None]
    assert (silent, demanded) == ([], [])
