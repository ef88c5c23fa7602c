"""The ledger's HTTP API for tests: every answer is held to wire/openapi.yaml as it comes in."""

import re
import secrets
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import jsonschema
import yaml

import wire

METHODS = ("get", "put", "post", "delete")
MEDIA = ("application/json", "application/problem+json")


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(Path(wire.__file__).with_name("openapi.yaml").read_text())
    return loaded


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """By operationId: method, path and the operation."""
    return {
        routes[method]["operationId"]: (method.upper(), path, routes[method])
        for path, routes in document()["paths"].items()
        for method in METHODS
        if method in routes
    }


def operation_at(method: str, path: str) -> dict[str, Any] | None:
    """The operation that a request is for; a path without parameters goes before one with them."""
    templates = sorted(document()["paths"], key=lambda template: template.count("{"))
    for template in templates:
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path):
            routes = document()["paths"][template]
            if method.lower() in routes:
                found: dict[str, Any] = routes[method.lower()]
                return found
    return None


def check_answer(answer: httpx.Response) -> None:
    """Raises AssertionError for a status, header or field that is not in the document, or is missing in the answer."""
    path = answer.request.url.path
    operation = operation_at(answer.request.method, path)
    if operation is None:
        kind = "NotFoundProblem" if answer.status_code == 404 else "BlankProblem"
        check_schema(answer.json(), {"$ref": f"#/components/schemas/{kind}"})
        return
    responses = operation["responses"]
    assert str(answer.status_code) in responses, f"{answer.request.method} {path}: {answer.status_code} {answer.text}"
    described = resolved(responses[str(answer.status_code)])
    media = answer.headers.get("content-type", "").split(";")[0]
    assert set(described.get("content", {"": None})) == {media}, (path, answer.status_code, media)
    if media in MEDIA:
        check_schema(answer.json(), described["content"][media]["schema"])
    check_headers(answer, described)


def check_headers(answer: httpx.Response, described: dict[str, Any]) -> None:
    documented = {name.lower(): resolved(header) for name, header in described.get("headers", {}).items()}
    for name in ("etag", "retry-after", "idempotency-replayed", "www-authenticate"):
        if name in answer.headers and not (name == "idempotency-replayed" and answer.is_error):
            assert name in documented, f"{name} is not documented for {answer.request.url.path} {answer.status_code}"
            if documented[name]["schema"].get("type") != "integer":
                check_schema(answer.headers[name], documented[name]["schema"])
    later = answer.status_code in (429, 503) or (answer.is_error and "retry_after_s" in answer.json())
    assert ("retry-after" in answer.headers) == later


def check_schema(value: Any, schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator({**schema, "components": document()["components"]}).validate(value)


class Api:
    """A client of one ledger, as one caller."""

    def __init__(self, url: str, key: str | None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.client = httpx.AsyncClient(base_url=url, headers=headers, timeout=40)

    async def __aenter__(self) -> "Api":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()

    async def send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        answer = await self.client.request(method, path, **arguments)
        check_answer(answer)
        return answer

    async def get(self, path: str, **arguments: Any) -> httpx.Response:
        return await self.send("GET", path, **arguments)

    async def post(self, path: str, body: Any, **arguments: Any) -> httpx.Response:
        return await self.send("POST", path, json=body, **arguments)

    async def put(self, path: str, body: Any, **arguments: Any) -> httpx.Response:
        return await self.send("PUT", path, json=body, **arguments)

    async def move(self, body: Any, key: str | None = None) -> httpx.Response:
        """With a new Idempotency-Key unless one is given."""
        return await self.post("/v1/movements", body, headers={"Idempotency-Key": key or secrets.token_hex(8)})

    async def count(self, location: str, sku: str, body: Any, **headers: str) -> httpx.Response:
        keyed = {"Idempotency-Key": secrets.token_hex(8), **{k.replace("_", "-"): v for k, v in headers.items()}}
        return await self.put(f"/v1/levels/{location}/{sku}", body, headers=keyed)

    async def stock(self, location: str, sku: str, on_hand: int = 0) -> None:
        """Make the item and the location, and receive ``on_hand`` units."""
        assert (await self.put(f"/v1/items/{sku}", {"name": sku})).is_success
        assert (await self.put(f"/v1/locations/{location}", {"name": location})).is_success
        if on_hand:
            assert (await self.move(receipt(location, sku, on_hand))).is_success


def receipt(location: str, sku: str, quantity: int) -> dict[str, Any]:
    return {"sku": sku, "location": location, "quantity": quantity, "kind": "receipt"}


def sale(location: str, sku: str, quantity: int = -1, **more: Any) -> dict[str, Any]:
    return {"sku": sku, "location": location, "quantity": quantity, "kind": "sale", **more}


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"]


def field(answer: httpx.Response) -> tuple[int, str]:
    """Status and field of an ``invalid``."""
    assert answer.json()["type"] == "invalid", answer.text
    return answer.status_code, answer.json()["field"]
