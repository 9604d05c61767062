"""The documents generated from the models: a JSON Schema of each message type, and one AsyncAPI document.

Sources: JSON Schema 2020-12, AsyncAPI 3.0.0 with its Kafka bindings 0.5.0.
"""

import json
from pathlib import Path
from typing import Any, Final

from contracts.amounts import AMOUNT_PATTERN, format_decimal
from contracts.catalogue import MODELS, TOPIC_OF_TYPE
from contracts.envelope import STRUCTURED_CONTENT_TYPE
from contracts.topics import DEAD_LETTERS, PARTIES, TOPICS, Topic

DIRECTORY: Final = Path(__file__).resolve().parent
SAMPLES: Final = DIRECTORY / "samples"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_ENVELOPE_REQUIRED: Final = ("specversion", "type", "id", "source", "time", "data")

Json = dict[str, Any]


def documents() -> dict[str, bytes]:
    """Each generated document's bytes, by its path under `contracts/`."""
    schemas = {f"schemas/{name}.json": encode(schema(name)) for name in MODELS}
    return schemas | {"asyncapi/asyncapi.json": encode(asyncapi())}


def encode(document: Json) -> bytes:
    """A document as it is kept: readable, the same bytes for the same content."""
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def schema(name: str) -> Json:
    """The JSON Schema of one message type. Raises KeyError for a type that is not ours."""
    generated = MODELS[name].model_json_schema(by_alias=True, mode="validation")
    properties = generated["properties"]
    properties["type"] = {"const": name}
    properties["specversion"] = {"const": "1.0"}
    generated["required"] = list(_ENVELOPE_REQUIRED)
    _tidy(generated)
    return {"$schema": DIALECT, "$id": f"urn:bonus-ledger:schema:{name}", **generated, "title": name}


def _tidy(node: Any) -> None:  # noqa: ANN401 - any part of a JSON document
    """Write defaults as they stand on the wire, and drop titles that only repeat a field's name."""
    if isinstance(node, list):
        for part in node:
            _tidy(part)
    if not isinstance(node, dict):
        return
    if node.get("pattern") == AMOUNT_PATTERN and isinstance(node.get("default"), int):
        node["default"] = format_decimal(node["default"])
    for name, part in node.items():
        if name == "properties":
            for field in part.values():
                field.pop("title", None)
        _tidy(part)


def asyncapi() -> Json:
    """The AsyncAPI document: every topic with its key and its messages, and who sends and receives them."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Bonus ledger",
            "version": "1",
            "description": "Events are CloudEvents 1.0 in JSON. Unknown fields are accepted and kept.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": STRUCTURED_CONTENT_TYPE.decode(),
        "channels": {topic.name: _channel(topic) for topic in (*TOPICS, *DEAD_LETTERS)},
        "operations": {name: operation for topic in TOPICS for name, operation in _operations(topic).items()},
        "components": {"messages": {name: _message(name) for name in MODELS}},
    }


def types_of(topic: Topic) -> list[str]:
    """The types that a topic carries, in the catalogue's order."""
    if topic.types:
        return list(topic.types)
    return [name for name, carrier in TOPIC_OF_TYPE.items() if carrier == topic.name]


def _channel(topic: Topic) -> Json:
    policy = ["compact"] if topic.compacted else ["delete"]
    return {
        "address": topic.name,
        "description": f"Keyed by {topic.key}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in types_of(topic)},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": policy},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations(topic: Topic) -> Json:
    senders, receivers = PARTIES[topic.name]
    parties = [("send", sender) for sender in senders] + [("receive", receiver) for receiver in receivers]
    return {
        f"{party}.{action}.{topic.name}": {
            "action": action,
            "channel": {"$ref": f"#/channels/{topic.name}"},
            "summary": f"{party} {action}s {topic.name}",
            "tags": [{"name": party}],
        }
        for action, party in parties
    }


def _message(name: str) -> Json:
    document: Json = {
        "name": name,
        "title": name,
        "summary": (MODELS[name].__doc__ or "").partition("\n")[0],
        "contentType": STRUCTURED_CONTENT_TYPE.decode(),
        "headers": {
            "type": "object",
            "properties": {"content-type": {"type": "string"}, "traceparent": {"type": "string"}},
        },
        "payload": {
            "schemaFormat": "application/schema+json;version=2020-12",
            "schema": {"$ref": f"../schemas/{name}.json"},
        },
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": "0.5.0"}},
    }
    samples = samples_of(name)
    if samples:
        document["examples"] = [{"name": samples[0].stem, "payload": json.loads(samples[0].read_bytes())}]
    return document


def samples_of(name: str) -> list[Path]:
    """The golden samples of a type, by name: `bonus.purchase.completed.v1.deposit.json`."""
    return sorted(SAMPLES.glob(f"{name}.*.json"))
