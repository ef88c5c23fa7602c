"""What is heard of other writers: their batches of this epoch, as long as it is worth hearing them."""

import json
from collections.abc import Sequence

import pytest
from msgspec import structs

from ledger.feed.rivals import ALONE_MAX, UNUSED_MAX, Moved, Rivals

LEVEL = Moved("berlin", "A", on_hand=5, reserved=1, version=7, view_version=2)
EPOCH = "epoch"


class Heard:
    def __init__(self) -> None:
        self.batches: list[tuple[str, int, int, list[Moved]]] = []

    def connected(self) -> None: ...

    def heard(self, by: str, shard: int, seq: int, moved: Sequence[Moved]) -> None:
        self.batches.append((by, shard, seq, list(moved)))

    def disconnected(self) -> None: ...


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def rivals(heard: Heard) -> Rivals:
    rivals = Rivals(("redis://127.0.0.1:1", "prefix"), 3, "us", lambda: EPOCH, heard)
    rivals.listen()
    return rivals


def told(by: str | None = "them", events: int = 1, epoch: str = EPOCH) -> bytes:
    message = {"epoch": epoch, "shard": 3, "first": 10, "events": [{**structs.asdict(LEVEL), "kind": "sale"}] * events}
    return json.dumps(message if by is None else {**message, "writer": by}).encode()


def test_others_are_heard_and_those_of_an_earlier_version_too(rivals: Rivals, heard: Heard) -> None:
    rivals.message("", told(events=4))
    rivals.message("", told(by=None))
    assert heard.batches == [("them", 3, 13, [LEVEL] * 4), ("", 3, 10, [LEVEL])]


@pytest.mark.parametrize(
    "message",
    [
        told(by="us"),
        told(epoch="before"),
        json.dumps({"epoch": EPOCH, "shard": 3, "head": 5}).encode(),
        told().replace(b"7", b'"7"'),
        told().replace(b'"events": [', b'"events": [5, '),
        told().replace(b"them", b"\xff"),
        told().replace(b"berlin", b"\xff"),
        told().replace(b'"events": [', b'"events": [' + b"[" * 100_000),
        told().replace(b'"on_hand": 5', b'"on_hand": 2147483648'),
        told().replace(b'"reserved": 1', b'"reserved": -1'),
        told().replace(b'"version": 7', b'"version": 9223372036854775807'),
        b"PING",
        b"",
    ],
)
def test_what_says_nothing_of_others_is_passed_over(rivals: Rivals, heard: Heard, message: bytes) -> None:
    rivals.message("", message)
    assert heard.batches == []


def test_a_writer_that_commits_nothing_does_not_hear_all_of_what_others_do(rivals: Rivals) -> None:
    for _ in range(3):
        for _ in range(UNUSED_MAX):
            rivals.message("", told())
        assert rivals.wanted
        rivals.committed()
    for _ in range(UNUSED_MAX + 1):
        rivals.message("", told())
    assert not rivals.wanted


def test_a_writer_that_is_alone_again_stops_listening(rivals: Rivals) -> None:
    for _ in range(ALONE_MAX - 1):
        rivals.committed()
    rivals.message("", told())
    for _ in range(ALONE_MAX):
        rivals.message("", told(by="us"))
        assert rivals.wanted
        rivals.committed()
    rivals.message("", told(by="us"))
    rivals.committed()
    assert not rivals.wanted
