"""Messages as members read them, in three languages, as text and as HTML."""

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from services.notifier import words
from services.notifier.channels.email import Mail, compose
from services.notifier.contact import Contact, is_email
from services.notifier.domain.preferences import LANGUAGES
from services.notifier.rendering import TEMPLATES, RenderingError, example, render
from services.notifier.words import ProgrammeWords

WARSAW = ZoneInfo("Europe/Warsaw")
CLUB = ProgrammeWords(
    "bronze-silver-gold",
    WARSAW,
    {"pl": "Klub trzech poziomów", "ru": "Клуб трёх уровней", "en": "Three levels club"},
    {"points": {"pl": "punktów"}},
    {"silver": {"pl": "Srebro", "ru": "Серебро"}},
)
NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def plain(text: str) -> str:
    """The text with its no-break spaces as ordinary ones."""
    return text.replace("\u00a0", " ")


def test_points_accrued_in_polish() -> None:
    """Every sentence of it: how many, from when, through which day, and what is on the account."""
    rendered = render("points-accrued", "pl", example("points-accrued"), CLUB, "Zofia")
    assert plain(rendered.subject) == "Na Twoje konto wpływa 40,00 punktów"
    assert plain(rendered.text) == (
        "Dzień dobry, Zofia!\n\n"
        "Naliczyliśmy Ci 40,00 punktów za zakupy (krakow-12).\n\n"
        "40,00 punktów będzie można wydać od 19 marca 2026.\n\n"
        "40,00 punktów: ważne do 30 września 2026 włącznie.\n\n"
        "Stan konta:\n- 1 250,50 punktów dostępne, 40,00 punktów oczekujące\n\n"
        "-- \nWiadomość dla uczestników programu Klub trzech poziomów.\n"
    )


def test_tier_changed_in_russian_and_english() -> None:
    """Names of tiers where the programme has them, else their codes."""
    facts = example("tier-changed")
    russian, english = (render("tier-changed", language, facts, CLUB) for language in ("ru", "en"))
    assert plain(russian.subject) == "Ваш уровень: Серебро"
    assert "действует по 4 марта 2027 включительно" in plain(russian.text)
    assert plain(english.text).startswith("Hello!\n\nYour level is now silver, valid through 4 March 2027.\n")


@pytest.mark.parametrize(("template", "language"), list(product(TEMPLATES, LANGUAGES)))
def test_every_template_speaks_every_language_in_text_and_html(template: str, language: str) -> None:
    """Each has a subject of one line, the same paragraphs in both forms, and nothing left unfilled."""
    rendered = render(template, language, example(template), CLUB, "Zofia")
    assert rendered.subject
    assert "\n" not in rendered.subject
    stripped = re.sub(r"<[^>]+>", "", rendered.html)
    for line in rendered.text.split("\n"):
        assert line.removeprefix("- ").strip() in stripped or line == "-- " or line.endswith(":")
    assert not re.search(r"[{}]|None|Undefined", rendered.text)


def test_what_comes_from_outside_is_escaped_in_html() -> None:
    """A store, a name or a programme with markup in it stays text."""
    facts = example("points-redeemed") | {"source": {"kind": "purchase", "id": "1", "store": "<img src=x>"}}
    evil = ProgrammeWords("x", UTC, {"en": "<script>"})
    rendered = render("points-redeemed", "en", facts, evil, "<b>")
    assert "<script>" not in rendered.html
    assert "<img" not in rendered.html
    assert "<b>" not in rendered.html
    assert "<img src=x>" in rendered.text


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"amounts": [{"currency": "points"}], "source": None},
        {"amounts": 7, "source": None},
        {"amounts": [], "source": None, "balances": 3},
        {"amounts": [{"currency": "points", "scale": 10**9, "points": 1}], "source": None},
        {"amounts": [{"currency": "points", "scale": 2, "points": 10**5000}], "source": None},
        {"amounts": [{"currency": "points", "scale": "x", "points": 1, "pending": 0, "expires_at": None}], "source": 1},
    ],
)
def test_facts_that_a_template_cannot_say_are_an_error_of_their_own(facts: dict[str, object]) -> None:
    """Nothing half written is ever sent."""
    with pytest.raises(RenderingError):
        render("points-accrued", "en", facts, CLUB)


