"""The programme language: a YAML text to a version that can be evaluated, with every fault named by line and column."""

from services.rules.programme_file.errors import InvalidProgrammeError, ProgrammeError
from services.rules.programme_file.fields import schema
from services.rules.programme_file.loading import compile_programme, load

__all__ = ["InvalidProgrammeError", "ProgrammeError", "compile_programme", "load", "schema"]
