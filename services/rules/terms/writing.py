"""The page of a programme: what members read, and behind it what only the shop needs to know."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from services.rules.domain.programme import ProgrammeVersion
from services.rules.terms import offers, points
from services.rules.terms.grammar import sentence
from services.rules.terms.inside import inside
from services.rules.terms.page import Item, Page, Section
from services.rules.terms.speaker import Speaker
from services.runtime.http.languages import Language

Writer = Callable[[Speaker], Iterable[Item]]


def terms_of(version: ProgrammeVersion, language: Language) -> Page:
    """The terms for members. Those of a version that was published say from when on they hold."""
    return _page(version, language, _FOR_MEMBERS)


def for_staff(version: ProgrammeVersion, language: Language) -> Page:
    """The same, and behind it every rule and part of the programme in the words of its file."""
    return _page(version, language, (*_FOR_MEMBERS, ("inside", lambda speaker: inside(speaker.version))))


def _since(speaker: Speaker) -> Iterator[Item]:
    version = speaker.version
    if version.starts_at is not None:
        when = speaker.from_day(version.starts_at)
        yield Item("since", sentence(speaker.say("since", when=when, version=str(version.version))))


_FOR_MEMBERS: Final[tuple[tuple[str, Writer], ...]] = (
    ("earn", offers.how_to_earn),
    ("offers", offers.campaigns),
    ("limits", offers.limits),
    ("worth", points.worth),
    ("counts", points.counts),
    ("lapse", points.lapse),
    ("levels", points.levels),
    ("returns", points.returned),
    ("more", points.more),
    ("since", _since),
)


def _page(version: ProgrammeVersion, language: Language, parts: Iterable[tuple[str, Writer]]) -> Page:
    speaker = Speaker(version, language)
    written = [(key, tuple(write(speaker))) for key, write in parts]
    sections = tuple([Section(key, speaker.say(f"title:{key}"), items) for key, items in written if items])
    return Page(language, speaker.say("title", name=speaker.words(version.texts.name) or version.key), sections)
