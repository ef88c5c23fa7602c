"""OpenAPI documents of ours, and live answers held to them."""

import re
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import yaml
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

import wire

METHODS = ("get", "put", "post", "delete")
JSON_MEDIA = ("application/json", "application/problem+json")
HEADERS_CHECKED = (
    "etag",
    "retry-after",
    "idempotency-replayed",
    "ratelimit",
    "ratelimit-policy",
    "www-authenticate",
    "stockwire-fresh",
    "stockwire-lag-ms",
)

Schema = dict[str, Any]
Operations = dict[str, tuple[str, str, Schema]]


class Document:
    """One document of ``wire``. What it refers to in another one is found there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = Path(wire.__file__).with_name(name)

    @cached_property
    def content(self) -> Schema:
        loaded: Schema = yaml.load(self.path.read_text(), yaml.CSafeLoader)  # the other one takes ten times as long
        return loaded

    @cached_property
    def operations(self) -> Operations:
        """By operationId: method, path and the operation."""
        return {
            routes[method]["operationId"]: (method.upper(), path, routes[method])
            for path, routes in self.content["paths"].items()
            for method in METHODS
            if method in routes
        }

    def parameters(self, operation: Schema) -> list[tuple["Document", Schema]]:
        """Of the path and of the operation, each with the document in which it stands."""
        path = next(path for _, path, one in self.operations.values() if one is operation)
        nodes = [*self.content["paths"][path].get("parameters", ()), *operation.get("parameters", ())]
        return [self.found(node) for node in nodes]

    def resolved(self, node: Schema) -> Schema:
        """What a node is after all its references."""
        return self.found(node)[1]

    def found(self, node: Schema) -> tuple["Document", Schema]:
        """The same, with the document in which it stands: its own references are meant from there."""
        if "$ref" not in node:
            return self, node
        name, _, pointer = node["$ref"].partition("#/")
        home = document(name) if name else self
        target: Any = home.content
        for part in pointer.split("/"):
            target = target[part]
        return home.found(target)

    def operation_at(self, method: str, path: str) -> Schema | None:
        """The operation that a request is for; a path without parameters goes before one with them."""
        for template in sorted(self.content["paths"], key=lambda template: template.count("{")):
            if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path):
                routes = self.content["paths"][template]
                if method.lower() in routes:
                    operation: Schema = routes[method.lower()]
                    return operation
        return None

    def check_answer(self, answer: httpx.Response) -> None:
        """Raises AssertionError or ValidationError for a status, header or field that is not in the document, or is
        missing in the answer. Of an event stream only status and headers are looked at."""
        path = answer.request.url.path
        operation = self.operation_at(answer.request.method, path)
        if operation is None:
            kind = "NotFoundProblem" if answer.status_code == 404 else "BlankProblem"
            self.check_schema(answer.json(), {"$ref": f"openapi.yaml#/components/schemas/{kind}"})
            return
        responses, status = operation["responses"], str(answer.status_code)
        assert status in responses, f"{answer.request.method} {path}: {status} {answer.text}"
        home, described = self.found(responses[status])
        media = answer.headers.get("content-type", "").split(";")[0]
        assert set(described.get("content", {"": None})) == {media}, (path, status, media)
        if media in JSON_MEDIA:
            home.check_schema(answer.json(), described["content"][media]["schema"])
        home.check_headers(answer, described)

    def check_headers(self, answer: httpx.Response, described: Schema) -> None:
        documented = {name.lower(): self.resolved(header) for name, header in described.get("headers", {}).items()}
        for name in HEADERS_CHECKED:
            if name in answer.headers and not (name == "idempotency-replayed" and answer.is_error):
                assert name in documented, f"{name} is not documented for {answer.request.url.path}"
                if documented[name]["schema"].get("type") != "integer":
                    self.check_schema(answer.headers[name], documented[name]["schema"])
        later = answer.status_code in (429, 503) or (answer.is_error and "retry_after_s" in answer.json())
        assert ("retry-after" in answer.headers) == later

    def check_schema(self, value: Any, schema: Schema) -> None:
        validator = jsonschema.Draft202012Validator({"$id": self.name, **self._rooted(schema)}, registry=_registry())
        validator.validate(value)

    def _rooted(self, schema: Schema) -> Schema:
        """``#/...`` in a schema means this document."""
        return {**schema, "components": self.content.get("components", {})}


@cache
def document(name: str) -> Document:
    return Document(name)


@cache
def _registry() -> "Registry[Any]":
    names = ("openapi.yaml", "hub-openapi.yaml", "channels-openapi.yaml")
    return Registry().with_resources(
        (name, Resource.from_contents(document(name).content, default_specification=DRAFT202012)) for name in names
    )
