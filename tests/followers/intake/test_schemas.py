"""wire/schemas of commands and results: what an intake takes is valid by them, what is not it lays aside."""

from typing import Any

import orjson
import pytest

from followers.intake.answering import Answer
from followers.intake.command import ATTRIBUTE_CHARACTERS_MAX, NAMES, PREFIX, SUFFIX, Unreadable, parse
from followers.intake.result import attributes_of, data_of
from tests.wire.streams.vectors import SCHEMAS, validator

ID = "0b1e6f1c-3c1f-5d0a-9d0e-2f6f3a1c9b77"
COMMAND = {"specversion": "1.0", "id": "4711", "source": "/erp/ü", "type": f"{PREFIX}movement{SUFFIX}"}
MOVEMENT = {"lines": [{"sku": "A", "location": "berlin", "quantity": -1, "kind": "sale"}]}


def data_for(name: str) -> dict[str, Any]:
    thing, _, step = name.partition(".")
    return {thing: ID} if step else {"location": "berlin", "sku": "A", "on_hand": 3} if name == "count" else MOVEMENT


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_valid_and_taken(name: str) -> None:
    attributes = {**COMMAND, "type": f"{PREFIX}{name}{SUFFIX}", "correlationid": "order-1", "yours": "too"}
    validator("command-attributes.json").validate(attributes)
    validator("command.json").validate(data_for(name))
    command = parse(attributes, data_for(name))
    answered = attributes_of(command, "shop")
    validator("result-attributes.json").validate(answered)
    assert set(answered) == set(SCHEMAS["result-attributes.json"]["properties"])


def test_the_types_are_those_of_the_intake() -> None:
    types = SCHEMAS["command-attributes.json"]["properties"]["type"]["enum"]
    assert types == [f"{PREFIX}{name}{SUFFIX}" for name in NAMES]


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": f"{PREFIX}later{SUFFIX}"},
        {"id": ""},
        {"id": "x" * (ATTRIBUTE_CHARACTERS_MAX + 1)},
        {"source": "a\nb"},
        {"correlationid": "\x7f"},
    ],
)
def test_attributes_that_are_not_valid_are_laid_aside(wrong: dict[str, str]) -> None:
    assert not validator("command-attributes.json").is_valid(COMMAND | wrong)
    with pytest.raises(Unreadable):
        parse(COMMAND | wrong, MOVEMENT)


@pytest.mark.parametrize(
    ("name", "wrong"), [("count", {"sku": ""}), ("count", {"location": 1}), ("transfer.close", {"transfer": "4711"})]
)
def test_data_that_is_not_valid_is_laid_aside(name: str, wrong: dict[str, Any]) -> None:
    assert not validator("command.json").is_valid(data_for(name) | wrong)
    with pytest.raises(Unreadable):
        parse({**COMMAND, "type": f"{PREFIX}{name}{SUFFIX}"}, data_for(name) | wrong)


@pytest.mark.parametrize("name", NAMES)
def test_data_without_what_its_request_needs_is_not_valid(name: str) -> None:
    for field in data_for(name):
        assert not validator("command.json").is_valid(
            {key: value for key, value in data_for(name).items() if key != field}
        )


@pytest.mark.parametrize("answer", [Answer(201, b'{"operation":"x"}'), Answer(409, b'{"type":"insufficient-stock"}')])
def test_a_result_is_valid_also_without_a_body_that_is_too_large(answer: Answer) -> None:
    validator("result.json").validate(orjson.loads(data_of(answer)))
    large = Answer(answer.status, b'{"a":"' + b"x" * 1_000_000 + b'"}')
    validator("result.json").validate(orjson.loads(data_of(large)))
