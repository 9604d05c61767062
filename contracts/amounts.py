"""Numbers as they cross a boundary: decimal strings outside, exact integers inside.

Money and quantities are integers in ten-thousandths (of the currency, of the unit), so that nothing is ever a float;
points are integers in the smallest unit of their currency, whose `scale` says how many decimals it has.
"""

import re
from functools import lru_cache
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

TEN_THOUSANDTHS: Final = 10_000
MAX_WHOLE_DIGITS: Final = 12
MAX_DECIMALS: Final = 4
MAX_SCALE: Final = 4
MAX_POINTS: Final = 2**62
"""Points of one movement stay under this, so that sums of them fit a signed 64-bit column."""

_KNOWN_DECIMALS_MAX: Final = 16_384
AMOUNT_PATTERN: Final = rf"^-?[0-9]{{1,{MAX_WHOLE_DIGITS}}}(\.[0-9]{{1,{MAX_DECIMALS}}})?$"
_DECIMAL: Final = re.compile(AMOUNT_PATTERN[:-1] + r"\Z")
_ANY_DECIMAL: Final = re.compile(r"-?(?P<whole>[0-9]+)(\.[0-9]+)?\Z")


def parse_decimal(value: object) -> int:
    """Ten-thousandths in a decimal string such as `"7.98"`.

    Raises PydanticCustomError `amount_too_large` or `too_many_decimals` for one that has more digits than anything
    here carries, and `decimal_string` for anything else: a JSON number may have lost digits already.
    """
    if isinstance(value, str):
        return _parse_text(value)
    raise PydanticCustomError("decimal_string", 'write a decimal string such as "7.98", in quotes')


# The prices and quantities of a shop are few, and a receipt has dozens of them: most were read before.
@lru_cache(maxsize=_KNOWN_DECIMALS_MAX)
def _parse_text(value: str) -> int:
    if _DECIMAL.match(value) is None:
        raise _undecimal(value)
    whole, _, decimals = value.partition(".")
    magnitude = int(whole.lstrip("-")) * TEN_THOUSANDTHS + int(decimals.ljust(MAX_DECIMALS, "0"))
    return -magnitude if value[0] == "-" else magnitude


def _undecimal(value: str) -> PydanticCustomError:
    """Why a text is no decimal string."""
    found = _ANY_DECIMAL.match(value)
    if found is None:
        return PydanticCustomError(
            "decimal_string",
            'write a decimal string such as "7.98": at most {whole} digits, a point, at most {decimals} decimals',
            {"whole": MAX_WHOLE_DIGITS, "decimals": MAX_DECIMALS},
        )
    if len(found["whole"]) > MAX_WHOLE_DIGITS:
        return PydanticCustomError(
            "amount_too_large", "at most {whole} digits before the point", {"whole": MAX_WHOLE_DIGITS}
        )
    return PydanticCustomError("too_many_decimals", "at most {decimals} decimals", {"decimals": MAX_DECIMALS})


def format_decimal(ten_thousandths: int, decimals: int = 2) -> str:
    """The decimal string of ten-thousandths, with at least `decimals` decimals and no more than it needs."""
    whole, fraction = divmod(abs(ten_thousandths), TEN_THOUSANDTHS)
    digits = f"{fraction:04d}"
    shown = digits.rstrip("0").ljust(decimals, "0")
    text = f"{whole}.{shown}" if shown else str(whole)
    return f"-{text}" if ten_thousandths < 0 else text


def format_points(points: int, scale: int) -> str:
    """Points in their smallest unit as the decimal string that people read: (1234, 2) is `12.34`."""
    if scale == 0:
        return str(points)
    whole, fraction = divmod(abs(points), 10**scale)
    return f"{'-' if points < 0 else ''}{whole}.{fraction:0{scale}d}"


def points_from_decimal(ten_thousandths: int, scale: int) -> int | None:
    """Points in their smallest unit from a parsed decimal; None when it has more decimals than `scale`."""
    step: int = 10 ** (MAX_DECIMALS - scale)
    points, rest = divmod(ten_thousandths, step)
    return None if rest else points


Amount = Annotated[
    int,
    BeforeValidator(parse_decimal),
    PlainSerializer(format_decimal, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": AMOUNT_PATTERN, "examples": ["7.98"]}),
]
"""Money in the purchase's currency: a decimal string on the wire, ten-thousandths inside."""

Quantity = Amount
"""How many units, or kilograms: a decimal string on the wire, ten-thousandths inside."""

DecimalPoints = Amount
"""Points written by a till as a decimal string; ten-thousandths until the programme's scale is known."""

Points = Annotated[int, Field(ge=0, le=MAX_POINTS)]
"""Points between services: an integer in the currency's smallest unit, beside its `scale`."""

SignedPoints = Annotated[int, Field(ge=-MAX_POINTS, le=MAX_POINTS)]

Scale = Annotated[int, Field(ge=0, le=MAX_SCALE)]
