"""The client asks, and reads, as wire/vectors/reservations.json says. Run from the repository."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from stockwire import errors, held, held_from
from stockwire import reservation_call as call
from stockwire.answer import Answer, read
from stockwire.cli.failure import fields_of
from stockwire.cli.fields import moment_text
from stockwire.reservation import Reservation, Wanted

FILE = Path(__file__).parents[3] / "wire" / "vectors" / "reservations.json"
VECTORS = json.loads(FILE.read_text(encoding="utf-8"))["vectors"]
STEPS = [
    pytest.param(step, id=f"{vector['name']}: {number}")
    for vector in VECTORS
    for number, step in enumerate(vector["steps"])
    if step["path"].startswith("/v1/reservations")
]
CHANGES: Mapping[str, Callable[[str, dict[str, Any], str], call.Call[Reservation]]] = {
    "commit": lambda known, body, key: call.commit(known, lines(body), body.get("fulfil", False), key),
    "fulfil": lambda known, body, key: call.fulfil(known, lines(body), key),
    "cancel": lambda known, body, key: call.cancel(known, lines(body), key),
    "extend": lambda known, body, key: call.extend(known, body["ttl_s"], key),
    "lines": lambda known, body, key: call.change(known, lines(body) or (), body.get("ttl_s"), key),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_client_asks_as_the_vector_says(step: dict[str, Any]) -> None:
    request = asked(step).request
    query = {name: value for name, value in request.query.items() if name != "limit"}
    path = request.path + "".join(f"?{name}={value}" for name, value in query.items())
    assert (request.method, path, request.key) == (step["method"], step["path"], step.get("key"))
    assert (None if request.body is None else orjson.loads(request.body)) == step.get("body")


@pytest.mark.parametrize("step", STEPS)
def test_a_client_reads_what_the_vector_says(step: dict[str, Any]) -> None:
    headers = {"idempotency-replayed": "true"} if step.get("replayed") else {}
    document = {"events": [], **step["answer"]} if "reservation" in step["answer"] else step["answer"]
    answer = Answer(step["status"], headers, orjson.dumps(document))
    try:
        found = asked(step).read(read(answer), answer)
    except errors.StockwireError as error:
        refused(error, step["answer"])
        return
    if isinstance(found, Reservation):
        assert written(found) == step["answer"].get("reservation", step["answer"])
        assert found.result is None or found.result.replayed == step.get("replayed", False)
        levels = () if found.result is None else found.result.levels
        assert [level.kind for level in levels] == [level["kind"] for level in step["answer"].get("levels", ())]
    else:
        assert [written(one) for one in found[0]] == step["answer"]["reservations"]


def asked(step: dict[str, Any]) -> call.Call[Any]:
    parts = step["path"].partition("?")[0].split("/")[3:]
    body = step.get("body", {})
    if step["method"] == "GET":
        named = dict(pair.split("=") for pair in step["path"].partition("?")[2].split("&") if pair)
        return call.one(parts[0]) if parts else call.reservations(call.Asked(**named)).page()
    if parts:
        return CHANGES[parts[1]](parts[0], body, step["key"])
    return call.reserve(lines(body) or (), body["ttl_s"], body.get("customer"), body.get("reference"), step["key"])


def lines(body: dict[str, Any]) -> list[Wanted] | None:
    return [wanted(line) for line in body["lines"]] if "lines" in body else None


def wanted(line: dict[str, Any]) -> Wanted:
    if "locations" in line:
        return held_from(line["sku"], line["locations"], line["quantity"], split=line["split"])
    return held(line["sku"], line["location"], line.get("quantity"))


def written(reservation: Reservation) -> dict[str, Any]:
    fields = {name: value for name, value in asdict(reservation).items() if name != "result"}
    times = {name: moment_text(value) for name, value in fields.items() if isinstance(value, datetime)}
    return {**fields, **times, "lines": list(fields["lines"])}


def refused(error: errors.StockwireError, problem: dict[str, Any]) -> None:
    kinds: dict[str, type[errors.StockwireError]] = {
        "insufficient-stock": errors.OutOfStock,
        "reservation-state": errors.ReservationState,
        "reservation-expired": errors.ReservationExpired,
        "reservation-limit": errors.HoldLimit,
        "not-found": errors.NotFound,
    }
    assert type(error) is kinds[problem["type"]]
    said = fields_of(error)
    assert {name: said[name] for name in problem if name not in ("type", "status")} == {
        name: value for name, value in problem.items() if name not in ("type", "status")
    }
