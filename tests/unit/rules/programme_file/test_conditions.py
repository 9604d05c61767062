"""Conditions: facts by their dotted names, money compared with plain numbers, faults with their place."""

import pytest

from services.rules.domain.programme import Condition, Duration
from services.rules.programme_file.cel import ANSWERS_KEPT, GROUP_SIZE, CelGroup, Compiler
from services.rules.programme_file.errors import ProgrammeError
from services.rules.programme_file.expression_facts import Stage
from services.rules.programme_file.nodes import Place, Scalar

QUOTE = 1
PLACE = Place(10, 9, "earn[1].when")


def compiled(source: str, stage: Stage = "line") -> tuple[Compiler, Condition | ProgrammeError]:
    """A condition as it stands in quotes on line 10, from column 9."""
    compiler = Compiler(("bronze", "silver", "gold"))
    return compiler, compiler.condition(Scalar(source, PLACE, f'"{source}"'), stage)


def group_of(source: str, stage: Stage = "line") -> CelGroup:
    """The group of a condition that is right."""
    compiler, found = compiled(source, stage)
    assert isinstance(found, Condition), found
    compiler.seal()
    assert isinstance(found.group, CelGroup)
    return found.group


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("purchase.total >= 500 && purchase.total < 499.99", "purchase.total >= 5000000 && purchase.total < 4999900"),
        ("500 <= purchase.total", "5000000 <= purchase.total"),
        ("line.amount in [1, 2.5]", "line.amount in [10000, 25000]"),
        ("purchase.total * 2 >= 3 * 100", "purchase.total * 2 >= 30000 * 100"),
        ("purchase.total - line.amount >= 50 + 1", "purchase.total - line.amount >= 500000 + 10000"),
        ("purchase.total % 100 == 0", "purchase.total % 1000000 == 0"),
        ("line.quantity >= 2.5", "line.quantity >= 25000"),
        ("-line.amount > -5", "-line.amount > -50000"),
        ("purchase.total >= (member.tier == 'gold' ? 100 : 200)",
         "purchase.total >= (member.tier == 'gold' ? 1000000 : 2000000)"),
        ("member.purchases + 1 >= 3", "member.purchases + 1 >= 3"),
        ("member.spend_in('90 days') > 500 && member.purchases_in('3 months') >= 3",
         "member.spend_in_90_days > 5000000 && member.purchases_in_3_months >= 3"),
        ("line.has_attribute('a)b') && has_attribute('x')",
         "('a)b' in line.attributes) && ('x' in line.attributes)"),
        ("line.category == 'żółć' && purchase.total > 5", "line.category == 'żółć' && purchase.total > 50000"),
    ],
)  # fmt: skip
def test_money_is_compared_with_plain_numbers(source: str, meant: str) -> None:
    """Numbers beside an amount are scaled to ten-thousandths; factors and counts are not."""
    assert group_of(source).sources == [meant]


