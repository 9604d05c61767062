"""A member's own page, and the short pages around it, in his language."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from services.notifier import words
from services.notifier.domain.message import Facts
from services.notifier.rendering import RenderingError, environment, line, render
from services.notifier.words import ProgrammeWords

_BUCKETS: Final = ("available", "pending", "held", "debt")
_WORDS: Final = (
    *_BUCKETS, "tier", "empty", "messages", "mail_on", "mail_off", "stop", "resume", "unknown_title", "unknown",
    "erased", "title",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AccountSeen:
    """An account as it stood at `as_of`; `balances` by currency, in the smallest unit; `tier`: a code, may be empty."""

    programme: ProgrammeWords
    balances: Mapping[str, Mapping[str, int]]
    tier: str
    as_of: datetime


@dataclass(frozen=True, slots=True)
class MessageSeen:
    """What was told, and when."""

    programme: ProgrammeWords
    template: str
    facts: Facts
    at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that a member's page shows. `action` is where a form that ends or resumes mail goes."""

    language: str
    mail_allowed: bool
    action: str
    accounts: Sequence[AccountSeen] = field(default_factory=tuple)
    messages: Sequence[MessageSeen] = field(default_factory=tuple)


def member_page(seen: Seen) -> str:
    """The page, as HTML."""
    own = page_words(seen.language)
    return (
        environment(escapes=True)
        .get_template("page.html.j2")
        .render(
            language=seen.language,
            title=own["title"],
            words=own,
            accounts=[_account(each, seen.language) for each in seen.accounts],
            messages=list(_messages(seen.messages, seen.language)),
            mail=seen.mail_allowed,
            action=seen.action,
        )
    )


def mail_page(language: str, *, mail_allowed: bool, action: str) -> str:
    """Whether a member is written to, with a button for the opposite."""
    own = page_words(language)
    title = own["mail_on" if mail_allowed else "mail_off"]
    return (
        environment(escapes=True)
        .get_template("notice.html.j2")
        .render(language=language, title=title, words=own, paragraphs=[], mail=mail_allowed, action=action)
    )


def notice_page(language: str, title: str, paragraph: str) -> str:
    """A page that says one thing."""
    return (
        environment(escapes=True)
        .get_template("notice.html.j2")
        .render(language=language, title=title, words={}, paragraphs=[paragraph], mail=False, action="")
    )


def page_words(language: str) -> dict[str, str]:
    """What the pages say, by name."""
    template = environment(escapes=False).get_template(f"{language}/page.j2")
    return {name: line(template, name, {}) for name in _WORDS}


def _account(account: AccountSeen, language: str) -> dict[str, Any]:
    programme = account.programme
    context = {"language": language, "programme_words": programme, "as_of": account.as_of.isoformat()}
    template = environment(escapes=False).get_template(f"{language}/page.j2")
    return {
        "programme": programme.name(language),
        "tier": programme.tier(account.tier, language) if account.tier else "",
        "as_of": line(template, "as_of", context),
    } | {bucket: list(_amounts(account, bucket, language)) for bucket in _BUCKETS}


def _amounts(account: AccountSeen, bucket: str, language: str) -> Iterable[str]:
    """Amounts of one bucket; what is available is said of every currency, the rest where there is some."""
    for currency, balance in account.balances.items():
        if balance[bucket] or bucket == "available":
            number = words.number(balance[bucket], balance["scale"], language)
            yield f"{number}\u00a0{account.programme.currency(currency, language)}"


def _messages(messages: Iterable[MessageSeen], language: str) -> Iterable[dict[str, Any]]:
    for message in messages:
        try:
            rendered = render(message.template, language, message.facts, message.programme)
        except (RenderingError, KeyError):
            # Made by another release than this one, which cannot say it.
            continue
        yield {
            "day": words.day(message.at, message.programme.zone, language),
            "subject": rendered.subject,
            "paragraphs": rendered.paragraphs,
        }
