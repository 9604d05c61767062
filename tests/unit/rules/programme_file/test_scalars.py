"""What a text in a programme means, in every form in which people write it."""

from datetime import date
from fractions import Fraction

import pytest

from services.rules.domain.programme import Duration, ProgrammeVersion, Term
from services.rules.programme_file import load, scalars
from services.rules.programme_file.scalars import NotUnderstoodError, Quantity, WrittenGive
from tests.unit.rules.evaluation.shop import local

HEAD = "programme: p\nzone: Europe/Warsaw\nmoney: PLN\ncurrencies: {points: {scale: 2}}\n"


@pytest.mark.parametrize("text", ["5 %", "5%", "5\u00a0%", "5\u202f%", " 5  % "])
def test_a_percentage_with_or_without_a_space(text: str) -> None:
    """A hard space is a space."""
    assert (scalars.percent(text), scalars.give(text)) == (Fraction(1, 20), WrittenGive("percent", Fraction(1, 20)))


@pytest.mark.parametrize("text", ["x2", "X2", "×2", "х2", "Х2", "x 2"])
def test_a_multiplier_in_any_alphabet(text: str) -> None:
    """The letter, the sign, and the Cyrillic letter that looks like both."""
    assert scalars.give(text) == WrittenGive("multiplier", Fraction(2))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2 % cash", WrittenGive("percent", Fraction(1, 50), "cash")),
        ("12.5 % off", WrittenGive("percent_off", Fraction(1, 8))),
        ("100 points", WrittenGive("fixed", Fraction(100), "points")),
        ("10\u00a0000 балла", WrittenGive("fixed", Fraction(10_000), "балла")),
        ("1 point per 10.00", WrittenGive("per_amount", Fraction(1), "point", 10_0000)),
        ("0.5 points per unit", WrittenGive("per_unit", Fraction(1, 2), "points")),
        ("x1.5 miles", WrittenGive("multiplier", Fraction(3, 2), "miles")),
    ],
)
def test_every_form_of_give(text: str, meant: WrittenGive) -> None:
    """Percentages, discounts, numbers, per amount, per unit, multipliers."""
    assert scalars.give(text) == meant


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [("0,10", "write 0.10"), ("1,5 %", "write 1.5 %"), ("2,50 points", "write 2.50 points"), ("x1,5", "write x1.5")],
)
def test_a_decimal_comma_is_refused_with_what_to_write(text: str, suggestion: str) -> None:
    """Nobody can know whether it separates thousands."""
    with pytest.raises(NotUnderstoodError) as raised:
        scalars.give(text)
    assert raised.value.suggestion == suggestion


@pytest.mark.parametrize(
    "text", ["1e3", "-5", "+5", ".5", "5.", "0x10", "1_000", "NaN", "12 34", "1234567890123", "0.12345"]
)
def test_other_ways_to_write_a_number_are_refused(text: str) -> None:
    """Exponents, signs, bare dots, odd groups, and more digits than money has."""
    with pytest.raises(NotUnderstoodError):
        scalars.number(text)


@pytest.mark.parametrize(
    ("text", "meant"), [("499.99", Fraction(49999, 100)), ("10 000", Fraction(10_000)), ("0.0001", Fraction(1, 10_000))]
)
def test_a_number_is_exact(text: str, meant: Fraction) -> None:
    """Up to twelve digits and four decimals; thousands may be set apart by spaces."""
    assert scalars.number(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [("1 day", Duration(1, "days")), ("6 months", Duration(6, "months")), ("15\u00a0minutes", Duration(15, "minutes"))],
)
def test_durations_are_words(text: str, meant: Duration) -> None:
    """One or many, with any space."""
    assert (scalars.duration(text), str(meant)) == (meant, scalars.plain(text))


@pytest.mark.parametrize("text", ["14", "days", "14d", "-1 days", "1.5 days", "14 Tage", "99999 days"])
def test_other_durations_are_refused(text: str) -> None:
    """No abbreviations, no fractions, nothing without end."""
    with pytest.raises(NotUnderstoodError):
        scalars.duration(text)


def test_points_name_their_currency() -> None:
    """`100` is not of anything."""
    assert scalars.quantity("100 points") == Quantity(Fraction(100), "points")
    with pytest.raises(NotUnderstoodError) as raised:
        scalars.quantity("100")
    assert raised.value.suggestion == "write 100 and the currency's name"


def test_days_begin_and_end_at_midnight_of_the_zone() -> None:
    """A bare date as an end is the last day, whole; with a time it is that instant; a zone of its own is kept."""
    zone = local("2026-01-01").tzinfo
    assert zone is not None
    ends = [
        scalars.ending(text, zone)  # type: ignore[arg-type]  # a ZoneInfo, as the shop's zone is
        for text in ("2026-03-29", "2026-03-29 18:00", "2026-03-29T18:00:00+00:00")
    ]
    assert ends == [local("2026-03-30 00:00"), local("2026-03-29 18:00"), local("2026-03-29 20:00")]
    assert scalars.beginning("2026-03-29", zone) == local("2026-03-29 00:00")  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("text", "meant"), [("12-31", (12, 31)), ("02-29", (2, 29)), ("2027-12-31", date(2027, 12, 31))]
)
def test_a_day_of_every_year_or_of_one(text: str, meant: object) -> None:
    """With a year or without."""
    assert scalars.day_of_year(text) == meant


@pytest.mark.parametrize("text", ["31-12", "2-1", "02-30", "tomorrow"])
def test_days_that_do_not_exist_are_refused(text: str) -> None:
    """Month first, two digits each."""
    with pytest.raises(NotUnderstoodError):
        scalars.day_of_year(text)


def test_texts_are_typed_by_what_they_stand_for() -> None:
    """What YAML would read as a number, a time or a truth is what it looks like."""
    text = """
programme: 0770001234
name: no
zone: Europe/Warsaw
money: PLN
currencies: {yes: {scale: 0, worth: 0.10, one: "on", expires: {day: 12-31}}}
earn:
  - {rule: 10, name: 10:00, give: 5 on, card_categories: [no, off]}
"""
    version = load(text)
    assert isinstance(version, ProgrammeVersion), version
    [rule], [currency] = version.rules, version.currencies
    assert (version.key, dict(version.texts.name), currency.key, currency.worth, currency.expires) == (
        "0770001234", {"": "no"}, "yes", 1000, Term(day=(12, 31)),
    )  # fmt: skip
    assert (rule.key, dict(rule.name), rule.card_categories) == ("10", {"": "10:00"}, frozenset({"no", "off"}))


@pytest.mark.parametrize("word", ["points", "point", "punkt", "punkty"])
def test_a_currency_is_known_by_its_key_and_its_words(word: str) -> None:
    """One or many, in any language of the file."""
    text = HEAD.replace("{scale: 2}", "{scale: 2, one: {pl: punkt}, many: {pl: punkty}}")
    version = load(f"{text}on_enrolment: 5 {word}\n")
    assert isinstance(version, ProgrammeVersion), version
    assert [give.currency for give in version.rules[0].gives] == ["points"]


def test_the_text_identifies_the_version() -> None:
    """The same text has the same hash; another text, even in a comment, another."""
    hashes = [
        version.content_hash
        for version in map(load, (HEAD, HEAD, HEAD + "# a word\n"))
        if isinstance(version, ProgrammeVersion)
    ]
    assert (len(hashes), hashes[0] == hashes[1], hashes[0] == hashes[2]) == (3, True, False)
