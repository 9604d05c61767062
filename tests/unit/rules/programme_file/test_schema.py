"""The published schema: what an editor accepts is what the reader accepts, word by word."""

from typing import Any, get_args

import jsonschema
import pytest
from ruamel.yaml import YAML

from services.rules.domain import programme as model
from services.rules.programme_file import load, schema
from services.rules.programme_file.fields import LATER
from tests.unit.rules.programme_file.gallery import GALLERY

PROGRAMMES = sorted(path for path in GALLERY.glob("*.yaml") if not path.name.endswith(".cases.yaml"))
CHOICES = {
    ("currency", "rounding"): model.Rounding,
    ("currency", "round_by"): model.RoundBy,
    ("programme", "base"): model.Base,
    ("rule", "base"): model.Base,
    ("term_in_words", "at"): model.PeriodEnd,
    ("redeem", "unbacked"): model.UnbackedPolicy,
    ("returns", "spent"): model.SpentPolicy,
}


def test_the_schema_is_a_schema() -> None:
    """Draft 2020-12, every reference in it leads somewhere."""
    jsonschema.Draft202012Validator.check_schema(schema())
    definitions = schema()["$defs"]
    assert set(_references(schema())) <= {f"#/$defs/{name}" for name in definitions}


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [each for value in part.values() for each in _references(value)]
    return [each for value in part for each in _references(value)] if isinstance(part, list) else []


@pytest.mark.parametrize("path", PROGRAMMES, ids=lambda path: path.name)
def test_an_editor_accepts_the_gallery(path: Any) -> None:
    """Typed as an editor types it: numbers, dates and truths as YAML 1.2 reads them."""
    typed = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema()).validate(_as_json(typed))


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    return value if isinstance(value, str | int | float | bool) else str(value)


@pytest.mark.parametrize(("part", "word"), CHOICES, ids=lambda name: name)
def test_choices_are_those_of_the_model(part: str, word: str) -> None:
    """A choice that the schema offers is one that the evaluation knows, and the other way round."""
    assert schema()["$defs"][part]["properties"][word]["enum"] == list(get_args(CHOICES[part, word]))


@pytest.mark.parametrize("word", ["applies_from", "then", "on_return", "of"])
def test_choices_of_tiers_are_those_of_the_model(word: str) -> None:
    """The same for the tiers, whose choices stand in the model's fields."""
    hint = model.Tiers.__annotations__[word]
    assert sorted(schema()["$defs"]["tiers"]["properties"][word]["enum"]) == sorted(get_args(hint))


def test_words_of_later_work_are_not_in_the_schema() -> None:
    """They are refused by name until they are run."""
    assert not LATER & set(schema()["$defs"]["programme"]["properties"])


PARTS = [name for name, said in schema()["$defs"].items() if "properties" in said]


@pytest.mark.parametrize("part", PARTS)
def test_every_word_is_described(part: str) -> None:
    """An editor shows what each part and each word is for."""
    definitions = schema()["$defs"]
    assert part == "programme" or definitions[part]["description"]
    for word, said in definitions[part]["properties"].items():
        referred = definitions.get(said.get("$ref", "").removeprefix("#/$defs/"), {})
        assert said.get("description") or referred.get("description"), word


@pytest.mark.parametrize("part", PARTS)
def test_every_default_is_one_that_may_be_written(part: str) -> None:
    """What an editor fills in is what the schema accepts."""
    definitions = schema()["$defs"]
    for said in definitions[part]["properties"].values():
        if "default" in said:
            rules = {"$defs": definitions} | {key: value for key, value in said.items() if key != "default"}
            jsonschema.Draft202012Validator(rules).validate(said["default"])


def test_what_is_left_out_has_the_schemas_default() -> None:
    """Saying every default changes nothing."""
    short = "programme: p\nzone: Europe/Warsaw\nmoney: PLN\ncurrencies: {points: {}}\n"
    said = """programme: p
zone: Europe/Warsaw
money: PLN
base: gross
counts_points_paid: no
debt: refuse
currencies:
  points: {scale: 0, worth: 1.00, rounding: half_up, round_by: basket, activates: at_once, expires: never}
members: {unknown_card: keep 30 days}
redeem: {share_of_bill: 100 %, hold: 15 minutes, unbacked: to_zero}
returns: {spent: to_zero, frees_once: no}
"""
    [one, other] = [load(text) for text in (short, said)]
    assert isinstance(one, model.ProgrammeVersion)
    assert isinstance(other, model.ProgrammeVersion)
    assert (one.redeem, one.returns, one.members, one.debt_allowed) == (
        other.redeem, other.returns, other.members, other.debt_allowed,
    )  # fmt: skip
    [short_currency], [said_currency] = one.currencies, other.currencies
    assert (short_currency.worth, short_currency.rounding, short_currency.round_by, short_currency.scale) == (
        said_currency.worth, said_currency.rounding, said_currency.round_by, said_currency.scale,
    )  # fmt: skip
