"""Numbers at the boundary: exact, or refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from contracts.amounts import format_decimal, format_points, parse_decimal, points_from_decimal

LIMIT = 10**16 - 1


@given(st.integers(-LIMIT, LIMIT), st.integers(0, 4))
def test_an_amount_survives_its_own_writing(ten_thousandths: int, decimals: int) -> None:
    """What is written is read back as the same number, and is the number that was meant."""
    text = format_decimal(ten_thousandths, decimals)
    assert parse_decimal(text) == ten_thousandths
    assert Decimal(text) * 10_000 == ten_thousandths


@given(st.from_regex(r"\A-?[0-9]{1,12}(\.[0-9]{1,4})?\Z"))
def test_every_decimal_string_is_read_exactly(text: str) -> None:
    """Leading zeros, no decimals, minus zero: the exact value, never a float's."""
    assert parse_decimal(text) == Decimal(text) * 10_000


@pytest.mark.parametrize(
    "value",
    [
        7.98, 7, True, None, "", " 1", "1 ", "1\n", "+1", "1,10", "1.", ".5", "1e3", "1e400", "NaN", "Infinity", "0x1",
        "١٢", "--1", b"1", "1_000", "1234567890123.", "1.234567\n",
    ],
)  # fmt: skip
def test_anything_else_is_refused(value: object) -> None:
    """A JSON number may have lost digits already; a text that is no plain decimal is somebody's mistake."""
    with pytest.raises(PydanticCustomError) as refused:
        parse_decimal(value)
    assert refused.value.type == "decimal_string"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("1.23456", "too_many_decimals"),
        ("1234567890123", "amount_too_large"),
        ("-9223372036854775808", "amount_too_large"),
        ("0000000000001", "amount_too_large"),
        ("1234567890123.45678", "amount_too_large"),
        ("9" * 10_000, "amount_too_large"),
    ],
)
def test_too_many_digits_have_codes_of_their_own(value: str, code: str) -> None:
    """Whoever sends too much, or too fine, is told which of the two."""
    with pytest.raises(PydanticCustomError) as refused:
        parse_decimal(value)
    assert refused.value.type == code


@given(st.integers(-(2**62), 2**62), st.integers(0, 4))
def test_points_are_written_in_their_scale(points: int, scale: int) -> None:
    """Exactly `scale` decimals, and the value that was meant."""
    text = format_points(points, scale)
    assert Decimal(text) * 10**scale == points
    assert len(text.partition(".")[2]) == scale


@given(st.integers(-LIMIT, LIMIT), st.integers(0, 4))
def test_points_of_a_till_are_exact_or_refused(ten_thousandths: int, scale: int) -> None:
    """More decimals than the currency has are never rounded away."""
    exact = Decimal(ten_thousandths) * 10**scale / 10_000
    expected = int(exact) if exact == exact.to_integral_value() else None
    assert points_from_decimal(ten_thousandths, scale) == expected
