"""What is wrong about a request concerning reservations, and that each is said with its field and its numbers."""

import secrets
from contextlib import nullcontext
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ledger.commit.hold import Hold, HoldLine
from ledger.commit.stock import LevelKey
from ledger.http import hold_bodies
from ledger.http.hold_operations import AskedChange
from ledger.limits import HOLD_TTL_S_MAX, LINES_MAX
from server.problems import Invalid
from tests.harness.source import SOURCES
from tests.harness.system import System
from tests.harness.waiting import wait_until
from tests.ledger.api import Api, field, problem

LINE = {"sku": "A", "location": "berlin", "quantity": 1}
PLACES = {"sku": "A", "locations": ["berlin", "hamburg"], "quantity": 1}
YEAR_S = 365 * 24 * 3600
MANY = [f"place-{number}" for number in range(33)]


def body(*lines: dict[str, Any], **more: Any) -> bytes:
    return httpx.Request("POST", "http://ledger", json={"lines": list(lines), **more}).content


def said(body: bytes) -> tuple[str, str]:
    with pytest.raises(Invalid) as wrong:
        hold_bodies.reservation(body, 1000, HOLD_TTL_S_MAX)
    return wrong.value.numbers["field"], wrong.value.numbers["reason"]


@pytest.mark.parametrize(
    ("wrong", "where", "reason"),
    [
        (body(LINE, ttl_s=0), "ttl_s", ">= 1"),
        (body(LINE, ttl_s=-5), "ttl_s", ">= 1"),
        (body(LINE, ttl_s=YEAR_S), "ttl_s", "must be at most 604800, not 31536000"),
        (body(LINE, ttl_s="900"), "ttl_s", "got `str`"),
        (body(LINE, ttl_s=9.5), "ttl_s", "got `float`"),
        (body({**LINE, "quantity": 0}), "lines[0].quantity", ">= 1"),
        (body(LINE, {**LINE, "sku": "B", "quantity": -2}), "lines[1].quantity", ">= 1"),
        (body({**LINE, "quantity": 2**31}), "lines[0].quantity", "<= 2147483647"),
        (body({"sku": "A", "location": "berlin"}), "lines[0].quantity", "is required"),
        (body({**LINE, "quantity": None}), "lines[0].quantity", "got `null`"),
        (body(LINE, LINE), "lines[1]", "names A at berlin, as lines[0] does"),
        (body(LINE, PLACES), "lines[1]", "names A at berlin, as lines[0] does"),
        (body({**PLACES, "location": "berlin"}), "lines[0].location", "not both"),
        (body({"sku": "A", "quantity": 1}), "lines[0].location", "is required"),
        (body({**PLACES, "locations": []}), "lines[0].locations", ">= 1"),
        (body({**PLACES, "locations": MANY}), "lines[0].locations", "<= 32"),
        (body({**PLACES, "locations": ["x", "y", "x"]}), "lines[0].locations[2]", "names x, as locations[0] does"),
        (body({**LINE, "split": True}), "lines[0].split", "several locations"),
        (
            body(*({**PLACES, "sku": f"s{n}", "locations": MANY[:30]} for n in range(34))),
            "lines",
            "1000 levels in all, not",
        ),
        (body(), "lines", ">= 1"),
        (body(*({**LINE, "sku": f"s{n}"} for n in range(1001))), "lines", "<= 1000"),
        (body({**LINE, "sku": "a b"}), "lines[0].sku", "must"),
        (body(LINE, ttl=900), "ttl", "is not a field here"),
        (body({**LINE, "expected_version": 1}), "lines[0].expected_version", "is not a field here"),
        (body(LINE, customer=""), "customer", ">= 1"),
        (body(LINE, customer="a\nb"), "customer", "control characters"),
        (body(LINE, customer="x" * 129), "customer", "<= 128"),
        (body(LINE, reference="a\x00b"), "reference", "control characters"),
        (body(LINE, reference="x" * 257), "reference", "<= 256"),
        (b'{"lines": [], "lines": []}', "lines", ">= 1"),
        (b'{"lines": [{"sku": "A", "sku": "B", "location": "x", "quantity": 1}]}', "lines[0].sku", "given once"),
        (b"[]", "body", "got `array`"),
    ],
)
def test_a_reservation_that_is_wrong_says_where_and_how(wrong: bytes, where: str, reason: str) -> None:
    found_where, found_reason = said(wrong)
    assert (found_where, reason in found_reason) == (where, True), found_reason


