"""The generated documents: they agree with the models, and they are what they say they are."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.catalogue import MODELS
from contracts.command import drift, write
from contracts.documents import DIRECTORY, asyncapi, documents, schema
from contracts.topics import TOPICS
from services.documents import openapi


def test_the_documents_agree_with_the_code() -> None:
    """Who reads the documents reads what runs. If this fails: `bonus contracts write`, and read the difference."""
    assert drift(DIRECTORY, documents() | openapi()) == []


@pytest.mark.parametrize("name", MODELS)
def test_a_schema_is_a_schema(name: str) -> None:
    """Each file is valid JSON Schema 2020-12, and admits its own type alone."""
    document = schema(name)
    Draft202012Validator.check_schema(document)
    assert document["properties"]["type"] == {"const": name}
    assert document["required"] == ["specversion", "type", "id", "source", "time", "data"]


def test_defaults_are_written_as_they_stand_on_the_wire() -> None:
    """A default that a till copies from the schema is accepted."""
    line = schema("bonus.purchase.completed.v1")["$defs"]["Line"]["properties"]
    assert {name: line[name]["default"] for name in ("quantity", "discount", "points_paid")} == {
        "quantity": "1.00",
        "discount": "0.00",
        "points_paid": "0.00",
    }


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    """Channels name messages that exist, messages name schemas that exist, operations name channels that exist."""
    document = asyncapi()
    files = set(documents())
    for reference in _references(document):
        if reference.startswith("#"):
            node: Any = document
            for part in reference.removeprefix("#/").split("/"):
                node = node[part]
        else:
            assert reference.removeprefix("../") in files


def test_the_asyncapi_document_has_every_topic_and_every_message() -> None:
    """All topics with their dead letters, all types, with keys and partitions."""
    document = asyncapi()
    assert set(document["channels"]) == {name for topic in TOPICS for name in (topic.name, topic.dead_letters)}
    assert set(document["components"]["messages"]) == set(MODELS)
    carried = {name for channel in document["channels"].values() for name in channel["messages"]}
    assert carried == set(MODELS)
    purchases = document["channels"]["bonus.purchases.v1"]
    assert purchases["description"] == "Keyed by identifier."
    assert purchases["bindings"]["kafka"]["partitions"] == 64


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for part in node for found in _references(part)]
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for name, part in node.items() if name != "examples" for found in _references(part)]
    return []


def test_writing_mends_what_drifted_and_nothing_else(tmp_path: Path) -> None:
    """A changed, a missing and a left-over document are each named, and put right by writing."""
    (tmp_path / "samples").mkdir()
    generated = {"schemas/a.json": b"a", "schemas/b.json": b"b", "asyncapi/c.json": b"c"}
    write(tmp_path, generated)
    assert drift(tmp_path, generated) == []
    (tmp_path / "schemas/a.json").write_bytes(b"changed")
    (tmp_path / "schemas/b.json").unlink()
    (tmp_path / "schemas/old.json").write_bytes(b"old")
    assert drift(tmp_path, generated) == [
        "contracts/schemas/a.json differs from what the code says",
        "contracts/schemas/b.json is missing",
        "contracts/schemas/old.json belongs to nothing any more",
    ]
    assert write(tmp_path, generated) == ["schemas/a.json", "schemas/b.json", "schemas/old.json"]
    assert drift(tmp_path, generated) == []


def test_openapi_documents_are_of_version_three_one() -> None:
    """What a service offers over HTTP is described in OpenAPI 3.1."""
    assert {json.loads(content)["openapi"][:3] for content in openapi().values()} <= {"3.1"}
