"""What is wrong with a programme file: where, why, and how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, order=True)
class ProgrammeError:
    """One fault; `line` and `column` count from 1, `path` names the field: `earn[2].give`.

    `suggestion` says what to write instead, where that is known.
    """

    line: int
    column: int
    path: str
    code: str
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        mend = f" ({self.suggestion})" if self.suggestion else ""
        return f"line {self.line}, column {self.column}: {self.path}: {self.message}{mend}"


class InvalidProgrammeError(ValueError):
    """The text is not a programme that can run; `errors` says everything that was found."""

    def __init__(self, errors: Iterable[ProgrammeError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(map(str, self.errors)))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """`did you mean …?`, if something known is like the word."""
    found = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"did you mean {found[0]}?" if found else None
