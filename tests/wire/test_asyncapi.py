"""wire/asyncapi.yaml: valid AsyncAPI 3, and the same contract as wire/messages.py and the golden vectors."""

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
import yaml
from jsonschema import Draft7Validator

from tests.wire.vectors import FOLDER, Vector, load, vectors
from wire import messages

DOCUMENT: dict[str, Any] = yaml.load((FOLDER.parent / "asyncapi.yaml").read_text(), yaml.CSafeLoader)
META_SCHEMA = json.loads(Path(__file__).with_name("asyncapi-3.0.0.schema.json").read_text())
CLASSES: dict[str, type[msgspec.Struct]] = {
    **{t.__name__: t for union in (messages.ClientMessage, messages.HubMessage) for t in get_args(union)},
    **{t.__name__: t for t in (messages.Batch, messages.Revocation, messages.Event, messages.LevelState)},
    "Position": messages.Position,
}
GOOD = [*vectors("client-to-hub.json"), *vectors("hub-to-client.json"), *vectors("broker.json")]
READABLE = [vector for vector in vectors("refused-by-hubs.json") if vector.name not in {"token that is no UTF-8"}]


def test_it_is_valid_asyncapi_3() -> None:
    problems = [f"{error.json_path}: {error.message}" for error in Draft7Validator(META_SCHEMA).iter_errors(DOCUMENT)]
    assert not problems


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        resolve(reference)


@pytest.mark.parametrize("vector", GOOD, ids=str)
def test_a_vector_agrees_with_its_schema_as_sent_and_as_received(vector: Vector) -> None:
    validator = validator_of(vector.type.capitalize())
    validator.validate(json.loads(vector.data))
    validator.validate(vector.encoded)


@pytest.mark.parametrize("vector", [*READABLE, *vectors("refused-from-broker.json")], ids=str)
def test_what_is_refused_agrees_with_no_schema_that_may_be_sent(vector: Vector) -> None:
    try:
        message = json.loads(vector.data.decode(), parse_constant=refuse, object_pairs_hook=once)
    except ValueError:
        return  # no JSON at all, or a name twice: no schema can say so
    if "\\ud800" in json.dumps(message):
        return  # JSON lets a lone surrogate through, Unicode does not: no schema can say so
    names = [vector.type.capitalize()] if vector.type else [t.__name__ for t in get_args(messages.ClientMessage)]
    assert not any(validator_of(name).is_valid(message) for name in names)


@pytest.mark.parametrize("name", CLASSES)
def test_the_fields_are_those_of_the_class(name: str) -> None:
    properties, required = fields_in_schema(resolve(f"#/components/schemas/{name}"))
    struct = CLASSES[name]
    tag = {"type"} if struct.__struct_config__.tag else set()
    assert set(properties) == set(struct.__struct_fields__) | tag
    defaulted = struct.__struct_fields__[len(struct.__struct_fields__) - len(struct.__struct_defaults__) :]
    assert required >= tag | (set(struct.__struct_fields__) - set(defaulted))


def test_every_message_stands_in_the_document_and_in_its_channel() -> None:
    sent = {t.__struct_config__.tag for union in (messages.ClientMessage, messages.HubMessage) for t in get_args(union)}
    assert set(DOCUMENT["channels"]["stream"]["messages"]) == sent
    assert set(DOCUMENT["components"]["messages"]) == sent | {"batch", "revocation"}
    used = {
        reference["$ref"].rsplit("/", 1)[1]
        for operation in DOCUMENT["operations"].values()
        for reference in (*operation["messages"], *operation.get("reply", {}).get("messages", ()))
    }
    assert used == sent | {"batch", "revocation"}


def test_the_channels_are_those_of_the_vectors() -> None:
    for vector in load("channels.json")["vectors"]:
        address = DOCUMENT["channels"]["revoked" if vector["shard"] is None else "shard"]["address"]
        assert address.format(prefix=vector["prefix"], shard=vector["shard"]) == vector["channel"]


def validator_of(schema: str) -> Draft7Validator:
    return Draft7Validator({"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]})


def fields_in_schema(schema: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Of an object schema, those joined by allOf included."""
    if "$ref" in schema:
        return fields_in_schema(resolve(schema["$ref"]))
    properties, required = dict(schema.get("properties", {})), set(schema.get("required", ()))
    for part in schema.get("allOf", ()):
        more, more_required = fields_in_schema(part)
        properties |= more
        required |= more_required
    return properties, required


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for child in node.values() for found in references(child)]
    return [found for child in node for found in references(child)] if isinstance(node, list) else []


def resolve(reference: str) -> dict[str, Any]:
    node: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    assert isinstance(node, dict)
    return resolve(node["$ref"]) if "$ref" in node else node


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a name twice")
    return fields


def refuse(constant: str) -> None:
    raise ValueError(constant)
