"""Lines of a statement in words: every kind of event has its own phrase in every language."""

import pytest

from services.ledger.domain.account_events import EVENTS
from services.ledger.words.lines import in_words
from services.ledger.words.phrases import HAPPENED, SOURCES, WORDS
from services.runtime.http.languages import LANGUAGES, Language, asked_for

MOVING = {
    "points.accrued", "points.activated", "points.redeemed", "points.restored", "points.expired", "points.reversed",
    "points.adjusted", "debt.settled", "hold.placed", "hold.captured", "hold.released", "hold.timed-out",
    "transfer.sent", "transfer.received", "transfer.completed", "transfer.returned",
}  # fmt: skip
"""The events that move points, and so have lines."""


def test_every_language_says_the_same_things() -> None:
    """No phrase is missing anywhere, and every event that moves points has one."""
    for table in (HAPPENED, SOURCES, WORDS):
        assert {frozenset(phrases) for phrases in table.values()} == {frozenset(table["en"])}
    names = {kind.removeprefix("bonus.").removesuffix(".v1") for kind in EVENTS}
    assert names >= MOVING
    assert set(HAPPENED["en"]) >= MOVING


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "en"),
        ("pl", "pl"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("en;q=0.2, pl;q=0.7", "pl"),
        ("pl;q=x, en", "en"),
        ("fr, ru;q=0.1", "ru"),
    ],
)
def test_the_reader_chooses_the_language(header: str | None, language: Language) -> None:
    """The best of those there are, else English."""
    assert asked_for(header) == language
    assert set(LANGUAGES) == set(HAPPENED)


def test_a_line_without_a_source_says_what_it_can() -> None:
    """A time-out has no purchase; a currency with no word of its own stands by its code."""
    line = {
        "type": "bonus.hold.timed-out.v1", "currency": "stamp", "scale": 0, "held": -3, "pending": None,
        "available_after": 5, "debt_after": 0,
    }  # fmt: skip
    assert in_words(line, {}, {}, "en") == (
        "No longer set aside, as nobody spent it in time: 3 stamp. Available now: 5 stamp."
    )
    assert in_words(line, {}, {"pl": "pieczątek"}, "pl").endswith("Dostępne teraz: 5 pieczątek.")