@pytest.mark.parametrize(
    ("name", "wrong", "where"),
    [
        ("extend", b"", "body"),
        ("extend", b"{}", "ttl_s"),
        ("extend", b'{"ttl_s": 31536000}', "ttl_s"),
        ("extend", b'{"ttl_s": 5, "lines": []}', "lines"),
        ("lines", b'{"lines": []}', "lines"),
        ("lines", b'{"lines": [{"sku": "A", "location": "x", "quantity": -1}]}', "lines[0].quantity"),
        ("commit", b'{"fulfil": 1}', "fulfil"),
        ("commit", b'{"lines": [{"sku": "A", "location": "x", "quantity": 0}]}', "lines[0].quantity"),
        ("fulfil", b'{"fulfil": true}', "fulfil"),
        ("cancel", b'{"lines": [{"sku": "A", "location": "x"}, {"sku": "A", "location": "x"}]}', "lines[1]"),
    ],
)
def test_a_change_that_is_wrong_says_where(name: str, wrong: bytes, where: str) -> None:
    with pytest.raises(Invalid) as refused:
        AskedChange(name, wrong, LINES_MAX, HOLD_TTL_S_MAX)
    assert refused.value.numbers["field"] == where


def test_a_reservation_does_not_grow_beyond_the_lines_of_an_operation() -> None:
    levels = [LevelKey(0, "berlin", f"s{number}") for number in range(LINES_MAX)]
    hold = Hold(str(uuid4()), "shop", dict.fromkeys(levels, HoldLine(pending=1)))
    for sku, fits in (("s0", True), ("one-more", False)):
        asked = AskedChange("lines", body({**LINE, "sku": sku}), LINES_MAX, HOLD_TTL_S_MAX)
        with nullcontext() if fits else pytest.raises(Invalid, match="at most 1000 levels in all, not 1001"):
            asked.operation("shop", "key", hold, {"berlin": 0})


def test_no_clock_but_the_databases_says_what_time_it_is() -> None:
    """A ledger whose clock jumps lets go of nothing too early or too late, and lists by age what the others list."""
    rooms = ("ledger/holds/", "ledger/commit/", "ledger/http/hold_", "ledger/http/routes/reservation")
    clocks = ("datetime.now(", "time.time(", "utcnow(", "datetime.today(")
    files = [path for path in SOURCES if any(room in path.as_posix() for room in rooms)]
    assert len(files) > len(rooms)
    assert [path for path in files if any(clock in path.read_text() for clock in clocks)] == []


async def ask(api: Api, path: str, body: Any = None) -> httpx.Response:
    return await api.post(f"/v1/reservations{path}", body, headers={"Idempotency-Key": secrets.token_hex(8)})


async def test_what_is_not_there_is_not_found_and_what_is_not_allowed_says_nothing_of_it(
    api: Api, http_system: System, unique_name: str
) -> None:
    await api.stock(unique_name, unique_name, 5)
    line = {"sku": unique_name, "location": unique_name, "quantity": 1}
    for wrong, where in (({"sku": "nobody"}, "sku"), ({"location": "nowhere"}, "location")):
        missing = await ask(api, "", {"lines": [{**line, **wrong}]})
        assert (missing.status_code, missing.json()["field"]) == (404, where)
    for known in (str(uuid4()), "no-id", "1"):
        for name in ("commit", "fulfil", "cancel"):
            assert (await ask(api, f"/{known}/{name}")).json()["field"] == "reservation"
        assert problem(await api.get(f"/v1/reservations/{known}")) == (404, "not-found")
    hold = (await ask(api, "", {"lines": [line]})).json()["reservation"]["id"]
    async with Api(http_system.ledger_url, await http_system.key("other", "stock:write:elsewhere")) as other:
        for location in (unique_name, "nowhere"):
            forbidden = await ask(other, "", {"lines": [{**line, "location": location}]})
            assert problem(forbidden) == (403, "forbidden")
            assert forbidden.json()["scope"] == f"stock:write:{location}"
        for known in (hold, str(uuid4())):
            for name in ("commit", "cancel"):
                assert problem(await ask(other, f"/{known}/{name}")) == (404, "not-found")
            assert problem(await other.get(f"/v1/reservations/{known}")) == (404, "not-found")
    async with Api(http_system.ledger_url, await http_system.key("eye", f"stock:read:{unique_name}")) as reader:
        assert (await reader.get(f"/v1/reservations/{hold}")).is_success
        assert problem(await ask(reader, f"/{hold}/cancel")) == (403, "forbidden")


