"""A page of terms: sections of sentences, each under a key that stays the same from version to version."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Final

from services.runtime.http.languages import Language

_STRONG: Final = "**"


@dataclass(frozen=True, slots=True)
class Item:
    """One sentence or a few; `key` says what it is about (`rule:cashback`), `bullet` whether it is one of a list.

    A part in `**` is set in bold.
    """

    key: str
    text: str
    bullet: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands under it."""

    key: str
    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page. Sections without anything to say are left out."""

    language: Language
    title: str
    sections: tuple[Section, ...]

    def items(self) -> Iterator[Item]:
        """Everything that the page says, in order."""
        for section in self.sections:
            yield from section.items


def as_markdown(page: Page) -> str:
    """The page as CommonMark, which also reads well as plain text."""
    parts = [f"# {page.title}"]
    for section in page.sections:
        parts.append(f"## {section.title}")
        for is_list, texts in _groups(section):
            parts.append("\n".join(f"- {text}" for text in texts) if is_list else " ".join(texts))
    return "\n\n".join(parts) + "\n"


def as_html(page: Page) -> str:
    """The page as one HTML document that needs nothing else."""
    body = [f"<h1>{escape(page.title)}</h1>"]
    for section in page.sections:
        body.append(f"<h2>{escape(section.title)}</h2>")
        for is_list, texts in _groups(section):
            said = [_bold(escape(text)) for text in texts]
            body.append(f"<ul><li>{'</li><li>'.join(said)}</li></ul>" if is_list else f"<p>{' '.join(said)}</p>")
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.title)}</title><style>{_STYLE}</style>"
    )
    lines = [f'<!doctype html>\n<html lang="{page.language}"><head>{head}</head><body>', *body, "</body></html>\n"]
    return "\n".join(lines)


def _groups(section: Section) -> Iterator[tuple[bool, list[str]]]:
    """Sentences that stand together: as a list, or as one paragraph."""
    for is_list, items in groupby(section.items, key=lambda item: item.bullet):
        yield is_list, [item.text for item in items]


_STYLE: Final = "body{font:1rem/1.5 sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}"


def _bold(text: str) -> str:
    parts = text.split(_STRONG)
    return "".join(f"<strong>{part}</strong>" if index % 2 else part for index, part in enumerate(parts))
