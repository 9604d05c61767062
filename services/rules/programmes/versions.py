"""Rows of programme versions, and the versions that they are when compiled."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from services.rules.domain.programme import ProgrammeVersion
from services.rules.programme_file import compile_programme
from services.runtime.postgres import statements

SQL: Final = statements(__package__)

_TEXTS_REMEMBERED: Final = 64

_compile_once = lru_cache(maxsize=_TEXTS_REMEMBERED)(compile_programme)


def compiled(row: Mapping[str, Any]) -> ProgrammeVersion:
    """A published version, ready to judge. Raises InvalidProgrammeError if this release cannot read its file."""
    draft = _compile_once(row["file"])
    return replace(draft, version=row["version"], starts_at=row["starts_at"])
