"""HTTP within v1: nothing that a release took or gave is refused, taken away or changed by this one."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import yaml

from tests.compatibility.openapi import noticed
from tests.harness.releases import file_of
from tests.harness.source import ROOT

NAMES = ("openapi.yaml", "hub-openapi.yaml")

SMALL: dict[str, Any] = {
    "paths": {
        "/v1/things/{thing}": {
            "parameters": [{"name": "thing", "in": "path", "required": True, "schema": {"type": "string"}}],
            "put": {
                "parameters": [{"name": "keep", "in": "query", "schema": {"type": "integer", "maximum": 10}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}}
                },
            },
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": False,
                "properties": {"name": {"type": "string", "maxLength": 64}, "kind": {"enum": ["a", "b"]}},
            },
            "Answer": {
                "type": "object",
                "required": ["kind", "colour"],
                "additionalProperties": False,
                "properties": {
                    "kind": {"description": "More may come.", "enum": ["a"]},
                    "colour": {"enum": ["red"]},
                    "lists": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}}}},
                },
            },
        }
    },
}

Change = Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], object]
"""Of the operation, what it takes, and what it gives."""


def changed(change: Change) -> list[str]:
    new = deepcopy(SMALL)
    schemas = new["components"]["schemas"]
    change(new["paths"]["/v1/things/{thing}"], schemas["Thing"], schemas["Answer"])
    return list(noticed({"small.yaml": SMALL}, {"small.yaml": new}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path, _, __: path.pop("put"), "is gone"),
        (lambda path, _, __: path["put"]["parameters"].pop(), "parameter keep is gone"),
        (lambda path, _, __: path["put"]["parameters"][0].update(required=True), "parameter keep is required"),
        (lambda path, _, __: path["put"]["parameters"][0]["schema"].update(maximum=9), "maximum was 10, is 9"),
        (lambda path, _, __: path["put"]["requestBody"].update(required=True), "a body is required"),
        (lambda path, _, __: path["put"]["responses"].pop("200"), "200 is gone"),
        (lambda _, thing, __: thing["properties"].pop("kind"), "kind: is gone"),
        (lambda _, thing, __: thing["required"].append("kind"), "kind: is required"),
        (lambda _, thing, __: thing["properties"]["kind"]["enum"].remove("b"), "enum was a, b, is a"),
        (lambda _, thing, __: thing["properties"]["name"].update(maxLength=32), "maxLength was 64, is 32"),
        (lambda _, thing, __: thing["properties"]["name"].update(pattern="x"), "pattern was None, is x"),
        (lambda _, thing, __: thing["properties"]["name"].update(type="integer"), "type was string, is integer"),
        (lambda _, __, answer: answer["properties"].pop("colour"), "colour: is gone"),
        (lambda _, __, answer: answer["required"].remove("colour"), "colour: may be left out"),
        (lambda _, __, answer: answer["properties"]["colour"]["enum"].append("blue"), "enum was red, is blue, red"),
        (
            lambda _, __, answer: answer["properties"]["lists"]["items"]["properties"]["id"].update(type="string"),
            "lists[].id: type was integer, is string",
        ),
    ],
)
def test_what_callers_would_notice_is_found(change: Change, said: str) -> None:
    (found,) = [line for line in changed(change) if said in line][:1] or [""]
    assert found.startswith("put /v1/things/{thing}: "), changed(change)


@pytest.mark.parametrize(
    "change",
    [
        lambda path, _, __: path.update(get=path["put"]),
        lambda path, _, __: path["put"]["parameters"].append({"name": "more", "in": "query", "schema": {}}),
        lambda path, _, __: path["put"]["responses"].update({"409": {}}),
        lambda _, thing, __: thing["properties"].update(colour={"type": "string"}),
        lambda _, thing, __: thing["properties"]["kind"]["enum"].append("c"),
        lambda _, thing, __: thing["properties"]["name"].update(maxLength=128, description="Of a thing."),
        lambda _, __, answer: answer["properties"].update(later={"type": "string"}),
        lambda _, __, answer: answer["required"].append("lists"),
        lambda _, __, answer: answer["properties"]["kind"]["enum"].append("b"),
    ],
)
def test_what_is_added_is_nothing_to_notice(change: Change) -> None:
    assert changed(change) == []


def test_callers_of_the_version_before_notice_nothing(version_before: str) -> None:
    old = {name: yaml.load(file_of(version_before, f"wire/{name}"), yaml.CSafeLoader) for name in NAMES}
    new = {name: yaml.load((ROOT / "wire" / name).read_text(), yaml.CSafeLoader) for name in NAMES}
    assert sum(len(document["paths"]) for document in old.values()) > 20
    assert list(noticed(old, new)) == []
