"""Every argument of both clients is taken as what it is, or refused with its name: nothing is guessed, nothing is a
riddle from a library further down. An argument without a row in the table fails.
"""

import inspect
import math
import typing
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import orjson
import pytest

import stockwire
from stockwire import (
    AsyncClient,
    AtLeast,
    AtMost,
    Client,
    ConfigurationError,
    HoldLimits,
    Invalid,
    Item,
    Line,
    Location,
    Operation,
    call,
    held,
    sale,
)
from stockwire.operation import Count, Details

NOBODY = "http://127.0.0.1:1"
NAN, INF = math.nan, math.inf


class Index:
    """As the integers of numpy: no int, but it counts as one."""

    def __index__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return "Index()"  # names a test, alike in every process that collects it


class Unshowable:
    def __repr__(self) -> str:
        raise ZeroDivisionError


async def fetched() -> str:
    return "token"


NO_TEXT = [1, True, b"A", uuid.UUID(int=1), ["A"], Unshowable(), "\ud800"]
NO_NUMBER = [True, False, "1", None, 1.5, NAN, INF, Decimal("NaN"), Decimal("sNaN"), Decimal("1E+999999999"), [1]]
NO_SECONDS = [True, "1", NAN, -1, -INF, 10**400, Decimal("NaN"), [1]]
NO_LIST = ["A", b"A", {"A": 1}, 1, True, Unshowable()]
NO_FUNCTION = [1, "token", Unshowable()]

ODD_OFFSET = datetime(2026, 11, 2, tzinfo=timezone(timedelta(minutes=53, seconds=28)))
HALF, TIME = {"a": "\ud800"}, {"a": datetime(2026, 11, 2, tzinfo=UTC)}

GOOD: dict[str, Any] = {
    **{"sku": "A", "location": "berlin", "name": "Apple", "key": "key-1", "reference": "r", "reason": "r"},
    **{"units": 1, "difference": -1, "on_hand": 1, "quantity": 1, "kind": "sale", "if_version": 1},
    **{"occurred_at": datetime(2026, 11, 2, tzinfo=UTC), "after_version": 1, "after": "A", "until": 1},
    **{"lines": [sale("A", "berlin")], "batch": [Operation("k", [sale("A", "berlin")])], "keys": [("berlin", "A")]},
    **{"asked": [sale("A", "berlin")], "items": [Item("A", "Apple")], "locations": [Location("berlin", "Berlin")]},
    **{"skus": ["A"], "hubs": ["ws://h/v1/stream"], "when": AtMost(5), "public": False, "keep_existing": False},
    **{"price": Decimal("2.50"), "currency": "GBP", "attributes": {"colour": "red"}, "callback": print},
    **{"id": str(uuid.UUID(int=1)), "ttl_s": 60},
    **{"url": NOBODY, "max_retries": 0, "retry_for_s": 1.0, "timeout_s": 1.0, "connect_timeout_s": 1.0},
}
BAD: dict[str, list[Any]] = {
    **{name: [*NO_TEXT, None] for name in ("sku", "location", "name", "kind")},
    **dict.fromkeys(("key", "reference", "reason", "currency", "after"), NO_TEXT),
    "url": [1, True, b"A", ["A"]],
    "units": [*NO_NUMBER, 0, -1, 2**31],
    "difference": [*NO_NUMBER, 2**31],
    "quantity": [*NO_NUMBER, 2**31],
    "on_hand": [*NO_NUMBER, -1, 2**31],
    "until": [one for one in NO_NUMBER if one is not None],
    "if_version": [one for one in NO_NUMBER if one is not None],
    "after_version": [*NO_NUMBER, -1],
    "max_retries": [*NO_NUMBER, -1],
    "occurred_at": ["2026-11-02", date(2026, 11, 2), 1, True, datetime(2026, 11, 2), ODD_OFFSET],
    "lines": [*NO_LIST, None, [], ["A"], {sale("A", "berlin")}, [sale("A", "berlin"), None]],
    "asked": [*NO_LIST, None, ["A"]],
    "batch": [*NO_LIST, None, ["A"]],
    "keys": [*NO_LIST, None, ["ab"], [("berlin",)], [("berlin", 1)], [("berlin", "A", "B")], [b"ab"]],
    "items": [*NO_LIST, None, ["A"], [Item("A", 1)], [Item(1, "A")], [Item("A", "A", 0.1)]],  # type: ignore[arg-type]
    "locations": [*NO_LIST, None, ["A"], [Location("A", 1)]],  # type: ignore[arg-type]  # as above: that is the point
    "skus": [*NO_LIST, [], [1], [b"A"], ["A/B"], [None]],
    "hubs": [*NO_LIST, [], [1], ["http://h"]],
    "when": [5, None, "5", Unshowable],
    "public": [1, 0, None, "yes"],
    "keep_existing": [1, 0, None, "yes"],
    "price": [0.1, NAN, True, "2.50", Decimal("NaN"), Decimal("Infinity"), [1], b"1"],
    "attributes": [
        1,
        "A",
        ["A"],
        {1: "A"},
        {"a": NAN},
        {"a": {1: 2}},
        {"a": Decimal(1)},
        {"a": b"x"},
        {"a": 2**70},
        HALF,
        TIME,
    ],
    "hold_limits": [
        1,
        "A",
        {"ttl_s": 1},
        [],
        Unshowable(),
        HoldLimits(0),
        HoldLimits(ttl_s=True),
        HoldLimits(1, 1, 101),
    ],
    **{name: [1, True, b"A", ["A"], Unshowable()] for name in ("customer", "owner", "state")},
    "id": [*NO_TEXT, None, "", "A", "../levels"],
    "ttl_s": [*NO_NUMBER, 0, -1, 2**31],
    "older_than_s": [one for one in NO_SECONDS if one is not None],
    **{name: [1, 0, None, "yes"] for name in ("fulfil", "split")},
    "callback": [*NO_FUNCTION, None, fetched],
    "retry_for_s": [*NO_SECONDS, None],
    "timeout_s": NO_SECONDS,
    "connect_timeout_s": [*NO_SECONDS, None, 0, INF],
}
ELSEWHERE = {"token"}
"""What it is by itself below; what it fetches in `test_what_is_no_token_ends_the_stream_in_words`."""
ABOUT_KEYS = ("Client.outcomes", "AsyncClient.outcomes")
"""Whose keys are those of operations."""


