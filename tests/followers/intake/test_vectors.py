"""wire/vectors/commands.json: what an intake takes, sends to the ledger, answers and lays aside, in every binding."""

import json
from typing import Any

import orjson
import pytest

from followers.intake.answering import Answer, unreadable
from followers.intake.command import Unreadable, parse
from followers.intake.laid_aside import PROBLEM_HEADER, problem_text
from followers.intake.result import attributes_of, data_of
from stockwire.streams import CloudEvent
from tests.wire.streams.vectors import name_of, validator
from tests.wire.vectors import load
from wire.bindings import amqp_properties, kafka_headers, nats_headers

VECTORS: list[dict[str, Any]] = load("commands.json")["vectors"]


def of_type(type_: str) -> list[dict[str, Any]]:
    return [vector for vector in VECTORS if vector["type"] == type_]


def check_bindings(vector: dict[str, Any]) -> None:
    attributes = vector["attributes"]
    assert vector["kafka"]["headers"] == {name: value.decode() for name, value in kafka_headers(attributes)}
    assert vector["nats"]["headers"] == nats_headers(attributes)
    assert vector["amqp"]["properties"] == amqp_properties(attributes)


@pytest.mark.parametrize("vector", of_type("command"), ids=name_of)
def test_a_command_is_the_same_request_from_every_broker(vector: dict[str, Any]) -> None:
    validator("command-attributes.json").validate(vector["attributes"])
    validator("command.json").validate(vector["data"])
    check_bindings(vector)
    data = orjson.dumps(vector["data"])
    headers = [(name, value.encode()) for name, value in vector["kafka"]["headers"].items()]
    for event in (
        CloudEvent.of_kafka(headers, data),
        CloudEvent.of_nats(vector["nats"]["headers"], data),
        CloudEvent.of_amqp(vector["amqp"]["properties"], vector["amqp"]["content_type"], data),
    ):
        command = parse(event.attributes, event.data)
        asked = {"method": command.method, "path": command.path, "body": orjson.loads(command.body)}
        assert asked == vector["request"]
        assert command.key == vector["key"]


@pytest.mark.parametrize("vector", of_type("result"), ids=name_of)
def test_a_result_names_its_command(vector: dict[str, Any]) -> None:
    validator("result-attributes.json").validate(vector["attributes"])
    validator("result.json").validate(vector["data"])
    check_bindings(vector)
    (of,) = (one for one in VECTORS if one["name"] == vector["of"])
    assert vector["attributes"] == attributes_of(parse(of["attributes"], of["data"]), "shop")
    answer = Answer(vector["data"]["status"], orjson.dumps(vector["data"]["body"]))
    assert orjson.loads(data_of(answer)) == vector["data"]


@pytest.mark.parametrize("vector", of_type("dead"), ids=name_of)
def test_what_is_laid_aside_says_which_field_is_wrong(vector: dict[str, Any]) -> None:
    headers = dict(vector["kafka"]["headers"])
    problem = headers.pop(PROBLEM_HEADER)
    event = CloudEvent.of_kafka([(name, value.encode()) for name, value in headers.items()], vector["text"].encode())
    with pytest.raises(Unreadable) as raised:
        parse(event.attributes, event.data)
    assert problem == problem_text(unreadable(raised.value.field, raised.value.reason).problem)
    assert json.loads(problem)["field"] == raised.value.field == vector["field"]


def test_each_kind_of_message_has_vectors_and_their_names_are_unique() -> None:
    assert {vector["type"] for vector in VECTORS} == {"command", "result", "dead"}
    names = [name_of(vector) for vector in VECTORS]
    assert len(set(names)) == len(names)
