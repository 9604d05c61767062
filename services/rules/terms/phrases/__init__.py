"""What the terms say, in Polish, Russian and English. Braces stand for values; every language has the same phrases."""

from collections.abc import Mapping
from typing import Final

from services.rules.terms.phrases.english import ENGLISH
from services.rules.terms.phrases.polish import POLISH
from services.rules.terms.phrases.russian import RUSSIAN
from services.runtime.http.languages import Language

PHRASES: Final[Mapping[Language, Mapping[str, str]]] = {"pl": POLISH, "ru": RUSSIAN, "en": ENGLISH}