def _own_details(signature: inspect.Signature) -> list[str]:
    """The arguments by name; those of ``**details`` too."""
    names = []
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            names += list(typing.get_type_hints(Details))
        elif name != "self":
            names.append(name)
    return names


def _surface() -> dict[str, Callable[..., Any]]:
    """By their names: whatever an application can call with arguments."""
    found: dict[str, Callable[..., Any]] = {"Client": Client, "AsyncClient": AsyncClient}
    for name in ("sale", "receipt", "returned", "write_off", "adjustment", "held", "held_from"):
        found[name] = getattr(stockwire, name)
    for made in (Line, Count, Operation, AtMost, AtLeast):
        found[made.__name__] = made
    client, other = Client(NOBODY, "k", max_retries=0), AsyncClient(NOBODY, "k", max_retries=0)
    owners: dict[str, object] = {"Client": client, "AsyncClient": other}
    for one in (client, other):
        owners |= {type(part).__name__: part for part in (one.stock, one.items, one.locations, one.reservations)}
        owners[type(one.subscribe("berlin")).__name__] = one.subscribe("berlin")
    for owner_name, owner in owners.items():
        for name, method in inspect.getmembers(owner, callable):
            if not name.startswith("_") and _own_details(inspect.signature(method)):
                found[f"{owner_name}.{name}"] = method
    return found


SURFACE = _surface()
CASES = [(where, name) for where, function in SURFACE.items() for name in _own_details(inspect.signature(function))]


def test_every_argument_has_a_row() -> None:
    assert len(SURFACE) > 50
    assert {name for _, name in CASES} - BAD.keys() - ELSEWHERE == set()
    assert BAD.keys() - {name for _, name in CASES} == set(), "rows of arguments that are gone"


async def _called(where: str, **arguments: Any) -> None:
    function = SURFACE[where]
    if function in (Client, AsyncClient):
        arguments = {"url": NOBODY} | arguments
    good = GOOD | ({"lines": [held("A", "berlin")]} if "Reservations." in where else {})
    good |= {"locations": ["berlin"]} if where == "held_from" else {}
    needed = {
        name: good[name]
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    }
    answer = function(**needed | arguments)
    if inspect.isawaitable(answer):
        answer = await answer
    if isinstance(answer, Iterator):
        next(answer)
    elif isinstance(answer, AsyncIterator):
        await anext(answer)


@pytest.mark.parametrize(("where", "name"), [case for case in CASES if case[1] in BAD], ids=str)
async def test_what_an_argument_cannot_be_is_refused_with_its_name(where: str, name: str) -> None:
    bad = BAD[name]
    if name == "key" and where in ("Client", "AsyncClient"):
        bad = BAD["url"]  # of the API: what is text, and no key, is a matter of settings
    if where in ABOUT_KEYS:
        bad = [*NO_LIST, None, [1], [None], ["with space"], [uuid.UUID(int=1)]]
    if name == "timeout_s" and not where.endswith("next_event"):
        bad = [*bad, None]
    if name == "location" and where.endswith(".levels"):
        bad = NO_TEXT  # None: all of them
    if "Reservations." in where:
        bad = _of_a_reservation(where, name, bad)
    if where == "held":
        bad = [one for one in bad if one is not None] if name == "quantity" else bad
    if (where, name) == ("held_from", "locations"):
        bad = [*NO_LIST, None, [], [1], [b"A"], {"A"}]
    if (where, name) == ("AtMost", "units"):
        bad = [one for one in bad if one is False or one is not bad[-3]]  # 0
    if where == "Operation":
        bad = [*bad, None] if name == "key" else [one for one in bad if one != []]
    for value in bad:
        with pytest.raises(Invalid) as refused:
            await _called(where, **{name: value})
        field = refused.value.field
        assert field == name or field.startswith((f"{name}[", f"{name}.")) or (name, field) == ("keys", "key"), field
        assert "Traceback" not in str(refused.value)