@pytest.mark.parametrize(
    ("source", "stage", "offset", "suggestion"),
    [
        ("line.categry == 'x'", "line", 0, "did you mean line.category?"),
        ("1 == 1 && total > 5", "line", 10, "did you mean purchase.total?"),
        ("purchase.total >= '500'", "line", 15, "write the number without quotes: 500"),
        ("purchase.total * purchase.total > 5", "line", 15, None),
        ("line.amount * line.quantity > 5", "line", 12, None),
        ("purchase.total * 0.5 > 5", "line", 17, "write / 2 for * 0.5"),
        ("purchase.total / 0 > 5", "line", 17, None),
        ("member.purchases % 0 == 5", "line", 19, None),
        ("purchase.total > 1e3", "line", 17, "write it as 500 or 499.99"),
        ("purchase.total > 499.99999", "line", 17, None),
        ("purchase.total > 99999999999999", "line", 17, None),
        ("member.purchases >= 2.5", "line", 20, "write a number without decimals"),
        ("member.purchases > purchase.total", "line", 17, None),
        ("line.attributes.price > line.amount", "line", 22, None),
        ("member.tier == 'golf'", "line", 15, "did you mean gold?"),
        ("member.tier in ['gold', 'sliver']", "line", 24, "did you mean silver?"),
        ("purchase.weekday == 'Friday'", "line", 20, "did you mean friday?"),
        ("member.segments == 'vip'", "line", 16, "write 'x' in member.segments"),
        ("line.category in 'dairy'", "line", 14, "write a list such as ['a', 'b']"),
        ("line.amount in [1, 'a']", "line", 15, "list only texts, or only numbers"),
        ("has(line.category)", "line", 4, "ask has(line.attributes.x) of attributes"),
        ("line.category.x == 'a'", "line", 0, "did you mean line.category?"),
        ("line.category.startsWit('a')", "line", 14, "did you mean startsWith?"),
        ("member.spend_in('90 dys') > 5", "line", 16, "write it as 14 days, 6 months or 15 minutes"),
        ("member.spend_in(90) > 5", "line", 15, "write member.spend_in('90 days')"),
        ("spend_in('90 days') > 5", "line", 8, "write member.spend_in('90 days')"),
        ("line.category", "line", 0, "compare something: purchase.total >= 100"),
        ("line.attributes.x", "line", 0, "compare the attribute with a value"),
        ("!line.category", "line", 1, "compare it with a value"),
        ("line.category.matches('(')", "line", 22, None),
        ("purchase.total > 5 &&", "line", 21, None),
        ("purchase.total > > 5", "line", 17, None),
        ("purchase.total == null", "line", 18, None),
        ("line.brand == 'x'", "situation", 0, "write this condition under lines:"),
        ("activity.name == 'x'", "situation", 0, "write event: activity.NAME"),
        ("purchase.total > 5", "occasion", 0, None),
        ("purchase.total > 5", "segment", 0, None),
        ("'vip' in member.segments", "segment", 9, None),
    ],
)
def test_what_is_wrong_is_told_at_its_column(source: str, stage: Stage, offset: int, suggestion: str | None) -> None:
    """Columns are those of the file: the scalar's own, its quote, and the offset in the condition."""
    _, found = compiled(source, stage)
    assert isinstance(found, ProgrammeError), found
    assert (found.line, found.column, found.path, found.code, found.suggestion) == (
        10, 9 + QUOTE + offset, "earn[1].when", "condition", suggestion,
    )  # fmt: skip


@pytest.mark.parametrize(("raw", "offset"), [("'a == ''x'' && totl'", 14), ('"a == \\"x\\" && totl"', 14)])
def test_quotes_within_quotes_keep_the_column_right(raw: str, offset: int) -> None:
    """Two apostrophes, and a backslash with a quote, are one character of the condition."""
    del offset
    source = "line.brand == 'x' && totl > 5"
    written = raw[0] + (source.replace("'", "''") if raw[0] == "'" else source.replace("'", '\\"')) + raw[0]
    found = Compiler().condition(Scalar(source if raw[0] == "'" else source.replace("'", '"'), PLACE, written), "line")
    assert isinstance(found, ProgrammeError)
    assert found.column == 9 + written.index("totl")


def test_a_condition_that_spans_lines_is_placed_at_its_beginning() -> None:
    """Folded texts have no column of their own."""
    found = Compiler().condition(Scalar("1 == 1 && totl > 5", PLACE, '"1 == 1 &&\n  totl > 5"'), "line")
    assert isinstance(found, ProgrammeError)
    assert (found.line, found.column) == (10, 9)


def test_conditions_of_many_rules_are_answered_together() -> None:
    """A group is one question to the library; more than it can hold open another."""
    compiler = Compiler()
    found = [
        compiler.condition(Scalar(f"purchase.total >= {n}", PLACE), "situation") for n in range(1, GROUP_SIZE + 11)
    ]
    compiler.seal()
    conditions = [each for each in found if isinstance(each, Condition)]
    groups = list({id(condition.group): condition.group for condition in conditions}.values())
    assert [len(group.sources) for group in groups if isinstance(group, CelGroup)] == [GROUP_SIZE, 10]
    held = [bool(condition.group.answer((30_0000,))[0] >> condition.bit & 1) for condition in conditions]
    assert held == [n <= 30 for n in range(1, GROUP_SIZE + 11)]


