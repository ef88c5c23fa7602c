"""docs/reference/protocol.md names everything that the code has, and nothing that it has not."""

import re
from dataclasses import fields
from typing import get_args

import msgspec
import pytest

from hub.limits import Limits
from hub.stream.stream_protocol import HEAD_BYTES_MAX, HEADERS_MAX
from tests.harness.source import PACKAGES, REFERENCE, calls_of, code_names, rows, section, strings_in
from wire import messages
from wire.close_codes import CloseCode, return_after

PAGE = (REFERENCE / "protocol.md").read_text()
STREAM_MESSAGES: list[type[msgspec.Struct]] = [*get_args(messages.ClientMessage), *get_args(messages.HubMessage)]


@pytest.mark.parametrize("message", STREAM_MESSAGES, ids=lambda message: message.__name__)
def test_the_fields_of_a_message_are_those_of_its_class(message: type[msgspec.Struct]) -> None:
    described = rows(section(PAGE, f"`{message.__struct_config__.tag}`"), "Field")
    assert [code_names(row[0])[0] for row in described] == list(message.__struct_fields__)


def test_no_message_is_described_that_does_not_exist() -> None:
    described = set(re.findall(r"^### `(\w+)`$", PAGE, re.MULTILINE))
    assert described == {message.__struct_config__.tag for message in STREAM_MESSAGES}


def test_the_error_codes_are_those_that_the_hub_sends() -> None:
    documented = {code_names(row[0])[0] for row in rows(section(PAGE, "`error`"), "Code")}
    # Refused(code, message), Error(id, code, message), session.fail(subscription, code, message)
    assert documented == sent("Refused", 2, 0) | sent("Error", 3, 1) | sent("fail", 3, 1)


def test_the_close_codes_are_those_of_the_wire() -> None:
    described = {int(row[0]): row for row in rows(section(PAGE, "Close codes"), "Code")}
    assert set(described) == {code.value for code in CloseCode}
    for code in CloseCode:
        assert described[code][1].upper().replace(" ", "_") == code.name
        assert described[code][3].startswith(return_after(code).value), code


def test_the_limits_are_the_hubs_defaults() -> None:
    limits = Limits()
    text = section(PAGE, "Limits")
    named = {
        "message_bytes_max": f"size of a message | {limits.message_bytes_max} bytes",
        "messages_per_minute": f"{limits.messages_per_minute} in a minute",
        "messages_burst": f"a burst of {limits.messages_burst}",
        "skus_max": f"skus in a subscription | {limits.skus_max} |",
        "subscriptions_max": f"subscriptions of a connection | {limits.subscriptions_max} |",
        "levels_per_connection_max": f"over all its subscriptions | {limits.levels_per_connection_max} |",
        "connections_max": f"connections of a hub | {limits.connections_max} |",
        "connections_per_owner_max": f"one owner, on one hub | {limits.connections_per_owner_max} |",
        "unauthenticated_max": f"waited longest is ended | {limits.unauthenticated_max} |",
        "handshakes_per_s": f"handshakes | {limits.handshakes_per_s} per second",
        "handshakes_burst": f"per second after a burst of {limits.handshakes_burst} |",
        "authenticate_s": f"authenticate | {limits.authenticate_s:g} s",
        "ping_s": f"| {limits.ping_s:g} s, ",
        "pong_s": f", {limits.pong_s:g} s |",
        "stall_s": f"not read | {limits.stall_s:g} s",
        "write_bytes_max": f"counts as slow | {limits.write_bytes_max} bytes",
    }
    without = {"connections_per_address_max": "from one address", "connection_age_s": "age of a connection"}
    assert set(named) | set(without) | {"send_buffer_bytes"} == {field.name for field in fields(Limits)}
    for name, words in without.items():
        assert getattr(limits, name) == 0
        assert re.search(rf"{words}[^|]* \| no limit \|", text), name
    assert f"head of a request | {HEAD_BYTES_MAX} bytes, {HEADERS_MAX} headers |" in text
    assert not [name for name, words in named.items() if words not in text]


def test_every_field_of_what_the_broker_carries_is_described() -> None:
    described = rows(section(PAGE, "Channel `<prefix>:<shard>`: `batch`"), "Field of an event")
    assert [name for row in described for name in code_names(row[0])] == list(messages.Event.__struct_fields__)
    for struct in (messages.Batch, messages.Position, messages.Revocation):
        for name in struct.__struct_fields__:
            assert re.search(rf"[`\"]{name}[`\"]", PAGE), f"{struct.__name__}.{name}"


def sent(call_name: str, arguments: int, position: int) -> set[str]:
    """The strings at ``position`` of calls with this name and number of arguments, in the hub."""
    return {
        text
        for path in PACKAGES["hub"].rglob("*.py")
        for call in calls_of(path, call_name)
        if len(call.args) == arguments
        for text in strings_in(call.args[position])
    }