async def test_what_cannot_be_done_to_a_reservation_says_why_with_numbers(api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 5)
    line = {"sku": unique_name, "location": unique_name, "quantity": 2}
    hold = (await ask(api, "", {"lines": [line]})).json()["reservation"]["id"]
    await ask(api, f"/{hold}/commit")
    much = await ask(api, f"/{hold}/fulfil", {"lines": [{**line, "quantity": 3}]})
    assert problem(much) == (409, "reservation-state")
    assert (much.json()["quantity"], much.json()["possible"]) == (3, 2)
    another = f"{unique_name}-2"
    assert problem(await ask(api, f"/{hold}/fulfil", {"lines": [{**line, "sku": another}]})) == (404, "not-found")
    await api.put(f"/v1/items/{another}", {"name": another})
    other = await ask(api, f"/{hold}/fulfil", {"lines": [{**line, "sku": another}]})
    assert problem(other) == (409, "reservation-state")
    assert (other.json()["sku"], other.json()["location"], other.json()["possible"]) == (another, unique_name, 0)
    late = (await ask(api, "", {"lines": [line], "ttl_s": 1})).json()["reservation"]

    async def is_over() -> bool:
        return bool((await api.get(f"/v1/reservations/{late['id']}")).json()["state"] == "expired")

    await wait_until(is_over)
    extended = await ask(api, f"/{late['id']}/extend", {"ttl_s": 60})
    assert problem(extended) == (409, "reservation-expired")
    assert extended.json()["expires_at"] == late["expires_at"]


async def test_an_item_says_how_much_of_it_may_be_held_and_keeps_that_beside_who_knows_of_no_limits(
    api: Api, unique_name: str
) -> None:
    await api.stock(unique_name, unique_name, 50)
    path, limits = f"/v1/items/{unique_name}", {"customer_units": 2, "ttl_s": 300, "share_percent": 10}
    assert (await api.put(path, {"name": "x", "hold_limits": limits})).json()["hold_limits"] == limits
    assert (await api.put(path, {"name": "y"})).json()["hold_limits"] == limits
    listed = await api.put("/v1/items", {"items": [{"sku": unique_name, "name": "z"}]})
    assert (listed.json()["updated"], (await api.get(path)).json()["hold_limits"]) == ([unique_name], limits)
    line = {"sku": unique_name, "location": unique_name, "quantity": 2}
    made = (await ask(api, "", {"lines": [line], "customer": "ada"})).json()["reservation"]
    more = await ask(api, f"/{made['id']}/lines", {"lines": [{**line, "quantity": 3}]})
    whose = {"customer": "ada", "sku": unique_name}
    for refused in (more, await ask(api, "", {"lines": [{**line, "quantity": 1}], "customer": "ada"})):
        assert problem(refused) == (409, "reservation-limit")
        said = {name: refused.json()[name] for name in ("limit", "allowed", "held", "requested", *whose)}
        assert said == {"limit": "customer_units", "allowed": 2, "held": 2, "requested": 1, **whose}
    long = await ask(api, f"/{made['id']}/extend", {"ttl_s": 301})
    assert (long.json()["limit"], long.json()["allowed"], long.json()["requested"]) == ("ttl_s", 300, 301)
    one_more = {"sku": unique_name, "name": "z", "hold_limits": {"share_percent": 4}}
    await api.put("/v1/items", {"items": [one_more]})
    share = await ask(api, "", {"lines": [{**line, "quantity": 1}], "customer": "eve"})
    assert (share.json()["limit"], share.json()["allowed"], share.json()["location"]) == (
        "share_percent",
        2,
        unique_name,
    )
    assert "hold_limits" not in (await api.put(path, {"name": "x", "hold_limits": None})).json()
    assert (await ask(api, "", {"lines": [{**line, "quantity": 40}], "customer": "ada"})).status_code == 201
    for wrong in ({"customer_units": 0}, {"share_percent": 101}, {"ttl_s": 7776001}, {"units": 1}):
        assert field(await api.put(path, {"name": "x", "hold_limits": wrong})) == (
            422,
            f"hold_limits.{next(iter(wrong))}",
        )
