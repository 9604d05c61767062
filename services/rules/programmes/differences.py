"""What changes from one version of a programme to another: in the sentences of its terms, and in the words of its file.

Members' terms are compared sentence by sentence, under the keys of what they are about. The words of the file are
compared field by field, so that what changes without a word to members (a budget's last award, the order of rules) is
seen too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.rules.domain.programme import ProgrammeVersion
from services.rules.terms import said_by, terms_of
from services.rules.terms.phrases import PHRASES
from services.runtime.http.languages import Language


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is said otherwise: `before` none: it is new; `now` none: it is said no longer."""

    about: str
    before: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Differences:
    """What members notice, and everything in the words of the file."""

    for_members: tuple[Change, ...]
    in_file: tuple[Change, ...]

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return bool(self.for_members or self.in_file)


def differences(old: ProgrammeVersion, new: ProgrammeVersion, language: Language) -> Differences:
    """Every change, in the order of the new version; what is gone stands behind."""
    return Differences(
        _changes(_sentences(old, language), _sentences(new, language)), _changes(said_by(old), said_by(new))
    )


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[Change, ...]:
    changed = [Change(about, before.get(about), text) for about, text in now.items() if before.get(about) != text]
    gone = [Change(about, text, None) for about, text in before.items() if about not in now]
    return (*changed, *gone)


def _sentences(version: ProgrammeVersion, language: Language) -> Mapping[str, str]:
    return {item.key: item.text for item in terms_of(version, language).items() if item.key != "since"}


def in_words(found: Differences, language: Language) -> Iterator[str]:
    """The changes line by line."""
    phrases = PHRASES[language]
    if not found:
        yield phrases["diff:nothing"]
    if found.for_members:
        yield phrases["diff:members"]
    for change in found.for_members:
        if change.before is None:
            yield f"+ {phrases['diff:new']}: {change.now}"
        elif change.now is None:
            yield f"- {phrases['diff:gone']}: {change.before}"
        else:
            yield f"~ {phrases['diff:before']}: {change.before}"
            yield f"  {phrases['diff:now']}: {change.now}"
    if found.in_file:
        yield phrases["diff:file"]
    for change in found.in_file:
        yield f"  {change.about}: {change.before or '–'} → {change.now or '–'}"
