"""The client agrees with the hand-written contract: every message, every close code. Run from the repository."""

import json
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stockwire import close_code, frame
from stockwire.close_code import return_after
from stockwire.kind import LEVELS, PUBLIC, ViewKind, thresholds
from stockwire.session import Ending, Session
from stockwire.threshold import AtLeast, AtMost, Undecided

VECTORS = Path(__file__).parents[3] / "wire" / "vectors"


def vectors(file: str) -> list[Any]:
    entries = json.loads((VECTORS / file).read_text(encoding="utf-8"))["vectors"]
    return [pytest.param(entry, id=str(entry.get("name", entry.get("code")))) for entry in entries]


def text_of(vector: dict[str, Any]) -> str | bytes:
    if "hex" in vector:
        return bytes.fromhex(vector["hex"])
    return str(vector["text"]) if "text" in vector else json.dumps(vector["message"])


@pytest.mark.parametrize("vector", vectors("hub-to-client.json"))
def test_reads_what_a_hub_sends(vector: dict[str, Any]) -> None:
    decoded = vector.get("decoded")
    if decoded is None:
        decoded = {name: value for name, value in vector["message"].items() if name != "type"}
    about = about_of(vector)
    message = frame.parse(text_of(vector), about)
    assert message is not None
    read = plain(message)
    expected = plain(decoded)
    if isinstance(message, frame.SnapshotPart):
        levels = read.pop("levels")
        assert {level.pop("traceparent", None) for level in levels} <= {None}  # of changes alone
        assert levels == expected.pop(about.part)
        assert {expected.pop(name, None) for name in ("levels", "views", "thresholds")} == {None}
    assert {name: read[name] for name in expected} == expected


@pytest.mark.parametrize("vector", vectors("client-to-hub.json"))
def test_writes_what_a_hub_reads(vector: dict[str, Any]) -> None:
    message = vector.get("encoded") or vector["message"]
    written = written_by_client(message)
    if written is not None:
        assert json.loads(written) == message


@pytest.mark.parametrize("vector", vectors("ignored-by-clients.json"))
def test_ignores_what_a_later_protocol_adds(vector: dict[str, Any]) -> None:
    session = Session(LEVELS, "berlin", None)
    session.begin("token")
    assert session.receive(text_of(vector)) == []


@pytest.mark.parametrize("vector", vectors("close-codes.json"))
def test_returns_as_the_close_code_says(vector: dict[str, Any]) -> None:
    assert return_after(vector["code"]).value == vector["returns"]


def test_the_close_codes_have_the_names_of_the_contract() -> None:
    entries = json.loads((VECTORS / "close-codes.json").read_text(encoding="utf-8"))["vectors"]
    contract = {entry["name"]: entry["code"] for entry in entries if entry["name"]}
    own = {name: value for name, value in vars(close_code).items() if name.isupper()}
    assert own
    assert own.items() <= contract.items()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '"level"',
        "{}",
        '{"type":1}',
        '{"type":"level"}',
        '{"type":"heartbeat","seq":[]}',
        '{"type":"connected","id":1,"node":"n","epoch":"e","heartbeat_s":0,"expires_at":null}',
        b"\xff\xfe",
    ],
)
def test_a_message_that_makes_no_sense_ends_the_connection_and_nothing_else(text: str | bytes) -> None:
    session = Session(LEVELS, "berlin", None)
    session.begin("token")
    (ending,) = session.receive(text)
    assert isinstance(ending, Ending)
    assert ending.error is None


def written_by_client(message: dict[str, Any]) -> str | None:
    """None for what this client has no reason to send: connect without a token."""
    match message["type"]:
        case "connect":
            return frame.connect(message["id"], message["token"]) if message.get("token") else None
        case "subscribe":
            since = frame.Position.parse(message["since"]) if "since" in message else None
            return frame.subscribe(
                message["id"], message["location"], message.get("skus"), since, asked_by(message).asks
            )
        case "unsubscribe":
            return frame.unsubscribe(message["id"], message["sub"])
        case "refresh":
            return frame.refresh(message["id"], message["token"])
    raise AssertionError(f"a vector of an unknown type: {message}")


def about_of(vector: dict[str, Any]) -> ViewKind[Any, Any]:
    """What one subscribes to in order to be sent this."""
    kinds: list[ViewKind[Any, Any]] = [PUBLIC, thresholds(AtMost(5), public=False)]
    message = vector.get("message", {})
    return next((kind for kind in kinds if vector["type"] == kind.message or kind.part in message), LEVELS)


def asked_by(message: dict[str, Any]) -> ViewKind[Any, Any]:
    public = message.get("view") == "public"
    when = message.get("when")
    if when is None:
        return PUBLIC if public else LEVELS
    until = when.get("until")
    asked = AtMost(when["at_most"], until) if "at_most" in when else AtLeast(when["at_least"], until)
    return thresholds(asked, public=public)


def plain(value: Any) -> Any:
    """A frame as the JSON values it came from, but for what this client has no use for.

    A position's selection that is null is the same as an absent one. Which threshold was crossed (``when``) is known:
    there is one on a connection.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, Undecided):
        return asdict(value) | {"raised": None}
    if isinstance(value, frame.SnapshotPart):
        return {name: plain(getattr(value, name)) for name in ("sub", "levels", "last", "position")}
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {name: plain(field) for name, field in value.items() if not unused(name, field)}
    if isinstance(value, list | tuple):
        return [plain(field) for field in value]
    return value


def unused(name: str, field: object) -> bool:
    return name == "when" or (name == "selection" and field is None)
