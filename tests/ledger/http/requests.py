"""Movements and reservations as bytes: ordinary ones, and every way that we know to be out of the ordinary.

Where a key stands, a request has a word in braces: each ledger has keys of its own.
"""

import json
import random
from collections.abc import Sequence
from typing import Any

from ledger.commit.operation import operation_id

HOST = "ledger.example"
ORIGIN = "https://shop.example"
SKUS = ("A", "B", "ä", "unknown")
LOCATIONS = ("berlin", "paris", "closed", "unknown")
WHO = ("{seller}", "{seller}", "{berlin}", "{reader}", "{hub}", "{ended}", "{token}", "sw_unknown", "")
OWNERS = ("seller", "seller", "seller", "clerk")
"""Of reservations that are asked about: who made them."""
CHANGES = ("commit", "commit", "cancel", "fulfil", "extend", "lines", "theft")
PLAIN_BASKET = b'{"lines":[{"sku":"A","quantity":2,"location":"berlin"}]}'
KINDS = ("sale", "receipt", "return", "write_off", "adjustment", "theft")
OUT_OF_THE_ORDINARY: tuple[tuple[str, str], ...] = (
    ("Origin", ORIGIN),
    ("Origin", "https://elsewhere.example"),
    ("Content-Encoding", "gzip"),
    ("Content-Encoding", "identity"),
    ("Connection", "close"),
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "h2c"),
    ("Authorization", "Bearer {seller}"),
    ("Idempotency-Key", "second"),
    ("Host", HOST),
    ("If-Match", '"1"'),
    ("X-Forwarded-For", "192.0.2.1"),
    ("Accept-Encoding", "gzip, br"),
    ("Cookie", "a=b"),
)
KEYS = ('"quoted"', '"with \\"quotes\\""', '"open', "two words", "", "ä", "x" * 200, "x" * 201)
BODIES = (b"", b"{", b"[]", b"null", b"\xff", b'{"lines":[]}', b"[" * 5000, b'{"sku":"A"}', b'{"lines":1}')


