"""Numbers and what they count: the plural forms of three languages."""

from fractions import Fraction

import pytest

from services.rules.domain.programme import Currency, Duration
from services.rules.terms.grammar import all_of, any_of, decimal, lasting, purchases_of, times, within
from services.rules.terms.nouns import noun_of
from services.runtime.http.languages import Language

BONUS = {"pl": "bonus", "ru": "бонус", "en": "bonus"}


@pytest.mark.parametrize(
    ("language", "number", "expected"),
    [
        ("pl", "1", "punkt"), ("pl", "2", "punkty"), ("pl", "4", "punkty"), ("pl", "5", "punktów"),
        ("pl", "11", "punktów"), ("pl", "12", "punktów"), ("pl", "21", "punktów"), ("pl", "22", "punkty"),
        ("pl", "112", "punktów"), ("pl", "0", "punktów"), ("pl", "1.5", "punktu"), ("pl", "1000", "punktów"),
        ("ru", "1", "балл"), ("ru", "2", "балла"), ("ru", "5", "баллов"), ("ru", "11", "баллов"), ("ru", "21", "балл"),
        ("ru", "22", "балла"), ("ru", "111", "баллов"), ("ru", "0", "баллов"), ("ru", "1.5", "балла"),
        ("en", "1", "point"), ("en", "0", "points"), ("en", "2", "points"), ("en", "1.5", "points"),
    ],
)  # fmt: skip
def test_points_are_counted_as_people_count_them(language: Language, number: str, expected: str) -> None:
    """One, a few, many, and a part of one."""
    assert noun_of(Currency("points"), language).of(language, Fraction(number)) == expected


@pytest.mark.parametrize(
    ("language", "number", "expected"),
    [
        ("pl", "1", "punktu"), ("pl", "2", "punktów"), ("pl", "0.01", "punktu"), ("ru", "1", "балла"),
        ("ru", "3", "баллов"), ("ru", "21", "балла"), ("ru", "0.5", "балла"), ("en", "1", "point"),
        ("en", "3", "points"),
    ],
)  # fmt: skip
def test_up_to_so_many_points(language: Language, number: str, expected: str) -> None:
    """The genitive: do 2 punktów, от 21 балла."""
    assert noun_of(Currency("points"), language).genitive(language, Fraction(number)) == expected


def test_a_currency_is_called_as_its_file_says() -> None:
    """The file's words come first, then what the language usually says, then regular forms, then the key."""
    told = Currency("km", one={"pl": "kilometr"}, many={"pl": "kilometry"}, of_one={"pl": "kilometra"})
    assert noun_of(told, "pl") == ("kilometr", "kilometry", "kilometrów", "kilometra", "kilometry")
    assert noun_of(Currency("x", one=BONUS), "ru") == ("бонус", "бонуса", "бонусов", "бонуса", "бонусы")
    assert noun_of(Currency("stamps"), "pl") == ("pieczątka", "pieczątki", "pieczątek", "pieczątki", "pieczątki")
    assert noun_of(Currency("x", one={"pl": "naklejka", "ru": "марка"}), "pl").many == "naklejek"
    assert noun_of(Currency("x", one={"pl": "naklejka", "ru": "марка"}), "ru").many == "марок"
    assert noun_of(Currency("bonus"), "en") == ("bonus", "bonuses", "bonuses", "bonuses", "bonuses")
    assert noun_of(Currency("data", one={"": "MB"}, many={"": "MB"}), "ru") == ("MB", "MB", "MB", "MB", "MB")


@pytest.mark.parametrize(
    ("language", "duration", "long", "inside"),
    [
        ("pl", Duration(1, "days"), "1 dzień", "1 dnia"), ("pl", Duration(2, "months"), "2 miesiące", "2 miesięcy"),
        ("pl", Duration(5, "years"), "5 lat", "5 lat"), ("pl", Duration(22, "weeks"), "22 tygodnie", "22 tygodni"),
        ("ru", Duration(1, "weeks"), "1 неделю", "1 недели"), ("ru", Duration(3, "years"), "3 года", "3 лет"),
        ("ru", Duration(21, "days"), "21 день", "21 дня"), ("ru", Duration(90, "days"), "90 дней", "90 дней"),
        ("en", Duration(1, "hours"), "1 hour", "1 hour"), ("en", Duration(15, "minutes"), "15 minutes", "15 minutes"),
    ],
)  # fmt: skip
def test_durations(language: Language, duration: Duration, long: str, inside: str) -> None:
    """For so long, and within so long."""
    assert (lasting(duration, language), within(duration, language)) == (long, inside)


def test_how_often() -> None:
    """Small numbers in words, others counted, parts too."""
    assert [times(Fraction(n), "pl") for n in (1, 2, 5)] == ["raz", "dwa razy", "5 razy"]
    assert [times(Fraction(n), "ru") for n in (1, 3, 4, 5)] == ["один раз", "три раза", "4 раза", "5 раз"]
    assert [times(Fraction(n), "en") for n in (1, 2, 10)] == ["once", "twice", "10 times"]
    assert [times(Fraction("1.5"), language) for language in ("pl", "ru", "en")] == [
        "1,5 raza",
        "1,5 раза",
        "1.5 times",
    ]
    assert [purchases_of(n, "ru") for n in (1, 2, 21)] == ["1 покупки", "2 покупок", "21 покупки"]


def test_numbers_and_lists() -> None:
    """Commas and points as each language has them; hard spaces between thousands."""
    numbers = (Fraction(1000), Fraction(10_000), Fraction("0.5"), Fraction("-12345.25"))
    assert [decimal(number, "pl") for number in numbers] == ["1000", "10\u00a0000", "0,5", "-12\u00a0345,25"]
    assert [decimal(number, "en") for number in numbers] == ["1,000", "10,000", "0.5", "-12,345.25"]
    assert decimal(Fraction(10), "ru", 2) == "10,00"
    assert [all_of(parts, "en") for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert (any_of(["a", "b"], "pl"), any_of(["a", "b"], "ru")) == ("a lub b", "a или b")
