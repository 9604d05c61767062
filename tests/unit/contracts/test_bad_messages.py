"""D3: what is wrong with a message is named by code and field, in words that a person understands."""

import json
from copy import deepcopy
from typing import Any

import pytest

from contracts.documents import SAMPLES
from contracts.validation import problems_of_event

PURCHASE = json.loads((SAMPLES / "bonus.purchase.completed.v1.grocer.json").read_bytes())
RETURN = json.loads((SAMPLES / "bonus.purchase.returned.v1.one-line.json").read_bytes())
ENROLMENT = json.loads((SAMPLES / "bonus.member.enrolled.v1.by-card.json").read_bytes())
REMOVED = object()


def changed(event: dict[str, Any], *path: str | int, to: Any) -> dict[str, Any]:
    """The event with one value changed or removed."""
    copy = deepcopy(event)
    node: Any = copy
    for part in path[:-1]:
        node = node[part]
    if to is REMOVED:
        del node[path[-1]]
    else:
        node[path[-1]] = to
    return copy


@pytest.mark.parametrize(
    ("path", "value", "field", "code"),
    [
        (("data", "lines", 0, "amount"), "1e400", "$.data.lines[0].amount", "decimal_string"),
        (("data", "lines", 0, "amount"), 7.98, "$.data.lines[0].amount", "decimal_string"),
        (("data", "lines", 0, "amount"), REMOVED, "$.data.lines[0].amount", "missing"),
        (("data", "lines", 0, "quantity"), "-2", "$.data.lines[0].quantity", "negative_quantity"),
        (("data", "lines", 0, "points_paid"), "-2", "$.data.lines[0].points_paid", "negative_points"),
        (("data", "lines", 0, "line"), -1, "$.data.lines[0].line", "out_of_range"),
        (("data", "lines", 0, "line"), 2**63, "$.data.lines[0].line", "out_of_range"),
        (("data", "lines", 0, "sku"), 5901234, "$.data.lines[0].sku", "not_a_text"),
        (("data", "lines", 0, "brand"), "a\x00b", "$.data.lines[0].brand", "wrong_form"),
        (("data", "lines"), [], "$.data.lines", "too_few"),
        (("data", "lines"), {}, "$.data.lines", "not_a_list"),
        (("data", "lines", 0), "milk", "$.data.lines[0]", "not_an_object"),
        (("data", "payments", 1, "amount"), "5.99", "$.data.payments", "does_not_add_up"),
        (("data", "payments", 0, "points"), "9223372036854775808", "$.data.payments[0].points", "amount_too_large"),
        (("data", "payments", 0, "points"), "-2.00", "$.data.payments[0].points", "negative_points"),
        (("data", "payments", 0, "amount"), "-2.00", "$.data.payments[0].amount", "negative_points"),
        (("data", "payments", 0, "hold_id"), "hold-1", "$.data.payments[0].hold_id", "not_a_uuid"),
        (("data", "purchased_at"), "2026-03-05T17:04:11", "$.data.purchased_at", "time_without_zone"),
        (("data", "purchased_at"), 1772726651, "$.data.purchased_at", "not_a_time"),
        (("data", "purchased_at"), "1772726651", "$.data.purchased_at", "not_a_time"),
        (("data", "purchased_at"), "yesterday", "$.data.purchased_at", "not_a_time"),
        (("data", "purchased_at"), "2026-02-30T10:00:00Z", "$.data.purchased_at", "not_a_time"),
        (("data", "purchased_at"), "9999-12-31T23:59:59Z", "$.data.purchased_at", "time_out_of_range"),
        (("data", "purchase_id"), "x" * 10_000, "$.data.purchase_id", "too_long"),
        (("data", "purchase_id"), "", "$.data.purchase_id", "too_short"),
        (("data", "purchase_id"), "a\x1fb", "$.data.purchase_id", "wrong_form"),
        (("data", "programme"), "два слова", "$.data.programme", "wrong_form"),
        (("data", "currency"), "zł", "$.data.currency", "wrong_form"),
        (("data", "member", "type"), "loyalty", "$.data.member.type", "unknown_value"),
        (("data",), "text", "$.data", "not_an_object"),
        (("data",), REMOVED, "$.data", "missing"),
        (("id",), "x" * 10_000, "$.id", "too_long"),
        (("time",), "2026-03-05T17:04:13", "$.time", "time_without_zone"),
        (("tenant",), "", "$.tenant", "too_short"),
        (("specversion",), "0.3", "$.specversion", "unknown_value"),
        (("type",), "bonus.purchase.complete.v1", "$.type", "unknown_type"),
        (("type",), 7, "$.type", "unknown_type"),
        (("type",), REMOVED, "$.type", "missing"),
    ],
)  # fmt: skip
def test_D3_a_bad_purchase_is_refused_by_field_and_code(
    path: tuple[str | int, ...], value: Any, field: str, code: str
) -> None:
    """One thing is wrong: one problem, at that field, with a stable code and a reason."""
    problems = problems_of_event(changed(PURCHASE, *path, to=value))
    assert [(problem.field, problem.code) for problem in problems] == [(field, code)]
    assert problems[0].message


