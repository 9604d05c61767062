"""Golden samples: what was published once must be understood for ever."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from contracts import manifest
from contracts.catalogue import MODELS, TOPIC_OF_TYPE
from contracts.documents import SAMPLES, samples_of, schema
from contracts.topics import DEAD_LETTER_TYPE, TOPICS

FILES = sorted(SAMPLES.glob("*.json"))
SCHEMAS = {name: schema(name) for name in MODELS}
FORMATS = FormatChecker(["date", "uuid"])


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_bytes())
    return content


def _violations(event: dict[str, Any]) -> list[str]:
    validator = Draft202012Validator(SCHEMAS[event["type"]], format_checker=FORMATS)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(event)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_sample_decodes_and_what_is_sent_again_means_the_same(file: Path) -> None:
    """A sample decodes; written out again it fits the published schema and decodes to the same event."""
    content = _read(file)
    model = MODELS[content["type"]]
    event = model.model_validate(content)
    written = event.model_dump(mode="json", by_alias=True)
    assert _violations(written) == []
    assert model.model_validate(written) == event


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_sample_fits_the_published_schema(file: Path) -> None:
    """What the schema says and what the models accept is the same for every sample."""
    assert _violations(_read(file)) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_unknown_fields_are_accepted_everywhere(file: Path) -> None:
    """A field that a later version adds, at any depth, disturbs neither the models nor the schema."""
    content = _read(file)
    model = MODELS[content["type"]]
    extended = _with_unknown_fields(content, SCHEMAS[content["type"]], SCHEMAS[content["type"]])
    assert extended != content
    assert model.model_validate(extended) == model.model_validate(content)
    assert _violations(extended) == []


def _with_unknown_fields(node: Any, part: dict[str, Any], root: dict[str, Any]) -> Any:
    """The same JSON with one more field in every object that the schema gives properties to."""
    if "$ref" in part:
        part = root["$defs"][part["$ref"].rpartition("/")[2]]
    if "anyOf" in part:
        part = next((choice for choice in part["anyOf"] if choice.get("type") != "null"), {})
        return _with_unknown_fields(node, part, root)
    if isinstance(node, list):
        return [_with_unknown_fields(item, part.get("items", {}), root) for item in node]
    if isinstance(node, dict) and "properties" in part:
        known = {
            name: _with_unknown_fields(value, part["properties"].get(name, {}), root) for name, value in node.items()
        }
        return known | {"нове_поле": {"глубоко": ["ą", None, 1.5]}}
    return node


def test_every_type_has_a_sample() -> None:
    """Who reads the contracts finds an example of every message."""
    assert [name for name in MODELS if not samples_of(name)] == []


def test_every_type_has_a_topic() -> None:
    """A relay can route every type; references to dead letters have a topic for each topic instead."""
    assert [name for name in MODELS if name not in TOPIC_OF_TYPE] == [DEAD_LETTER_TYPE]


def test_every_topic_carries_known_types() -> None:
    """A topic promises nothing that cannot be decoded."""
    assert [name for topic in TOPICS for name in topic.types if name not in MODELS] == []


def test_no_published_sample_was_changed_or_removed() -> None:
    """The manifest remembers every sample; a new shape gets a new sample beside the old one."""
    published, present = manifest.read(SAMPLES), manifest.digests(SAMPLES)
    assert manifest.violations(published, present) == []
    assert present.keys() == published.keys()


def test_the_manifest_tells_a_changed_and_a_removed_sample(tmp_path: Path) -> None:
    """A sample that is touched or deleted is named, and writing the manifest again does not cover it up."""
    (tmp_path / "a.json").write_text("1")
    (tmp_path / "b.json").write_text("2")
    (tmp_path / manifest.NAME).write_bytes(manifest.extended({}, manifest.digests(tmp_path)))
    (tmp_path / "a.json").write_text("changed")
    (tmp_path / "b.json").unlink()
    published, present = manifest.read(tmp_path), manifest.digests(tmp_path)
    assert manifest.violations(published, present) == [
        "samples/a.json was published and is changed; add another sample instead",
        "samples/b.json was published and is gone",
    ]
    assert manifest.extended(published, present) == (tmp_path / manifest.NAME).read_bytes()
