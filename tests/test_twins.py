"""A ledger and a hub's read port are asked the same and must answer the same, in good and in bad.

What differs on purpose is named in `MEANT`; and of what does not exist a ledger says 404, a hub version 0. Requests are
written byte by byte: no client would send half of them.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from stockwire import AsyncClient, Item, Location, receipt
from tests.harness.shown import shown_by_hubs
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S

HEADERS = ("content-type", "allow", "www-authenticate", "retry-after", "accept-encoding", "connection")
LEVEL = "/v1/levels/{place}/{sku}"
MANY = "x" * 17_000
REFUSED = (400, 401, 403, 404, 405, 413, 415, 422, 431)


@dataclass(frozen=True, slots=True)
class Asked:
    """``{place}``, ``{sku}`` and ``{key}`` are filled in. ``key`` None: no Authorization of its own."""

    path: str = "/v1/levels"
    method: str = "GET"
    headers: tuple[str, ...] = ()
    body: bytes | None = None
    key: str | None = "reader"
    host: tuple[str, ...] = ("Host: x",)
    version: str = "HTTP/1.1"

    def __str__(self) -> str:
        body = b"" if self.body is None else self.body
        said = (self.method, self.path, *self.headers, *self.host, self.version, self.key, body.decode("latin-1"))
        return " ".join(str(part) for part in said)[:100]


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        told = self.body and "json" in self.headers.get("content-type", "")
        found: dict[str, Any] = json.loads(self.body) if told else {}
        return found


def queries(*queries: str) -> list[Asked]:
    return [Asked(f"/v1/levels?{query}") for query in queries]


def bodies(*bodies: bytes) -> list[Asked]:
    return [Asked("/v1/levels/query", "POST", body=body) for body in bodies]


# RFC 9112, 3.2
BAD_HOSTS = [(), ("Host: a", "Host: b"), ("Host: a", "host: a"), ("Host: a b",), ("Host: a/b",), ("Host: u@a",)]
GOOD_HOSTS = [("Host:",), ("Host: a:1",), ("Host: [::1]:80",), ("Host: a%20b",), ("Host:\t a_b-c.example ",)]
BAD: list[Asked] = [
    *(Asked("/v1/levels?location={place}", host=host) for host in BAD_HOSTS),
    *(Asked("/healthz", host=host, key=None) for host in BAD_HOSTS[:3]),
    Asked(host=("Host: a", "Host: b"), version="HTTP/1.0"),
    Asked("http://a/v1/levels", host=()),
    *queries("limit=0", "limit=1001", "limit=-1", "limit=1e3", "limit=", "limit=%31%30x", "limit=99999999999999999999"),
    *queries("limit=00000000000000000000001", "limit=1&limit=2", "after=nonsense", "after=%00", "after=a/", "after=/a"),
    *queries(
        "after=a/b&after=a/b", f"after={'x' * 300}", "location=", "location=a/b", "location=%2A", "location=a%20b"
    ),
    *queries(
        "location=%E2%80%8B", "location=%FF", "location=a&location=b", "%FF=1", "nonsense=1", "location", "Limit=1"
    ),
    *queries("=1", "nonsense=1&limit=0", f"{'n' * 100}=1", "limit=%zz", "limit=%", "limit=1;after=2", "limit=1%00"),
    *(Asked(LEVEL + query) for query in ("?limit=1", "?nonsense", "?%FF")),
    *(Asked(f"/v1/levels/{name}/{{sku}}") for name in ("%FF", "%00", "%20", "*", "%2A", "%E2%80%8B", "x" * 65)),
    *(Asked(f"/v1/levels/{{place}}/{name}") for name in ("%FF", "a%2Fb", "%0A", "a*", "%CC%81", "x" * 65)),
    *(Asked(path) for path in ("/v1/levels/", LEVEL + "/", "/v1/nothing", "//v1/levels", "/v1/levels/a", "/V1/LEVELS")),
    *(Asked(path) for path in ("/v1/../v1/levels", f"/v1/{'x' * 400}", "/v1/%FF")),
    *(Asked(method=method) for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY")),
    *(Asked(LEVEL, method) for method in ("POST", "DELETE", "PATCH", "OPTIONS")),
    *(Asked("/v1/levels/query", method) for method in ("PUT", "DELETE", "PATCH", "OPTIONS")),
    *(Asked("/v1/nothing", method) for method in ("POST", "HEAD", "OPTIONS")),
    *bodies(b"", b"{", b"null", b"[]", b"{}", b'{"keys":1}', b'{"keys":[["a"]]}', b'{"keys":[["a","b","c"]]}'),
    *bodies(b'{"keys":[["a",1]]}', b'{"keys":[["*","b"]]}', b'{"keys":[["a","b/"]]}', b'{"keys":[["a","b"]],"x":1}'),
    *bodies(
        b'{"keys":[["a","b"]],"keys":[["a","b"]]}', b'{"keys":[["a","b"]],"k\\u0065ys":[]}', b'{"keys":[["a","\xff"]]}'
    ),
    *bodies(b'{"keys":[["a","\\ud800"]]}', b"[" * 100_000, b'{"keys":[' + b'["a","b"],' * 1000 + b'["a","b"]]}'),
    *bodies(
        b'\xef\xbb\xbf{"keys":[["a","b"]]}', b'{"keys":[["a","b"]]}x', b" " * 262_145, b'{"keys":[["\\u200b","b"]]}'
    ),
    Asked("/v1/levels/query?x=1", "POST", body=b'{"keys":[["a","b"]]}'),
    *(
        Asked("/v1/levels/query", "POST", (header,), b'{"keys":[["a","b"]]}')
        for header in ("Content-Encoding: gzip", "Content-Encoding: identity, br", "content-encoding: GZIP")
    ),
    *(
        Asked(key=None, headers=tuple(headers))
        for headers in (
            [],
            ["Authorization: Bearer"],
            ["Authorization: Bearer "],
            ["Authorization: Basic abc"],
            ["Authorization: Bearer a b"],
            ["Authorization: Bearer {key}", "Authorization: Bearer {key}"],
            ["Authorization: Bearer {key}", "Authorization: Basic x"],
            ["Authorization: {key}"],
            ["Authorization: Bearer {key}, Bearer {key}"],
            ["Authorization: Bearer sw_aaaaaaaaaaaa_x"],
            ["Authorization: Bearer sw_"],
            ["Authorization: Bearer a.b.c"],
            ["Authorization: Bearer \xe9"],
            ["Authorization:"],
            [f"Authorization: Bearer {'x' * 9000}"],
            [f"Authorization: Bearer sw_{'x' * 9000}"],
        )
    ),
    *(
        Asked(path, key="elsewhere")
        for path in ("/v1/levels", "/v1/levels?location={place}", LEVEL, "/v1/levels?location=no")
    ),
    Asked("/v1/levels/query", "POST", body=b'{"keys":[["a","b"]]}', key="elsewhere"),
    *(Asked("/v1/levels?nonsense=1", key=key) for key in (None, "elsewhere")),
    *(Asked("/v1/levels/query", "POST", body=b"{", key=key) for key in (None, "elsewhere")),
    Asked(headers=(f"X-Long: {MANY}",)),
    Asked(headers=tuple(f"X-{number}: 1" for number in range(120))),
    Asked(f"/v1/levels?after={MANY}"),
    Asked(method="get"),
    Asked(headers=("X y: 1",)),
    Asked(headers=("Expect: 100-continue",), path="/v1/levels/query", method="POST", body=b"{}", key=None),
]
GOOD: list[Asked] = [
    *(Asked("/v1/levels?location={place}", host=host) for host in GOOD_HOSTS),
    Asked("/v1/levels?location={place}", host=(), version="HTTP/1.0"),
    *(Asked("/v1/levels?location={place}", version=version) for version in ("HTTP/1.0", "HTTP/1.1")),
    *(Asked("/v1/levels?location={place}", method) for method in ("GET", "HEAD")),
    Asked("/%76%31/levels?location={place}"),
    Asked("/v1/levels/query", "POST", body=b'{"keys":[]}'),
    *queries("location={place}", "location={place}&limit=2", "limit=1000&location={place}", "location={place}&after="),
    *queries(
        "location={place}&limit=%31", "location={place}&after={sku}/{place}", "location={place}&limit=0000000000000001"
    ),
    *queries("location={place}&after=a/b", "&&location={place}", "location={place}&"),
    *(Asked(LEVEL, headers=(header,)) for header in ("If-None-Match: *", 'If-None-Match: "1"', 'If-None-Match: W/"1"')),
    *(
        Asked(LEVEL, headers=(header,))
        for header in ('If-None-Match: "9"', "If-None-Match: 1", 'If-None-Match: "0", "1"')
    ),
    *(Asked(LEVEL, headers=(f"Accept: {kind}",)) for kind in ("text/html", "application/xml", "*/*;q=0", "nonsense")),
    Asked(LEVEL, headers=('If-None-Match: "0"', 'If-None-Match: "1"')),
    Asked(LEVEL, headers=("Range: bytes=0-1",)),
    Asked(LEVEL, headers=("If-Modified-Since: Sat, 29 Oct 2033 19:43:31 GMT",)),
    Asked(LEVEL, key=None, headers=("authorization: bEARER   {key}  ",)),
    Asked(LEVEL, body=b"a body that a GET should not have"),
    Asked(LEVEL, headers=("Content-Encoding: gzip",)),
    Asked(LEVEL, headers=("Accept-Encoding: gzip",)),
    Asked("http://x/v1/levels?location={place}"),
    *bodies(b'{"keys":[["{place}","{sku}"],["{place}","{sku}"]]}', b' {"keys" : [["{place}","{sku}"]]} '),
    Asked("/v1/levels/query", "POST", ("Content-Encoding: identity",), b'{"keys":[["{place}","{sku}"]]}'),
    Asked("/v1/levels/query", "POST", ("Content-Type: text/plain",), b'{"keys":[["{place}","{sku}"]]}'),
]


MEANT = {
    "vary": "a hub's answers may be kept by shared caches, a ledger's may not",
    "epoch": "a hub's is its own",
    "view_versions": "for hubs",
    "heads": "of the database",
    "seq": "of the hub's memory",
    "fresh": "of the hub's memory",
    "lag_ms": "of the hub's memory",
}
"""What good answers may say of themselves."""


@pytest.fixture
async def names(shared_system: System, shared_client: AsyncClient, unique_name: str) -> dict[str, str]:
    """Of the last of three levels at one place, each at version 1."""
    skus = [f"{letter}-{unique_name}" for letter in "abc"]
    await shared_client.locations.put(unique_name, unique_name)
    await shared_client.items.put_many([Item(sku, sku) for sku in skus])
    await shared_client.operation([receipt(sku, unique_name, 3) for sku in skus])
    for sku in skus:
        await shown_by_hubs(shared_system, unique_name, sku, 1)
    return {"place": unique_name, "sku": skus[-1]}


async def test_a_bad_question_is_refused_alike(shared_system: System, names: dict[str, str]) -> None:
    different = {}
    for asked in BAD:
        ledger, hub = [shape(answer, asked) for answer in await both(shared_system, asked, names)]
        if ledger != hub:
            fields = sorted(name for name in {**ledger, **hub} if ledger.get(name) != hub.get(name))
            different[str(asked)] = [(name, ledger.get(name), hub.get(name)) for name in fields]
        assert ledger["status"] in REFUSED, (asked, ledger)
    assert not different


async def test_a_good_question_is_answered_alike(shared_system: System, names: dict[str, str]) -> None:
    different = {}
    for asked in GOOD:
        ledger, hub = await both(shared_system, asked, names)
        if (ledger.status, stock_of(ledger)) != (hub.status, stock_of(hub)):
            different[str(asked)] = (ledger, hub)
        assert ledger.status in (200, 304), (asked, ledger)
    assert not different


async def test_pages_have_one_order_and_a_cursor_is_good_at_the_twin(
    shared_system: System, shared_client: AsyncClient, unique_name: str
) -> None:
    """Places and skus cross: by place the order would be another."""
    places, skus = ([f"{letter}{number}-{unique_name}" for number in range(3)] for letter in "pq")
    await shared_client.locations.put_many([Location(place, place) for place in places])
    await shared_client.items.put_many([Item(sku, sku) for sku in skus])
    for place in reversed(places):
        await shared_client.operation([receipt(sku, place, 1) for sku in skus])
        await shown_by_hubs(shared_system, place, skus[-1], 1)
    walks = []
    for first in (0, 1):
        found: list[tuple[str, str]] = []
        after, turn = f"q-{unique_name}/p", first
        while after is not None and len(found) < len(places) * len(skus):
            asked = Asked(f"/v1/levels?limit=2&after={after}")
            page = (await both(shared_system, asked, {}))[turn % 2].document
            found += [(level["sku"], level["location"]) for level in page["levels"]]
            after, turn = page["next"], turn + 1
        walks.append([key for key in found if key[0] in skus])
    assert walks == [[(sku, place) for sku in skus for place in places]] * 2


async def both(system: System, asked: Asked, names: dict[str, str]) -> tuple[Answered, Answered]:
    keys = {
        "reader": await system.key("reader", "stock:read:*"),
        "elsewhere": await system.key("elsewhere", "stock:read:elsewhere"),
    }
    sent = written(asked, {**names, "key": keys["reader"]}, keys)
    return await answer_of(system.ledger_url, sent), await answer_of(system.hubs[0].url, sent)


def written(asked: Asked, filled: dict[str, str], keys: dict[str, str]) -> bytes:
    def fill(text: str) -> str:
        for name, value in filled.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    own = [f"Authorization: Bearer {keys[asked.key]}"] if asked.key else []
    body = None if asked.body is None else fill(asked.body.decode("latin-1")).encode("latin-1")
    length = [] if body is None else [f"Content-Length: {len(body)}"]
    lines = [
        f"{asked.method} {fill(asked.path)} {asked.version}",
        *asked.host,
        *own,
        *map(fill, asked.headers),
        *length,
    ]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + (body or b"")


async def answer_of(url: str, sent: bytes) -> Answered:
    parts = urlsplit(url)
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(sent)
            whole = await reader.read(-1)
        finally:
            writer.close()
    head, _, body = whole.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answered(int(first.split(" ")[1]), headers, body)


def shape(answer: Answered, asked: Asked) -> dict[str, Any]:
    """Status, headers and problem, without what differs on purpose."""
    told: dict[str, Any] = {"status": answer.status, **{name: answer.headers.get(name) for name in HEADERS}}
    told |= {name: value for name, value in answer.document.items() if name not in MEANT}
    if answer.status == 401:
        del told["detail"]  # for people; each says what it looked at
    if answer.status == 405 and asked.path == LEVEL:
        told["allow"] = (told["allow"] or "").removesuffix(", PUT")  # a count: of a ledger only
    return told


def stock_of(answer: Answered) -> Any:
    found = answer.document
    return found.get("levels", {name: found.get(name) for name in ("sku", "location", "version", "available")})