def test_D3_a_repeated_line_is_refused() -> None:
    """A return names a line by its number, so a number stands once."""
    line = PURCHASE["data"]["lines"][0]
    event = changed(PURCHASE, "data", "lines", to=[line, line])
    assert [(each.field, each.code) for each in problems_of_event(event)] == [("$.data.lines", "line_repeated")]


def test_D3_a_purchase_that_no_column_could_sum_is_refused() -> None:
    """Each line is in bounds, their sum is not."""
    lines = [{"line": number, "amount": "999999999999"} for number in range(2)]
    payments = [{"type": "card", "amount": "999999999999"}] * 2
    event = changed(changed(PURCHASE, "data", "lines", to=lines), "data", "payments", to=payments)
    assert [(each.field, each.code) for each in problems_of_event(event)] == [("$.data.lines", "too_much")]


def test_D3_a_message_of_two_megabytes_is_refused() -> None:
    """Larger messages would stop the partition."""
    event = changed(PURCHASE, "data", "lines", 0, "attributes", to={"note": "x" * 2_000_000})
    assert [(each.field, each.code) for each in problems_of_event(event)] == [("$", "too_large")]


@pytest.mark.parametrize(
    ("path", "value", "field", "code"),
    [
        (("data", "lines", 0, "quantity"), "-1", "$.data.lines[0].quantity", "negative_quantity"),
        (("data", "refunds", 0, "amount"), 3.99, "$.data.refunds[0].amount", "decimal_string"),
        (("data", "lines"), [RETURN["data"]["lines"][0]] * 2, "$.data.lines", "line_repeated"),
        (("data", "purchase_id"), REMOVED, "$.data.purchase_id", "missing"),
        (("data", "returned_at"), "2026-03-08T10:00:00", "$.data.returned_at", "time_without_zone"),
    ],
)
def test_D3_a_bad_return_is_refused_by_field_and_code(
    path: tuple[str | int, ...], value: Any, field: str, code: str
) -> None:
    """The same for what comes back."""
    problems = problems_of_event(changed(RETURN, *path, to=value))
    assert [(problem.field, problem.code) for problem in problems] == [(field, code)]


@pytest.mark.parametrize(
    ("path", "value", "field", "code"),
    [
        (("data", "birthday"), "05.03.1990", "$.data.birthday", "not_a_day"),
        (("data", "birthday"), "1990-02-30", "$.data.birthday", "not_a_day"),
        (("data", "birthday"), "0001-01-01", "$.data.birthday", "time_out_of_range"),
        (("data", "birthday"), 7305, "$.data.birthday", "not_a_day"),
        (("data", "identifiers"), [], "$.data.identifiers", "too_few"),
    ],
)
def test_D3_a_bad_enrolment_is_refused_by_field_and_code(
    path: tuple[str | int, ...], value: Any, field: str, code: str
) -> None:
    """The same for who joins."""
    problems = problems_of_event(changed(ENROLMENT, *path, to=value))
    assert [(problem.field, problem.code) for problem in problems] == [(field, code)]


def test_D3_zero_and_negative_amounts_and_a_rounding_payment_are_accepted() -> None:
    """Bottle deposits, gifts, bags that were not taken, and the cent that cash does not know."""
    event = json.loads((SAMPLES / "bonus.purchase.completed.v1.deposit-and-rounding.json").read_bytes())
    assert problems_of_event(event) == ()


def test_reasons_are_words() -> None:
    """A developer reads what to write instead, not the name of a check."""
    event = changed(PURCHASE, "type", to="bonus.purchase.complete.v1")
    assert problems_of_event(event)[0].message.endswith("did you mean bonus.purchase.completed.v1?")
    event = changed(PURCHASE, "data", "currency", to="zł")
    assert problems_of_event(event)[0].message == 'write a currency of three capital letters, such as "PLN"'
    bare = problems_of_event(PURCHASE["data"])
    assert bare[0].message.endswith("this looks like its data alone")
