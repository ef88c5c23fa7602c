"""docs/reference/http.md, made from the OpenAPI documents of `wire/`: `make reference` writes it."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from tests.docs.schema_text import description_of, fields_of, named_schemas, sample, type_of
from tests.harness.openapi import Document, Schema, document
from tests.harness.source import REFERENCE

PAGE = REFERENCE / "http.md"
JSON = "application/json"

HEAD = """\
<!-- Made by `make reference` from the OpenAPI documents of wire/. Change those. -->
# HTTP

Every route of the ledger, of a hub's read port and of the channels: what it takes, what it answers. For machines:
[`wire/openapi.yaml`](../../wire/openapi.yaml), which a running ledger serves at `/openapi.json` and, as a page, at
`/docs`; [`wire/hub-openapi.yaml`](../../wire/hub-openapi.yaml) and
[`wire/channels-openapi.yaml`](../../wire/channels-openapi.yaml). Tests hold every answer to them.

JSON in UTF-8. Quantities are whole units, times RFC 3339 in UTC with six decimals. A sku or a location is a name of
1 to 64 visible characters without `/` and `*`, percent-encoded in a path. Unknown fields of a body and unknown
parameters of a query are refused. `Authorization: Bearer <API key or token>` goes with every request that needs a
key. Errors are problem documents, listed in [Problem types](problems.md).
"""
LEDGER_HEAD = "On the ledger's public port, by default `http://127.0.0.1:8080`."
HUB_HEAD = (
    "On a hub's read port, by default `http://127.0.0.1:8091`. Answers come from memory and say how fresh they are;\n"
    "the routes of the same names on the ledger are exact."
)
CHANNELS_HEAD = (
    "On the port of `stockwire channels`, by default `http://127.0.0.1:8084`. What its messages look like:\n"
    "[Webhooks](../how-to/webhooks.md)."
)
ADMIN = """\
## Admin ports
Without a key, on loopback unless set. Health is JSON, as on the ledger's public port, and 503 a problem document.

