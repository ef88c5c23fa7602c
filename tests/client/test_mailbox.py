"""What an application is told by changes alone is what the view shows, whenever it reads them."""

import json
from typing import Any

from stockwire.close_code import EPOCH_CHANGED
from stockwire.kind import LEVELS
from stockwire.mailbox import Mailbox
from stockwire.session import Changed, Dropped, Session, Taken
from stockwire.stream import LevelChanged, Snapshot

COMMITTED_AT = "2026-11-22T10:00:00.000000Z"


class Reader:
    """A client of ``berlin`` whose hub says what a test says. ``looped``: the version of A by the first snapshot and
    then by changes alone.
    """

    def __init__(self) -> None:
        self.session = Session(LEVELS, "berlin", None)
        self.mailbox = Mailbox(LEVELS, self.session.view)
        self.looped: int | None = None

    def connect(self, epoch: str, *, recovered: bool) -> None:
        self.session.begin("key")
        self.hear(type="connected", id=1, node="hub", epoch=epoch, heartbeat_s=1.0, expires_at=None)
        self.hear(type="subscribed", id=2, sub=2, recovered=recovered)

    def part(self, version: int, position: dict[str, Any] | None = None) -> None:
        level = {"sku": "A", "location": "berlin", "version": version, "on_hand": version, "reserved": 0}
        level |= {"available": version, "kind": "sale", "committed_at": COMMITTED_AT, "shard": 0, "seq": version}
        last: dict[str, Any] = {"last": False} if position is None else {"last": True, "position": position}
        self.hear(type="snapshot", sub=2, levels=[level], **last)

    def hear(self, **message: Any) -> None:
        for said in self.session.receive(json.dumps(message)):
            if isinstance(said, Changed | Taken | Dropped):
                self.mailbox.put(said)

    def read(self) -> None:
        while (event := self.mailbox.take()) is not None:
            if isinstance(event, LevelChanged):
                self.looped = event.level.version
            elif isinstance(event, Snapshot) and self.looped is None:
                self.looped = event.levels[0].version


def test_what_was_told_in_the_middle_of_a_resume_is_taken_back_when_history_was_rewritten() -> None:
    """A slow application reads its first snapshot when a resume has brought half of what is newer: that is cut off, and
    the next history has what the first snapshot had.
    """
    reader = Reader()
    reader.connect("e1", recovered=False)
    reader.part(1, {"epoch": "e1", "seq": {"0": 1}})
    reader.session.lost(None)
    reader.connect("e1", recovered=True)
    reader.part(2)
    reader.read()
    assert reader.looped == 2
    if reader.session.lost(EPOCH_CHANGED):
        reader.mailbox.forget()
    reader.connect("e2", recovered=False)
    reader.part(1, {"epoch": "e2", "seq": {"0": 1}})
    reader.read()
    assert reader.looped == 1
