"""What a console would say of a shop that there is not: the documents of `console/contract`, with 100,000 skus, much
going on, and if asked text of the worst kind."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.harness.source import ROOT

CONTRACT = ROOT / "console" / "contract"
SKUS = 100_000
LOCATIONS = ("berlin", "shop", "web")
HAD = (1_000, 50, 400, 250, 120, 90, 60, 30)
KINDS = ("sale", "sale", "hold", "receipt", "sale", "write_off", "count", "release")
DELTAS = {"sale": -1, "receipt": 24, "write_off": -2, "count": 3}
ID = "-3c1f-5d0a-9d0e-2f6f3a1c9b77"
CANARIES = (
    "<img src=x onerror=window.struck=1>",
    "javascript:window.struck=1",
    "\u202eDETREVNI\u202c",
    "\"'><script>window.struck=1</script>",
    "a\u200bb\u2066c\u2069",
)
"""As names, reasons, owners; in skus without what a sku may not hold (a slash)."""

Document = dict[str, Any]


def text_of(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def contract(name: str) -> Document:
    document: Document = json.loads((CONTRACT / f"{name}.json").read_text())
    return document


def data_of(topic: str) -> Document:
    data: Document = contract(topic)["data"]
    return data


@dataclass
class Played:
    """``canaries``: whether text is of the worst kind. ``sold`` makes whatever moves go on."""

    canaries: bool = False
    signed_in: bool = False
    sold: int = 0
    drained: set[str] = field(default_factory=set)

    def data(self, topic: str, args: Mapping[str, Any]) -> Document:
        made: Document = getattr(self, topic)(args)
        return made | {"at": text_of(time.time())}

    def words(self, number: int, otherwise: str) -> str:
        return CANARIES[number % len(CANARIES)] if self.canaries else otherwise

    def sku(self, number: int) -> str:
        return f"{self.words(number, 'SKU-')}{number:06}".replace("/", "")[:64]

    def subject(self, number: int) -> Document:
        name = f"{self.words(number, 'Enamel mug, blue rim no.')} {number}"
        return {"sku": self.sku(number), "name": name, "location": LOCATIONS[number % 3]}

    def session(self) -> Document:
        document = contract("session")
        said: Document = document["signed_in" if self.signed_in else "signed_out"]
        return said | ({"owner": self.words(0, "operations")} if self.signed_in else {})

    def launch(self, _: Mapping[str, Any]) -> Document:
        data = data_of("launch")
        rows = [data["skus"][0] | self._selling(number, had) for number, had in enumerate(HAD)]
        return data | {"skus": rows, "point": self.points()[-1], "wrong": self._wrong(data["wrong"])}

    def _selling(self, number: int, had: int) -> Document:
        left = max(0, had - self.sold * (8 - number) // 4 - number * 7)
        idle = number == 5
        return self.subject(number) | {
            **{"had": had, "available": left, "on_hand": left + 2, "sold": had - left, "version": 51 + self.sold},
            **{"refused": self.sold if left == 0 else 0, "refused_per_s": 2.5 if left == 0 else 0.0},
            "minutes_left": None if idle else left / 30,
            "unknown": {"minutes_left": "nothing was taken in the last minute"} if idle else {},
            "committed_at": text_of(time.time() - 0.03),
        }

    def _wrong(self, wrong: Sequence[Document]) -> list[Document]:
        if not self.canaries:
            return []
        return [
            one | {"what": f"{one['what']} {CANARIES[0]}", "fix": f"{one['fix']} {CANARIES[1]}", "node": CANARIES[2]}
            for one in wrong
        ]

    def points(self) -> list[Document]:
        now = int(time.time())
        return [_point(at, now) for at in range(now - 300, now + 1)]

    def stock(self, args: Mapping[str, Any]) -> Document:
        wanted, offset = str(args["search"]).casefold(), args["offset"]
        numbers: Sequence[int] = range(SKUS)
        if wanted:
            numbers = [number for number in numbers if wanted in f"{self.sku(number)} {number}".casefold()]
        if args["descending"]:
            numbers = numbers[::-1]
        rows = [self._row(number) for number in numbers[offset : offset + args["limit"]]]
        return data_of("stock") | {
            **{"levels": SKUS * 3, "skus": SKUS, "matching": len(numbers), "offset": offset},
            **{"locations": LOCATIONS, "rows": rows},
        }

    def _row(self, number: int) -> Document:
        moved = self.sold if number % 5 == 0 else 0
        cells = [self._cell(number, place, moved) for place in range(len(LOCATIONS))]
        known = [cell for cell in cells if cell]
        sums = {name: sum(cell[name] for cell in known) for name in ("on_hand", "reserved", "available")}
        return self.subject(number) | sums | {"committed_at": known[0]["committed_at"], "cells": cells}

    def _cell(self, number: int, place: int, moved: int) -> Document | None:
        if (number + place) % 7 == 3:
            return None
        available = (number * 7 + place * 13 + moved) % 97
        reserved = 0 if available % 4 else 3
        return {
            **{"on_hand": available + reserved, "reserved": reserved, "available": available, "version": 7 + moved},
            "committed_at": text_of(time.time() - 3_600 * (number % 50) - moved % 2),
        }

    def log(self, args: Mapping[str, Any]) -> Document:
        events = self._events(40, 0 if args["before"] else self.sold)
        chosen = [event for event in events if args["kind"] in ("", event["kind"])]
        return data_of("log") | {"events": chosen, "live": args["before"] is None}

    def _events(self, count: int, newest: int) -> list[Document]:
        event = data_of("log")["events"][0]
        return [event | self._event(5_000 + newest - back, back) for back in range(count)]

    def _event(self, number: int, back: int) -> Document:
        kind = KINDS[number % len(KINDS)]
        return self.subject(number % 40) | {
            **{
                "seq": number,
                "version": number - 4_000,
                "kind": kind,
                "actor": self.words(number, f"till-{number % 9}"),
            },
            **{"on_hand_delta": DELTAS.get(kind, 0), "reserved_delta": {"hold": 2, "release": -2}.get(kind, 0)},
            **{"on_hand": 14 + number % 30, "available": 12 + number % 30, "operation": f"{number:08x}{ID}"},
            "reason": self.words(number, "counted by hand") if kind in ("write_off", "count") else None,
            "reference": self.words(number + 1, f"order-{number}"),
            "committed_at": text_of(time.time() - back * 0.9 - 0.05),
        }

    def level(self, args: Mapping[str, Any]) -> Document:
        data = data_of("level")
        here = {name: args[name] for name in ("sku", "location")}
        as_of = data["as_of"] | {"moment": args["as_of"]} if args["as_of"] else None
        events = [event | here for event in self._events(30, self.sold)]
        name = self.words(0, "Enamel mug, blue rim")
        return data | here | {"name": name, "events": events, "as_of": as_of, "holds": self._holds(3)}

    def nodes(self, _: Mapping[str, Any]) -> Document:
        data = data_of("nodes")
        ledger, hub = data["nodes"]
        since = {"started_at": text_of(time.time() - 5_400)}
        hubs = [hub | since | {"name": name, "draining": name in self.drained} for name in ("hub-1", "hub-2")]
        unknown = {name: "it does not answer" for name, value in hub.items() if value is None or _measured(value)}
        away = dict.fromkeys(unknown) | {"name": self.words(0, "hub-3"), "state": "away", "kind": "hub"}
        nodes = [ledger | since, *hubs, hub | away | {"queues": [], "resyncs": [], "unknown": unknown}]
        ports = [node | {"admin": f"http://127.0.0.1:{8_090 + place}"} for place, node in enumerate(nodes)]
        ports[-1]["may_drain"] = False
        return data | {"nodes": ports}

    def problems(self, _: Mapping[str, Any]) -> Document:
        data = data_of("problems")
        types = ("insufficient-stock", "insufficient-stock", "version-conflict", "reservation-expired")
        owners = [
            {
                "owner": self.words(number, f"till-{number}"),
                "type": kind,
                "count": 31 - 4 * number,
                **{"per_s": number / 10, "unknown": {}},
            }
            for number, kind in enumerate(types)
        ]
        levels = [
            self.subject(number) | {"type": "insufficient-stock", "count": 40 - 6 * number, "per_s": 0.2, "unknown": {}}
            for number in range(5)
        ]
        found = {"doctor": data["doctor"] | {"findings": self._findings()}, "wrong": self._wrong(data["wrong"])}
        refused = [{name: one[name] for name in ("type", "count", "per_s", "unknown")} for one in owners[1:]]
        refusals = {"refused": refused, "refused_by_owner": owners, "refused_by_level": levels}
        return data | refusals | found | {"point": self.points()[-1]}

    def _findings(self) -> list[Document]:
        states = {"database": "good", "broker": "good", "durability": "good", "clocks": "good", "keys": "warning"}
        return [
            {
                **{"check": check, "state": state, "detail": f"looked at {self.words(number, 'and found right')}"},
                "fix": "" if state == "good" else f"make another: {self.words(number, 'stockwire key create')}",
            }
            for number, (check, state) in enumerate(states.items())
        ]

    def holds(self, _: Mapping[str, Any]) -> Document:
        return data_of("holds") | {"holds": self._holds(24)}

    def _holds(self, count: int) -> list[Document]:
        hold = data_of("holds")["holds"][0]
        return [hold | self._hold(number, hold["lines"][0]) for number in range(count)]

    def _hold(self, number: int, line: Document) -> Document:
        return {
            **{"id": f"{number:08x}{ID}", "state": "pending" if number % 3 else "committed"},
            **{"owner": self.words(number, "shop"), "reference": self.words(number + 2, f"order-47{number}")},
            "customer": self.words(number + 1, f"customer-{number}") if number % 2 else None,
            "created_at": text_of(time.time() - 60 * number),
            "expires_at": text_of(time.time() + 900 - 30 * number),
            "lines": [line | self.subject(number) | {"quantity": 1 + number % 4}] * (1 + number % 5),
        }


def _point(at: int, now: int) -> Document:
    rush = (now - at) % 240
    return {
        "at": text_of(at),
        "sold_per_s": 12 + 6 * ((at * 7) % 11) / 11 + (40 if rush < 20 else 0),
        "changes_per_s": 18.0,
        "refused_per_s": 0.4 + (25 if rush < 14 else 0) + (at % 5) / 5,
        "problems_per_s": (at % 7) / 5,
        "p50_ms": 1.6 + (at % 13) / 9,
        "p99_ms": 6 + (at * 5 % 17) / 3,
    }


def _measured(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