def test_one_condition_that_fails_does_not_take_the_others_along() -> None:
    """A missing attribute fails its own rule; the rest of the group is answered."""
    compiler = Compiler()
    sources = ("line.attributes.x == 'a'", "has_attribute('y')", "line.attributes.y == 'b'", "line.attributes.x > 5")
    found = [compiler.condition(Scalar(source, PLACE), "line") for source in sources]
    compiler.seal()
    assert all(isinstance(each, Condition) for each in found)
    assert isinstance(found[0], Condition)
    bits, failures = found[0].group.answer(({"y": "b"},))
    assert (bits, sorted(failures)) == (0b0110, [0, 3])
    assert "x" in failures[0]


def test_answers_about_few_values_are_remembered_and_bounded() -> None:
    """The same category is asked once; what is remembered does not grow without end."""
    group = group_of("line.category == 'a'")
    first = group.answer(("a",))
    assert group.answer(("a",)) is first
    for n in range(ANSWERS_KEPT + 10):
        group.answer((f"c{n}",))
    assert len(group._remembered) <= ANSWERS_KEPT
    assert group.answer(("a",)) == first
    assert not group_of("purchase.total > 5").remembers


def test_a_loop_over_too_much_fails_at_run_time() -> None:
    """A list in an attribute may be longer than any limit: the rule gives nothing, and says why."""
    group = group_of("line.attributes.tags.exists(tag, tag == 'x')")
    assert group.answer(({"tags": ["a", "x"]},))[0] == 1
    bits, failures = group.answer(({"tags": ["a"] * 20_000},))
    assert (bits, list(failures)) == (0, [0])


def test_windows_are_told_so_that_sums_can_be_kept() -> None:
    """Each window that conditions look back over is named once."""
    compiler = Compiler()
    for source in ("member.spend_in('90 days') > 5", "member.spend_in('90 days') > 7", "member.spend_in('1 year') > 5"):
        assert isinstance(compiler.condition(Scalar(source, PLACE), "situation"), Condition)
    assert compiler.windows_of("member.spend_in") == (Duration(90, "days"), Duration(1, "years"))
    assert compiler.windows_of("member.purchases_in") == ()


def test_a_condition_nested_as_deeply_as_the_parser_allows_is_asked_alone() -> None:
    """It leaves no room for the sum that asks a group at once."""
    deep = "(" * 26 + "purchase.total > 5" + ")" * 26
    group = group_of(deep, "situation")
    assert (group.answer((6_0000,))[0], group.answer((4_0000,))[0]) == (1, 0)


def test_a_condition_may_end_in_a_comment() -> None:
    """What follows `//` is no part of the condition, nor of the group around it."""
    assert group_of("purchase.total > 5 // large", "situation").answer((6_0000,))[0] == 1


def test_a_condition_without_end_is_refused() -> None:
    """At most two thousand characters."""
    _, found = compiled(" || ".join(["purchase.total > 5"] * 200))
    assert isinstance(found, ProgrammeError)


@pytest.mark.parametrize("value", [10**30, float("nan"), None, "\ud800", {"y": [1, {"z": None}]}, object()])
def test_whatever_stands_in_an_attribute_is_answered_or_fails(value: object) -> None:
    """A till may send anything: the condition fails or is false, and nothing is raised."""
    bits, failures = group_of("line.attributes.x == 5").answer(({"x": value},))
    assert bits == 0
    assert set(failures) <= {0}


def test_an_amount_beyond_every_bound_fails() -> None:
    """More than 64 bits hold is a failure of the condition, not of the evaluation."""
    bits, failures = group_of("purchase.total > 5", "situation").answer((10**20,))
    assert (bits, list(failures)) == (0, [0])
