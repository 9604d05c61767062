"""A decision in words: an agent reads out what was given, by which rules, line by line, and why not more."""

import string
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from services.rules.domain.participant import Decided
from services.rules.domain.programme import ProgrammeVersion
from services.rules.explanation.document import document
from services.rules.explanation.languages import day, moment
from services.rules.explanation.phrases import PHRASES
from services.rules.explanation.words import Told, in_words
from services.rules.programme_file import compile_programme
from services.runtime.http.languages import LANGUAGES, asked_for
from tests.unit.rules.participant.members import START, Member, local, member_of

FILE = """
programme: club
name: {pl: "Klub trzech poziomów", ru: "Клуб трёх уровней", en: "Three levels club"}
zone: Europe/Warsaw
money: PLN
currencies:
  points:
    {scale: 2, worth: 1.00, many: {pl: punktów, ru: баллов, en: points}, activates: 14 days,
     expires: {after: 6 months, at: end_of_month}}
tiers:
  by: spend
  window: 12 months
  levels: [{tier: bronze, from: 100}, {tier: silver, from: 500, name: {pl: srebrny}}]
exclude: {earn: "line.category == 'tobacco'"}
earn:
  - rule: level
    give: {bronze: 5 %, silver: 10 %}
  - rule: dairy-double
    best_of: multiplier
    lines: "line.category == 'dairy'"
    give: x2
  - rule: friday
    best_of: multiplier
    give: x3
    when: "purchase.weekday == 'friday'"
  - rule: autumn
    from: 2026-10-01
    until: 2026-10-31
    give: 7 points
caps: {purchase: 4 points}
"""


def version() -> ProgrammeVersion:
    """The first version of the file."""
    return replace(compile_programme(FILE), version=1, starts_at=START)


def told(decided: Decided) -> Told:
    """As the database gives it back: through JSON."""
    decision = decided.decision
    record: dict[str, Any] = orjson.loads(orjson.dumps(decision.facts))
    return Told(
        decision.number, decision.kind, decision.cause_id, decision.occurred_at, "club", decision.programme_version,
        decision.reason, record,
    )  # fmt: skip


def bronze() -> Member:
    """A member who may earn."""
    member = member_of(version())
    member.buys(local("2026-03-02 12:00"), 120.00)
    return member


def test_a_purchase_is_told_whole() -> None:
    """Everything that decided it: rules, lines, rounding, what did not fire and why, caps, dates, the way up."""
    decided = bronze().buys(
        local("2026-03-04 17:04:11"),
        7.98,
        20.03,
        30.00,
        categories=["dairy", "bread", "tobacco"],
        purchase_id="k-12/451",
    )
    assert in_words(told(decided), version(), "en") == (
        "Purchase k-12/451 of 4 March 2026, 17:04:11.\n"
        "Decided as number 3 of this account, by version 1 of the programme Three levels club.\n"
        "The level at that time: bronze.\n"
        "Earned: 1.80 points. They count from 18 March 2026, 17:04:11. They are valid through 30 September 2026.\n"
        "How this came about:\n"
        "- rule “level” (5 %) gave 1.40 points\n"
        "- rule “dairy-double” (x2) gave 0.40 points\n"
        "By line of the receipt:\n"
        "- line 1: 7.98 counts; level: 0.40, dairy-double: 0.40\n"
        "- line 2: 20.03 counts; level: 1.00\n"
        "Excluded from earning, by number of the line: 3.\n"
        "Exactly 1.7995 points, rounded half up for the whole receipt: 1.80.\n"
        "What gave nothing, and why:\n"
        "- rule “autumn”: it does not run on that day\n"
        "- rule “friday”: its condition did not hold\n"
        "The level bronze lasts until 2 March 2027.\n"
        "What counts for levels now: 148.01 PLN; 351.99 PLN more and the level is silver.\n"
    )


def test_the_same_in_polish_and_russian() -> None:
    """Names, numbers and dates as each language writes them."""
    decided = bronze().buys(local("2026-03-04 17:04"), 20.00, purchase_id="k-12/451")
    assert in_words(told(decided), version(), "pl") == (
        "Zakup k-12/451 z 4 marca 2026, 17:04.\n"
        "Decyzja numer 3 na tym koncie, według wersji 1 programu Klub trzech poziomów.\n"
        "Poziom w tym czasie: bronze.\n"
        "Naliczono: 1,00 punktów. Można z nich korzystać od 18 marca 2026, 17:04. "
        "Są ważne do 30 września 2026 włącznie.\n"
        "Skąd się to wzięło:\n"
        "- reguła „level” (5 %) dała 1,00 punktów\n"
        "Według pozycji paragonu:\n"
        "- pozycja 1: liczy się 20,00; level: 1,00\n"
        "Co nic nie dało i dlaczego:\n"
        "- reguła „autumn”: tego dnia nie obowiązuje\n"
        "- reguła „dairy-double”: nie dotyczy żadnej pozycji paragonu\n"
        "- reguła „friday”: jej warunek nie był spełniony\n"
        "Poziom „bronze” trwa do 2 marca 2027.\n"
        "Do poziomów liczy się teraz 140,00 PLN; jeszcze 360,00 PLN i będzie poziom „srebrny”.\n"
    )
    russian = in_words(told(decided), version(), "ru").splitlines()
    assert russian[0] == "Покупка k-12/451, 4 марта 2026 г., 17:04."
    assert russian[3] == (
        "Начислено: 1,00 баллов. Ими можно пользоваться с 18 марта 2026 г., 17:04. Действуют по 30 сентября 2026 г. "
        "включительно."
    )


