"""Languages in which readers are answered, and which one of them a request asks for."""

from collections.abc import Sequence
from typing import Final, Literal, get_args

Language = Literal["pl", "ru", "en"]
LANGUAGES: Final[Sequence[Language]] = get_args(Language)
DEFAULT: Final[Language] = "en"


def asked_for(accept_language: str | None) -> Language:
    """The language that `Accept-Language` prefers among those there are; English where none of them is named.

    Source: RFC 9110, section 12.5.4.
    """
    best: tuple[float, Language] = (0.0, DEFAULT)
    for part in (accept_language or "").split(","):
        name, _, parameter = part.partition(";")
        language = next((each for each in LANGUAGES if each == name.strip().lower().partition("-")[0]), None)
        weight = _weight(parameter)
        if language is not None and weight > best[0]:
            best = (weight, language)
    return best[1]


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
