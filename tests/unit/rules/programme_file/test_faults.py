"""What a programme may not say: refused before it is published, with the place, the reason, and how to mend it."""

import pytest

from services.rules.domain.programme import ProgrammeVersion
from services.rules.programme_file import InvalidProgrammeError, ProgrammeError, compile_programme, load

HEAD = "programme: p\nzone: Europe/Warsaw\nmoney: PLN\ncurrencies: {points: {scale: 2}}\n"
"""Four lines, so that what is wrong stands on line 5."""

UNBOUNDED = "add cap: {purchase: 500 points} to the rule, or caps: to the programme, or give less"

FAULTS = [
    # Could pay without bound.
    ("earn: [{rule: a, give: x11}]", 24, "unbounded", UNBOUNDED),
    ("earn: [{rule: a, give: x6}, {rule: b, give: x6}]", 45, "unbounded", UNBOUNDED),
    ("earn: [{rule: a, give: x11, cap: {day: 5 times}}]", 24, "unbounded", UNBOUNDED),
    ("earn: [{rule: a, give: 101 %}]", 24, "unbounded", UNBOUNDED),
    ("earn: [{rule: a, give: 101 % off}]", 24, "out_of_bounds", "write 100 % off"),
    # Divides by zero.
    ("earn: [{rule: a, give: 1 point per 0}]", 24, "divides_by_zero", "write 1 point per 10.00"),
    ('earn: [{rule: a, give: 5 %, when: "purchase.total / 0 > 5"}]', 53, "condition", None),
    ("redeem: {step: 0 points}", 16, "divides_by_zero", "leave it out"),
    # Overlaps itself.
    ("earn: [{rule: a, give: 5 %}, {rule: a, give: 5 %}]", 37, "overlaps", "call it a-2"),
    ("earn: [{rule: a, give: 5 %, from: 2026-05-02, until: 2026-05-01}]", 54, "overlaps", "put until after from"),
    (
        "tiers: {levels: [{tier: a, from: 100}, {tier: b, from: 100}]}",
        56,
        "overlaps",
        "levels rise: write more than for the one before",
    ),
    ("tiers: {levels: [{tier: a, from: 1}, {tier: a, from: 2}]}", 45, "overlaps", "give each its own name"),
    (
        "earn: [{rule: a, give: 5 points, birthday: {before: 300 days, after: 65 days}}]",
        44,
        "overlaps",
        "write fewer days before and after",
    ),
    ("partners: {a: {stores: [s]}, b: {stores: [s]}}", 42, "overlaps", "name each store once"),
    (
        "earn: [{rule: a, give: 5 %, activates: 10 days, expires: 5 days}]",
        58,
        "overlaps",
        "let them activate sooner or expire later",
    ),
    (
        "earn: [{rule: a, give: 5 %, from: 2026-12-01, until: 2027-02-01, expires: {day: 2027-01-31}}]",
        75,
        "overlaps",
        "let them activate sooner or expire later",
    ),
    # Facts, functions and amounts that do not exist.
    ('exclude: {earn: "line.categry == \'x\'"}', 18, "condition", "did you mean line.category?"),
    ('earn: [{rule: a, give: 5 %, when: "total > 5"}]', 36, "condition", "did you mean purchase.total?"),
    (
        "earn: [{rule: a, give: 5 %, when: 'purchase.total > ''5'''}]",
        51,
        "condition",
        "write the number without quotes: 500",
    ),
    ('earn: [{rule: a, give: 5 %, when: "line.brand == \'x\'"}]', 36, "condition", "write this condition under lines:"),
    ("earn: [{rule: a, give: 5 pionts}]", 24, "unknown_currency", "did you mean points?"),
    ("earn: [{rule: a, give: 5.555 points}]", 24, "too_many_decimals", "write fewer, or raise its scale"),
    ("earn: [{rule: a, give: {gold: 5 %}}]", 25, "unknown_tier", "name it under tiers: levels:"),
    ("earn: [{rule: a, give: 5 points, event: birthdy}]", 41, "unknown_event", "did you mean birthday?"),
    ("earn: [{rule: a, give: 5 %, once_per: activty.product}]", 39, "unknown_fact", "did you mean activity.product?"),
    ('cashier: "hello {member.tir}"', 10, "unknown_fact", "did you mean member.tier?"),
    (
        "segments: {loyal: 'member.purchases > 5'}\nearn: [{rule: a, give: 5 %, audience: loyl}]",
        39,
        "unknown_segment",
        "did you mean loyal?",
    ),
    # Past the evaluation limit.
    (
        'earn: [{rule: a, give: 5 %, when: "member.segments.exists(x, member.segments.exists(y, x < y))"}]',
        84,
        "condition",
        "leave out a loop within a loop, or shorten the list",
    ),
    # Texts that mean nothing here.
    ("earn: [{rule: a, give: 0,10 points}]", 24, "not_understood", "write 0.10 points"),
    ("members: {unknown_card: 30 days}", 25, "not_understood", "write keep 30 days, or enrol"),
    ("earn: [{rule: a, give: 5}]", 24, "not_understood", "write 5 % or 5 points"),
    ("earn: [{rule: a, give: 5 %, from: 10:00}]", 35, "not_understood", "write it as 2026-11-27 or 2026-11-27 18:00"),
    ("redeem: {share_of_bill: 120 %}", 25, "out_of_bounds", None),
    ("redeem: {unbacked: maybe}", 20, "not_understood", "write one of to_zero, negative, refuse"),
    ("returns: {spent: negativ}", 18, "not_understood", "did you mean negative?"),
    (
        "earn: [{rule: a b, give: 5 %}]",
        15,
        "not_understood",
        "write up to 64 letters, digits, dots, hyphens, underscores",
    ),
    ("counts_points_paid: perhaps", 21, "not_understood", "write yes or no"),
    ("transfer: {month: 500}", 19, "not_understood", "write 500 and the currency's name"),
    ("earn: [{rule: a, give: x0.5}]", 24, "below_one", "write x1 or more"),
    # Words that do not belong.
    ("earn: [{rule: a, giv: 5 %, give: 5 %}]", 18, "unknown_word", "did you mean give?"),
    ("earn: [{rule: a}]", 8, "missing", "write give: and its value"),
    ("earn: {rule: a, give: 5 %}", 7, "not_a_list", "begin each entry with a hyphen"),
    ("trade: {10 stamp: coupon}", 1, "not_yet", None),
    ("earn: [{rule: a, give: 5 %, event: activity.x}]", 24, "no_meaning", "write a number, such as 100 points"),
    ("on_enrolment: 5 %", 15, "no_meaning", "write a number, such as 100 points"),
    ("earn: [{rule: a, give: 5 % off, cap: {day: 2 times}}]", 38, "no_meaning", "leave it out"),
    ("caps: {campaign: 5 points}", 18, "no_campaign", "write it in a rule"),
    (
        "earn: [{rule: a, give: 5 %, best_of: m}, {rule: b, give: x2, best_of: m}]",
        71,
        "mixed",
        "let multipliers compete with multipliers, whole amounts with whole amounts, of one currency",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("said", "column", "code", "suggestion"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_fault_is_told_with_its_place_and_how_to_mend_it(
    said: str, column: int, code: str, suggestion: str | None
) -> None:
    """One fault, on the last line, at its column, with what to write instead."""
    found = load(f"{HEAD}{said}\n")
    assert isinstance(found, list)
    last = HEAD.count("\n") + said.count("\n") + 1
    assert [(error.line, error.column, error.code, error.suggestion) for error in found] == [
        (last, column, code, suggestion)
    ]


@pytest.mark.parametrize(
    "said",
    [
        "earn: [{rule: a, give: x11, cap: {purchase: 5 points}}]",
        "caps: {month: 5 points}\nearn: [{rule: a, give: x11}]",
        "earn: [{rule: a, give: x11, budget: {total: 100 points}}]",
        "earn: [{rule: a, give: x6, best_of: m}, {rule: b, give: x9, best_of: m}]",
        "earn: [{rule: a, give: 5 %, expires: never}]",
        "earn: [{rule: a, give: 5 %, audience: set-from-outside}]",
    ],
)
def test_what_is_bounded_or_known_elsewhere_is_not_refused(said: str) -> None:
    """A cap or a budget in points bounds any multiplier; multipliers that compete do not add up."""
    assert isinstance(load(f"{HEAD}{said}\n"), ProgrammeVersion)


def test_every_fault_is_told_at_once_in_the_order_of_the_file() -> None:
    """An author mends a file in one go."""
    text = """programme: p
zone: Europe/Warsw
money: zl
currencies: {points: {scale: 9}}
earn:
  - {rule: a, give: 5 perc}
  - {rule: b, give: 5 %, when: "purchase.totl > 5"}
"""
    found = load(text)
    assert isinstance(found, list)
    assert [(error.line, error.path) for error in found] == [
        (2, "zone"), (3, "money"), (4, "currencies.points.scale"), (6, "earn[1].give"), (7, "earn[2].when"),
    ]  # fmt: skip


def test_a_percentage_of_what_is_worth_nothing_divides_by_zero() -> None:
    """Stamps have no money value: they are given by number."""
    text = HEAD.replace("{scale: 2}", "{worth: 0}") + "earn: [{rule: a, give: 5 %}]\nredeem: {}\n"
    found = load(text)
    assert isinstance(found, list)
    assert [(error.line, error.code) for error in found] == [(5, "divides_by_zero"), (6, "divides_by_zero")]


def test_a_published_text_that_has_faults_is_an_error_that_says_them() -> None:
    """What was published is compiled again without asking; if that fails the message names every fault."""
    with pytest.raises(InvalidProgrammeError) as raised:
        compile_programme(HEAD + "earn: [{rule: a, give: 5}]\n")
    assert str(raised.value) == ("line 5, column 24: earn[1].give: `5` does not say of what (write 5 % or 5 points)")


def test_an_error_reads_as_a_person_would_say_it() -> None:
    """Place, field, reason, and what to do."""
    error = ProgrammeError(
        3, 7, "zone", "not_understood", "there is no time zone `Europe/Warsw`", "did you mean Europe/Warsaw?"
    )
    assert str(error) == ("line 3, column 7: zone: there is no time zone `Europe/Warsw` (did you mean Europe/Warsaw?)")


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: &x 1", "anchor", (1, 4)),
        ("a: *x", "anchor", (1, 4)),
        ("a: !!int 1", "tag", (1, 4)),
        ("a: ~", "nothing", (1, 4)),
        ("a:", "nothing", (1, 3)),
        ("a: null", "nothing", (1, 4)),
        ("a: 1\na: 2", "said_twice", (2, 1)),
        ("- 1", "not_a_programme", (1, 1)),
        ("", "empty", (1, 1)),
        ("---\na: 1\n---\nb: 2", "several_documents", (3, 1)),
        ("a: [1", "not_yaml", (1, 6)),
        ("\t- a", "not_yaml", (1, 1)),
        ("? [1]\n: 2", "not_a_word", (1, 3)),
        ("a: " + "[" * 12 + "1" + "]" * 12, "too_deep", (1, 14)),
        ("a: x\n" * 200_000, "too_long", (1, 1)),
    ],
)
def test_what_yaml_allows_and_a_programme_does_not(text: str, code: str, place: tuple[int, int]) -> None:
    """Anchors, tags, nulls, duplicate words, several documents, and files without end are refused where they stand."""
    found = load(text)
    assert isinstance(found, list)
    assert [(error.code, (error.line, error.column)) for error in found] == [(code, place)]
