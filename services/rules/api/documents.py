"""The bodies of requests in the OpenAPI document: the contracts' own models, written out in place."""

from typing import Any

from pydantic import BaseModel


def body_of(*models: type[BaseModel]) -> dict[str, Any]:
    """What a route says of its body where it takes one of `models` as it came, unknown fields included."""
    schemas = [_written_out(model.model_json_schema()) for model in models]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _written_out(schema: dict[str, Any]) -> dict[str, Any]:
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:  # noqa: ANN401 - any part of a JSON Schema
        if isinstance(node, list):
            return [resolve(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return resolve(definitions[node["$ref"].rpartition("/")[2]])
        return {name: resolve(value) for name, value in node.items()}

    resolved: dict[str, Any] = resolve(schema)
    return resolved