def test_caps_and_what_lost_are_told() -> None:
    """On a Friday x3 beats x2 on the dairy line; the purchase's limit cuts the rest."""
    decided = bronze().buys(local("2026-03-06 12:00"), 100.00, 50.00, categories=["dairy", "bread"])
    words = in_words(told(decided), version(), "en")
    assert "Earned: 4.00 points." in words
    assert "- rule “dairy-double” gave way to “friday” on lines 1, which gives more there\n" in words
    assert "Limits:\n- the limit for one purchase: 18.50 points less\n" in words


def test_a_rise_and_a_return_are_told() -> None:
    """The change of level with its reason; what a return took, and where the member stands after it."""
    member = bronze()
    risen = member.buys(local("2026-03-04 12:00"), 400.00, purchase_id="k-12/452")
    assert (
        "The level changed from bronze to silver on 4 March 2026: enough was bought (purchase k-12/452)."
        in in_words(told(risen), version(), "en")
    )
    back = member.returns(local("2026-03-05 12:00"), "k-12/452", {1: (0, 0)})
    words = in_words(told(back), version(), "en").splitlines()
    assert words[2:4] == [
        "Taken back: 4.00 points.",
        f"The level changed from silver to bronze on 5 March 2026: goods came back (return {back.decision.cause_id}).",
    ]


def test_why_nothing_was_earned_is_the_first_thing_told() -> None:
    """A programme that stood still, and one that had not begun."""
    pause = (local("2026-03-01 00:00"), None)
    suspended = member_of(version(), suspensions=(pause,)).buys(local("2026-03-02 12:00"), 10.00)
    assert "Nothing was earned.\nThe programme stood still at that time.\n" in in_words(
        told(suspended), version(), "en"
    )
    early = member_of(version()).buys(local("2025-03-02 12:00"), 10.00)
    assert in_words(told(early), None, "en") == (
        "Purchase p1 of 2 March 2025, 11:00.\n"
        "No version of the programme club was in force at that time, so nothing could be earned.\n"
    )


def test_as_data_points_and_money_are_decimal_strings() -> None:
    """What the API gives: nothing that a program would have to scale."""
    decided = bronze().buys(local("2026-03-04 17:04:11"), 7.98, 20.03, categories=["dairy"])
    said = document(told(decided).record)
    assert said["awards"][0] | {"activates_at": None, "expires_at": None} == {
        "currency": "points",
        "points": "1.80",
        "activates_at": None,
        "expires_at": None,
        "rules": [{"rule": "level", "points": "1.40"}, {"rule": "dairy-double", "points": "0.40"}],
        "lines": [{"line": 1, "points": "0.80"}, {"line": 2, "points": "1.00"}],
    }
    assert said["lines"][0] == {"line": 1, "counts": "7.98", "points": {"level": "0.40", "dairy-double": "0.40"}}
    assert said["rounding"][0]["exact"] == "1.7995"
    assert {"rule": "autumn", "reason": "not_in_window"} in said["not_fired"]


def test_every_language_says_everything() -> None:
    """The same phrases with the same values in each language: none is left in another one."""

    def values(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    english = PHRASES["en"]
    for language in LANGUAGES:
        assert PHRASES[language].keys() == english.keys()
        assert {key: values(text) for key, text in PHRASES[language].items()} == {
            key: values(text) for key, text in english.items()
        }


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"), ("", "en"), ("pl", "pl"), ("ru-RU,ru;q=0.9,en;q=0.8", "ru"), ("de, fr;q=0.5", "en"),
        ("en;q=0.3, pl;q=0.7", "pl"), ("pl;q=0", "en"), ("*", "en"), ("pl;q=x, ru", "ru"),
    ],
)  # fmt: skip
def test_the_language_that_is_asked_for(header: str | None, language: str) -> None:
    """The preferred one of those there are."""
    assert asked_for(header) == language


def test_days_are_those_of_the_programme() -> None:
    """An instant before midnight in London is the next day in Warsaw."""
    at = datetime.fromisoformat("2026-03-04T23:30:00+00:00")
    assert day(at, ZoneInfo("Europe/Warsaw"), "en") == "5 March 2026"
    assert moment(at, ZoneInfo("Europe/Warsaw"), "ru") == "5 марта 2026 г., 00:30"
