"""Conditions in words: what a shop writes in CEL is told as a person would say it."""

from string import Formatter

import pytest

from services.rules.programme_file import compile_programme
from services.rules.terms import terms_of
from services.rules.terms.phrases import PHRASES
from services.runtime.http.languages import LANGUAGES

HEAD = """
programme: p
zone: Europe/Warsaw
money: PLN
currencies: {points: {scale: 2}}
tiers: {levels: [{tier: gold, from: 100}]}
partners: {cinema: {name: {en: The Cinema}}}
words: {dairy: {en: milk and cheese}}
"""


def told(said: str, language: str = "en") -> str:
    """The sentence of the one rule."""
    page = terms_of(compile_programme(f"{HEAD}earn: [{{rule: a, give: 10 points, {said}}}]\n"), language)  # type: ignore[arg-type]
    [text] = [item.text for item in page.items() if item.key == "rule:a"]
    return text.removesuffix(": 10\u00a0points.").replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("purchase.total >= 500", "For a purchase of at least 500 zł"),
        ("500 < purchase.total", "For a purchase of more than 500 zł"),
        ("purchase.total >= 99.9 && purchase.total < 200", "For a purchase of at least 99.90 zł of less than 200 zł"),
        ("purchase.weekday in ['monday', 'friday']", "For a purchase on Monday or on Friday"),
        ("!(purchase.weekday == 'sunday')", "For a purchase not on Sunday"),
        ("purchase.hour >= 20", "For a purchase after 20:00"),
        ("purchase.hour > 19", "For a purchase after 20:00"),
        ("purchase.hour < 12", "For a purchase before 12:00"),
        ("purchase.month == 12 && purchase.day >= 24",
         "For a purchase in December on a day of the month that is at least 24"),
        ("purchase.date == '2026-12-24'", "For a purchase on 24 December 2026"),
        ("purchase.store == 'a' || purchase.store == 'b'", "For a purchase in the shop “a” or “b”"),
        ("purchase.partner != 'cinema'", "For a purchase anywhere but at “The Cinema”"),
        ("purchase.channel == 'web'", "For a purchase by way of “web”"),
        ("purchase.year == 2026", "For a purchase in 2026"),
        ("purchase.lines >= 3", "For a purchase with a number of lines of at least 3"),
        ("member.tier == 'gold'", "For a purchase, if your level is gold"),
        ("'vip' in member.segments", "For a purchase, if you belong to the group “vip”"),
        ("!('vip' in member.segments)", "For a purchase, if you do not belong to the group “vip”"),
        ("member.card_category in ['gold', 'silver']",
         "For a purchase, if you show a card of the kind “gold” or “silver”"),
        ("member.days_enrolled <= 30", "For a purchase, if you joined at most 30 days ago"),
        ("member.days_since_purchase > 60", "For a purchase, if your last purchase was more than 60 days ago"),
        ("member.referred_by != ''", "For a purchase, if another member invited you"),
        ("member.referred_by == ''", "For a purchase, if nobody invited you"),
        ("member.purchases == 0", "For your first purchase"),
        ("member.purchases < 1", "For your first purchase"),
        ("member.purchases >= 5", "For a purchase, if the number of your purchases so far is at least 5"),
        ("member.purchases_in('1 month') >= 3",
         "For a purchase, if the number of your purchases in 1 month is at least 3"),
        ("member.spend_in('90 days') > 500", "For a purchase, if your purchases in 90 days come to more than 500 zł"),
        ("member.spend >= 1000", "For a purchase, if your purchases so far come to at least 1,000 zł"),
        ("member.favourite_category == 'dairy'", "For a purchase, if what you buy most is “milk and cheese”"),
        ("member.attributes.app == true", "For a purchase, if “app” is yes"),
        ("member.tier == 'gold' || member.spend >= 5",
         "For a purchase, if your level is gold or your purchases so far come to at least 5 zł"),
        ("!(member.tier == 'gold' && member.spend >= 5)",
         "For a purchase, if your level is not gold or your purchases so far come to less than 5 zł"),
        ("has_attribute('x')", "For a purchase, if this holds: “has_attribute('x')”"),
        ("purchase.total % 2 == 0", "For a purchase, if this holds: “purchase.total % 2 == 0”"),
        ("purchase.store == purchase.channel", "For a purchase, if this holds: “purchase.store == purchase.channel”"),
    ],
)  # fmt: skip
def test_a_condition_on_the_purchase_and_the_member(condition: str, expected: str) -> None:
    """Each fact has words; what has no simple shape is quoted, so that nothing is left out."""
    assert told(f'when: "{condition}"') == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("line.category == 'dairy'", "For products in the category “milk and cheese”"),
        ("line.category in ['a', 'b']", "For products in the category “a” or “b”"),
        ("line.brand != 'X'", "For products of any brand but “X”"),
        ("line.sku == '77'", "For products numbered “77”"),
        ("line.partner == 'cinema'", "For products bought at “The Cinema”"),
        ("line.amount >= 10", "For products that cost at least 10 zł"),
        ("line.quantity >= 3", "For products in a quantity of at least 3"),
        ("line.attributes.organic == true", "For products with “organic”: yes"),
        ("line.brand == 'X' && line.amount > 5", "For products of the brand “X” that cost more than 5 zł"),
        ("line.brand == 'X' && purchase.hour < 9", "For products of the brand “X” in a purchase before 9:00"),
    ],
)
def test_a_condition_on_lines(condition: str, expected: str) -> None:
    """Goods are told before the circumstances."""
    assert told(f'lines: "{condition}"') == expected


def test_a_rule_may_say_it_in_its_own_words() -> None:
    """Where the file has a sentence for members, that is what they read."""
    assert (
        told('when: "purchase.total % 2 == 0", terms: {en: Even bills only, pl: Tylko parzyste}') == "Even bills only."
    )
    assert told('when: "purchase.total % 2 == 0", terms: {en: E, pl: Tylko parzyste}', "pl") == "Tylko parzyste."


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same(language: str) -> None:
    """The same phrases; none asks for a value that the English one is not given."""
    phrases, english = PHRASES[language], PHRASES["en"]  # type: ignore[index]
    assert list(phrases) == list(english)
    wanted = {key: {name for _, name, _, _ in Formatter().parse(text) if name} for key, text in phrases.items()}
    given = {key: {name for _, name, _, _ in Formatter().parse(text) if name} for key, text in english.items()}
    more = {key: wanted[key] - given[key] for key in phrases if wanted[key] - given[key]}
    # What may be spent at once comes counted and in the genitive; English needs the former alone.
    assert {key: names for key, names in more.items() if names != {"of"} or not key.startswith("redeem:")} == {}
