"""wire/schemas and wire/streams-asyncapi.yaml: valid, and the same contract as the log and the vectors."""

import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator

from ledger.commit.event import FIELDS
from tests.wire.streams.vectors import KNOWN, SCHEMA_OF, SCHEMAS, name_of, validator
from tests.wire.test_asyncapi import META_SCHEMA, references
from tests.wire.vectors import FOLDER
from wire import envelope
from wire.messages import LevelState

DOCUMENT: dict[str, Any] = yaml.safe_load((FOLDER.parent / "streams-asyncapi.yaml").read_text())
known = pytest.mark.parametrize("vector", KNOWN, ids=name_of)
COMMANDS = {"command", "result", "dead"}
"""Of an intake: tests/followers/intake/test_schemas.py, test_vectors.py."""


def test_every_schema_is_one() -> None:
    for name, schema in SCHEMAS.items():
        Draft202012Validator.check_schema(schema)
        assert schema["$id"] == name
        for reference in references(schema):
            file, _, path = reference.partition("#/$defs/")
            assert path in SCHEMAS[file]["$defs"]


def test_a_change_has_the_fields_of_the_log_and_all_of_them() -> None:
    fields = [field.name for field in FIELDS]
    assert list(SCHEMAS["change.json"]["properties"]) == fields
    assert SCHEMAS["change.json"]["required"] == fields


def test_a_level_has_the_fields_of_the_ledgers_answer_and_its_epoch() -> None:
    fields = {"epoch", *LevelState.__struct_fields__}
    assert set(SCHEMAS["level.json"]["properties"]) == set(SCHEMAS["level.json"]["required"]) == fields
    assert set(SCHEMAS["history.json"]["required"]) == set(envelope.history_data("e", 0, 1))


@known
def test_a_vector_is_valid(vector: dict[str, Any]) -> None:
    validator("attributes.json").validate(vector["attributes"])
    validator(SCHEMA_OF[vector["type"]]).validate(vector["data"])


@known
def test_a_field_that_is_missing_or_wrong_is_not_valid(vector: dict[str, Any]) -> None:
    schema = validator(SCHEMA_OF[vector["type"]])
    for name in SCHEMAS[SCHEMA_OF[vector["type"]]]["required"]:
        assert not schema.is_valid({key: value for key, value in vector["data"].items() if key != name})
        assert not schema.is_valid({**vector["data"], name: [name]})
    for name in vector["attributes"]:
        assert not validator("attributes.json").is_valid({**vector["attributes"], name: ""})


def test_the_asyncapi_document_is_valid() -> None:
    problems = [f"{error.json_path}: {error.message}" for error in Draft7Validator(META_SCHEMA).iter_errors(DOCUMENT)]
    assert not problems
    for reference in references(DOCUMENT):
        if reference.startswith("#/"):
            node: Any = DOCUMENT
            for part in reference.removeprefix("#/").split("/"):
                node = node[part]
        else:
            assert (FOLDER.parent / reference).is_file(), reference


@known
def test_a_vector_agrees_with_the_document(vector: dict[str, Any]) -> None:
    message = DOCUMENT["components"]["messages"][vector["type"]]
    schema = message["payload"]["schema"]["$ref"].rpartition("/")[2]
    assert schema == SCHEMA_OF[vector["type"]]
    assert vector["attributes"]["type"].startswith(message["title"].split("<")[0])
    for name, headers in (
        ("KafkaHeaders", vector["kafka"]["headers"]),
        ("NatsHeaders", vector["nats"]["headers"]),
        ("AmqpProperties", vector["amqp"]["properties"]),
    ):
        described = DOCUMENT["components"]["schemas"][name]
        Draft202012Validator(described).validate(headers)
        assert set(headers) <= set(described["properties"])


def test_every_message_of_a_relay_has_a_vector() -> None:
    told = set(DOCUMENT["components"]["messages"]) - COMMANDS
    assert told == {vector["type"] for vector in KNOWN}
    used = {name for channel in DOCUMENT["channels"].values() for name in channel["messages"]}
    assert used == set(DOCUMENT["components"]["messages"])


def test_names_of_vectors_are_unique() -> None:
    content = json.loads((FOLDER / "streams.json").read_text())
    for kind in ("vectors", "refused"):
        names = [entry["name"] for entry in content[kind]]
        assert len(set(names)) == len(names)
