"""What is wrong with a message, field by field, in words that the developer of a till understands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from contracts.envelope import CODE_PATTERN, ID_PATTERN, TEXT_PATTERN
from contracts.purchases import CURRENCY_PATTERN

MAX_PROBLEMS: Final = 20
"""More problems of one message help nobody."""

_CODES: Final[dict[str, str]] = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "timezone_aware": "time_without_zone",
    "datetime_parsing": "not_a_time",
    "datetime_from_date_parsing": "not_a_time",
    "datetime_type": "not_a_time",
    "date_parsing": "not_a_day",
    "date_from_datetime_parsing": "not_a_day",
    "string_too_long": "too_long",
    "string_too_short": "too_short",
    "string_pattern_mismatch": "wrong_form",
    "string_type": "not_a_text",
    "literal_error": "unknown_value",
    "uuid_parsing": "not_a_uuid",
    "uuid_type": "not_a_uuid",
    "int_parsing": "not_a_whole_number",
    "int_from_float": "not_a_whole_number",
    "int_type": "not_a_whole_number",
    "int_parsing_size": "out_of_range",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "too_long": "too_many",
    "too_short": "too_few",
    "bool_type": "not_true_or_false",
    "bool_parsing": "not_true_or_false",
    "tuple_type": "not_a_list",
    "list_type": "not_a_list",
    "frozen_set_type": "not_a_list",
    "model_type": "not_an_object",
    "model_attributes_type": "not_an_object",
    "dict_type": "not_an_object",
}
"""The validator's own codes to ours, which stay when the validator changes. A contract's own checks bring theirs."""

_WORDS: Final[dict[str, str]] = {
    "missing": "this field is required",
    "unknown_field": "this field is not known here",
    "not_true_or_false": "write true or false, without quotes",
    "time_without_zone": 'a time needs its zone: write "2026-03-05T17:04:11+01:00", or Z for UTC',
    "not_a_time": 'write a time with its zone, such as "2026-03-05T17:04:11+01:00"',
    "not_a_day": 'write a day such as "1990-03-05"',
    "not_a_text": "write a text, in quotes",
    "not_a_uuid": 'write a UUID such as "0b0f4e0e-5f5c-5a53-9d0f-6c0f1d4f8a11"',
    "not_a_whole_number": "write a whole number, without quotes",
    "not_a_list": "write a list: [ … ]",
    "not_an_object": "write an object: { … }",
}

_FORMS: Final[dict[str, str]] = {
    CODE_PATTERN: "write letters, digits, point, hyphen and underscore, beginning with a letter or a digit",
    ID_PATTERN: "an id has no control characters",
    TEXT_PATTERN: "the character NUL cannot be kept",
    CURRENCY_PATTERN: 'write a currency of three capital letters, such as "PLN"',
}


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing that is wrong. `field` is a JSON path such as `$.data.lines[0].amount`; `code` is stable."""

    field: str
    code: str
    message: str


def json_path(location: Sequence[str | int]) -> str:
    """The JSON path (RFC 9535) of a location such as `("data", "lines", 0, "amount")`."""
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def problems_of(error: ValidationError, root: Sequence[str | int] = ()) -> tuple[FieldProblem, ...]:
    """The problems that a model's validation found, at most `MAX_PROBLEMS`; `root` is where the model stood."""
    return problems_of_details(error.errors(include_url=False, include_input=False), root)


def problems_of_details(details: Sequence[ErrorDetails], root: Sequence[str | int] = ()) -> tuple[FieldProblem, ...]:
    """The same of what a validation has listed already, as an HTTP framework hands it over."""
    deeper = {detail["loc"][:length] for detail in details for length in range(len(detail["loc"]))}
    # A list that has too few items only because its items are wrong is not a problem of its own.
    own = [detail for detail in details if detail["type"] != "too_short" or detail["loc"] not in deeper]
    return tuple(_problem(detail, root) for detail in own[:MAX_PROBLEMS])


def _problem(detail: ErrorDetails, root: Sequence[str | int]) -> FieldProblem:
    context = detail.get("ctx", {})
    # A check over several fields stands at their object; it says itself which of them to look at.
    named = (context["field"],) if "field" in context else ()
    code = _CODES.get(detail["type"], detail["type"])
    return FieldProblem(json_path((*root, *detail["loc"], *named)), code, _words(code, detail))


def _words(code: str, detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if code in {"too_few", "too_many"}:
        return f"at least {context['min_length']}" if code == "too_few" else f"at most {context['max_length']}"
    message = _WORDS.get(code) or _FORMS.get(context.get("pattern", "")) or detail["msg"]
    return message[:1].lower() + message[1:]