def _of_a_reservation(where: str, name: str, bad: list[Any]) -> list[Any]:
    """Where an argument means another thing than elsewhere, or may be left out."""
    method = where.partition(".")[2]
    if name == "lines":
        return [one for one in bad if one is not None or method in ("reserve", "change")]
    if name == "ttl_s" and method != "extend":
        return [one for one in bad if one is not None]
    if name == "location":
        return [*NO_TEXT, "*", ""]
    if name == "sku":
        return [*NO_TEXT, "A/B", "A"]  # needs a location beside it
    return bad


@pytest.mark.parametrize("one", [1, Index(), Decimal(1), Decimal("1.0"), 1.0, Fraction(1)], ids=repr)
def test_what_is_a_whole_number_is_taken_as_the_number_it_is(one: Any) -> None:
    line = orjson.loads(call.operation([sale("A", "berlin", one, if_version=one)], "k").request.body or b"")["lines"][0]
    assert (line["quantity"], line["expected_version"]) == (-1, 1)
    assert type(sale("A", "berlin", one).quantity) is int
    counted = orjson.loads(call.count("A", "berlin", one, one, None, None, None).request.body or b"")
    assert counted == {"on_hand": 1, "expected_version": 1}
    assert (AtMost(one, until=2).body(), AtLeast(2, until=one).body()) == (
        {"at_most": 1, "until": 2},
        {"at_least": 2, "until": 1},
    )


def test_several_are_any_iterable_of_them() -> None:
    client = Client(NOBODY, "k")
    lines = (sale(sku, "berlin") for sku in "AB")
    assert len(orjson.loads(call.operation(lines, "k").request.body or b"")["lines"]) == 2  # type: ignore[arg-type]  # more than is asked for
    for skus in (["A"], ("A",), {"A"}, dict.fromkeys("A").keys(), iter(["A"])):
        assert client.subscribe("berlin", skus)._inbox.session._skus == ["A"]
    (query,) = call.levels_of(iter([("berlin", "A"), ["berlin", "B"]]))  # type: ignore[list-item]  # as JSON has pairs
    assert orjson.loads(query.request.body or b"") == {"keys": [["berlin", "A"], ["berlin", "B"]]}


def test_what_stands_for_a_type_of_json_is_written_as_that_type() -> None:
    class Weight(float):
        """As the floats of numpy are."""

    wanted = {"weight": 1.5, "tags": ["a"], "of": {"n": 1}}
    asked = call.put_item("A", "Apple", None, None, {"weight": Weight(1.5), "tags": ("a",), "of": {"n": 1}})
    assert orjson.loads(asked.request.body or b"")["attributes"] == wanted


@pytest.mark.parametrize("price", [Decimal("2.50"), 2, Index()], ids=repr)
def test_a_price_is_a_decimal_or_whole(price: Any) -> None:
    body = orjson.loads(call.put_item("A", "Apple", price, "GBP", None).request.body or b"")
    assert Decimal(body["price"]) == Decimal(price if not isinstance(price, Index) else 1)


@pytest.mark.parametrize("token", [1, "token", fetched])
def test_a_token_is_fetched_by_a_function_of_the_kind_that_the_client_calls(token: Any) -> None:
    with pytest.raises(Invalid) as refused:
        Client(NOBODY, "k").subscribe("berlin", token=token)
    assert refused.value.field == "token"


@pytest.mark.parametrize("given", [None, 1, b"secret", ["secret"]], ids=repr)
async def test_what_is_no_token_ends_the_stream_in_words(given: Any) -> None:
    async def fetch() -> Any:
        return given

    async with AsyncClient(NOBODY, "k", hubs=["ws://127.0.0.1:1"]) as client:
        async with client.subscribe("berlin", token=fetch) as stream:
            with pytest.raises((Invalid, ConfigurationError)) as refused:
                await stream.ready()
        assert "secret" not in str(refused.value)
    blocking = Client(NOBODY, "k", hubs=["ws://127.0.0.1:1"]).subscribe("berlin", token=lambda: given)
    with blocking, pytest.raises((Invalid, ConfigurationError)):
        blocking.ready()


async def test_a_function_that_blocks_is_no_async_one() -> None:
    async with AsyncClient(NOBODY, "k", hubs=["ws://127.0.0.1:1"]) as client:
        stream = client.subscribe("berlin", token=lambda: "token")  # type: ignore[arg-type, return-value]  # the point
        async with stream:
            with pytest.raises(Invalid) as refused:
                await stream.ready()
    assert refused.value.field == "token"
    assert "async function" in refused.value.reason
