"""From a notice to a message: subject, text and HTML, from one template a language.

A template has two blocks, `subject` and `body`; paragraphs are separated by blank lines. Text and HTML are two layouts
of the same paragraphs, so they cannot say different things.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError, pass_context
from jinja2.runtime import Context

from services.notifier import words
from services.notifier.domain.message import KIND_OF, Facts
from services.notifier.domain.preferences import LANGUAGES
from services.notifier.words import ProgrammeWords

DIRECTORY: Final = Path(__file__).parent / "templates"
TEMPLATES: Final = (*KIND_OF, "confirmation")
_FRAME_WORDS: Final = ("balance", "available", "pending", "debt", "page", "unsubscribe")
_NO_LINKS: Final[Mapping[str, str]] = {}
_PARAGRAPHS: Final = re.compile(r"\n\s*\n")
_BLANKS: Final = re.compile(r"[^\S\u00a0]+")
"""White space but the no-break space, which holds a number and its word together."""


class RenderingError(ValueError):
    """A template cannot say these facts: one is missing, or is no number, no instant."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as it is sent; `paragraphs` are what it says apart from greeting, balance and foot."""

    subject: str
    text: str
    html: str
    paragraphs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Named:
    """What templates call `programme`."""

    name: str


def render(  # noqa: PLR0913, PLR0917 - what a message is made of
    template: str,
    language: str,
    facts: Facts,
    programme: ProgrammeWords,
    name: str = "",
    links: Mapping[str, str] = _NO_LINKS,
) -> Rendered:
    """The message that `template` makes of `facts` for a member called `name`.

    `links` has addresses for the foot of the message: `page`, `unsubscribe`; each may be missing.

    Raises KeyError for a template or language that there is not, and `RenderingError`.
    """
    if template not in TEMPLATES or language not in LANGUAGES:
        raise KeyError(f"{template} in {language}")
    try:
        return _render(template, language, facts, programme, name, links)
    except (TemplateError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise RenderingError(f"{template} cannot be written: {error}") from error


def example(template: str) -> Facts:
    """Facts to try a template with. Raises KeyError for one that there is not."""
    facts: Facts = _examples()[template]
    return facts


@lru_cache
def _examples() -> dict[str, Facts]:
    content: dict[str, Facts] = json.loads((DIRECTORY / "examples.json").read_text(encoding="utf-8"))
    return content


def _render(  # noqa: PLR0913, PLR0917 - as above
    template: str, language: str, facts: Facts, programme: ProgrammeWords, name: str, links: Mapping[str, str]
) -> Rendered:
    context: dict[str, Any] = {
        **facts,
        "language": language,
        "name": name,
        "programme": _Named(programme.name(language)),
        "programme_words": programme,
    }
    own = environment(escapes=False).get_template(f"{language}/{template}.j2")
    frame = environment(escapes=False).get_template(f"{language}/frame.j2")
    layout = {
        **context,
        "subject": line(own, "subject", context),
        "greeting": line(frame, "greeting", context),
        "farewell": line(frame, "farewell", context),
        "words": {word: line(frame, word, context) for word in _FRAME_WORDS},
        "paragraphs": _paragraphs(_block(own, "body", context)),
        "links": {name: links.get(name, "") for name in ("page", "unsubscribe")},
        "balances": facts.get("balances") or [],
    }
    text = environment(escapes=False).get_template("layout.txt.j2").render(layout)
    html = environment(escapes=True).get_template("layout.html.j2").render(layout)
    return Rendered(layout["subject"], text, html, tuple(layout["paragraphs"]))


def _block(template: Template, name: str, context: Mapping[str, Any]) -> str:
    return "".join(template.blocks[name](template.new_context(dict(context))))


def line(template: Template, name: str, context: Mapping[str, Any]) -> str:
    """A block as one line: no fact can break a mail's header."""
    return _BLANKS.sub(" ", _block(template, name, context)).strip()


def _paragraphs(body: str) -> list[str]:
    parts = (_BLANKS.sub(" ", part).strip() for part in _PARAGRAPHS.split(body))
    return [part for part in parts if part]


@lru_cache
def environment(*, escapes: bool) -> Environment:
    """The templates, with what they write amounts and days by."""
    made = Environment(
        loader=FileSystemLoader(DIRECTORY),
        autoescape=escapes,  # noqa: S701 - subject and text are plain text; the HTML layout escapes what goes into it
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "points": _points,
        "available": _bucket("available"),
        "pending": _bucket("pending"),
        "debt": _bucket("debt"),
        "day": _day,
        "last_day": _last_day,
        "clock": _clock,
        "tier": _tier,
    }
    return made


def _written(context: Context, amount: Mapping[str, Any], points: int) -> str:
    language = context["language"]
    word = context["programme_words"].currency(amount["currency"], language)
    return f"{words.number(points, amount['scale'], language)}\u00a0{word}"


@pass_context
def _points(context: Context, amounts: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """One amount, or several with commas."""
    several = [amounts] if isinstance(amounts, Mapping) else amounts
    return ", ".join(_written(context, amount, amount["points"]) for amount in several)


def _bucket(name: str) -> Callable[[Context, Mapping[str, Any]], str]:
    @pass_context
    def written(context: Context, amount: Mapping[str, Any]) -> str:
        return _written(context, amount, amount[name])

    return written


@pass_context
def _day(context: Context, instant: str) -> str:
    return words.day(datetime.fromisoformat(instant), context["programme_words"].zone, context["language"])


@pass_context
def _last_day(context: Context, instant: str) -> str:
    return words.last_day(datetime.fromisoformat(instant), context["programme_words"].zone, context["language"])


@pass_context
def _clock(context: Context, instant: str) -> str:
    return words.clock(datetime.fromisoformat(instant), context["programme_words"].zone)


@pass_context
def _tier(context: Context, code: str) -> str:
    tier: str = context["programme_words"].tier(code, context["language"])
    return tier