class Requests:
    """Those of one seed: the same ones each time."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._keys: list[str] = []
        self._reserved: list[str] = []

    def next(self) -> bytes:
        """Three in four have nothing strange about them but what they ask for."""
        strange = self._chance.random() < 0.25
        method, path, version = "POST", "/v1/movements", "1.1"
        if self._chance.random() < 0.4:
            path, body = self._of_reservations(strange=strange)
        else:
            body = self._body(strange=strange)
        headers = self._headers()
        if path == "/v1/reservations" and body == PLAIN_BASKET and self._keys:
            self._reserved.append(self._keys[-1])
        if strange and self._chance.random() < 0.3:
            method = self._chance.choice(("PUT", "GET", "HEAD", "OPTIONS", "POST"))
            odd = (f"{path}/", f"{path}?a=1", f"{path}?", path.replace("s", "%73"), path[:-1])
            path = self._chance.choice((path, *odd))
            version = self._chance.choice(("1.1", "1.0"))
        if strange and self._chance.random() < 0.6:
            headers.append(self._chance.choice(OUT_OF_THE_ORDINARY))
        if strange and self._chance.random() < 0.2:
            headers.pop(self._chance.randrange(len(headers)))
        return request(method, path, headers, body, version)

    def _headers(self) -> list[tuple[str, str]]:
        who, scheme = self._often(WHO), self._chance.choice(("Bearer",) * 8 + ("bearer", "Basic"))
        host = self._chance.choice((HOST,) * 20 + (f"{HOST}:8000", "elsewhere.example"))
        headers = [("Host", host), ("Content-Type", "application/json")]
        headers += [("Authorization", f"{scheme} {who}"), ("Idempotency-Key", self._key())]
        self._chance.shuffle(headers)
        return [(name.lower() if self._chance.random() < 0.3 else name, value) for name, value in headers]

    def _key(self) -> str:
        """Now and then one that was used before, for the same or for something else."""
        if self._keys and self._chance.random() < 0.15:
            return self._chance.choice(self._keys)
        if self._chance.random() < 0.05:
            return self._chance.choice(KEYS)
        self._keys.append(f"key-{self._chance.getrandbits(64):x}")
        return self._keys[-1]

    def _body(self, *, strange: bool) -> bytes:
        if strange and self._chance.random() < 0.3:
            return self._chance.choice((*BODIES, b'{"sku":"A",' * 2 + b"}", b" " * 300_000))
        if self._chance.random() < 0.1:
            return _json({"lines": [self._line() for _ in range(self._chance.randint(1, 3))]})
        body = _json(self._line())
        if strange and self._chance.random() < 0.3:
            body = body[:-1] + self._chance.choice((b',"sku":"A"}', b',"note":1}', b',"s\\u006bu":"A"}', b"} ", b"}x"))
        return body

    def _of_reservations(self, *, strange: bool) -> tuple[str, bytes]:
        """Path and body: of a new one, or of one of the last that may have been made."""
        if not self._reserved or self._chance.random() < 0.4:
            path, asked = "/v1/reservations", self._basket()
        else:
            known = operation_id(self._chance.choice(OWNERS), self._chance.choice(self._reserved[-5:]))
            name = self._chance.choice(CHANGES)
            path, asked = f"/v1/reservations/{self._written(known, strange=strange)}/{name}", self._change(name)
        if strange and self._chance.random() < 0.3:
            return path, self._chance.choice((*BODIES, _json({**asked, "note": 1}), _json({**asked, "lines": []})))
        return path, b"" if not asked and self._chance.random() < 0.5 else _json(asked)

    def _written(self, known: str, *, strange: bool) -> str:
        odd = (known.upper(), known.replace("-", ""), f"{{{known}}}", known[:-1], "%30" + known[1:], f"{known}/commit")
        return self._chance.choice(odd) if strange and self._chance.random() < 0.3 else known

    def _basket(self) -> dict[str, Any]:
        if self._chance.random() < 0.5:
            return json.loads(PLAIN_BASKET)  # type: ignore[no-any-return]  # an object
        lines = [self._wanted() for _ in range(self._often((1, 2, 3)))]
        more: list[dict[str, Any]] = [{}, {"ttl_s": self._often((900, 0, 10**9))}]
        more += [{"reference": "order-ä"}, {"customer": "c-1"}, {"customer": ""}]
        return {"lines": lines, **self._often(more)}

    def _wanted(self) -> dict[str, Any]:
        line = {"sku": self._often(SKUS), "quantity": self._often((1, 2, 0, 2**31))}
        if self._chance.random() < 0.3:
            return {**line, "locations": self._often((["berlin", "paris"], [], ["paris"], ["berlin", "unknown"]))}
        return {**line, "location": self._often(LOCATIONS), **self._often(({}, {"split": True}, {"locations": []}))}

    def _change(self, name: str) -> dict[str, Any]:
        if name == "extend":
            return {"ttl_s": self._often((60, 0, -1, 10**9))}
        line = {"sku": "A", "location": self._often(("berlin", "paris")), "quantity": self._often((1, 2, 0))}
        if name == "lines":
            return {"lines": [line]}
        some: dict[str, Any] = self._often(({}, {"lines": [line]}, {"lines": None}))
        return {**some, "fulfil": True} if name == "commit" and self._chance.random() < 0.3 else some

    def _line(self) -> dict[str, Any]:
        kind = self._often(KINDS)
        quantity = self._often((-1, -2, -30, 0, 2**31)) if kind in ("sale", "write_off") else self._often((3, 1, -1))
        line = {"sku": self._often(SKUS), "location": self._often(LOCATIONS), "quantity": quantity, "kind": kind}
        if self._chance.random() < 0.2:
            more = [("reference", "r-ä"), ("reason", "\\"), ("expected_version", 1), ("reason", None)]
            more += [("occurred_at", "2026-01-02T03:04:05+01:00"), ("occurred_at", "1800-01-01T00:00:00Z")]
            line |= [self._chance.choice(more)]
        return line

    def _often(self, choices: Sequence[Any]) -> Any:
        """The first one in two times of three."""
        return choices[0] if self._chance.random() < 2 / 3 else self._chance.choice(choices)


def request(
    method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes = b"", version: str = "1.1"
) -> bytes:
    lines = [f"{method} {path} HTTP/{version}", *(f"{name}: {value}" for name, value in headers)]
    lines += [f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def sale(key: str, who: str = "{seller}", quantity: int = -1, location: str = "berlin") -> bytes:
    body = _json(
        {"sku": "A", "location": location, "quantity": quantity, "kind": "sale" if quantity < 0 else "receipt"}
    )
    headers = [("Host", HOST), ("Authorization", f"Bearer {who}"), ("Idempotency-Key", key)]
    return request("POST", "/v1/movements", headers, body)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
