"""What is sent to the ledger is what was commanded, under one key for each command, and nothing that cannot be read."""

import orjson
import pytest

from followers.intake.command import NAMES, Command, Unreadable, parse
from followers.intake.known import KNOWN_MAX, Known
from followers.intake.levels import levels_of, made_known
from stockwire.streams import errors as streams
from stockwire.streams.cloud_event import CloudEvent
from tests.followers.intake.running import Sent, command, event_of
from tests.harness.openapi import document
from wire.bindings import KAFKA_STRUCTURED

ID = "0B1E6F1C-3C1F-5D0A-9D0E-2F6F3A1C9B77"
DATA: dict[str, dict[str, object]] = {
    "movement": {"sku": "A", "location": "berlin", "quantity": -1, "kind": "sale"},
    "count": {"sku": "A/B%", "location": "..", "on_hand": 3, "expected_version": None},
    "reservation": {"lines": [{"sku": "A", "locations": ["berlin", "hamburg"], "quantity": 1}]},
    "transfer": {"from": "berlin", "to": "hamburg", "lines": [{"sku": "A", "quantity": 1}]},
}


def read(sent: Sent) -> Command:
    event = event_of(sent)
    return parse(event.attributes, event.data)


def parsed(name: str, data: object) -> Command:
    return read(command(name, "4711", data))


def data_of(name: str) -> dict[str, object]:
    thing, _, step = name.partition(".")
    return {thing: ID, "lines": [{"sku": "B", "location": "bremen", "quantity": 1}]} if step else dict(DATA[name])


@pytest.mark.parametrize("name", NAMES)
def test_each_command_is_a_request_that_the_ledger_has(name: str) -> None:
    found = parsed(name, data_of(name))
    path = found.path.replace(ID.lower(), "{id}").replace("/%2E%2E/A%2FB%25", "/{location}/{sku}")
    assert found.method.lower() in document("openapi.yaml").content["paths"][path]
    assert not orjson.loads(found.body).keys() & {"reservation", "transfer"}


def test_a_command_in_one_json_object_is_the_same_as_one_in_headers() -> None:
    sent = command("movement", "4711", DATA["movement"])
    whole = orjson.dumps({**sent.attributes, "data": DATA["movement"]})
    event = CloudEvent.of_kafka(KAFKA_STRUCTURED, whole)
    structured = parse(event.attributes, event.data)
    assert structured == parsed("movement", DATA["movement"])


def test_the_key_tells_every_pair_of_source_and_id_apart_and_is_one_for_the_ledger() -> None:
    keys = set()
    for source, id_ in (("/a", "b"), ("/ab", ""), ("/a/b", "1"), ("/a", "b/1"), ("é" * 500, "x" * 1000)):
        if id_:
            keys.add(read(command("movement", id_, {}, source=source)).key)
    assert len(keys) == 4
    assert all(len(key) == 67 and key.isascii() and key.isprintable() for key in keys)


@pytest.mark.parametrize(
    ("field", "changed", "data"),
    [
        ("specversion", {"specversion": "0.3"}, b"{}"),
        ("id", {"id": ""}, b"{}"),
        ("id", {"id": "a\nb"}, b"{}"),
        ("source", {"source": "x" * 1025}, b"{}"),
        ("type", {"type": "stockwire.command.theft.v1"}, b"{}"),
        ("type", {"type": "movement"}, b"{}"),
        ("correlationid", {"correlationid": ""}, b"{}"),
        ("data", {}, b"[]"),
        ("data", {}, b"\xff"),
        ("data", {}, b"[" * 100_000),
        ("data", {}, b'{"lines": ' + b"[" * 1_000 + b"]" * 1_000 + b"}"),
        (
            "data.sku",
            {"type": "stockwire.command.count.v1"},
            b'{"location": "berlin", "sku": "' + b"x" * 70_000 + b'"}',
        ),
        ("data.location", {"type": "stockwire.command.count.v1"}, b'{"location": "%s", "sku": "A"}' % (b"x" * 65)),
        ("data.sku", {"type": "stockwire.command.count.v1"}, b'{"location": "berlin"}'),
        ("data.location", {"type": "stockwire.command.count.v1"}, b'{"location": 1, "sku": "A"}'),
        ("data.reservation", {"type": "stockwire.command.reservation.commit.v1"}, b'{"reservation": "../x"}'),
        ("data.transfer", {"type": "stockwire.command.transfer.close.v1"}, b"{}"),
    ],
)
def test_what_cannot_be_read_is_named(field: str, changed: dict[str, str], data: bytes) -> None:
    attributes = {**command("movement", "1", b"").attributes, **changed}
    with pytest.raises((Unreadable, streams.Unreadable)) as refused:
        read(Sent(attributes, data))
    assert getattr(refused.value, "field", None) == field


def levels(name: str, data: object, known: Known) -> set[str]:
    found = levels_of(parsed(name, data), known)
    assert found is not None
    return set(found)


def test_a_command_waits_for_every_level_that_it_may_change() -> None:
    known = Known()
    assert levels("movement", DATA["movement"], known) == {"berlin/A"}
    assert levels("count", DATA["count"], known) == {"../A/B%"}
    assert levels("reservation", DATA["reservation"], known) == {"berlin/A", "hamburg/A"}
    assert levels("transfer", DATA["transfer"], known) == {"berlin/A", "hamburg/A", "transit:hamburg/A"}
    for wrong in ({"lines": 1}, {"lines": [1, {"sku": 2}]}, {}, {"lines": [{"sku": "A", "locations": "x"}]}):
        for name in ("movement", "reservation", "transfer"):
            assert levels(name, wrong, known) == set()


def test_a_step_of_what_is_not_known_may_change_any_level_and_of_what_is_known_its_own() -> None:
    known = Known()
    for thing in ("reservation", "transfer"):
        assert (
            levels_of(parsed(f"{thing}.{'cancel' if thing == 'reservation' else 'return'}", {thing: ID}), known) is None
        )
    made = made_known(
        parsed("reservation", DATA["reservation"]),
        {"reservation": {"id": ID.lower(), "lines": [{"sku": "A", "location": "berlin"}]}},
    )
    assert made is not None
    known.learn(*made)
    assert levels("reservation.commit", {"reservation": ID}, known) == {"berlin/A"}
    more = {"reservation": ID, "lines": [{"sku": "B", "location": "bremen"}]}
    assert levels("reservation.lines", more, known) == {"berlin/A", "bremen/B"}
    sent = {"id": ID.lower(), "from": "berlin", "to": "hamburg", "lines": [{"sku": "A"}]}
    made = made_known(parsed("transfer", DATA["transfer"]), {"transfer": sent})
    assert made is not None
    known.learn(*made)
    back = {"transfer": ID, "to": "bremen"}
    assert levels("transfer.return", back, known) == {*("berlin/A", "hamburg/A", "transit:hamburg/A", "bremen/A")}


def test_what_is_known_is_bounded_and_the_newest_stays() -> None:
    known = Known()
    for number in range(KNOWN_MAX + 1):
        known.learn(str(number), frozenset())
    assert known.levels("0") is None
    assert known.levels("1") == frozenset()