| Route | Ledger (8081) | Hub (8092 and following) | |
|---|---|---|---|
| `GET /healthz` | yes | yes | 200: the process lives |
| `GET /readyz` | yes | yes | 200: send work here; 503 says why not |
| `GET /metrics` | yes | yes | [Metrics](metrics.md) in Prometheus text |
| `POST /drain` | no | yes | 202: the hub sends its clients elsewhere and takes no more |
| `POST /drain?share=0.2` | no | yes | 202: [it moves](../how-to/production.md#7-add-a-hub-and-move-clients-to-it) \
this share of its clients and goes on, `{"moving": 40}` says how many; \
400 for a share that is not above 0 and 1 at most; 503 while it drains, or moves another share |
| `POST /undrain` | no | yes | 202: it takes clients again, and keeps those of a share that were not moved yet; \
503 while it is being stopped |
| `GET /refusals` | yes | no | 200: what was refused since the start, by level and by owner, those with the most |
"""


def page() -> str:
    ledger, hub, channels = map(document, ("openapi.yaml", "hub-openapi.yaml", "channels-openapi.yaml"))
    parts = [
        HEAD,
        *_service("Ledger", LEDGER_HEAD, ledger),
        *_service("Hub", HUB_HEAD, hub),
        *_service("Channels", CHANNELS_HEAD, channels),
        ADMIN,
        *_objects(ledger, hub, channels),
    ]
    return "\n".join(parts)


def _service(title: str, head: str, home: Document) -> Iterator[str]:
    yield f"## {title}\n{head}\n"
    yield from _table(
        "Route|What it does",
        (
            (f"[`{method} {path}`](#{_anchor(title, method, path)})", operation["summary"])
            for method, path, operation in home.operations.values()
        ),
    )
    for method, path, operation in home.operations.values():
        yield from _operation(title, home, method, path, operation)


def _anchor(title: str, method: str, path: str) -> str:
    kept = "".join(letter for letter in f"{title} {method} {path}".lower() if letter.isalnum() or letter in " _-")
    return kept.replace(" ", "-")


def _operation(title: str, home: Document, method: str, path: str, operation: Schema) -> Iterator[str]:
    yield f"### {title}: `{method} {path}`"
    text = " ".join(operation.get("description", "").split())
    keyless = operation.get("security") == []
    yield " ".join(filter(None, [operation["summary"], text, "Needs no key." if keyless else ""])) + "\n"
    parameters = home.parameters(operation)
    yield from _table("Parameter|In|Type|Meaning", (_parameter(where, one) for where, one in parameters))
    yield from _body(home, operation)
    yield from _table("Status|Answer|Meaning", _answers(home, operation))
    yield from _example(home, method, path, operation, [one for _, one in parameters])


def _parameter(home: Document, one: Schema) -> tuple[str, ...]:
    place = one["in"] + (", required" if one.get("required") and one["in"] != "path" else "")
    text = " ".join(filter(None, [one.get("description", ""), description_of(home, one["schema"])]))
    return f"`{one['name']}`", place, type_of(home, one["schema"]), " ".join(text.split())


def _body(home: Document, operation: Schema) -> Iterator[str]:
    if "requestBody" not in operation:
        return
    schema = operation["requestBody"]["content"][JSON]["schema"]
    if "properties" in schema:
        yield f"Body: {schema.get('description', 'an object.')}\n"
        yield from _fields(home, schema)
    else:
        yield f"Body: {type_of(home, schema)}\n"


def _fields(home: Document, schema: Schema) -> Iterator[str]:
    yield from _table(
        "Field|Type|Meaning",
        (
            (f"`{name}`", type_of(home, field) + ("" if required else ", optional"), description_of(home, field))
            for name, field, required in fields_of(schema)
        ),
    )


def _answers(home: Document, operation: Schema) -> Iterator[tuple[str, ...]]:
    for status, response in operation["responses"].items():
        if status != "default":
            where, found = home.found(response)
            yield status, _content(where, found), " ".join(found["description"].split())


def _content(home: Document, response: Schema) -> str:
    for media, content in response.get("content", {}).items():
        if media == JSON:
            schema = content["schema"]
            if "properties" in schema:
                return ", ".join(f"`{name}`: {type_of(home, field)}" for name, field, _ in fields_of(schema))
            return type_of(home, schema)
        return "[problem](problems.md)" if media.endswith("problem+json") else f"`{media}`"
    return "empty"


def _example(home: Document, method: str, path: str, operation: Schema, parameters: list[Schema]) -> Iterator[str]:
    yield "```http"
    query = []
    for one in parameters:
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", str(one["example"]))
        elif one["in"] == "query" and "example" in one:
            query.append(f"{one['name']}={one['example']}")
    yield f"{method} {path}{'?' if query else ''}{'&'.join(query)}"
    yield from (f"{one['name']}: {one['example']}" for one in parameters if one["in"] == "header" and "example" in one)
    if "requestBody" in operation:
        yield f"\n{json.dumps(request_example(operation))}"
    yield "```\n"
    status, answer = answer_example(home, operation)
    if answer is not None:
        yield f"```json\n{_wrapped(answer)}\n```\n"
    else:
        yield f"Answer: {status} {HTTPStatus(int(status)).phrase}.\n"


def request_example(operation: Schema) -> Any:
    content = operation["requestBody"]["content"][JSON]
    return content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]


def answer_example(home: Document, operation: Schema) -> tuple[str, Any]:
    """Status and body of a success; None for a body that is no JSON, or the document itself."""
    status = next(iter(operation["responses"]))
    where, response = home.found(operation["responses"][status])
    content = response.get("content", {}).get(JSON)
    return status, (content.get("example") or sample(where, content["schema"]) or None) if content else None


def _wrapped(value: Any) -> str:
    """On one line if it is short, else a line for each member."""
    line = json.dumps(value)
    if len(line) <= 110 or not isinstance(value, dict):
        return line
    members = (f" {json.dumps(name)}: {json.dumps(member)}" for name, member in value.items())
    return "{\n" + ",\n".join(members) + "\n}"


def _objects(*homes: Document) -> Iterator[str]:
    """Every object with a name that a request or a success speaks of."""
    yield "## Objects\n"
    found: dict[tuple[Document, str], None] = {}
    for home in homes:
        for _, _, operation in home.operations.values():
            for where, schema in _schemas(home, operation):
                found.update(dict.fromkeys(named_schemas(where, schema)))
    for home, name in sorted(found, key=lambda one: one[1]):
        schema = home.content["components"]["schemas"][name]
        yield f"### {name}"
        if "description" in schema:
            yield " ".join(schema["description"].split()) + "\n"
        yield from _fields(home, schema)


def _schemas(home: Document, operation: Schema) -> Iterator[tuple[Document, Schema]]:
    if "requestBody" in operation:
        yield home, operation["requestBody"]["content"][JSON]["schema"]
    for response in operation["responses"].values():
        where, found = home.found(response)
        if JSON in found.get("content", {}):
            yield where, found["content"][JSON]["schema"]


def _table(head: str, rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    """Nothing if there are no rows."""
    titles = head.split("|")
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    if lines:
        yield "\n".join([f"| {' | '.join(titles)} |", "|---" * len(titles) + "|", *lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
