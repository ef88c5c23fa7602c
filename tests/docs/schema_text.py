"""JSON Schemas in words for people, and samples of what they describe."""

import json
from collections.abc import Iterator
from typing import Any

from tests.harness.openapi import Document, Schema

WORDS = {"string": "text", "object": "object", "boolean": "boolean", "number": "number", "integer": "integer"}
LARGEST = {2**31 - 1: "2^31 - 1", -(2**31): "-2^31", 2**63 - 1: "2^63 - 1"}


NAMED = {"Name": "name", "Time": "time", "TimeOrNull": "time or null"}
"""Schemas that the head of the page explains."""


def type_of(home: Document, schema: Schema) -> str:
    """Type and bounds. Objects that have a name are links to their own section."""
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    if name in NAMED:
        return NAMED[name]
    home, schema = home.found(schema)
    if "properties" in schema:
        return f"[{name}](#{name.lower()})" if name else _inline(home, schema)
    if "const" in schema:
        return _code(schema["const"])
    if "enum" in schema:
        return ", ".join(map(_code, schema["enum"]))
    if "oneOf" in schema:
        return " or ".join(type_of(home, one) for one in schema["oneOf"])
    if "allOf" in schema:  # one, with further bounds
        home, base = home.found(schema["allOf"][0])
        return type_of(home, {**base, **{key: bound for key, bound in schema.items() if key != "allOf"}})
    kinds = schema.get("type", "object")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return " or ".join(_kind(home, kind, schema) for kind in kinds)


def _kind(home: Document, kind: str, schema: Schema) -> str:
    if kind == "null":
        return "null"
    if kind == "array":
        if "prefixItems" in schema:
            return f"[{', '.join(type_of(home, one) for one in schema['prefixItems'])}]"
        return f"list{_range(schema, 'minItems', 'maxItems', '')} of {type_of(home, schema['items'])}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        most = schema.get("maxProperties")
        return (
            f"object{f' (at most {most} members)' if most else ''} of {type_of(home, schema['additionalProperties'])}"
        )
    if schema.get("format") == "date-time":
        return "time"
    if kind == "string":
        return (
            "UUID"
            if schema.get("format") == "uuid"
            else f"text{_range(schema, 'minLength', 'maxLength', ' characters')}"
        )
    return f"{WORDS[kind]}{_range(schema, 'minimum', 'maximum', '')}"


def _inline(home: Document, schema: Schema) -> str:
    return f"{{{', '.join(f'`{name}`: {type_of(home, field)}' for name, field, _ in fields_of(schema))}}}"


def _range(schema: Schema, low_name: str, high_name: str, unit: str) -> str:
    low, high = schema.get(low_name), schema.get(high_name)
    if low is not None and high is not None:
        return f" ({_number(low)} to {_number(high)}{unit})"
    if high is not None:
        return f" (at most {_number(high)}{unit})"
    return f" ({_number(low)} or more{unit})" if low is not None else ""


def _number(number: float) -> str:
    return LARGEST.get(int(number), f"{number:g}" if isinstance(number, float) else str(number))


def _code(value: object) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def description_of(home: Document, schema: Schema) -> str:
    explained = schema.get("$ref", "").rsplit("/", 1)[-1] in NAMED
    own = schema.get("description") or (not explained and home.resolved(schema).get("description")) or ""
    default = home.resolved(schema).get("default")
    return " ".join(own.split()) + (f" Default {_code(default)}." if default is not None else "")


def fields_of(schema: Schema) -> Iterator[tuple[str, Schema, bool]]:
    """Name, schema and whether it is required, of an object's properties."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield name, field, name in required


def sample(home: Document, schema: Schema) -> Any:
    """A value that the schema allows: its first example, else one put together from those of its parts."""
    home, schema = home.found(schema)
    if "examples" in schema:
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "oneOf" in schema:
        return sample(home, schema["oneOf"][0])
    if "properties" in schema:
        return {name: sample(home, field) for name, field in schema["properties"].items()}
    if schema.get("type") == "array":
        return [sample(home, schema["items"])]
    return {}


def named_schemas(home: Document, schema: Schema) -> Iterator[tuple[Document, str]]:
    """The objects with a name that a schema speaks of, itself included, outermost first."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        home, schema = home.found(schema)
        if "properties" in schema:
            yield home, name
    for part in ("oneOf", "allOf", "prefixItems"):
        for one in schema.get(part, ()):
            yield from named_schemas(home, one)
    for one in (schema.get("items"), *schema.get("properties", {}).values()):
        if isinstance(one, dict):
            yield from named_schemas(home, one)