def test_there_is_no_template_for_everything() -> None:
    """A name that could lead out of the folder leads nowhere."""
    for template, language in (("../../settings", "en"), ("welcome", "../en"), ("frame", "en")):
        with pytest.raises(KeyError):
            render(template, language, {}, CLUB)


@pytest.mark.parametrize(
    ("points", "scale", "language", "text"),
    [
        (123456789, 2, "pl", "1 234 567,89"),
        (123456789, 2, "en", "1,234,567.89"),
        (-50, 2, "ru", "-0,50"),
        (-123450, 2, "ru", "-1 234,50"),
        (7, 0, "pl", "7"),
        (0, 2, "en", "0.00"),
    ],
)
def test_numbers_are_written_as_the_language_does(points: int, scale: int, language: str, text: str) -> None:
    """Exact, with the language's own separators."""
    assert plain(words.number(points, scale, language)) == text


def test_L4_members_read_the_last_day_on_which_points_count() -> None:
    """Expiry on 1 March 2029 at 00:00 in the programme's zone reads: valid through 28 February 2029."""
    end = datetime(2029, 3, 1, tzinfo=WARSAW)
    assert plain(words.last_day(end, WARSAW, "en")) == "28 February 2029"
    assert plain(words.last_day(end.astimezone(UTC), WARSAW, "pl")) == "28 lutego 2029"
    assert plain(words.last_day(end + timedelta(hours=12), WARSAW, "ru")) == "1 марта 2029"


def test_the_words_are_those_of_the_version_in_force() -> None:
    """Not of one that starts tomorrow, nor of an older one."""
    common = {"zone": "Europe/Warsaw", "currencies": []}
    versions = [
        common | {"version": 1, "starts_at": "2026-01-01T00:00:00Z", "name": {"pl": "A"}},
        common | {"version": 2, "starts_at": "2026-03-01T00:00:00Z", "name": {"pl": "B"}, "zone": "Nowhere/Land"},
        common | {"version": 3, "starts_at": "2026-04-01T00:00:00Z", "name": {"pl": "C"}},
    ]
    found = ProgrammeWords.of_versions("p", versions, NOON)
    assert (found.name("pl"), found.name("ru"), found.zone) == ("B", "B", UTC)
    assert ProgrammeWords.of_versions("p", versions[:0], NOON).name("pl") == "p"


def test_a_mail_carries_both_forms_and_no_header_of_a_stranger() -> None:
    """A name with a line break in it adds no header."""
    rendered = render("welcome", "pl", example("welcome"), CLUB, "Zofia")
    contact = Contact("zofia@example.com", "Zofia\r\nBcc: all@example.com")
    mail = compose(Mail("<1.2@shop.example>", contact, "Klub", rendered, NOON), "bonus@shop.example")
    assert dict(mail.items()) | {"Content-Type": ""} == {
        "From": "Klub <bonus@shop.example>",
        "To": '"Zofia  Bcc: all@example.com" <zofia@example.com>',
        "Subject": rendered.subject,
        "Date": "Thu, 05 Mar 2026 12:00:00 +0000",
        "Message-ID": "<1.2@shop.example>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": "",
    }
    parts = {part.get_content_type(): part.get_content() for part in mail.iter_parts()}
    assert parts == {"text/plain": rendered.text, "text/html": rendered.html}
    assert b"\nBcc:" not in mail.as_bytes()


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("zofia@example.com", True),
        ("z.o+f'ia@a-b.co.uk", True),
        ("zofia@example", False),
        ("zofia", False),
        ("@example.com", False),
        ("a..b@example.com", False),
        ("zofia@exa mple.com", False),
        ("zofia@example.com\n", False),
        ("zofia@example.com, other@example.com", False),
        ("żółw@example.com", False),
        ("a" * 250 + "@example.com", False),
    ],
)
def test_an_address_is_one_that_mail_systems_take(text: str, good: bool) -> None:
    """Anything else would bounce, or reach somebody else."""
    assert is_email(text) is good
