"""wire/vectors/streams.json and wire/schemas, as a reader of messages would take them."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.wire.vectors import FOLDER, load

SCHEMAS = {path.name: json.loads(path.read_text()) for path in (FOLDER.parent / "schemas").glob("*.json")}
SCHEMA_OF = {"change": "change.json", "level": "level.json", "rewritten": "history.json", "complete": "history.json"}
VECTORS: list[dict[str, Any]] = load("streams.json")["vectors"]
KNOWN = [vector for vector in VECTORS if vector["type"]]


def name_of(vector: dict[str, Any]) -> str:
    return str(vector["name"])


@cache
def validator(name: str) -> Draft202012Validator:
    registry: Registry[Any] = Registry().with_resources(
        (file, DRAFT202012.create_resource(schema)) for file, schema in SCHEMAS.items()
    )
    return Draft202012Validator(SCHEMAS[name], registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER)
